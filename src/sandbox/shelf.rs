//! A bounded shelf of resources: by SID, in order of creation, oldest dropped.

use std::collections::{BTreeMap, HashMap};

/// What belongs to an account.
pub(super) trait Owned {
    /// The account's SID.
    fn account(&self) -> &str;
}

/// Resources in order of creation; what is over the limit falls off the old end.
pub(super) struct Shelf<T> {
    limit: usize,
    next: u64,
    rows: BTreeMap<u64, (String, T)>,
    places: HashMap<String, u64>,
}

impl<T> Shelf<T> {
    /// An empty shelf for at most `limit` resources.
    pub fn new(limit: usize) -> Self {
        Self { limit, next: 0, rows: BTreeMap::new(), places: HashMap::new() }
    }

    /// Puts a new resource at the young end; gives what falls off the old one for it.
    pub fn push(&mut self, sid: String, value: T) -> Option<T> {
        self.places.insert(sid.clone(), self.next);
        self.rows.insert(self.next, (sid, value));
        self.next += 1;
        if self.rows.len() <= self.limit {
            return None;
        }
        let (_, (sid, fallen)) = self.rows.pop_first()?;
        self.places.remove(&sid);
        Some(fallen)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Their SIDs, oldest first.
    pub fn sids(&self) -> impl Iterator<Item = &str> {
        self.rows.values().map(|(sid, _)| sid.as_str())
    }

    /// One resource, whosever it is; nothing once it was removed or fell off.
    pub fn get(&self, sid: &str) -> Option<&T> {
        self.places.get(sid).and_then(|place| self.rows.get(place)).map(|(_, value)| value)
    }

    /// One resource, to change.
    pub fn get_mut(&mut self, sid: &str) -> Option<&mut T> {
        self.places.get(sid).and_then(|place| self.rows.get_mut(place)).map(|(_, value)| value)
    }

    /// Takes one away.
    pub fn remove(&mut self, sid: &str) -> Option<T> {
        let place = self.places.remove(sid)?;
        self.rows.remove(&place).map(|(_, value)| value)
    }

    /// All of them, youngest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.rows.values().rev().map(|(_, value)| value)
    }
}

impl<T: Owned> Shelf<T> {
    /// An account's resources, youngest first.
    pub fn of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a T> {
        self.newest_first().filter(move |value| value.account() == account)
    }

    /// One resource, if it is this account's.
    pub fn its(&self, account: &str, sid: &str) -> Option<&T> {
        self.get(sid).filter(|value| value.account() == account)
    }

    /// One resource to change, if it is this account's.
    pub fn its_mut(&mut self, account: &str, sid: &str) -> Option<&mut T> {
        self.get_mut(sid).filter(|value| value.account() == account)
    }

    /// Takes one away, if it is this account's.
    pub fn remove_its(&mut self, account: &str, sid: &str) -> Option<T> {
        self.its(account, sid)?;
        self.remove(sid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Owned for &str {
        fn account(&self) -> &str {
            self
        }
    }

    #[test]
    fn one_account_sees_nothing_of_anothers() {
        let mut shelf = Shelf::new(9);
        for (sid, account) in [("a", "AC1"), ("b", "AC2"), ("c", "AC1")] {
            shelf.push(sid.to_owned(), account);
        }
        assert_eq!(shelf.of("AC1").count(), 2);
        assert!(shelf.its("AC2", "b").is_some() && shelf.its_mut("AC2", "b").is_some());
        assert!(shelf.its("AC2", "a").is_none() && shelf.remove_its("AC2", "a").is_none());
        assert!(shelf.remove_its("AC1", "a").is_some() && shelf.get("a").is_none());
    }

    #[test]
    fn the_oldest_falls_off() {
        let mut shelf = Shelf::new(2);
        let push = |(sid, value): (&str, i32)| shelf.push(sid.to_owned(), value);
        assert_eq!([("a", 1), ("b", 2), ("c", 3)].map(push), [None, None, Some(1)]);
        assert_eq!((shelf.get("a"), shelf.len()), (None, 2));
        assert_eq!(shelf.newest_first().copied().collect::<Vec<_>>(), [3, 2]);
        assert_eq!(shelf.remove("c"), Some(3));
        assert_eq!(shelf.newest_first().copied().collect::<Vec<_>>(), [2]);
    }
}
