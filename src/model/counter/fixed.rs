//! One more within windows that do not slide: they begin at whole multiples of their
//! length since 1970, and each begins with nothing.
//!
//! The rate limits of Verify count so today, by a counter that they read and write back.
//! What they have counted is the current bucket of [`Counter::add`].

use super::{Counter, WindowCount};
use crate::model::compat::Bucket;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// How long until the window ends, in whole seconds.
    pub seconds: i64,
}

impl Counter {
    /// One more, if every bucket has room for it.
    ///
    /// # Errors
    /// [`Full`] with the longest of the waits; nothing was counted then.
    pub fn take(&self, buckets: &[Bucket], now: Timestamp) -> Result<Self, Full> {
        let now = now.as_second();
        let (mut counts, mut wait, mut end) = (BTreeMap::new(), 0, now);
        for bucket in buckets {
            let interval = i64::from(bucket.interval.max(1));
            let since = now - now.rem_euclid(interval);
            let taken = match self.counts.get(&bucket.sid) {
                Some(count) if count.since == since => count.taken,
                _ => 0,
            };
            if taken >= u64::from(bucket.max) {
                wait = wait.max(since + interval - now);
            }
            end = end.max(since + interval);
            counts.insert(
                bucket.sid.clone(),
                WindowCount { since, taken: taken.saturating_add(1), ..WindowCount::default() },
            );
        }
        if wait > 0 {
            return Err(Full { seconds: wait });
        }
        Ok(Self {
            id: self.id.clone(),
            counts,
            members: self.members.clone(),
            ends_at: Timestamp::from_second(end).unwrap_or(Timestamp::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(sid: &str, max: u32, interval: u32) -> Bucket {
        let at = Timestamp::UNIX_EPOCH;
        Bucket { sid: sid.into(), max, interval, created_at: at, updated_at: at }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_window_lets_so_many_through_and_the_next_begins_anew() {
        let buckets = [bucket("BL1", 2, 60)];
        let counter = Counter::new("x".into()).take(&buckets, at(600)).unwrap();
        let counter = counter.take(&buckets, at(659)).unwrap();
        assert_eq!(counter.ends_at, at(660));
        assert_eq!(counter.take(&buckets, at(659)), Err(Full { seconds: 1 }));
        assert_eq!(counter.take(&buckets, at(660)).unwrap().counts["BL1"].taken, 1);
    }

    #[test]
    fn every_bucket_must_have_room_and_the_longest_wait_is_told() {
        let buckets = [bucket("BL1", 1, 60), bucket("BL2", 1, 3600)];
        let counter = Counter::new("x".into()).take(&buckets, at(3600)).unwrap();
        assert_eq!(counter.take(&buckets, at(3601)), Err(Full { seconds: 3599 }));
        assert_eq!(counter.take(&buckets, at(3670)), Err(Full { seconds: 3530 }));
        assert!(counter.take(&[], at(3601)).is_ok());
        assert_eq!(counter.take(&[bucket("BL3", 0, 10)], at(3605)), Err(Full { seconds: 5 }));
    }
}
