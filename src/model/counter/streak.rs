//! Failures in a row, and how long who made them has to wait.
//!
//! The wait doubles with each failure beyond those that are free, also with one that comes
//! while the wait lasts, for not all who fail are asked to wait. The module refuses to know
//! what fails.

use super::limit::{Backoff, Limit, length, slack};
use serde::{Deserialize, Serialize};

/// Failures in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// How many, at least one.
    pub failures: u64,
    /// When the last one was, in milliseconds since 1970.
    pub last: i64,
    /// For how long that is remembered, in seconds.
    pub seconds: u32,
}

impl Streak {
    /// Until when it makes anybody wait, if that is not over.
    pub(super) fn waits_until(&self, limit: &Limit, backoff: Backoff, now: i64) -> Option<i64> {
        let wait = wait(self.failures, limit.max, backoff);
        let until = self.last.saturating_add(wait);
        (wait > 0 && until > now && !self.is_astray(backoff, now)).then_some(until)
    }

    /// One more failure.
    pub(super) fn failed(stored: Option<Self>, limit: &Limit, backoff: Backoff, now: i64) -> Self {
        let seconds = limit.seconds.max(backoff.longest_seconds).max(1);
        let Some(old) = stored else { return Self { failures: 1, last: now, seconds } };
        let waited = wait(old.failures, limit.max, backoff) > 0;
        let is_over = waited && old.waits_until(limit, backoff, now).is_none();
        let failures = if backoff.anew && is_over { 1 } else { old.failures.saturating_add(1) };
        let last = if old.is_astray(backoff, now) { now } else { old.last.max(now) };
        Self { failures, last, seconds }
    }

    /// Whether a clock that was wrong made it: it would hold until its time comes.
    fn is_astray(&self, backoff: Backoff, now: i64) -> bool {
        self.last > now + length(backoff.longest_seconds) + slack()
    }

    /// When it is forgotten, in milliseconds.
    pub(super) fn end(&self) -> i64 {
        self.last.saturating_add(length(self.seconds))
    }
}

