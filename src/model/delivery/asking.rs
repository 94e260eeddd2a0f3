//! When the provider is asked about a delivery of ours that stays silent.
//!
//! All of it only grows (turns pass, waits are put off, an end stays), so it joins as
//! everything else of a delivery does. When it is due is read off it and off the first time
//! that the delivery was heard of. It refuses to know who asks.

use crate::model::plain::is_default;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a message may be silent: receipts come within seconds, and where there are
/// none that is as good a time as any to find out.
const MESSAGE_EXPECTED: SignedDuration = SignedDuration::from_secs(2 * 60);
/// How long a call may be silent: it rings for a minute at most, and says the code in
/// another.
const CALL_EXPECTED: SignedDuration = SignedDuration::from_secs(3 * 60);
/// The longest wait between two turns, before it is stretched.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// After this time nothing is asked any more: no carrier reports so late.
const LAST: SignedDuration = SignedDuration::from_hours(48);

/// Where the asking about a delivery stands. Its order is that of what is known: an end is
/// greater than all turns, and a later turn than whatever put off an earlier one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asking {
    /// Whether nobody asks any more, because there is nothing to be told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub over: bool,
    /// Which turn comes next, from 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub turn: u32,
    /// No earlier than this, whatever the turn: somebody is at it, or the provider is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Asking {
    /// When it is due, of a call or message first heard of at that time. `seed` draws how
    /// much each wait is stretched, a quarter at most, so that what was sent together is
    /// not asked for together. `None` when nobody asks any more.
    pub(super) fn due(self, first: Timestamp, is_call: bool, seed: &str) -> Option<Timestamp> {
        let mut after = SignedDuration::ZERO;
        let mut wait = if is_call { CALL_EXPECTED } else { MESSAGE_EXPECTED };
        for turn in 0..=self.turn {
            after += stretched(wait, seed, turn);
            if self.over || after > LAST {
                return None;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        let end = first.checked_add(LAST).ok()?;
        let due = first.checked_add(after).ok()?.max(self.not_before.unwrap_or(Timestamp::MIN));
        (due <= end).then_some(due)
    }

    /// The same, put off until then, with no turn spent.
    #[must_use]
    pub(super) fn put_off(self, until: Timestamp) -> Self {
        Self { not_before: self.not_before.max(Some(until)), ..self }
    }

    /// The same at its first turn that is still to come: turns that passed while nobody
    /// could ask are not made up for.
    #[must_use]
    pub(super) fn asked(self, now: Timestamp, first: Timestamp, is_call: bool, seed: &str) -> Self {
        let mut next = Self { turn: self.turn.saturating_add(1), not_before: None, ..self };
        while next.due(first, is_call, seed).is_some_and(|due| due <= now) {
            next.turn += 1;
        }
        next
    }
}

/// A wait and up to a quarter more (FNV-1a of the seed and the turn).
fn stretched(wait: SignedDuration, seed: &str, turn: u32) -> SignedDuration {
    let bytes = seed.bytes().chain(turn.to_be_bytes());
    let drawn = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    wait + wait * i32::try_from(drawn % 1000).unwrap_or(0) / 4000
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "SM0123456789abcdef0123456789abcdef";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn waits_double_up_to_six_hours_and_end_after_two_days() {
        for (is_call, expected) in [(false, 120), (true, 180)] {
            let due = |turn| Asking { turn, ..Asking::default() }.due(at(0), is_call, SID);
            let turns: Vec<i64> = (0..).map_while(due).map(Timestamp::as_second).collect();
            assert!((expected..=expected * 5 / 4).contains(&turns[0]), "{turns:?}");
            let (mut wait, mut before) = (expected, 0);
            for turn in &turns {
                assert!((wait - 1..=wait * 5 / 4 + 1).contains(&(turn - before)), "{turns:?}");
                (wait, before) = ((wait * 2).min(6 * 3600), *turn);
            }
            assert!((10..16).contains(&turns.len()) && before <= 48 * 3600, "{turns:?}");
        }
    }

    #[test]
    fn what_was_put_off_keeps_its_turn_and_turns_that_passed_are_not_made_up_for() {
        let fresh = Asking::default();
        let put_off = fresh.put_off(at(900));
        assert_eq!((put_off.turn, put_off.due(at(0), false, SID)), (0, Some(at(900))));
        let asked = put_off.asked(at(900), at(0), false, SID);
        let due = asked.due(at(0), false, SID).unwrap();
        assert!(asked > put_off && put_off > fresh && due > at(900), "{asked:?} is due at {due}");
        let over = Asking { over: true, ..fresh };
        assert!(over > asked && over.due(at(0), false, SID).is_none());
        assert_eq!(fresh.put_off(at(200_000)).due(at(0), false, SID), None, "that is after the end");
        let late = fresh.asked(at(1_000_000), at(0), false, SID);
        assert_eq!(late.due(at(0), false, SID), None);
    }
}
