//! Who does a job that one process does for all of them, and until when.
//!
//! A lease is taken and renewed by a versioned write, so that two never have it
//! by the store's word. By the clock's word they might: clocks differ. So who
//! has it stops using it [`CLOCK_SLACK`] before its end, by a clock of its own
//! that nobody sets, and who takes it over waits until [`CLOCK_SLACK`] after it.
//! This module refuses to know what is done under a lease.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// By how much the clocks of machines on one store may differ, each way.
pub const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(5);

/// Who has a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The name of the job.
    pub name: String,
    /// Who has it: random, made anew with each process.
    pub holder: String,
    /// Until when, by the holder's clock.
    pub until: Timestamp,
}

impl Lease {
    /// How long a lease is good from when it was taken or renewed.
    pub const TERM: SignedDuration = SignedDuration::from_secs(60);
    /// How long its holder may use it, from before the write that took it.
    pub const USE: SignedDuration = SignedDuration::from_secs(60 - CLOCK_SLACK.as_secs());

    /// The lease as it is taken or renewed now.
    pub fn taken(name: &str, holder: &str, now: Timestamp) -> Self {
        let until = now.checked_add(Self::TERM).unwrap_or(Timestamp::MAX);
        Self { name: name.to_owned(), holder: holder.to_owned(), until }
    }

    /// Whether somebody may take or renew it, by their own clock: its holder
    /// always, for the write says whether it still is the holder; anybody else
    /// when its time is over by every clock.
    pub fn is_free_for(&self, holder: &str, now: Timestamp) -> bool {
        self.holder == holder || now >= self.until.checked_add(CLOCK_SLACK).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_over_while_the_holder_works_however_the_clocks_differ() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let lease = Lease::taken("a job", "one", now);
        for millis in (-5_000..=5_000).step_by(100) {
            let ahead = SignedDuration::from_millis(millis);
            let theirs = |passed: SignedDuration| now.checked_add(passed + ahead).unwrap();
            assert!(!lease.is_free_for("other", theirs(Lease::USE)), "{millis} ms ahead");
            let late = Lease::TERM + CLOCK_SLACK + CLOCK_SLACK;
            assert!(lease.is_free_for("other", theirs(late)), "{millis} ms ahead: never over");
        }
        assert!(lease.is_free_for("one", now), "the holder renews it");
    }
}
