//! What is known of many, by key, within a bound. It refuses to know what that is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Values by key, at most so many of them: where there is no room, the one that was
/// longest not written to goes.
#[derive(Debug, Clone)]
pub struct Cells<T> {
    places: HashMap<u64, u32, BuildHasherDefault<Spread>>,
    slots: Vec<Slot<T>>,
    newest: u32,
    oldest: u32,
    most: usize,
}

#[derive(Debug, Clone)]
struct Slot<T> {
    key: u64,
    newer: u32,
    older: u32,
    value: T,
}

/// No slot.
const NONE: u32 = u32::MAX;

/// Keys are hashes already: they are only spread over the table's bits. There is no seed,
/// so that the same log always comes to the same.
#[derive(Debug, Clone, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (key ^ (key >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl<T: Default> Cells<T> {
    /// None yet, and never more than this.
    pub fn new(most: usize) -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), newest: NONE, oldest: NONE, most: most.max(1) }
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// What is known by that key, without any change.
    pub fn get(&self, key: u64) -> Option<&T> {
        let place = *self.places.get(&key)?;
        Some(&self.slots[place as usize].value)
    }

    /// The same to be changed, if anything is known; it is not the oldest any more.
    pub fn known(&mut self, key: u64) -> Option<&mut T> {
        let place = *self.places.get(&key)?;
        self.renew(place);
        Some(&mut self.slots[place as usize].value)
    }

    /// The same, made where nothing is known.
    pub fn entry(&mut self, key: u64) -> &mut T {
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.place_for(key),
        };
        self.renew(place);
        &mut self.slots[place as usize].value
    }

    /// Forgets what is known by that key; its room is the next to be taken.
    pub fn forget(&mut self, key: u64) {
        let Some(place) = self.places.remove(&key) else { return };
        // A key that nothing has: what stands there is found by nobody.
        self.slots[place as usize].value = T::default();
        self.unlink(place);
        let oldest = self.oldest;
        (self.slots[place as usize].newer, self.slots[place as usize].older) = (oldest, NONE);
        match oldest {
            NONE => self.newest = place,
            oldest => self.slots[oldest as usize].older = place,
        }
        self.oldest = place;
    }

    fn place_for(&mut self, key: u64) -> u32 {
        let fresh = Slot { key, newer: NONE, older: NONE, value: T::default() };
        let place = if self.slots.len() < self.most {
            self.slots.push(fresh);
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
        } else {
            let place = self.oldest;
            self.unlink(place);
            self.places.remove(&self.slots[place as usize].key);
            self.slots[place as usize] = fresh;
            place
        };
        self.places.insert(key, place);
        self.link(place);
        place
    }

    fn renew(&mut self, place: u32) {
        if self.newest != place {
            self.unlink(place);
            self.link(place);
        }
    }

    fn unlink(&mut self, place: u32) {
        let Slot { newer, older, .. } = self.slots[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }

    fn link(&mut self, place: u32) {
        let before = self.newest;
        self.slots[place as usize].newer = NONE;
        self.slots[place as usize].older = before;
        match before {
            NONE => self.oldest = place,
            before => self.slots[before as usize].newer = place,
        }
        self.newest = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_longest_not_written_to_goes_first() {
        let mut cells: Cells<u32> = Cells::new(3);
        for key in 1..=3 {
            *cells.entry(key) = 10 * u32::try_from(key).unwrap();
        }
        assert_eq!(cells.known(1), Some(&mut 10));
        *cells.entry(4) = 40;
        assert_eq!(cells.get(2), None);
        assert_eq!([cells.get(1), cells.get(3), cells.get(4)], [Some(&10), Some(&30), Some(&40)]);
        assert_eq!(cells.len(), 3);
    }

    #[test]
    fn what_is_forgotten_leaves_its_room_to_the_next() {
        let mut cells: Cells<u32> = Cells::new(3);
        (1..=3).for_each(|key| *cells.entry(key) = 1);
        cells.forget(2);
        cells.forget(9);
        assert_eq!([cells.get(1), cells.get(2), cells.get(3)], [Some(&1), None, Some(&1)]);
        *cells.entry(4) = 4;
        assert_eq!([cells.get(1), cells.get(3), cells.get(4)], [Some(&1), Some(&1), Some(&4)]);
        (1..=4).for_each(|key| cells.forget(key));
        assert_eq!(cells.len(), 0);
        (5..=7).for_each(|key| *cells.entry(key) = 1);
        assert_eq!(cells.len(), 3);
    }

    #[test]
    fn one_cell_is_room_enough() {
        let mut cells: Cells<u32> = Cells::new(1);
        for key in 0..10 {
            *cells.entry(key) += 1;
        }
        assert_eq!((cells.len(), cells.get(9)), (1, Some(&1)));
    }
}
