//! What is due and what is listed, as sums: that two of these sets are the same is seen
//! without holding either, in whatever order their members come.
//!
//! A member counts by a hash of 64 bits, and a set by the sum of these. Two sets that
//! differ by what breaks have the same sum once in 2^64. It refuses to know where members
//! come from.

use super::{Due, Entry, Key, Kind, millis};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The due entries and the lines of listings of each kind of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests(BTreeMap<Kind, u64>);

impl Digests {
    /// A record is due.
    pub(super) fn add_due(&mut self, key: &Key, due: Due) {
        self.add(key.kind, &(key, due.lane, millis(due.at)));
    }

    /// A record is listed.
    pub(super) fn add_entry(&mut self, entry: &Entry) {
        let Entry { index, scope, at, id } = entry;
        self.add(index.kind(), &(index, scope, millis(*at), id));
    }

    /// Whether both have the same of a kind.
    pub(super) fn agree(&self, other: &Self, kind: Kind) -> bool {
        let of = |digests: &Self| digests.0.get(&kind).copied().unwrap_or_default();
        of(self) == of(other)
    }

    fn add(&mut self, kind: Kind, member: &impl Hash) {
        let sum = self.0.entry(kind).or_default();
        *sum = sum.wrapping_add(digest(member));
    }
}

/// A hash that is the same in every process.
pub(super) fn digest(member: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    member.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::{Index, Lane, timestamp};
    use super::*;

    #[test]
    fn sets_are_the_same_in_any_order_and_else_are_not() {
        let at = |millis| timestamp(millis).unwrap();
        let line = |id: &str, millis| Entry {
            index: Index::Deliveries,
            scope: String::new(),
            at: at(millis),
            id: id.to_owned(),
        };
        let of = |lines: &[(&str, i64)]| {
            let mut digests = Digests::default();
            lines.iter().for_each(|(id, at)| digests.add_entry(&line(id, *at)));
            digests
        };
        let whole = of(&[("SM1", 1), ("SM2", 2)]);
        assert!(whole.agree(&of(&[("SM2", 2), ("SM1", 1)]), Kind::Delivery));
        for other in [&[("SM1", 1)][..], &[("SM1", 1), ("SM2", 3)], &[("SM1", 1), ("SM2", 2), ("SM3", 3)]] {
            assert!(!whole.agree(&of(other), Kind::Delivery), "{other:?}");
        }
        assert!(whole.agree(&of(&[]), Kind::Event), "of each kind apart");
        let due = |lane| {
            let mut digests = Digests::default();
            digests.add_due(&Key::new(Kind::Dispatch, "EV1"), Due { at: at(1), lane });
            digests
        };
        assert!(!due(Lane::Webhook).agree(&due(Lane::Aside), Kind::Dispatch));
    }
}
