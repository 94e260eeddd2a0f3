//! Whose turn it is to send by a sender: codes, and messages of high priority, never wait
//! for theirs; the others are given the next that nobody has, and nothing else waits with
//! them. It counts for this process alone: of several each has the whole rate.

use crate::model::pacing::{Bucket, usual_rate};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Senders that are remembered; of more, all are forgotten once.
const MOST: usize = 10_000;

/// When it is somebody's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Turn {
    /// It is there: whoever asks has taken it.
    Now,
    /// It comes after so long, and is taken by then.
    In(SignedDuration),
    /// It comes after longer than is any use, and was not taken.
    TooLate,
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub struct Turns {
    /// Segments a second by sender, where the configuration says so.
    rates: BTreeMap<String, u32>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Turns {
    /// Turns by these rates, in segments a second by sender, and by the usual ones.
    pub fn new(rates: BTreeMap<String, u32>) -> Self {
        Self { rates, buckets: Mutex::default() }
    }

    /// Takes a turn without waiting for it.
    pub(in crate::app) fn take(&self, sender: Option<&str>, segments: u32, now: Timestamp) {
        let (Some(sender), Some(rate)) = (sender, self.rate(sender)) else { return };
        self.with(sender, rate, now, |bucket| (bucket.spent(rate, segments, now), ()));
    }

    /// Takes the next turn that nobody has: how long until it comes, or nothing where it is
    /// there. One that comes later than `most` is not taken, for nobody needs it any more.
    pub(in crate::app) fn reserve(
        &self,
        sender: Option<&str>,
        segments: u32,
        (now, most): (Timestamp, SignedDuration),
    ) -> Turn {
        let (Some(sender), Some(rate)) = (sender, self.rate(sender)) else { return Turn::Now };
        // Looked at and taken under one lock.
        self.with(sender, rate, now, |bucket| match bucket.wait(rate, now) {
            Some(wait) if wait > most => (bucket, Turn::TooLate),
            Some(wait) => (bucket.spent(rate, segments, now), Turn::In(wait)),
            None => (bucket.spent(rate, segments, now), Turn::Now),
        })
    }

    fn rate(&self, sender: Option<&str>) -> Option<u32> {
        let sender = sender?;
        self.rates.get(sender).copied().or_else(|| usual_rate(sender))
    }

    fn with<T>(
        &self,
        sender: &str,
        rate: u32,
        now: Timestamp,
        change: impl FnOnce(Bucket) -> (Bucket, T),
    ) -> T {
        // Nothing is ever half-changed under this lock.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(sender) {
            buckets.clear();
        }
        let bucket = buckets.get(sender).copied().unwrap_or_else(|| Bucket::full(rate, now));
        let (bucket, told) = change(bucket);
        buckets.insert(sender.to_owned(), bucket);
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_their_turn_and_the_others_are_given_theirs() {
        let (turns, now) = (Turns::new([("Acme".to_owned(), 2)].into()), Timestamp::UNIX_EPOCH);
        let most = SignedDuration::from_secs(60);
        for _ in 0..20 {
            turns.take(Some("Acme"), 1, now);
        }
        let given = |segments| turns.reserve(Some("Acme"), segments, (now, most));
        assert_eq!(given(1), Turn::In(SignedDuration::from_millis(500)));
        assert_eq!(given(3), Turn::In(SignedDuration::from_millis(1000)), "each has its own");
        assert_eq!(given(1), Turn::In(SignedDuration::from_millis(2500)));
        let soon = (now, SignedDuration::from_secs(1));
        assert_eq!(turns.reserve(Some("Acme"), 1, soon), Turn::TooLate);
        assert_eq!(given(1), Turn::In(SignedDuration::from_millis(3000)), "what is too late takes none");
        // Of another sender, and of one whose rate nobody knows, nobody waits.
        assert_eq!(turns.reserve(Some("Other"), 1, soon), Turn::Now);
        for _ in 0..1000 {
            let pool = Some("MG0123456789abcdef0123456789abcdef");
            assert_eq!(turns.reserve(pool, 9, soon), Turn::Now);
        }
        assert_eq!(turns.reserve(None, 1, soon), Turn::Now);
    }
}
