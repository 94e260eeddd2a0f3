//! What an engine says of the state of its data.
//!
//! It refuses to know engines and what records mean.

use super::lane::count;
use super::{Depth, Due, Entry, Key, Lane, Scan, Store, StoreError, millis};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Commits and probes that were made durable.
    pub commits: u64,
    /// Commits that came too late.
    pub conflicts: u64,
    /// Flushes that made them durable.
    pub groups: u64,
    /// The size of its files, in bytes, with those of a copy that is under way.
    pub bytes_on_disk: u64,
    /// Which generation of its files is valid: how often they have been
    /// replaced since the store was made.
    pub generation: u64,
    /// How often they were replaced since the store was opened.
    pub compactions: u64,
    /// Whether they are being replaced, or old ones are still to be removed.
    pub is_copying: bool,
}

/// What should be there and is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Absent {
    /// Records that are not due when they should be.
    pub due: Vec<(Key, Due)>,
    /// Lines that no listing has.
    pub entries: Vec<Entry>,
}

/// Most due records that are asked for at once, where an engine cannot look one
/// up.
const MOST_DUE: usize = i32::MAX as usize;

/// [`Store::absent`] by the port's other questions.
pub(super) async fn absent<S: Store + ?Sized>(
    store: &S,
    due: &[(Key, Due)],
    entries: &[Entry],
) -> Result<Absent, StoreError> {
    let mut absent = Absent::default();
    let mut missing = due.to_vec();
    for lane in Lane::ALL {
        let wanted = || missing.iter().filter(|(key, _)| key.kind.lanes_at_rest().any(|one| one == lane));
        let Some(last) = wanted().map(|(_, due)| due.at).max() else { continue };
        let found = store.due_in(lane, last, MOST_DUE).await?;
        let found: BTreeSet<_> = found.into_iter().map(|(key, at)| (key, millis(at))).collect();
        missing.retain(|(key, due)| !found.contains(&(key.clone(), millis(due.at))));
    }
    absent.due = missing;
    for entry in entries {
        let later = |nanos| entry.at.checked_add(SignedDuration::from_nanos(nanos)).ok();
        // From its own millisecond on, and no further down than its own id: no
        // id has a NUL byte, so the next possible one is this longer by one.
        let scan = Scan {
            index: entry.index,
            scope: entry.scope.clone(),
            since: Some(entry.at),
            until: later(1_000_000),
            after: Some((entry.at, format!("{}\0", entry.id))),
            limit: 1,
        };
        let found = store.scan(&scan).await?;
        if found.first().is_none_or(|found| found.id != entry.id) {
            absent.entries.push(entry.clone());
        }
    }
    Ok(absent)
}

/// [`Store::depths`] by the port's other questions.
pub(super) async fn depths<S: Store + ?Sized>(store: &S, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
    let mut depths = Vec::new();
    for lane in Lane::ALL {
        depths.extend(count(lane, store.due_in(lane, until, MOST_DUE).await?.into_iter()));
    }
    Ok(depths)
}
