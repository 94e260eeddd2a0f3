//! The sweep of every day: which process does it, and when the next one is due.
//!
//! One process does it for all, by a lease. Who has swept keeps the lease until the next one
//! is due, so others, and the same process after a restart, find there when that is. A sweep
//! that one was killed at is done by whoever finds the lease over.

use crate::app::held::{self, Held};
use crate::app::messaging::sweep::{Sweep, SweepPlan, Swept};
use crate::app::messaging::{Messaging, MessagingError};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The lease that a sweep is done under.
const LEASE: &str = "sweep";
/// How far it looks back: as far as single deliveries are asked for, and twice as far as the
/// last one was, so that a price that is told late is found the next day.
const BACK: SignedDuration = SignedDuration::from_hours(48);
/// When one that could not be ended is begun again.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The daily sweep of one process.
pub struct Daily {
    hour: i8,
    holder: String,
    /// The first one on a new store is due at the hour after this.
    begun: Timestamp,
}

impl Daily {
    /// One that is due at that hour of UTC (0 to 23).
    pub fn new(messaging: &Messaging, hour: i8) -> Self {
        Self { hour, holder: held::new_holder(&messaging.base), begun: messaging.base.now() }
    }

    /// Sweeps, where a sweep is due; `None` where none is, or another process is at it.
    /// Deliveries are kept for so long, `None` for ever.
    ///
    /// # Errors
    /// The store's.
    pub async fn sweep(
        &self,
        messaging: &Messaging,
        kept: Option<SignedDuration>,
    ) -> Result<Option<Swept>, MessagingError> {
        let base = &messaging.base;
        let due = match held::last(base, LEASE).await? {
            Some(last) => last.record.until,
            None => next(self.begun, self.hour),
        };
        if base.now() < due {
            return Ok(None);
        }
        let Some(mut held) = Held::take(base, LEASE, &self.holder).await? else { return Ok(None) };
        let since = base.now().checked_sub(BACK).unwrap_or(Timestamp::MIN);
        let mut sweep = Sweep::new(messaging, SweepPlan { since, kept, is_dry: false });
        while sweep.step().await? {
            if !held.keeps(base).await? {
                sweep.stop("another process has taken it over");
                return Ok(Some(sweep.end()));
            }
        }
        let swept = sweep.end();
        let now = base.now();
        let until = match swept.stopped {
            None => next(now, self.hour),
            Some(_) => now.checked_add(AGAIN).unwrap_or(Timestamp::MAX),
        };
        held.rest(base, until).await?;
        Ok(Some(swept))
    }
}

/// The first time after that one at which that hour of UTC begins.
fn next(after: Timestamp, hour: i8) -> Timestamp {
    let after = after.to_zoned(TimeZone::UTC).datetime();
    let today = after.date().at(hour.clamp(0, 23), 0, 0, 0);
    let next = if today > after { Ok(today) } else { today.checked_add(1.day()) };
    let next = next.and_then(|next| next.to_zoned(TimeZone::UTC));
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_hour_comes_once_a_day() {
        for (after, hour, wanted) in [
            ("2026-11-20T02:59:59.999Z", 3, "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00:00Z", 3, "2026-11-21T03:00:00Z"),
            ("2026-12-31T23:30:00Z", 0, "2027-01-01T00:00:00Z"),
            ("2026-11-20T22:00:00Z", 23, "2026-11-20T23:00:00Z"),
        ] {
            assert_eq!(next(after.parse().unwrap(), hour).to_string(), wanted, "{after}");
        }
    }
}
