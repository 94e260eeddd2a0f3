//! When a provider that is busy or away is left alone by who only asks. It refuses to know
//! what is asked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first rest after a question that was not answered; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(5);
/// The longest rest.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// Until when this process asks nothing.
#[derive(Debug, Default)]
pub struct Courtesy(Mutex<Rest>);

#[derive(Debug, Default)]
struct Rest {
    until: Option<Instant>,
    in_a_row: u32,
}

impl Courtesy {
    /// How long nothing is to be asked from now on; zero when something may be.
    pub(in crate::app) fn left(&self) -> Duration {
        let until = self.open().until;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// A question was answered.
    pub(in crate::app) fn answered(&self) {
        *self.open() = Rest::default();
    }

    /// One was not, and the other side wants to be left alone for so long at least. Answers
    /// how long it is left alone.
    pub(in crate::app) fn refused(&self, wanted: Duration) -> Duration {
        let mut rest = self.open();
        let span = FIRST.saturating_mul(1 << rest.in_a_row.min(16)).clamp(wanted.min(LONGEST), LONGEST);
        rest.in_a_row = rest.in_a_row.saturating_add(1);
        rest.until = Some(Instant::now() + span);
        span
    }

    /// Nothing is ever half-changed under this lock.
    fn open(&self) -> MutexGuard<'_, Rest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_double_up_to_ten_minutes_and_an_answer_ends_them() {
        let courtesy = Courtesy::default();
        assert_eq!(courtesy.left(), Duration::ZERO);
        let rests: Vec<u64> = (0..9).map(|_| courtesy.refused(Duration::ZERO).as_secs()).collect();
        assert_eq!(rests, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert!(courtesy.left() > Duration::from_secs(590));
        courtesy.answered();
        assert_eq!(courtesy.left(), Duration::ZERO);
        assert_eq!(courtesy.refused(Duration::from_secs(30)).as_secs(), 30, "as long as was asked for");
        assert_eq!(courtesy.refused(Duration::MAX), LONGEST);
    }
}
