//! A small count that is exact: each of what was added is kept by its time, so that no
//! window of that length, wherever it begins, has more than the limit.
//!
//! It is for limits that somebody counts with their own fingers, as the messages that one
//! number gets in a day: what two buckets weigh may be nearly twice the limit there. The
//! module refuses to know which limit this is.

use super::limit::{Limit, length, slack, timestamp};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was added within a window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Times {
    /// How long the window is, in seconds.
    pub seconds: u32,
    /// How many were added when, in milliseconds since 1970.
    pub at: BTreeMap<i64, u64>,
}

impl Times {
    /// What still counts of a stored count; one of another length counts anew.
    pub(super) fn at(stored: Option<&Self>, seconds: u32, now: i64) -> Self {
        let seconds = seconds.max(1);
        let window = length(seconds);
        let counts = |at: i64| at.saturating_add(window) > now && at <= now + window + slack();
        let stored = stored.filter(|stored| stored.seconds == seconds);
        let alive = stored.iter().flat_map(|stored| &stored.at).filter(|(at, _)| counts(**at));
        Self { seconds, at: alive.map(|(at, amount)| (*at, *amount)).collect() }
    }

    /// The same, but for as long as any of a stored count counts by the length that it was
    /// stored with that length stays.
    pub(super) fn lasting(stored: Option<&Self>, seconds: u32, now: i64) -> Self {
        let held = stored.map(|stored| Self::at(Some(stored), stored.seconds, now));
        held.filter(|held| !held.at.is_empty()).unwrap_or_else(|| Self::at(None, seconds, now))
    }

    /// How many count at a time.
    pub fn alive_at(&self, now: Timestamp) -> u64 {
        let alive = Self::at(Some(self), self.seconds, now.as_millisecond());
        u64::try_from(alive.total()).unwrap_or(u64::MAX)
    }

    /// When nothing of it counts any more.
    pub fn ends_at(&self) -> Timestamp {
        timestamp(self.end())
    }

    /// How many there are.
    pub(super) fn total(&self) -> u128 {
        self.at.values().map(|amount| u128::from(*amount)).sum()
    }

    /// Takes back what was added then, or nearest to it where the time of the one who says
    /// so is a little off; nothing where that has gone.
    pub(super) fn give_back(&mut self, amount: u64, added_at: i64, now: i64) {
        if added_at.saturating_add(length(self.seconds)) <= now {
            return;
        }
        let distance = |at: &i64| at.saturating_sub(added_at).saturating_abs();
        let near = self.at.keys().copied().filter(|at| distance(at) <= slack());
        let Some(nearest) = near.min_by_key(distance) else { return };
        let left = self.at.get(&nearest).map_or(0, |there| there.saturating_sub(amount));
        self.set(nearest, left);
    }

    /// The first time when so many more have room; `None` where they never do. `Ok` when
    /// they have it now.
    pub(super) fn room(&self, amount: u128, max: u64) -> Result<(), Option<i64>> {
        let max = u128::from(max);
        if amount > max {
            return Err(None);
        }
        // So many have to go first: the first ones, and the last of those at that time.
        let mut too_many = self.total().saturating_add(amount).saturating_sub(max);
        if too_many == 0 {
            return Ok(());
        }
        for (at, there) in &self.at {
            too_many = too_many.saturating_sub((*there).into());
            if too_many == 0 {
                return Err(Some(at.saturating_add(length(self.seconds))));
            }
        }
        Ok(())
    }

    /// Adds so many; of more than are kept, the last ones stay.
    pub(super) fn add(&mut self, amount: u128, now: i64) {
        let amount = u64::try_from(amount.min(Limit::MOST_EXACT.into())).unwrap_or(0);
        let there = self.at.get(&now).copied().unwrap_or(0);
        self.set(now, there.saturating_add(amount));
        let mut too_many = self.total().saturating_sub(Limit::MOST_EXACT.into());
        while let (Some((first, there)), 1..) = (self.at.first_key_value(), too_many) {
            let (first, gone) = (*first, u128::from(*there).min(too_many));
            let left = u128::from(*there) - gone;
            too_many -= gone;
            self.set(first, u64::try_from(left).unwrap_or(0));
        }
    }

    fn set(&mut self, at: i64, amount: u64) {
        match amount {
            0 => drop(self.at.remove(&at)),
            amount => drop(self.at.insert(at, amount)),
        }
    }

