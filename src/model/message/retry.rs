//! The backoff of sends: when one that the provider did not process (too many requests,
//! 429; no connection) is tried again, and when one in doubt is looked up, while its code
//! lives.
//!
//! A wait is made of how often something failed and of a random number that is
//! given: nothing here draws dice, reads a clock or knows what is sent.

use crate::model::plain::after;
use crate::model::policy::LEAST_PROOF;
use jiff::SignedDuration;
use jiff::Timestamp;

/// A random number by which a wait is drawn, so that all who wait for the end of
/// one outage do not come back at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(pub u32);

/// Waits that are drawn evenly between the least one and a ceiling, which
/// doubles with each failure: "full jitter", above a floor.
/// Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest wait.
    pub least: SignedDuration,
    /// The ceiling after the first failure.
    pub first: SignedDuration,
    /// The highest ceiling.
    pub most: SignedDuration,
}

/// Before what was certainly not processed (429) is sent again. A person waits, so that an
/// outage is noticed to be over within half a minute.
pub const SEND_RETRY: Backoff = Backoff {
    least: SignedDuration::from_secs(1),
    first: SignedDuration::from_secs(2),
    most: SignedDuration::from_secs(30),
};

/// Before a send in doubt is looked up, while its code lives.
pub const LOOK_UP: Backoff = Backoff {
    least: SignedDuration::from_secs(3),
    first: SignedDuration::from_secs(5),
    most: SignedDuration::from_secs(30),
};

/// The same when its verification has ended: nobody waits for it any more, but
/// the record of what was sent is to be true.
pub const LOOK_UP_AFTERWARDS: Backoff = Backoff {
    least: SignedDuration::from_secs(5),
    first: SignedDuration::from_secs(10),
    most: SignedDuration::from_mins(10),
};

/// Before a list without a send proves that there is none, counted from when the
/// send came into doubt: by any clock its lag must be over. It grows, so that a
/// list that lags for longer than any that was seen lets few of them through.
pub const MISSING: Backoff =
    Backoff { least: LEAST_PROOF, first: SignedDuration::from_secs(15), most: SignedDuration::from_secs(60) };

/// The last try is made so long before the code is not worth sending any more,
/// for a job takes a moment to get to it.
pub const LAST_CALL: SignedDuration = SignedDuration::from_secs(2);

/// How long after its verification's end a send in doubt is still looked up. A
/// callback that comes later settles it all the same.
pub const LONGEST_DOUBT: SignedDuration = SignedDuration::from_mins(30);

impl Backoff {
    /// The longest wait after so many failures.
    pub fn ceiling(&self, failures: u32) -> SignedDuration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.clamp(self.least, self.most)
    }

    /// The wait after so many failures.
    pub fn wait(&self, failures: u32, jitter: Jitter) -> SignedDuration {
        let room = (self.ceiling(failures) - self.least).as_millis();
        let drawn = room * i128::from(jitter.0) / i128::from(u32::MAX);
        self.least + SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(0))
    }
}

/// When to send again what was not processed after so many tries, or `None` when it
/// was the last one. `at_least` is how long the other side asked to be left
/// alone; nobody waits for it beyond `until`, from which on the code is not
/// worth sending.
pub fn next_try(
    tries: u32,
    at_least: SignedDuration,
    jitter: Jitter,
    now: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let last = before(until, LAST_CALL);
    let wait = SEND_RETRY.wait(tries, jitter).saturating_add(at_least.max(SignedDuration::ZERO));
    (after(now, SEND_RETRY.least) <= last).then(|| after(now, wait).min(last))
}

/// When to look up a send that came into doubt at `since` and has not been
/// found: the list proves nothing before. As late as it is worth, at most.
pub fn next_proof(tries: u32, jitter: Jitter, since: Timestamp, until: Timestamp) -> Timestamp {
    let (soonest, last) = (after(since, MISSING.least), before(until, LAST_CALL));
    after(since, MISSING.wait(tries, jitter)).min(last.max(soonest))
}

/// When to look up a send in doubt after so many look-ups without an answer.
pub fn next_look_up(
    look_ups: u32,
    at_least: SignedDuration,
    jitter: Jitter,
    now: Timestamp,
    until: Option<Timestamp>,
) -> Timestamp {
    let backoff = if until.is_some() { LOOK_UP } else { LOOK_UP_AFTERWARDS };
    let asked = at_least.clamp(SignedDuration::ZERO, LOOK_UP_AFTERWARDS.most);
    let at = after(now, backoff.wait(look_ups.saturating_add(1), jitter) + asked);
    // What is not looked up in time is not sent again in time.
    let last = until.map_or(Timestamp::MAX, |until| before(until, LAST_CALL));
    at.min(last.max(after(now, backoff.least)))
}

