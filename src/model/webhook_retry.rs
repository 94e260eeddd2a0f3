//! The retry schedule of webhooks: the backoff between the tries to send one event to one
//! endpoint. It refuses to know what is sent, and what an endpoint answered.

use crate::model::plain::after;
use jiff::{SignedDuration, Timestamp};

/// The waits between tries, as Svix has them; the first try is made at once, and after
/// the last one it is given up. Source: <https://docs.svix.com/retries>.
pub const WEBHOOK_RETRY_SCHEDULE: [SignedDuration; 7] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(10),
];

/// The longest wait that an endpoint may ask for (`Retry-After`).
pub const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// When to try again after so many tries that failed: by the schedule, and not before the
/// wait that the endpoint asked for; `None` when all of the schedule is used up.
pub fn next_try(tries: u32, retry_after: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    let step = usize::try_from(tries).unwrap_or(usize::MAX).saturating_sub(1);
    let wait = WEBHOOK_RETRY_SCHEDULE.get(step)?;
    Some(after(now, retry_after.min(LONGEST_RETRY_AFTER).max(*wait)))
}