    /// When nothing of it counts any more, in milliseconds.
    pub(super) fn end(&self) -> i64 {
        self.at.last_key_value().map_or(i64::MIN, |(at, _)| at.saturating_add(length(self.seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Addition, Counter, Limit, Reached};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn exact(seconds: u32, max: u64) -> Limit {
        Limit::new("texts", "text", seconds, max).exact()
    }

    fn some(amount: u64) -> Vec<Addition> {
        vec![Addition::Amount { of: "text".into(), amount }]
    }

    fn back(added_at: i64) -> Vec<Addition> {
        vec![Addition::GiveBack { of: "text".into(), amount: 1, added_at: at(added_at) }]
    }

    fn room() -> Vec<Addition> {
        vec![Addition::Room { of: "text".into() }]
    }

    fn new() -> Counter {
        Counter::new("x".into())
    }

    fn kept(counter: &Counter) -> Vec<i64> {
        let times = counter.times["texts"].at.iter();
        times.flat_map(|(at, amount)| (0..*amount).map(|_| *at)).collect()
    }

    #[test]
    fn what_lasts_holds_until_the_end_that_it_was_given_first() {
        let lasting = |seconds| [Limit::new("texts", "text", seconds, 1).lasting()];
        let told = new().add(at(0), &some(1), &lasting(1800)).unwrap();
        for (now, left) in [(1, 1799), (1, 1798), (600, 1200), (1799, 1), (1799, 3600)] {
            let Reached { passes_at, .. } = told.add(at(now * 1000), &some(1), &lasting(left)).unwrap_err();
            assert_eq!(passes_at, Some(at(1_800_000)), "{now} {left}");
        }
        let again = told.add(at(1_800_000), &some(1), &lasting(60)).unwrap();
        assert!(again.add(at(1_859_999), &some(1), &lasting(1)).is_err());
        assert!(again.add(at(1_860_000), &some(1), &lasting(1)).is_ok());
    }

    #[test]
    fn no_window_has_more_than_the_limit_wherever_it_begins() {
        let limits = [exact(10, 2)];
        // Two buckets would let three pass between 9 and 18.
        let counter = new().add(at(9_000), &some(2), &limits).unwrap();
        let refused = Reached { limit: "texts".into(), passes_at: Some(at(19_000)) };
        assert_eq!(counter.add(at(18_999), &some(1), &limits), Err(refused.clone()));
        assert_eq!(counter.add(at(18_999), &room(), &limits), Err(refused));
        let counter = counter.add(at(19_000), &some(2), &limits).unwrap();
        assert_eq!((kept(&counter), counter.ends_at), (vec![19_000; 2], at(29_000)));
        assert!(counter.counts.is_empty());
        assert_eq!(counter.add(at(19_000), &some(3), &limits).unwrap_err().passes_at, None, "never");
        let text = serde_json::to_string(&counter).unwrap();
        assert!(text.contains(r#""times":{"texts":{"seconds":10,"at":{"19000":2}}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Counter>(&text).unwrap(), counter);
    }

    #[test]
    fn what_is_given_back_is_what_was_added_then() {
        let limits = [exact(10, 3)];
        let mut counter = new();
        for second in [1, 2, 8] {
            counter = counter.add(at(second * 1000), &some(1), &limits).unwrap();
        }
        let left = |added_at: i64, now: i64| {
            let next = counter.add(at(now), &back(added_at), &limits).unwrap();
            kept(&next)
        };
        assert_eq!(left(2_000, 9_000), [1_000, 8_000]);
        assert_eq!(left(2_400, 9_000), [1_000, 8_000], "by a clock that is a little off");
        assert_eq!(left(1_000, 11_000), [2_000, 8_000], "it has gone");
        assert_eq!(left(-60_000, 9_000), [1_000, 2_000, 8_000], "nothing of that time");
    }

    #[test]
    fn a_limit_that_only_tracks_keeps_the_last_ones() {
        let limits = [exact(10, 2).tracked()];
        let counter = new().add(at(0), &some(3), &limits).unwrap();
        let counter = counter.add(at(1), &some(u64::MAX), &limits).unwrap();
        assert_eq!(counter.times["texts"].total(), 128);
        assert_eq!(counter.add(at(2), &room(), &limits).unwrap(), counter);
        assert!(counter.add(at(2), &room(), &[exact(10, 2)]).is_err());
        // What does not fit is weighed.
        let many = new().add(at(0), &some(129), &[exact(10, 129)]).unwrap();
        assert_eq!((many.times.len(), many.counts["texts"].taken), (0, 129));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a log of every event, from which a window is cut wherever it ends.
        #[test]
        fn it_counts_as_a_log_of_all_events(
            seconds in 1..9u32, max in 0..7u64,
            steps in prop::collection::vec((prop_oneof![0..3i64, 0..1500i64, 0..12_000i64], 0..4u64, any::<bool>()), 1..60),
        ) {
            let (limits, length) = ([exact(seconds, max)], i64::from(seconds) * 1000);
            let (mut now, mut counter, mut log) = (0, new(), Vec::<i64>::new());
            for (wait, amount, is_back) in steps {
                now += wait;
                // No two have one time, so that what is given back is one of them.
                now += 1;
                if is_back {
                    let Some(last) = log.pop() else { continue };
                    counter = counter.add(at(now), &back(last), &limits).unwrap();
                    continue;
                }
                let within = |now: i64| log.iter().filter(|at| **at + length > now).count() as u64;
                match counter.add(at(now), &some(amount), &limits) {
                    Ok(next) => {
                        prop_assert!(within(now) + amount <= max);
                        counter = next;
                        log.extend((0..amount).map(|_| now));
                    }
                    Err(Reached { passes_at: None, .. }) => prop_assert!(amount > max),
                    Err(Reached { passes_at: Some(passes_at), .. }) => {
                        let passes_at = passes_at.as_millisecond();
                        prop_assert!(passes_at > now && amount <= max);
                        prop_assert!(within(passes_at) + amount <= max && within(passes_at - 1) + amount > max);
                        prop_assert!(counter.add(at(passes_at), &some(amount), &limits).is_ok());
                        prop_assert!(counter.add(at(passes_at - 1), &some(amount), &limits).is_err());
                    }
                }
                let has_room = counter.add(at(now), &room(), &limits).is_ok();
                prop_assert_eq!(has_room, (log.iter().filter(|at| **at + length > now).count() as u64) < max);
                let most = log.iter().map(|from| log.iter().filter(|at| *at >= from && **at < from + length).count());
                prop_assert!(most.max().unwrap_or(0) as u64 <= max);
            }
        }
    }
}
