//! The reference engine: everything in memory, gone with the process.
//!
//! It says in the plainest way what an engine must do; the others are tested
//! against it. It refuses to know files and bytes at rest.

use super::{
    Change, CommitError, Entry, Index, Key, Lane, Scan, Store, StoreError, Stored, Version, millis,
    timestamp, validate,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    closed: bool,
    records: BTreeMap<Key, Stored>,
    due: BTreeSet<(i64, Key)>,
    entries: BTreeSet<Line>,
}

/// An entry in the order of its listing: index, scope, time, id.
type Line = (Index, String, i64, String);

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        // A commit changes nothing before it has checked everything, so a
        // panic elsewhere cannot have left half of one behind.
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.open()?.records.get(key).cloned())
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut state = self.open()?;
        validate(&changes)?;
        if changes.iter().any(|change| state.version(&change.key) != change.expected) {
            return Err(CommitError::Conflict);
        }
        changes.into_iter().for_each(|change| state.apply(change));
        Ok(())
    }

    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let until = millis(until);
        let state = self.open()?;
        let due = state.due.iter().take_while(|(at, _)| *at <= until);
        let due = due.filter(|(_, key)| key.kind.lane() == lane).take(limit);
        Ok(due.filter_map(|(at, key)| Some((key.clone(), timestamp(*at)?))).collect())
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        let state = self.open()?;
        let after = scan.after.as_ref().map(|(at, id)| (millis(*at), id));
        let found = state
            .entries
            .iter()
            .rev()
            .filter(|(index, scope, ..)| *index == scan.index && *scope == scan.scope)
            .filter(|(_, _, at, _)| scan.since.is_none_or(|since| *at >= millis(since)))
            .filter(|(_, _, at, _)| scan.until.is_none_or(|until| *at < millis(until)))
            .filter(|(_, _, at, id)| after.is_none_or(|after| (*at, id) < after))
            .take(scan.limit);
        Ok(found.filter_map(entry).collect())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.open().map(drop)
    }

    async fn close(&self) {
        if let Ok(mut state) = self.open() {
            *state = State { closed: true, ..State::default() };
        }
    }
}

impl State {
    fn version(&self, key: &Key) -> Version {
        self.records.get(key).map_or(0, |stored| stored.version)
    }

    fn apply(&mut self, change: Change) {
        let Change { key, expected, body, due_before, due_after, entries_added, entries_removed } = change;
        if let Some(at) = due_before {
            self.due.remove(&(millis(at), key.clone()));
        }
        if let Some(at) = due_after {
            self.due.insert((millis(at), key.clone()));
        }
        for entry in entries_removed {
            self.entries.remove(&line(entry));
        }
        self.entries.extend(entries_added.into_iter().map(line));
        match body {
            Some(body) => {
                self.records.insert(key, Stored { version: expected + 1, body: Bytes::from(body) });
            }
            None => {
                self.records.remove(&key);
            }
        }
    }
}

fn line(Entry { index, scope, at, id }: Entry) -> Line {
    (index, scope, millis(at), id)
}

fn entry((index, scope, at, id): &Line) -> Option<Entry> {
    Some(Entry { index: *index, scope: scope.clone(), at: timestamp(*at)?, id: id.clone() })
}
