//! A group that adds to counters: in one transaction of two round trips.
//!
//! The first does what the commits change, as of a group without counters, and then locks
//! the counters and reads them; this process decides, and the second writes what they came
//! to, and commits. So a counter is locked for no more than the way here and back, whatever
//! else is in the group. Where a limit refuses, what that commit has changed is undone, and
//! with it all; then, and for a while, it is decided first: all is locked and read, and what
//! was decided is written.
//!
//! Commits of the group, of this process and of others, add one after the other: no
//! two of them see the same count. What they make of a counter is written once. It
//! refuses to know how often a group is tried.

use super::super::counting::OpenCounters;
use super::super::{Change, CommitError, CountedError, Counting, Key, Kind, Stored};
use super::body::Body;
use super::fault::Fault;
use super::group::{Arrays, Refused, Work, changes, in_order};
use super::statement::{self, Lines};
use super::writer::{Session, late, no_randomness, prepared};
use bytes::Bytes;
use futures_util::future::{OptionFuture, join, join3};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::{Error, Row, Statement};

/// How long it is decided first after a limit has refused something.
const CAREFUL: Duration = Duration::from_secs(1);

/// What is there of some records, while nobody else can change it. Only of counters there
/// is a body.
type Locked = HashMap<Key, Stored>;

/// How a transaction came out that was not ended yet.
enum Decided {
    /// It can be written.
    Written(Refused, Vec<Change>),
    /// A limit refuses one whose changes are done.
    Undo,
}

impl Session {
    /// Does a group, and says which commits were not done.
    pub(super) async fn count(&mut self, works: &[Work]) -> Result<Refused, Fault> {
        // One that is changed by its version is locked in its place among the others.
        let changes_one = changes(works).any(|(_, change)| change.key.kind == Kind::Counter);
        if !changes_one && self.limited_at.is_none_or(|at| at.elapsed() >= CAREFUL) {
            if let Some(refused) = self.change_first(works).await? {
                return Ok(refused);
            }
            self.limited_at = Some(Instant::now());
        }
        self.decide_first(works).await
    }

    /// Changes, then counts. Nothing is done where a limit refuses, and then there is no
    /// answer.
    async fn change_first(&mut self, works: &[Work]) -> Result<Option<Refused>, Fault> {
        let arrays = Arrays::of(changes(works)).map_err(no_randomness)?;
        let counters = counters(works);
        let change = match arrays.is_empty() {
            true => None,
            false => Some(self.group(arrays.lines()).await?),
        };
        let lock = prepared(&self.connected.client, &mut self.lock, statement::LOCK).await?;
        let decided = match self.change_and_lock(works, &arrays, change, &lock, &counters).await {
            Ok(decided) => decided,
            Err(fault) => return Err(self.undone(fault).await),
        };
        match decided {
            Decided::Written(refused, counters) => {
                self.write_counters(works, &counters).await?;
                Ok(Some(refused))
            }
            Decided::Undo => {
                self.roll_back().await?;
                Ok(None)
            }
        }
    }

    async fn change_and_lock(
        &self,
        works: &[Work],
        arrays: &Arrays<'_>,
        change: Option<Statement>,
        lock: &Statement,
        counters: &[Key],
    ) -> Result<Decided, Fault> {
        let parameters = arrays.parameters();
        let client = &self.connected.client;
        // Sent together, in this order.
        let changed = OptionFuture::from(change.as_ref().map(|change| client.query(change, &parameters)));
        let begin = client.batch_execute("BEGIN");
        let (begun, changed, locked) = join3(begin, changed, self.lock(lock, counters)).await;
        begun.map_err(|error| Fault::of(&error))?;
        let late = match changed {
            Some(rows) => late(&rows.map_err(|error| Fault::of(&error))?)?,
            None => Vec::new(),
        };
        let locked = locked?;
        let (refused, counters) = decide(works, &locked, |nth, _| late.contains(&nth));
        let is_limited = refused.values().any(|why| matches!(why, CountedError::Limited(_)));
        Ok(if is_limited { Decided::Undo } else { Decided::Written(refused, counters) })
    }

    /// Decides, then changes and counts.
    async fn decide_first(&mut self, works: &[Work]) -> Result<Refused, Fault> {
        let keys = keys(works);
        let lock = prepared(&self.connected.client, &mut self.lock, statement::LOCK).await?;
        let (begun, locked) =
            join(self.connected.client.batch_execute("BEGIN"), self.lock(&lock, &keys)).await;
        let locked = match begun.map_err(|error| Fault::of(&error)).and(locked) {
            Ok(locked) => locked,
            Err(fault) => return Err(self.undone(fault).await),
        };
        let version = |key: &Key| locked.get(key).map_or(0, |stored| stored.version);
        let is_late =
            |_, work: &Work| work.commit.changes.iter().any(|change| version(&change.key) != change.expected);
        let (refused, counters) = decide(works, &locked, is_late);
        if refused.values().any(|why| matches!(why, CountedError::Limited(_))) {
            self.limited_at = Some(Instant::now());
        }
        let done = changes(works).filter(|(nth, _)| !refused.contains_key(nth));
        self.write_decided(done.chain(numbered(works, &counters))).await?;
        Ok(refused)
    }

