//! What a check of a store has found. It refuses to know engines and how they are read.

use super::care::ADVICE;
use super::{Digests, StoreError};

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Records, whole or damaged.
    pub records: u64,
    /// Records that are due at some time.
    pub due: u64,
    /// Lines of listings.
    pub entries: u64,
    /// Bytes of all keys and values, without the engine's own.
    pub bytes: u64,
    /// How many of all these are damaged.
    pub damaged: u64,
    /// What is wrong with the first [`CheckReport::MAX_DAMAGE`] of them.
    pub damage: Vec<String>,
    /// What is due and listed, for who knows what should be; `None` where the engine does
    /// not say.
    pub digests: Option<Digests>,
    /// Why nobody compared whether all records are there that were written, each as it was
    /// written last; `None` where that was compared, or where the engine keeps no tally of
    /// them.
    pub not_compared: Option<String>,
}

impl CheckReport {
    /// Longest list of damage.
    pub const MAX_DAMAGE: usize = 20;

    /// What was found as a verdict.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], with the first thing found and what to do.
    pub fn verdict(&self) -> Result<(), StoreError> {
        match self.damage.first() {
            Some(first) => {
                Err(StoreError::Damaged(format!("{} in {} places: {ADVICE}", first, self.damaged)))
            }
            None => Ok(()),
        }
    }

    /// Counts something damaged, and keeps the words for the first of them.
    pub fn note(&mut self, damage: String) {
        self.damaged += 1;
        if self.damage.len() < Self::MAX_DAMAGE {
            self.damage.push(damage);
        }
    }
}