/// How long the wait is after so many failures, in milliseconds.
fn wait(failures: u64, free: u64, backoff: Backoff) -> i64 {
    let Some(doubled) = failures.checked_sub(free.max(1)) else { return 0 };
    let first = i64::from(backoff.first_seconds) * 1000;
    let longest = i64::from(backoff.longest_seconds) * 1000;
    // A second that is doubled so often is longer than any wait.
    let factor = 1_i64 << doubled.min(32);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::super::{Addition, Counter, Reached};
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    const OF: &str = "wrong";

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn lock(free: u64, first: u32, longest: u32, anew: bool) -> Limit {
        let backoff = Backoff { first_seconds: first, longest_seconds: longest, anew };
        Limit::new("lock", OF, 3600, free).streak(backoff)
    }

    fn failure() -> Addition {
        Addition::Failure { of: OF.into() }
    }

    fn success() -> Addition {
        Addition::Success { of: OF.into() }
    }

    fn room() -> Addition {
        Addition::Room { of: OF.into() }
    }

    fn failed(times: u64, limit: &Limit) -> Counter {
        let more =
            |counter: Counter, _| counter.add(at(0), &[failure()], std::slice::from_ref(limit)).unwrap();
        (0..times).fold(Counter::new("x".into()), more)
    }

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_ends_with_a_success() {
        let limit = lock(3, 60, 300, false);
        let limits = [limit.clone()];
        let waits = [None, None, Some(60), Some(120), Some(240), Some(300), Some(300)];
        for (failures, wait) in (1..).zip(waits) {
            let counter = failed(failures, &limit);
            let asked = counter.add(at(0), &[room()], &limits);
            match wait {
                None => assert_eq!(asked, Ok(counter)),
                Some(wait) => {
                    let passes_at = Some(at(wait * 1000));
                    assert_eq!(asked, Err(Reached { limit: "lock".into(), passes_at }));
                    assert!(counter.add(at(wait * 1000), &[room()], &limits).is_ok());
                }
            }
        }
        let locked = failed(9, &limit);
        let open = locked.add(at(1), &[success()], &limits).unwrap();
        assert_eq!((open.streaks.len(), open.ends_at), (0, at(1)));
        // What happened is counted by nobody's leave, but by who has to ask.
        let more = locked.add(at(1), &[failure()], &limits).unwrap();
        assert_eq!(more.streaks["lock"], Streak { failures: 10, last: 1, seconds: 3600 });
        assert!(locked.add(at(1), &[room(), failure()], &limits).is_err());
        assert!(locked.add(at(1), &[room(), success()], &limits).is_err());
        assert!(locked.add(at(1), &[room(), failure()], &[limit.tracked()]).is_ok());
        let text = serde_json::to_string(&more).unwrap();
        assert!(text.contains(r#""streaks":{"lock":{"failures":10,"last":1,"seconds":3600}}"#), "{text}");
    }

    #[test]
    fn one_that_begins_anew_blocks_for_one_length_after_each_row() {
        let limit = lock(2, 900, 900, true);
        let limits = [limit.clone()];
        let blocked = failed(2, &limit);
        assert_eq!(blocked.add(at(1), &[room()], &limits).unwrap_err().passes_at, Some(at(900_000)));
        let once = blocked.add(at(900_000), &[room(), failure()], &limits).unwrap();
        assert_eq!(once.streaks["lock"].failures, 1);
        assert!(once.add(at(900_000), &[room()], &limits).is_ok());
        let again = once.add(at(900_000), &[failure()], &limits).unwrap();
        assert_eq!(again.add(at(900_000), &[room()], &limits).unwrap_err().passes_at, Some(at(1_800_000)));
    }

    #[test]
    fn it_is_forgotten_in_its_time_and_a_clock_that_was_wrong_holds_nothing() {
        let limit = lock(1, 60, 7200, false);
        let counter = failed(1, &limit);
        assert_eq!((counter.ends_at, counter.streaks["lock"].seconds), (at(7_200_000), 7200));
        let limits = [limit.clone()];
        let forgotten = counter.add(at(7_200_000), &[failure()], &limits).unwrap();
        assert_eq!(forgotten.streaks["lock"].failures, 1);
        // Behind by less than the longest wait, one waits; behind by more, the time was wrong.
        assert!(counter.add(at(-7_000_000), &[room()], &limits).is_err());
        let behind = counter.add(at(-7_000_000), &[failure()], &limits).unwrap();
        assert_eq!(behind.streaks["lock"].last, 0);
        assert!(counter.add(at(-7_300_000), &[room()], &limits).is_ok());
        let set = counter.add(at(-7_300_000), &[failure()], &limits).unwrap();
        assert_eq!((set.streaks["lock"].failures, set.streaks["lock"].last), (2, -7_300_000));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Fail,
        Succeed,
        Ask,
        /// What who has to ask does.
        AskAndFail,
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against the whole history, read by the definition: the failures since the last
        /// success, and where each row begins anew.
        #[test]
        fn it_makes_wait_as_the_whole_history_says(
            free in 0..5u64, first in 0..40u32, longest in 0..300u32, anew: bool,
            steps in prop::collection::vec((0..90_000i64, prop_oneof![
                4 => Just(Step::Fail), 1 => Just(Step::Succeed), 3 => Just(Step::Ask), 3 => Just(Step::AskAndFail),
            ]), 1..50),
        ) {
            let limits = [Limit { seconds: 1_000_000, ..lock(free, first, longest, anew) }];
            let wait = |failures: u64| match failures {
                0 => 0,
                n if n < free => 0,
                n => {
                    let doubled = (free.max(1)..n).fold(u64::from(first), |wait, _| (wait * 2).min(1 << 40));
                    doubled.min(longest.into()) as i64 * 1000
                }
            };
            let until = |history: &[i64]| {
                let (mut failures, mut last) = (0, 0);
                for failed_at in history {
                    let is_over = wait(failures) > 0 && *failed_at >= last + wait(failures);
                    failures = if anew && is_over { 1 } else { failures + 1 };
                    last = *failed_at;
                }
                last + wait(failures)
            };
            let (mut now, mut history, mut counter) = (0, Vec::new(), Counter::new("x".into()));
            for (gap, step) in steps {
                now += gap;
                let additions = match step {
                    Step::Fail => vec![failure()],
                    Step::Succeed => vec![success()],
                    Step::Ask => vec![room()],
                    Step::AskAndFail => vec![failure(), room()],
                };
                let must_wait = !history.is_empty() && until(&history) > now && additions.contains(&room());
                match counter.add(at(now), &additions, &limits) {
                    Ok(next) => {
                        prop_assert!(!must_wait);
                        match step {
                            Step::Fail | Step::AskAndFail => history.push(now),
                            Step::Succeed => history.clear(),
                            Step::Ask => {}
                        }
                        counter = next;
                    }
                    Err(reached) => {
                        prop_assert!(must_wait);
                        prop_assert_eq!(reached.passes_at, Some(at(until(&history))));
                        prop_assert!(counter.add(at(until(&history)), &[room()], &limits).is_ok());
                    }
                }
            }
        }
    }
}
