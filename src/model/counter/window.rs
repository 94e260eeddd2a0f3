//! The two buckets of a sliding window, and the weighing.
//!
//! All in whole milliseconds and whole fractions, so that nothing is rounded: what
//! is compared with the limit is multiplied by the window's length on both sides. It
//! refuses to know which limit this is.

use super::limit::{length, slack};
use serde::{Deserialize, Serialize};

/// No time has more seconds, before or after 1970; what a record says beyond it was
/// not written by us.
const FARTHEST: i64 = 400_000_000_000;

/// A count within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WindowCount {
    /// When the current bucket began, in seconds since 1970.
    pub since: i64,
    /// How many in it.
    pub taken: u64,
    /// How many in the bucket before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub before: u64,
    /// How long the window is, in seconds; 0 where that was not kept, in what was
    /// written before windows slid.
    #[serde(default, skip_serializing_if = "is_none")]
    pub seconds: u32,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn is_none(seconds: &u32) -> bool {
    *seconds == 0
}

impl WindowCount {
    /// When nothing of it counts any more, in milliseconds, if its length is known.
    pub(super) fn end(&self) -> Option<i64> {
        if self.seconds == 0 {
            return None;
        }
        let buckets = if self.taken > 0 { 2 } else { 1 };
        Some(begin(self.since) + buckets * length(self.seconds))
    }
}

/// A window as it is at a time. Times are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    seconds: u32,
    /// When the current bucket began: not after now, unless by another clock.
    since: i64,
    current: u64,
    before: u64,
    /// How much of the current bucket is over, below its length.
    elapsed: i64,
}

impl Window {
    /// What a stored count has come to.
    pub(super) fn at(stored: Option<&WindowCount>, seconds: u32, now: i64) -> Self {
        let (seconds, length) = (seconds.max(1), length(seconds));
        let own = bucket(now, length);
        let anew = Self { seconds, since: own, current: 0, before: 0, elapsed: now - own };
        let Some(stored) = stored.filter(|stored| stored.seconds == 0 || stored.seconds == seconds) else {
            return anew;
        };
        let since = begin(stored.since);
        if since != bucket(since, length) || since > now + length + slack() {
            return anew;
        }
        match (own - since) / length {
            ..=0 => Self {
                since,
                current: stored.taken,
                before: stored.before,
                elapsed: (now - since).max(0),
                ..anew
            },
            1 => Self { before: stored.taken, ..anew },
            _ => anew,
        }
    }

    /// Takes back what was added then.
    pub(super) fn give_back(&mut self, amount: u64, added_at: i64) {
        let length = length(self.seconds);
        let from = bucket(added_at, length);
        if from < self.since - length {
            return;
        }
        let mut left = amount;
        if from < self.since {
            let taken = left.min(self.before);
            (self.before, left) = (self.before - taken, left - taken);
        }
        self.current = self.current.saturating_sub(left);
    }

    /// Whether so many more have room. Else the first time when they have; `None` when
    /// they never do.
    pub(super) fn room(&self, amount: u128, max: u64) -> Result<(), Option<i64>> {
        let max = u128::from(max);
        // Only now are all factors small enough to be multiplied.
        if amount > max {
            return Err(None);
        }
        let length = length(self.seconds);
        let [whole, left] = [length, length - self.elapsed].map(|millis| u128::from(millis.unsigned_abs()));
        let (current, before) = (u128::from(self.current), u128::from(self.before));
        if (current + amount) * whole + before * left > max * whole {
            return Err(Some(self.passes_at(amount, max)));
        }
        Ok(())
    }

    /// Adds so many, whether there is room or not.
    pub(super) fn add(&mut self, amount: u128) {
        let current = u128::from(self.current).saturating_add(amount);
        self.current = u64::try_from(current).unwrap_or(u64::MAX);
    }

    /// When an amount that is not above the limit and has no room now has room, if
    /// nothing else is added.
    ///
    /// What is weighed only falls: within this bucket with the share of the one
    /// before, in the next with the share of this one, and over the border by nothing.
    fn passes_at(&self, amount: u128, max: u128) -> i64 {
        let length = length(self.seconds);
        let current = u128::from(self.current);
        // In which bucket, what is weighed in it, and the room there is for that.
        let (since, weighed, room) = match (current + amount).checked_sub(max) {
            None | Some(0) => (self.since, u128::from(self.before), max - amount - current),
            Some(_) => (self.since + length, current, max - amount),
        };
        let whole: u128 = length.unsigned_abs().into();
        let share = (room * whole).checked_div(weighed).unwrap_or(whole).min(whole);
        since + length - i64::try_from(share).unwrap_or(length)
    }

    /// As it is stored; `None` when nothing is counted.
    pub(super) fn count(&self) -> Option<WindowCount> {
        let Self { seconds, since, current: taken, before, .. } = *self;
        (taken > 0 || before > 0).then_some(WindowCount { since: since / 1000, taken, before, seconds })
    }
}

/// When the bucket of a time begins.
pub(super) fn bucket(at: i64, length: i64) -> i64 {
    at - at.rem_euclid(length)
}

/// A stored beginning in milliseconds.
fn begin(seconds: i64) -> i64 {
    seconds.clamp(-FARTHEST, FARTHEST) * 1000
}
