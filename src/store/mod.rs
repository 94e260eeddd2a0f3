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
mod check_report;
mod commit;
mod counting;
mod digests;
mod hook;
pub mod inspect;
mod kind;
pub mod kinds;
mod lane;
mod measured;
pub mod memory;
mod port;
#[cfg(feature = "postgres")]
pub mod postgres;
mod queue;
pub mod records;
mod rules;
pub mod sled;
pub mod transfer;

pub use arrivals::Arrivals;
pub use arrivals::Mark;
use bytes::Bytes;
pub use check_report::CheckReport;
pub use commit::Commit;
pub use commit::CountedError;
pub use commit::Counting;
pub use commit::Limited;
pub use digests::Digests;
pub use hook::AtEnd;
pub use hook::CommitHook;
use jiff::Timestamp;
pub use kind::Declared;
pub use kind::Index;
pub use kind::Kept;
pub use kind::Kind;
pub use kind::NEVER_DUE;
pub use lane::Due;
pub use lane::Lane;
pub use port::Maintenance;
pub use port::Store;
pub use queue::Depth;
pub(in crate::store) use rules::validate;
use std::fmt;

/// The version of a record: 0 where there is none, and one more with each
/// write. It begins at 1 in an engine of one process; in one that several share
/// a record begins where no earlier record of its key has been, for a process
/// that stood still may still hold what it read of that one.
pub type Version = u64;

/// A record's place: its kind and its id, at most [`Key::MAX_ID`] bytes of text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What kind of record it is.
    pub kind: Kind,
    /// The id, unique in its kind.
    pub id: String,
}

impl Key {
    /// Longest id in bytes.
    pub const MAX_ID: usize = 256;

    /// The key of that kind and id.
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
    /// The listing that it is a line of.
    pub index: Index,
    /// The part of the listing; without NUL bytes.
    pub scope: String,
    /// The time by which it is ordered, in milliseconds.
    pub at: Timestamp,
    /// The record's id.
    pub id: String,
}

impl Entry {
    /// Where it stands in the order of its listing, as [`Scan::after`] takes it.
    pub fn place(&self) -> (Timestamp, String) {
        (self.at, self.id.clone())
    }
}

/// A line of a listing with the record that it leads to, if that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The line as it stands in the listing.
    pub entry: Entry,
    /// The record that the line leads to; nothing where it is gone, or not there yet.
    pub stored: Option<Stored>,
}

/// A change of one record and of its entries. Times are kept to the millisecond.
#[derive(Debug, Clone)]
pub struct Change {
    /// The record that is changed.
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
    /// The listing to go through.
    pub index: Index,
    /// The part of it, as in [`Entry::scope`].
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

/// Times at rest and in order: whole milliseconds.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time that was kept as milliseconds.
fn timestamp(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}
