//! The store: one small port, the same for every engine.
//!
//! An engine keeps records under keys, each with a version, and beside them two
//! kinds of entries that come and go with their record: when it is due, and
//! where it stands in a listing. It refuses to know HTTP, Twilio and what the
//! records mean; [`records`] turns the model's values into JSON with a format
//! number, and finds out which entries a record has.
//!
//! Which wrong answers are tolerable:
//! - [`Store::read`] may be stale, because the commit decides; what it shows is
//!   durable, so that who finds nothing to change may acknowledge.
//! - [`Store::due`] may name what is no longer due; it never loses what is.
//! - [`Store::scan`] may miss what is being written while it reads.
//! - [`Store::commit`] is never wrong: all of it is durable when it returns
//!   `Ok`, none of it is there when it returns a conflict. After
//!   [`StoreError::Failed`] the outcome is unknown and must be read again. What it
//!   adds to counters is added to what stands there then, whoever else adds: no
//!   limit is exceeded, and nobody is refused for a race.

mod arrivals;
mod care;
mod counting;
mod hook;
pub mod inspect;
pub mod kinds;
mod lane;
mod measured;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod records;
mod rules;
pub mod sled;
pub mod transfer;

pub use arrivals::Arrivals;
pub use arrivals::Mark;
use async_trait::async_trait;
use bytes::Bytes;
pub use care::Absent;
pub use care::CheckReport;
pub use care::Stats;
pub use counting::Commit;
pub use counting::CountedError;
pub use counting::Counting;
pub use counting::Limited;
pub use hook::AtEnd;
pub use hook::CommitHook;
use jiff::Timestamp;
pub use kinds::Index;
pub use kinds::Kind;
pub use lane::Depth;
pub use lane::Due;
pub use lane::Lane;
use rules::validate;
use std::fmt;
use std::sync::Weak;
use std::time::Duration;

/// The version of a record: 0 where there is none, and one more with each
/// write. It begins at 1 in an engine of one process; in one that several share
/// a record begins where no earlier record of its key has been, for a process
/// that stood still may still hold what it read of that one.
pub type Version = u64;

/// A record's place: its kind and its id, at most [`Key::MAX_ID`] bytes of text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The id, unique in its kind.
    pub id: String,
}

impl Key {
    /// Longest id in bytes.
    pub const MAX_ID: usize = 256;

    /// A key.
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

/// For errors and logs: the id is left out where it may hold a number.
impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, id } = self;
        match kind.shows_id() {
            true => write!(out, "{kind:?} {id}"),
            false => write!(out, "{kind:?}"),
        }
    }
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The version it has.
    pub version: Version,
    /// JSON; see [`records`].
    pub body: Bytes,
}

/// One line of a listing: in `index`, under `scope`, at a time, a record's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The listing.
    pub index: Index,
    /// The part of the listing; without NUL bytes.
    pub scope: String,
    /// The time by which it is ordered, in milliseconds.
    pub at: Timestamp,
    /// The record's id.
    pub id: String,
}

/// A change of one record and of its entries. Times are kept to the millisecond.
#[derive(Debug, Clone)]
pub struct Change {
    /// The record.
    pub key: Key,
    /// The version it was read at; 0 when it must not exist.
    pub expected: Version,
    /// What it becomes; `None` deletes it.
    pub body: Option<Vec<u8>>,
    /// When and where it was due as of the expected version.
    pub due_before: Option<Due>,
    /// When and where it is due now.
    pub due_after: Option<Due>,
    /// Entries that come.
    pub entries_added: Vec<Entry>,
    /// Entries that go.
    pub entries_removed: Vec<Entry>,
}

impl Change {
    /// Longest body in bytes. Engines rely on it to keep a page of records in
    /// one piece.
    pub const MAX_BODY: usize = 64 * 1024;

    /// Most changes in one commit, counters among them.
    pub const MAX_COMMIT: usize = 64;
}

/// What a scan is to find: newest first, ties by id, descending.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The listing.
    pub index: Index,
    /// Its part.
    pub scope: String,
    /// No older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
    /// Strictly after this place in the listing's order: where the last scan ended.
    pub after: Option<(Timestamp, String)>,
    /// At most so many entries.
    pub limit: usize,
}

/// Why a commit was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Another write came first; nothing of this commit was done. Read again.
    #[error("the record was changed meanwhile")]
    Conflict,
    /// The engine failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the store could not do its work. The texts are for the operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It could not be opened; the text says what to do.
    #[error("cannot open the store: {0}")]
    Open(String),
    /// Another process has it open.
    #[error("the store is in use by another process: {0}")]
    InUse(String),
    /// What was read is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The engine or the disk failed; for a commit the outcome is unknown.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A record would be longer than [`Change::MAX_BODY`]; nothing of this commit
    /// was done, and asking again changes nothing.
    #[error("a record of {size} bytes, {} are possible", Change::MAX_BODY)]
    TooLarge {
        /// How long it would be.
        size: usize,
    },
    /// Too many writes are waiting; nothing of this commit was done.
    #[error("the store is overloaded")]
    Overloaded,
    /// The engine cannot be reached now; nothing of this commit was done.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// It has been closed.
    #[error("the store is closed")]
    Closed,
}

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
    /// breaks these rules, or those of [`Commit`] and [`Counting`], is refused with
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
    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        care::depths(self, until).await
    }

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

    /// The events, as [`Index::Events`] lists them, that have come since a mark and
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

    /// Records of a kind in the order of their ids, by bytes, after the given
    /// one; at most `limit`. What is written meanwhile may or may not be there.
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError>;

    /// Which of these due entries and lines of listings are not there; for
    /// [`inspect`]. An engine that can look them up does so: this way of asking
    /// reads everything that is due, again and again.
    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        care::absent(self, due, entries).await
    }

    /// All lines of listings that lead to a record, for one that cannot be read and
    /// so does not say which it has. It takes as long as going through the listings
    /// of its kind does; an engine that cannot do so finds none.
    async fn entries_of(&self, _key: &Key) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    /// Whether a write would be done now: the readiness of the service.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Whether other processes may have it open and write it too.
    fn is_shared(&self) -> bool {
        false
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

    /// Finishes what is waiting and lets go of the files. Later calls answer
    /// [`StoreError::Closed`].
    async fn close(&self);
}

/// Times at rest and in order: whole milliseconds.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time that was kept as milliseconds.
fn timestamp(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}
