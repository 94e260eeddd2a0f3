//! What an engine says of the state of its data.
//!
//! It refuses to know engines and what records mean.

use super::StoreError;

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Records, whole or damaged.
    pub records: u64,
    /// Due entries.
    pub due: u64,
    /// Lines of listings.
    pub entries: u64,
    /// Bytes of all keys and values, without the engine's own.
    pub bytes: u64,
    /// How many of all these are damaged.
    pub damaged: u64,
    /// What is wrong with the first [`CheckReport::MAX_DAMAGE`] of them.
    pub damage: Vec<String>,
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

/// What to do about a store that cannot be used.
pub(super) const ADVICE: &str = "restore it from a backup, or move it away to start empty";

/// Figures of a store since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Commits and probes that were made durable.
    pub commits: u64,
    /// Commits that came too late.
    pub conflicts: u64,
    /// Flushes that made them durable.
    pub groups: u64,
    /// The size of its files, in bytes.
    pub bytes_on_disk: u64,
}