    /// Writes what counters came to, all of which are locked, and commits.
    async fn write_counters(&mut self, works: &[Work], counters: &[Change]) -> Result<(), Fault> {
        if counters.is_empty() {
            return self.connected.client.batch_execute("COMMIT").await.map_err(|error| Fault::of(&error));
        }
        // One that is new is put as any record is.
        if counters.iter().any(|change| change.expected == 0) {
            return self.write_decided(numbered(works, counters)).await;
        }
        let arrays = match Arrays::of(numbered(works, counters)) {
            Ok(arrays) => arrays,
            Err(error) => return Err(self.undone(no_randomness(error)).await),
        };
        let of_counters = prepared(&self.connected.client, &mut self.counters, statement::COUNTERS).await;
        let statement = match of_counters {
            Ok(statement) => statement,
            Err(fault) => return Err(self.undone(fault).await),
        };
        self.write_and_commit(&statement, &arrays).await
    }

    /// Writes what was decided, and commits; what there is of it is locked.
    async fn write_decided<'c>(
        &mut self,
        changes: impl Iterator<Item = (i32, &'c Change)>,
    ) -> Result<(), Fault> {
        let arrays = match Arrays::of(changes) {
            Ok(arrays) => arrays,
            Err(error) => return Err(self.undone(no_randomness(error)).await),
        };
        if arrays.is_empty() {
            return self.roll_back().await;
        }
        let statement = match self.group(Lines { is_decided: true, ..arrays.lines() }).await {
            Ok(statement) => statement,
            Err(fault) => return Err(self.undone(fault).await),
        };
        self.write_and_commit(&statement, &arrays).await
    }

    async fn write_and_commit(&self, statement: &Statement, arrays: &Arrays<'_>) -> Result<(), Fault> {
        let parameters = arrays.parameters();
        // Sent together. Where the first fails there is nothing to commit, and the
        // second undoes it.
        let written = self.connected.client.query(statement, &parameters);
        let (written, committed) = join(written, self.connected.client.batch_execute("COMMIT")).await;
        written.map_err(|error| Fault::of(&error))?;
        committed.map_err(|error| Fault::of(&error))
    }

    /// Locks these records, and reads them.
    async fn lock(&self, statement: &Statement, keys: &[Key]) -> Result<Locked, Fault> {
        let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        let kinds: Vec<i16> = keys.iter().map(|key| key.kind.letter().into()).collect();
        let counters = i16::from(Kind::Counter.letter());
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&ids, &kinds, &counters];
        let rows = self.connected.client.query(statement, &parameters).await;
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

    async fn roll_back(&self) -> Result<(), Fault> {
        let done: Result<(), Error> = self.connected.client.batch_execute("ROLLBACK").await;
        done.map_err(|error| Fault::of(&error))
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

/// The counters of a group, each once, in the order in which all groups lock.
fn counters(works: &[Work]) -> Vec<Key> {
    sorted(works.iter().flat_map(|work| &work.commit.additions).map(Counting::key).collect())
}

/// The same of all its records.
fn keys(works: &[Work]) -> Vec<Key> {
    let changed = changes(works).map(|(_, change)| change.key.clone());
    let added = works.iter().flat_map(|work| &work.commit.additions).map(Counting::key);
    sorted(changed.chain(added).collect())
}

fn sorted(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable_by(in_order);
    keys.dedup();
    keys
}

/// Each counter under a number of its own, behind those of the commits.
fn numbered<'c>(works: &[Work], counters: &'c [Change]) -> impl Iterator<Item = (i32, &'c Change)> + use<'c> {
    let first = i32::try_from(works.len()).unwrap_or(i32::MAX);
    (first..).zip(counters)
}

/// Which commits are not done, and what counters come to by the others.
fn decide(works: &[Work], locked: &Locked, is_late: impl Fn(i32, &Work) -> bool) -> (Refused, Vec<Change>) {
    let mut counters = OpenCounters::default();
    let mut refused = Refused::new();
    for (nth, work) in (0..).zip(works) {
        let counted: Result<(), CountedError> = match is_late(nth, work) {
            true => Err(CommitError::Conflict.into()),
            false => counters.add(&work.commit.additions, |key| Ok(locked.get(key).cloned())),
        };
        refused.extend(counted.err().map(|why| (nth, why)));
    }
    (refused, counters.changes().collect())
}
