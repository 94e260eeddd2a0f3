//! What is remembered of many, by a key, as long as there is room: of those that were
//! spoken of longest ago, the first is forgotten.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key, within a bound.
pub(super) struct Recent<K, V> {
    limit: usize,
    next: u64,
    values: HashMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
}

impl<K: Clone + Eq + Hash, V> Recent<K, V> {
    /// Nothing yet, and `limit` values at most.
    pub fn new(limit: usize) -> Self {
        Self { limit, next: 0, values: HashMap::new(), order: BTreeMap::new() }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What is remembered of a key.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.values.get(key).map(|(_, value)| value)
    }

    /// Remembers something of a key, instead of what was remembered before.
    pub fn insert(&mut self, key: K, value: V) {
        self.forget(&key);
        self.order.insert(self.next, key.clone());
        self.values.insert(key, (self.next, value));
        self.next += 1;
        while self.values.len() > self.limit {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            self.values.remove(&oldest);
        }
    }

    /// What is remembered of a key, to change; it is spoken of now.
    pub fn touch(&mut self, key: &K) -> Option<&mut V> {
        let (place, _) = self.values.get_mut(key)?;
        self.order.remove(place);
        *place = self.next;
        self.order.insert(self.next, key.clone());
        self.next += 1;
        self.values.get_mut(key).map(|(_, value)| value)
    }

    /// Forgets a key; gives what was remembered of it.
    pub fn forget<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (place, value) = self.values.remove(key)?;
        self.order.remove(&place);
        Some(value)
    }

    /// Forgets all that is not wanted.
    pub fn retain(&mut self, wanted: impl Fn(&K) -> bool) {
        self.order.retain(|_, key| wanted(key));
        self.values.retain(|key, _| wanted(key));
    }

    /// The keys, the one that was spoken of longest ago first.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.order.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(recent: &Recent<String, u8>) -> Vec<&str> {
        assert_eq!(recent.values.len(), recent.order.len());
        recent.keys().map(String::as_str).collect()
    }

    #[test]
    fn who_was_spoken_of_longest_ago_is_forgotten_first() {
        let mut recent = Recent::new(2);
        assert!(recent.is_empty());
        for (key, value) in [("a", 1), ("b", 2), ("a", 3)] {
            recent.insert(key.to_owned(), value);
        }
        assert_eq!((keys(&recent), recent.get("a")), (vec!["b", "a"], Some(&3)));
        *recent.touch(&"b".to_owned()).unwrap() += 5;
        recent.insert("c".to_owned(), 4);
        assert_eq!((keys(&recent), recent.get("b"), recent.get("a")), (vec!["b", "c"], Some(&7), None));
        assert_eq!((recent.forget("b"), recent.forget("b"), keys(&recent)), (Some(7), None, vec!["c"]));
        assert!(recent.touch(&"b".to_owned()).is_none());
        recent.insert("d".to_owned(), 5);
        recent.retain(|key| key == "d");
        assert_eq!(keys(&recent), ["d"]);
    }
}
