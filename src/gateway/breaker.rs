//! A circuit breaker: whether a route is asked, by how it answered lately.
//!
//! After failures in a row it is left alone, for longer each time; then one request at a
//! time finds out whether it is back. It refuses to know routes and requests, and is given
//! the time.
//! Source: <https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker>.

use std::time::{Duration, Instant};

/// Failures in a row after which a route is left alone.
pub const MOST_FAILURES: u32 = 5;
/// For how long at first; it doubles each time that the route is not back.
pub const FIRST_REST: Duration = Duration::from_secs(5);
/// For how long at most, also where the route itself asks for longer.
pub const LONGEST_REST: Duration = Duration::from_secs(60);
/// After so long another request finds out whether the route is back: the one before may
/// have died on its way.
const PROBE: Duration = Duration::from_secs(30);

/// How a route stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is asked.
    Closed { failures: u32 },
    /// It is not asked until then; `asked` where it wanted that itself.
    Open { until: Instant, rest: Duration, asked: bool },
    /// Somebody finds out since then whether it is back.
    HalfOpen { since: Instant, rest: Duration },
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The route answered, well or not.
    Answered,
    /// It did not, or could not.
    Failed,
    /// It asked to be left alone for so long.
    Busy(Duration),
}

/// What changed for everybody by that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is left alone for so long.
    Opened(Duration),
    /// It is back.
    Closed,
}

/// The breaker of one route.
#[derive(Debug)]
pub struct Breaker(State);

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

impl Breaker {
    /// Of a route that nothing is known of.
    pub const fn new() -> Self {
        Self(State::Closed { failures: 0 })
    }

    /// Whether the route is asked now; for how long not, where it is not. Who is let
    /// through says how it ended ([`Breaker::note`]).
    ///
    /// # Errors
    /// How long it is left alone yet.
    pub fn ask(&mut self, now: Instant) -> Result<(), Duration> {
        match self.0 {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } if now < until => Err(until - now),
            State::HalfOpen { since, .. } if now < since + PROBE => Err(since + PROBE - now),
            State::Open { rest, .. } | State::HalfOpen { rest, .. } => {
                self.0 = State::HalfOpen { since: now, rest };
                Ok(())
            }
        }
    }

    /// Whether the route is left alone now. Nobody finds out by this whether it is back.
    pub fn is_open(&self, now: Instant) -> bool {
        match self.0 {
            State::Closed { .. } => false,
            State::Open { until, .. } => now < until,
            State::HalfOpen { since, .. } => now < since + PROBE,
        }
    }

    /// Takes down how a request ended; says what that changes.
    pub fn note(&mut self, ended: Ended, now: Instant) -> Option<Change> {
        match (ended, self.0) {
            (Ended::Answered, State::Closed { .. }) => {
                self.0 = State::Closed { failures: 0 };
                None
            }
            // Who asked to be left alone is: this one was under way before.
            (Ended::Answered, State::Open { until, asked: true, .. }) if now < until => None,
            // One that was under way when the others failed is an answer as good as any.
            (Ended::Answered, _) => {
                self.0 = State::Closed { failures: 0 };
                Some(Change::Closed)
            }
            (Ended::Busy(rest), _) => self.open((rest.min(LONGEST_REST), true), now),
            (Ended::Failed, State::Closed { failures }) if failures + 1 < MOST_FAILURES => {
                self.0 = State::Closed { failures: failures + 1 };
                None
            }
            (Ended::Failed, State::Closed { .. }) => self.open((FIRST_REST, false), now),
            (Ended::Failed, State::HalfOpen { rest, .. }) => {
                self.open(((rest * 2).min(LONGEST_REST), false), now)
            }
            // It was under way already.
            (Ended::Failed, State::Open { .. }) => None,
        }
    }

    fn open(&mut self, (rest, asked): (Duration, bool), now: Instant) -> Option<Change> {
        let was_open = matches!(self.0, State::Open { .. });
        self.0 = State::Open { until: now + rest, rest, asked };
        (!was_open).then_some(Change::Opened(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    fn fail(breaker: &mut Breaker, times: u32, now: Instant) -> Option<Change> {
        (0..times).map(|_| breaker.note(Ended::Failed, now)).last().flatten()
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_does_not_count() {
        let (mut breaker, begun) = (Breaker::new(), Instant::now());
        assert_eq!(fail(&mut breaker, 4, begun), None);
        assert_eq!(breaker.note(Ended::Answered, begun), None);
        assert_eq!(fail(&mut breaker, 4, begun), None);
        assert_eq!(breaker.ask(begun), Ok(()));
        assert_eq!(fail(&mut breaker, 1, begun), Some(Change::Opened(FIRST_REST)));
        assert_eq!(breaker.ask(begun), Err(FIRST_REST));
        assert_eq!(fail(&mut breaker, 3, begun), None, "told once");
    }

    #[test]
    fn one_finds_out_whether_it_is_back_and_it_rests_longer_each_time() {
        let (mut breaker, begun) = (Breaker::new(), Instant::now());
        fail(&mut breaker, 5, begun);
        let mut now = begun;
        for rest in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.ask(now), Err(Duration::from_secs(rest)));
            now = after(now, rest);
            assert_eq!(breaker.ask(now), Ok(()));
            assert_eq!(breaker.ask(now), Err(PROBE), "nobody else meanwhile");
            breaker.note(Ended::Failed, now);
        }
        now = after(now, 60);
        assert_eq!(breaker.ask(now), Ok(()));
        assert_eq!(breaker.note(Ended::Answered, now), Some(Change::Closed));
        assert_eq!(fail(&mut breaker, 5, now), Some(Change::Opened(FIRST_REST)), "as at first");
    }

    #[test]
    fn who_died_finding_out_keeps_nobody_else_from_it() {
        let (mut breaker, begun) = (Breaker::new(), Instant::now());
        fail(&mut breaker, 5, begun);
        assert_eq!(breaker.ask(after(begun, 5)), Ok(()));
        assert_eq!(breaker.ask(after(begun, 34)), Err(Duration::from_secs(1)));
        assert_eq!(breaker.ask(after(begun, 35)), Ok(()));
    }

    #[test]
    fn who_asks_to_be_left_alone_is_at_once_and_not_for_ever() {
        let (mut breaker, begun) = (Breaker::new(), Instant::now());
        let busy = |seconds| Ended::Busy(Duration::from_secs(seconds));
        assert_eq!(breaker.note(busy(20), begun), Some(Change::Opened(Duration::from_secs(20))));
        assert_eq!(breaker.note(busy(86_400), begun), None);
        assert_eq!(breaker.ask(begun), Err(LONGEST_REST));
    }

    proptest! {
        /// Whatever happens, a route is asked again within the longest rest or probe.
        #[test]
        fn no_route_is_left_alone_for_ever(steps in proptest::collection::vec((0u8..4, 0u64..90), 1..200)) {
            let (mut breaker, mut now) = (Breaker::new(), Instant::now());
            for (what, seconds) in steps {
                now = after(now, seconds);
                match what {
                    0 => drop(breaker.ask(now)),
                    1 => drop(breaker.note(Ended::Answered, now)),
                    2 => drop(breaker.note(Ended::Failed, now)),
                    _ => drop(breaker.note(Ended::Busy(Duration::from_secs(seconds * 100)), now)),
                }
                if let Err(wait) = breaker.ask(now) {
                    prop_assert!(wait <= LONGEST_REST);
                    now += wait;
                    prop_assert_eq!(breaker.ask(now), Ok(()));
                }
            }
        }
    }
}
