//! The reference engine: everything in memory, gone with the process.
//!
//! It says in the plainest way what an engine must do; the others are tested
//! against it. It refuses to know files and bytes at rest.

use super::Absent;
use super::Change;
use super::CheckReport;
use super::Commit;
use super::CommitError;
use super::CommitHook;
use super::CountedError;
use super::Depth;
use super::Due;
use super::Entry;
use super::Index;
use super::Key;
use super::Kind;
use super::Lane;
use super::Maintenance;
use super::Scan;
use super::Stats;
use super::Store;
use super::StoreError;
use super::Stored;
use super::Version;
use super::counting::OpenCounters;
use super::hook::Hooks;
use super::measured::measured;
use super::millis;
use super::queue;
use super::timestamp;
use super::validate;
use crate::telemetry::metrics::Meter;
use crate::telemetry::metrics::Place;
use crate::telemetry::metrics::meter;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

static COMMITS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Commit, "memory"));

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
    hooks: Hooks,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    commits: u64,
    conflicts: u64,
    records: BTreeMap<Key, Stored>,
    due: BTreeMap<Lane, BTreeSet<(i64, Key)>>,
    /// What was given to somebody: when it was due, and until when it is theirs.
    claims: HashMap<Key, (i64, Instant)>,
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
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }

    fn write(&self, commit: Commit) -> Result<(), CountedError> {
        let mut state = self.open()?;
        validate(&commit)?;
        let Commit { changes, additions } = commit;
        if changes.iter().any(|change| state.version(&change.key) != change.expected) {
            state.conflicts += 1;
            return Err(CommitError::Conflict.into());
        }
        let mut counters = OpenCounters::default();
        counters.add(&additions, |key| Ok(state.records.get(key).cloned()))?;
        state.commits += 1;
        changes.into_iter().chain(counters.changes()).for_each(|change| state.apply(change));
        Ok(())
    }
}

#[async_trait]
impl Store for Memory {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.open()?.records.get(key).cloned())
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        let state = self.open()?;
        Ok(keys.iter().map(|key| state.records.get(key).cloned()).collect())
    }

    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let _ending = self.hooks.begin(&commit.changes);
        measured(*COMMITS, commit.changes.len(), async { self.write(commit) }).await
    }

    fn watch(&self, hook: Weak<dyn CommitHook>) {
        self.hooks.add(hook);
    }

    async fn due_after(
        &self,
        lane: Lane,
        after: Option<&(Key, Timestamp)>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let state = self.open()?;
        let after = after.map(|(key, at)| (millis(*at), key));
        let later =
            state.due_in(lane, until).filter(|(key, at)| after.is_none_or(|a| (millis(*at), key) > a));
        Ok(later.take(limit).collect())
    }

    async fn claim(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
        span: Duration,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let mut state = self.open()?;
        let now = Instant::now();
        state.claims.retain(|_, (_, until)| *until > now);
        let is_free =
            |(key, at): &(Key, Timestamp)| state.claims.get(key).is_none_or(|(due, _)| *due != millis(*at));
        let claimed: Vec<_> = state.due_in(lane, until).filter(is_free).take(limit).collect();
        state.claims.extend(claimed.iter().map(|(key, at)| (key.clone(), (millis(*at), now + span))));
        Ok(claimed)
    }

    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        let state = self.open()?;
        Ok(Lane::ALL.into_iter().flat_map(|lane| queue::count(lane, state.due_in(lane, until))).collect())
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

#[async_trait]
impl Maintenance for Memory {
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        let state = self.open()?;
        let start = match after {
            Some(after) => Bound::Excluded(Key::new(kind, after)),
            None => Bound::Included(Key::new(kind, "")),
        };
        let later = state.records.range((start, Bound::Unbounded)).take_while(|(key, _)| key.kind == kind);
        Ok(later.take(limit).map(|(key, stored)| (key.id.clone(), stored.clone())).collect())
    }

    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        let state = self.open()?;
        let is_due = |(key, due): &(Key, Due)| {
            let entry = (millis(due.at), key.clone());
            due.lanes_at_rest(key.kind)
                .any(|lane| state.due.get(&lane).is_some_and(|due| due.contains(&entry)))
        };
        let is_listed = |entry: &Entry| state.entries.contains(&line(entry.clone()));
        Ok(Absent {
            due: due.iter().filter(|due| !is_due(due)).cloned().collect(),
            entries: entries.iter().filter(|entry| !is_listed(entry)).cloned().collect(),
        })
    }

    async fn entries_of(&self, key: &Key) -> Result<Vec<Entry>, StoreError> {
        let state = self.open()?;
        let is_its = |(index, _, _, id): &&Line| index.kind() == key.kind && *id == key.id;
        Ok(state.entries.iter().filter(is_its).filter_map(entry).collect())
    }

    async fn check(&self) -> Result<CheckReport, StoreError> {
        let state = self.open()?;
        let mut report = CheckReport {
            records: state.records.len() as u64,
            due: state.all_due().count() as u64,
            entries: state.entries.len() as u64,
            bytes: state.bytes(),
            ..CheckReport::default()
        };
        for (_, key) in state.all_due().filter(|(_, key)| !state.records.contains_key(key)) {
            report.note(format!("{key} is due and does not exist"));
        }
        for (index, _, _, id) in &state.entries {
            let key = Key::new(index.kind(), id);
            if !state.records.contains_key(&key) {
                report.note(format!("{key} is listed and does not exist"));
            }
        }
        Ok(report)
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let state = self.open()?;
        let State { commits, conflicts, .. } = *state;
        Ok(Stats {
            commits,
            conflicts,
            groups: commits,
            bytes_on_disk: 0,
            generation: 0,
            compactions: 0,
            is_copying: false,
        })
    }
}

impl State {
    fn version(&self, key: &Key) -> Version {
        self.records.get(key).map_or(0, |stored| stored.version)
    }

    /// What is due in a lane until then, the most overdue first.
    fn due_in(&self, lane: Lane, until: Timestamp) -> impl Iterator<Item = (Key, Timestamp)> {
        let until = millis(until);
        let due = self.due.get(&lane).into_iter().flatten().take_while(move |(at, _)| *at <= until);
        due.filter_map(|(at, key)| Some((key.clone(), timestamp(*at)?)))
    }

    fn all_due(&self) -> impl Iterator<Item = &(i64, Key)> {
        self.due.values().flatten()
    }

    fn bytes(&self) -> u64 {
        self.records.iter().map(|(key, stored)| (key.id.len() + stored.body.len()) as u64).sum()
    }

    fn apply(&mut self, change: Change) {
        let Change { key, expected, body, due_before, due_after, entries_added, entries_removed } = change;
        if due_before != due_after {
            if let Some(due) = due_before {
                let entry = (millis(due.at), key.clone());
                for lane in due.lanes_at_rest(key.kind) {
                    self.due.entry(lane).or_default().remove(&entry);
                }
            }
            if let Some(due) = due_after {
                self.due.entry(due.lane).or_default().insert((millis(due.at), key.clone()));
            }
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
