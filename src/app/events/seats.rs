//! Who has how many of the streams of events: no key takes more than its share, and
//! the last of them are for keys that have none. It refuses to know what is told.

use crate::model::audit::Actor;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// One of this many parts of all streams is a key's share, and one of them is kept
/// for keys without a stream.
const PARTS: usize = 4;

/// The open streams, counted by key.
#[derive(Clone, Default)]
pub(in crate::app) struct Seats {
    most: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A stream's place, given back when it ends.
pub(in crate::app) struct Seat {
    seats: Seats,
    key: String,
}

impl Seats {
    /// So many at once.
    pub(in crate::app) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place for somebody, if there is one for them.
    pub(in crate::app) fn take(&self, who: &Actor) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(who.as_str()).copied().unwrap_or(0);
        let part = self.most.div_ceil(PARTS);
        let is_left = if own == 0 { all < self.most } else { own < part && all + part < self.most };
        if !is_left {
            return None;
        }
        taken.insert(who.as_str().to_owned(), own + 1);
        Some(Seat { seats: self.clone(), key: who.as_str().to_owned() })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(seats: &Seats, name: &str) -> Vec<Seat> {
        let actor = Actor::caller(name);
        std::iter::from_fn(|| seats.take(&actor)).collect()
    }

    #[test]
    fn no_key_takes_more_than_its_share_and_the_last_are_for_who_has_none() {
        let seats = Seats::new(100);
        let first = all(&seats, "first");
        assert_eq!(first.len(), 25);
        let more: Vec<_> = (0..20).map(|n| all(&seats, &format!("more {n}"))).collect();
        let taken: usize = more.iter().map(Vec::len).sum();
        assert_eq!(taken + first.len(), 75 + more.iter().filter(|own| own.len() == 1).count());
        assert!(more.iter().all(|own| !own.is_empty()), "everybody has one");
        drop((first, more));
        assert!(seats.taken.lock().unwrap().is_empty());
        assert_eq!(all(&Seats::new(1), "only").len(), 1);
    }
}
