//! A group that adds to counters: what is there is locked and read, this process
//! decides, and what was decided is written, in one transaction of two round trips.
//!
//! Commits of the group, of this process and of others, add one after the other: no
//! two of them see the same count. What they make of a counter is written once. It
//! refuses to know how often a group is tried.

use super::super::counting::OpenCounters;
use super::super::{Change, CommitError, CountedError, Counting, Key, Kind, Stored};
use super::body::Body;
use super::fault::Fault;
use super::group::{Arrays, Refused, Work, changes};
use super::statement::{self, Lines};
use super::writer::{Session, no_randomness};
use bytes::Bytes;
use futures_util::future::join;
use std::collections::HashMap;
use tokio_postgres::Row;

/// What is there of a group's records, while nobody else can change it. Only of
/// counters there is a body.
type Locked = HashMap<Key, Stored>;

impl Session {
    /// Does a group, and says which commits were not done.
    pub(super) async fn count(&mut self, works: &[Work]) -> Result<Refused, Fault> {
        let keys = keys(works);
        let locked = match self.lock(&keys).await {
            Ok(locked) => locked,
            Err(fault) => return Err(self.undone(fault).await),
        };
        let (refused, counters) = decide(works, &locked);
        // Each counter under a number of its own, behind those of the commits.
        let first = i32::try_from(works.len()).unwrap_or(i32::MAX);
        let done = changes(works).filter(|(nth, _)| !refused.contains_key(nth));
        let arrays = match Arrays::of(done.chain((first..).zip(&counters))) {
            Ok(arrays) => arrays,
            Err(error) => return Err(self.undone(no_randomness(error)).await),
        };
        if arrays.is_empty() {
            self.connected.client.batch_execute("ROLLBACK").await.map_err(|error| Fault::of(&error))?;
            return Ok(refused);
        }
        let statement = match self.group(Lines { is_decided: true, ..arrays.lines() }).await {
            Ok(statement) => statement,
            Err(fault) => return Err(self.undone(fault).await),
        };
        let parameters = arrays.parameters();
        // Sent together. Where the first fails there is nothing to commit, and the
        // second undoes it.
        let written = self.connected.client.query(&statement, &parameters);
        let (written, committed) = join(written, self.connected.client.batch_execute("COMMIT")).await;
        written.map_err(|error| Fault::of(&error))?;
        committed.map_err(|error| Fault::of(&error))?;
        Ok(refused)
    }

    /// Begins a transaction with these records locked.
    async fn lock(&mut self, keys: &[Key]) -> Result<Locked, Fault> {
        let statement = match &self.lock {
            Some(statement) => statement.clone(),
            None => self.lock.insert(self.prepare(statement::LOCK).await?).clone(),
        };
        let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        let kinds: Vec<i16> = keys.iter().map(|key| key.kind.letter().into()).collect();
        let counters = i16::from(Kind::Counter.letter());
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&ids, &kinds, &counters];
        let rows = self.connected.client.query(&statement, &parameters);
        let (begun, rows) = join(self.connected.client.batch_execute("BEGIN"), rows).await;
        begun.map_err(|error| Fault::of(&error))?;
        let rows = rows.map_err(|error| Fault::of(&error))?;
        let read = |row: &Row| {
            let nth: i64 = row.try_get(0).ok()?;
            let key = keys.get(usize::try_from(nth - 1).ok()?)?;
            let version: i64 = row.try_get(1).ok()?;
            let body: Option<Body> = row.try_get(2).ok()?;
            let body = body.map_or_else(Bytes::new, |body| body.0);
            Some((key.clone(), Stored { version: version.cast_unsigned(), body }))
        };
        let locked: Option<Locked> = rows.iter().map(read).collect();
        locked.ok_or_else(|| Fault::Undone("an answer that does not read".to_owned()))
    }

    /// Ends a transaction that came to nothing, so that the connection can go on.
    async fn undone(&self, fault: Fault) -> Fault {
        if fault.ends_the_connection() {
            return fault;
        }
        match self.connected.client.batch_execute("ROLLBACK").await {
            Ok(()) => fault,
            Err(error) => Fault::Elsewhere(super::fault::words(&error)),
        }
    }
}

/// The records of a group, each once, in the order in which all groups lock.
fn keys(works: &[Work]) -> Vec<Key> {
    let changed = changes(works).map(|(_, change)| change.key.clone());
    let added = works.iter().flat_map(|work| &work.commit.additions).map(Counting::key);
    let mut keys: Vec<Key> = changed.chain(added).collect();
    keys.sort_unstable_by(|one, other| (&one.id, one.kind).cmp(&(&other.id, other.kind)));
    keys.dedup();
    keys
}

/// Which commits are not done, and what counters come to by the others.
fn decide(works: &[Work], locked: &Locked) -> (Refused, Vec<Change>) {
    let mut counters = OpenCounters::default();
    let mut refused = Refused::new();
    for (nth, work) in (0..).zip(works) {
        let version = |key| locked.get(key).map_or(0, |stored| stored.version);
        let is_late = work.commit.changes.iter().any(|change| version(&change.key) != change.expected);
        let counted: Result<(), CountedError> = match is_late {
            true => Err(CommitError::Conflict.into()),
            false => counters.add(&work.commit.additions, |key| Ok(locked.get(key).cloned())),
        };
        refused.extend(counted.err().map(|why| (nth, why)));
    }
    (refused, counters.changes().collect())
}
