//! What an engine does, the same for every one.

use super::{
    Absent, Arrivals, Change, CheckReport, Commit, CommitError, CommitHook, CountedError, Depth, Due, Entry,
    Key, Kind, Lane, Listed, Mark, Scan, Stats, StoreError, Stored,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Weak;
use std::time::Duration;

/// An engine. Calls may come from any task; none of them blocks a thread of
/// the runtime for longer than a read from memory.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The record under a key, or `None`.
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// The records under keys, in the order of the keys, each as [`Store::read`] has
    /// it: one may be staler than another. An engine behind a network asks once for up
    /// to 256 of them.
    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            found.push(self.read(key).await?);
        }
        Ok(found)
    }

    /// Does all changes and additions or none, durably. Keys must differ; there are
    /// at most [`Change::MAX_COMMIT`] of them, with bodies of at most
    /// [`Change::MAX_BODY`], and a change's entries are its own record's. What
    /// breaks these rules, or those of [`Commit`] and [`Counting`](super::Counting), is refused with
    /// [`StoreError::TooLarge`] or [`StoreError::Failed`], undone.
    ///
    /// What is both in conflict and beyond a limit may be refused for either.
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError>;

    /// The same of changes alone.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        self.commit_counted(changes.into()).await.map_err(CountedError::of_changes)
    }

    /// Tells somebody of all commits from now on, for as long as they are there.
    fn watch(&self, hook: Weak<dyn CommitHook>);

    /// Records of a lane due at or before `until`, the most overdue first, with
    /// the time they are due; those due at once by their keys. Those behind
    /// `after`, the last of an earlier answer, for who goes through all of them.
    async fn due_after(
        &self,
        lane: Lane,
        after: Option<&(Key, Timestamp)>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError>;

    /// The same from the first.
    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.due_after(lane, None, until, limit).await
    }

    /// The same of what people wait for.
    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.due_in(Lane::Person, until, limit).await
    }

    /// The same for one who is about to do it: what somebody was given before is
    /// left out for a span, as long as it is due at the same time as then. It keeps
    /// processes apart, and is a hint: what is done about a record is decided by
    /// its commit. An engine of one process has no need of it.
    async fn claim(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
        _span: Duration,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.due_in(lane, until, limit).await
    }

    /// How much is due in each lane at or before `until`, of each kind. It takes
    /// as long as counting it does.
    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError>;

    /// Why nothing will be written any more until it is opened again; an engine
    /// that goes on by itself never says so.
    fn failure(&self) -> Option<StoreError> {
        None
    }

    /// Waits until there is such a failure, for ever where there is none.
    async fn failed(&self) -> StoreError {
        std::future::pending().await
    }

    /// A stretch of a listing.
    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError>;

    /// Stretches of several listings, in the order of the scans, each line with the
    /// record that it leads to: `None` where that is gone, or not there yet. All are
    /// scanned before any record is read, or it is as of one moment. An engine behind
    /// a network asks once.
    async fn list(&self, scans: &[Scan]) -> Result<Vec<Vec<Listed>>, StoreError> {
        scanned_and_read(self, scans).await
    }

    /// The events, as [`Index::Events`](super::Index::Events) lists them, that have come since a mark and
    /// happened at `since` or later by their own time; without a mark none, and a
    /// mark of now. `None` where the engine cannot say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for a mark that holds no more: begin anew.
    async fn arrivals(
        &self,
        _mark: Option<&Mark>,
        _since: Timestamp,
        _limit: usize,
    ) -> Result<Option<Arrivals>, StoreError> {
        Ok(None)
    }

    /// Whether a write would be done now: the readiness of the service.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Whether other processes may have it open and write it too.
    fn is_shared(&self) -> bool {
        false
    }

    /// Finishes what is waiting and lets go of the files. Later calls answer
    /// [`StoreError::Closed`].
    async fn close(&self);
}

/// What is done about an engine as a whole: by the command line, by jobs that go through
/// everything, and by who looks after it.
#[async_trait]
pub trait Maintenance: Store {
    /// Records of a kind in the order of their ids, by bytes, after the given
    /// one; at most `limit`. What is written meanwhile may or may not be there.
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError>;

    /// Which of these due entries and lines of listings are not there; for
    /// [`inspect`](super::inspect). An engine that can look them up does so: this way of asking
    /// reads everything that is due, again and again.
    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError>;

    /// All lines of listings that lead to a record, for one that cannot be read and
    /// so does not say which it has. It takes as long as going through the listings
    /// of its kind does; an engine that cannot do so finds none.
    async fn entries_of(&self, _key: &Key) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    /// Reads everything and verifies it, as far as an engine can that does not
    /// know what records mean. It takes as long as reading everything does.
    ///
    /// # Errors
    /// When it cannot be read to the end; what was found on the way there is
    /// in the report, see [`CheckReport::verdict`].
    async fn check(&self) -> Result<CheckReport, StoreError>;

    /// Figures since the store was opened.
    async fn stats(&self) -> Result<Stats, StoreError>;

    /// Gives back the space of what was deleted, while others read and write.
    async fn compact(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Listings with their records, for an engine that has no way of its own: all lines
/// first, then all records.
pub(super) async fn scanned_and_read<S: Store + ?Sized>(
    store: &S,
    scans: &[Scan],
) -> Result<Vec<Vec<Listed>>, StoreError> {
    let mut stretches = Vec::with_capacity(scans.len());
    for scan in scans {
        stretches.push(store.scan(scan).await?);
    }
    let lines = stretches.iter().flatten();
    let keys: Vec<Key> = lines.map(|entry| Key::new(entry.index.kind(), entry.id.as_str())).collect();
    let mut found = store.read_many(&keys).await?.into_iter();
    let mut with_record = |entry| Listed { entry, stored: found.next().flatten() };
    let with_records = |stretch: Vec<Entry>| stretch.into_iter().map(&mut with_record).collect();
    Ok(stretches.into_iter().map(with_records).collect())
}