fn before(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Backoff; 4] = [SEND_RETRY, LOOK_UP, LOOK_UP_AFTERWARDS, MISSING];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn seconds(span: SignedDuration) -> i64 {
        span.as_secs()
    }

    #[test]
    fn ceilings_double_up_to_the_highest() {
        let ceilings: Vec<i64> = (0..8).map(|n| seconds(SEND_RETRY.ceiling(n))).collect();
        assert_eq!(ceilings, [2, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!([1, 2, 3, 9].map(|n| seconds(MISSING.ceiling(n))), [15, 30, 60, 60]);
        assert_eq!(seconds(LOOK_UP_AFTERWARDS.ceiling(u32::MAX)), 600);
    }

    #[test]
    fn a_wait_is_drawn_between_the_least_and_the_ceiling() {
        let drawn = |jitter| SEND_RETRY.wait(4, Jitter(jitter)).as_millis();
        assert_eq!((drawn(0), drawn(u32::MAX / 2), drawn(u32::MAX)), (1000, 8499, 16_000));
    }

    #[test]
    fn who_asks_to_be_left_alone_is_until_the_code_is_worth_nothing() {
        let next = |asked| next_try(1, SignedDuration::from_secs(asked), Jitter(0), at(0), at(585));
        assert_eq!(next(60), Some(at(61)));
        assert_eq!(next(86_400), Some(at(583)), "the last moment, and not a day later");
        assert_eq!(next(-5), Some(at(1)));
        assert_eq!(next_try(1, SignedDuration::MAX, Jitter(u32::MAX), at(0), at(585)), Some(at(583)));
    }

    proptest! {
        #[test]
        fn waits_grow_and_are_bounded(jitter in any::<u32>(), failures in 0u32..200) {
            for backoff in ALL {
                let wait = backoff.wait(failures, Jitter(jitter));
                prop_assert!(wait >= backoff.least && wait <= backoff.most);
                prop_assert!(wait <= backoff.wait(failures + 1, Jitter(jitter)), "the same luck waits longer");
                prop_assert!(backoff.wait(failures, Jitter(u32::MAX)) == backoff.ceiling(failures));
            }
        }

        /// Tries reach from the first moment to the last that is worth it, however
        /// the dice fall and whatever the other side asks for, and never beyond.
        #[test]
        fn tries_reach_for_the_life_of_the_code(
            life in 1i64..3600,
            dice in proptest::collection::vec((any::<u32>(), prop_oneof![9 => Just(0i64), 1 => 0i64..7200]), 1..100),
        ) {
            let until = at(life);
            let (mut now, mut tries) = (at(0), 0);
            for (jitter, asked) in dice.iter().cycle() {
                tries += 1;
                let asked = SignedDuration::from_secs(*asked);
                let Some(next) = next_try(tries, asked, Jitter(*jitter), now, until) else { break };
                prop_assert!(next >= after(now, SEND_RETRY.least) && next < until);
                let longest = SEND_RETRY.most + asked;
                prop_assert!(next.duration_since(now) <= longest);
                now = next;
            }
            let last = before(until, LAST_CALL + SEND_RETRY.least);
            prop_assert!(now > last || life <= 3, "given up with {} s left", until.duration_since(now).as_secs());
        }

        #[test]
        fn a_list_proves_nothing_before_its_lag_is_over(
            tries in 0u32..100, jitter in any::<u32>(), since in 0i64..1000, life in 0i64..1000,
        ) {
            let proof = next_proof(tries, Jitter(jitter), at(since), at(life));
            prop_assert!(proof >= after(at(since), MISSING.least));
            prop_assert!(proof <= after(at(since), MISSING.most));
            prop_assert!(proof <= before(at(life), LAST_CALL).max(after(at(since), MISSING.least)));
        }

        #[test]
        fn a_look_up_comes_in_time_to_send_again(
            look_ups in any::<u32>(), asked in -10i64..100_000, jitter in any::<u32>(), life in 0i64..1000,
        ) {
            let asked = SignedDuration::from_secs(asked);
            let next = next_look_up(look_ups, asked, Jitter(jitter), at(0), Some(at(life)));
            prop_assert!(next >= at(3) && next <= at(life - 2).max(at(3)));
            let next = next_look_up(look_ups, asked, Jitter(jitter), at(0), None);
            prop_assert!(next >= at(5) && next <= at(1200));
        }
    }
}
