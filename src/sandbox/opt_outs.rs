//! Who does not want to hear from whom. It refuses to know which words say so.

use std::collections::{HashSet, VecDeque};

/// The most wishes to be left alone that are remembered; the oldest go first.
const KEPT: usize = 10_000;

/// A sender and a phone.
pub(super) type Pair = (String, String);

/// The wishes, oldest dropped.
#[derive(Default)]
pub(super) struct OptOuts {
    pairs: HashSet<Pair>,
    order: VecDeque<Pair>,
}

impl OptOuts {
    /// Whether the phone wants nothing from the sender.
    pub fn contains(&self, pair: &Pair) -> bool {
        self.pairs.contains(pair)
    }

    /// Remembers that it wants nothing any more.
    pub fn insert(&mut self, pair: Pair) {
        if self.pairs.insert(pair.clone()) {
            self.order.push_back(pair);
        }
        while self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.pairs.remove(&oldest);
        }
    }

    /// Forgets it.
    pub fn remove(&mut self, pair: &Pair) {
        if self.pairs.remove(pair) {
            self.order.retain(|kept| kept != pair);
        }
    }

    /// Forgets all that a phone wished.
    pub fn forget(&mut self, phone: &str) {
        self.pairs.retain(|(_, own)| own != phone);
        self.order.retain(|(_, own)| own != phone);
    }

    /// The senders that a phone wants nothing from, longest wish first.
    pub fn of<'a>(&'a self, phone: &'a str) -> impl Iterator<Item = &'a String> {
        self.order.iter().filter(move |(_, own)| own == phone).map(|(sender, _)| sender)
    }

    /// How many are remembered.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_wish_goes_first_and_nothing_is_left_of_it() {
        let mut wishes = OptOuts::default();
        for n in 0..KEPT + 5 {
            wishes.insert((n.to_string(), "+1".to_owned()));
        }
        assert_eq!((wishes.pairs.len(), wishes.len()), (KEPT, KEPT));
        assert!(!wishes.contains(&("4".to_owned(), "+1".to_owned())));
        let pair = ("5".to_owned(), "+1".to_owned());
        assert!(wishes.contains(&pair));
        wishes.remove(&pair);
        assert_eq!((wishes.pairs.len(), wishes.len()), (KEPT - 1, KEPT - 1));
        wishes.forget("+1");
        assert_eq!((wishes.pairs.len(), wishes.len()), (0, 0));
    }
}
