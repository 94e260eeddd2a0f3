//! How often a line may come in the log that anybody can provoke.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The least time between two lines of one kind.
pub const PACE: Duration = Duration::from_secs(1);

/// Lets one line pass in each [`PACE`], and counts the others.
#[derive(Default)]
pub struct Rate(Mutex<(Option<Instant>, u64)>);

impl Rate {
    /// One that lets the first line pass.
    pub const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many were not told since the last line, when it is time for one.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, untold) = &mut *state;
        if last.is_some_and(|last| now.duration_since(last) < PACE) {
            *untold += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_a_line_a_second_that_counts_the_others() {
        let (rate, start) = (Rate::new(), Instant::now());
        assert_eq!(rate.pass(start), Some(0));
        assert!((0..50).all(|_| rate.pass(start).is_none()));
        assert_eq!(rate.pass(start + PACE), Some(50));
        assert_eq!(rate.pass(start + PACE), None);
        assert_eq!(rate.pass(start + 3 * PACE), Some(1));
    }
}
