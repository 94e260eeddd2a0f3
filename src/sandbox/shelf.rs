//! A bounded shelf of resources: by SID, in order of creation, oldest dropped.

use std::collections::{BTreeMap, HashMap};

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

    /// Puts a new resource at the young end.
    pub fn push(&mut self, sid: String, value: T) {
        self.places.insert(sid.clone(), self.next);
        self.rows.insert(self.next, (sid, value));
        self.next += 1;
        while self.rows.len() > self.limit {
            if let Some((_, (sid, _))) = self.rows.pop_first() {
                self.places.remove(&sid);
            }
        }
    }

    /// One resource.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_falls_off() {
        let mut shelf = Shelf::new(2);
        for (sid, value) in [("a", 1), ("b", 2), ("c", 3)] {
            shelf.push(sid.to_owned(), value);
        }
        assert_eq!(shelf.get("a"), None);
        assert_eq!(shelf.newest_first().copied().collect::<Vec<_>>(), [3, 2]);
        assert_eq!(shelf.remove("c"), Some(3));
        assert_eq!(shelf.newest_first().copied().collect::<Vec<_>>(), [2]);
    }
}
