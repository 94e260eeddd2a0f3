//! What is held of numbers until it is known whether they are proved within a day.
//!
//! Lines come nearly in order, and there may be millions of them: so what is older than a
//! day goes, and of what is younger the oldest, once there is too much of it. It refuses to
//! know what is held and why.

use crate::model::counter::Pseudonym;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

/// How long after a request a proof of its number still tells of it: a day.
pub(super) const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Something held of a number, by when it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Held<T> {
    pub(super) at: Timestamp,
    pub(super) what: T,
}

/// What is held, of each number in the order in which it came.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    most: usize,
    of: HashMap<Pseudonym, VecDeque<Held<T>>>,
    order: VecDeque<(Timestamp, Pseudonym)>,
    /// How many went before their day was over, for there was no room.
    pub(super) crowded_out: u64,
}

impl<T> Waiting<T> {
    /// So many things are held at once. Each takes about 150 bytes.
    pub(super) const MOST: usize = 200_000;

    /// Nothing yet; at most so many at once.
    pub(super) fn new(most: usize) -> Self {
        Self { most, of: HashMap::new(), order: VecDeque::new(), crowded_out: 0 }
    }

    /// Holds something of a number from then on.
    pub(super) fn hold(&mut self, number: Pseudonym, at: Timestamp, what: T) {
        while let Some((oldest, _)) = self.order.front().copied() {
            let is_over = at.duration_since(oldest) > A_DAY;
            if !is_over && self.order.len() < self.most {
                break;
            }
            self.crowded_out += u64::from(self.drop_oldest() && !is_over);
        }
        self.order.push_back((at, number));
        self.of.entry(number).or_default().push_back(Held { at, what });
    }

    /// What is held of a number.
    pub(super) fn held(&self, number: Pseudonym) -> impl DoubleEndedIterator<Item = &Held<T>> {
        self.of.get(&number).into_iter().flatten()
    }

    /// Takes what is held of a number since a day before then.
    pub(super) fn take(&mut self, number: Pseudonym, at: Timestamp) -> impl Iterator<Item = T> {
        let held = self.of.remove(&number).unwrap_or_default();
        held.into_iter().filter(move |held| at.duration_since(held.at) <= A_DAY).map(|held| held.what)
    }

    /// Whether there still was any: what was taken leaves its place in the order.
    fn drop_oldest(&mut self) -> bool {
        let Some((at, number)) = self.order.pop_front() else { return false };
        let Some(held) = self.of.get_mut(&number) else { return false };
        let was_there = held.front().is_some_and(|first| first.at == at);
        if was_there {
            held.pop_front();
        }
        if held.is_empty() {
            self.of.remove(&number);
        }
        was_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_held_and_of_too_much_the_youngest() {
        let at = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let number = |n| Pseudonym([n; 8]);
        let mut waiting = Waiting::new(3);
        waiting.hold(number(1), at(0), "a");
        waiting.hold(number(1), at(10), "b");
        waiting.hold(number(2), at(20), "c");
        assert_eq!(waiting.held(number(1)).map(|held| held.what).collect::<Vec<_>>(), ["a", "b"]);
        waiting.hold(number(3), at(30), "d");
        assert_eq!(waiting.crowded_out, 1, "the oldest went");
        assert_eq!(waiting.take(number(1), at(40)).collect::<Vec<_>>(), ["b"]);
        assert_eq!(waiting.take(number(1), at(40)).count(), 0, "it is told once");
        assert_eq!(waiting.take(number(2), at(20 + 86_401)).count(), 0, "a day is over");
        waiting.hold(number(4), at(2 * 86_400), "e");
        assert_eq!((waiting.order.len(), waiting.of.len(), waiting.crowded_out), (1, 1, 1));
    }
}
