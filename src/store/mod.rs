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

mod care;
mod counting;
pub mod inspect;
pub mod kinds;
mod lane;
mod measured;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod records;
pub mod sled;
pub mod transfer;

pub use care::{Absent, CheckReport, Stats};
pub use counting::{Commit, CountedError, Counting, Limited};
pub use lane::{Depth, Due, Lane};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// The version of a record: 0 where there is none, and one more with each
/// write. It begins at 1 in an engine of one process; in one that several share
/// a record begins where no earlier record of its key has been, for a process
/// that stood still may still hold what it read of that one.
pub type Version = u64;

/// What kinds of records there are. The letter is the key's prefix at rest and
/// never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// `v`: a verification, under its id.
    Verification = b'v',
    /// `d`: a delivery, under Twilio's SID.
    Delivery = b'd',
    /// `k`: an API key, under its id.
    ApiKey = b'k',
    /// `a`: an answer kept for an `Idempotency-Key`.
    IdempotencyRecord = b'a',
    /// `o`: who opted out of which sender.
    OptOut = b'o',
    /// `s`: a service that was made through the API, under its id.
    Service = b's',
    /// `p`: which verification is pending for a service and a number.
    ActiveVerification = b'p',
    /// `l`: how often something was done within a window of time.
    Counter = b'l',
    /// `f`: a number that fraud rules let pass.
    SafeNumber = b'f',
    /// `c`: what Twilio Verify keeps with a service, under the service's id.
    Compat = b'c',
    /// `h`: somebody's way through the hosted pages.
    Session = b'h',
    /// `n`: where events are sent to.
    Endpoint = b'n',
    /// `e`: an event that applications hear of.
    Event = b'e',
    /// `w`: the sending of one event to one endpoint.
    Dispatch = b'w',
    /// `i`: when a number last wrote to a sender on WhatsApp.
    SessionWindow = b'i',
    /// `j`: who does a job that one process does for all, and until when.
    Lease = b'j',
    /// `u`: what somebody did to keys, settings or a person's data.
    Audit = b'u',
    /// `x`: the erasing of a person's data, and its receipt.
    Erasure = b'x',
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 18] = [
        Self::Verification,
        Self::Delivery,
        Self::ApiKey,
        Self::IdempotencyRecord,
        Self::OptOut,
        Self::Service,
        Self::ActiveVerification,
        Self::Counter,
        Self::SafeNumber,
        Self::Compat,
        Self::Session,
        Self::Endpoint,
        Self::Event,
        Self::Dispatch,
        Self::SessionWindow,
        Self::Lease,
        Self::Audit,
        Self::Erasure,
    ];

    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The kind with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }
}

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
        match self.kind {
            Kind::OptOut
            | Kind::IdempotencyRecord
            | Kind::Session
            | Kind::ActiveVerification
            | Kind::Counter
            | Kind::SafeNumber
            | Kind::SessionWindow => {
                write!(out, "{:?}", self.kind)
            }
            kind => write!(out, "{kind:?} {}", self.id),
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

/// The listings. The letter is the prefix at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Index {
    /// `t`: all deliveries by the time first seen; the scope is empty.
    Deliveries = b't',
    /// `n`: deliveries of one number by time; the scope is the address, or, of
    /// what is left of an erased one, the erasure that still has to do with it.
    DeliveriesTo = b'n',
    /// `k`: API keys by the time they were made; the scope is empty.
    ApiKeys = b'k',
    /// `v`: all verifications by the time they began; the scope is empty.
    Verifications = b'v',
    /// `u`: verifications of one number; the scope is the number.
    VerificationsTo = b'u',
    /// `s`: services by the time they were made; the scope is empty.
    Services = b's',
    /// `o`: opt-outs by the time of the wish; the scope is empty, or the number.
    OptOuts = b'o',
    /// `p`: endpoints by the time they were made; the scope is empty.
    Endpoints = b'p',
    /// `e`: events by the time they happened; the scope is empty.
    Events = b'e',
    /// `w`: sendings to one endpoint; the scope is the endpoint's id.
    Dispatches = b'w',
    /// `a`: the audit log by time; the scope is empty, or what stands before
    /// the dot of an action.
    Audit = b'a',
    /// `q`: sends that have no name of Twilio's, by the time they were asked for,
    /// as the verifications that they belong to; the scope is empty.
    Sends = b'q',
    /// `r`: the same of one number; the scope is the number.
    SendsTo = b'r',
}

impl Index {
    /// Every listing there is.
    pub const ALL: [Self; 13] = [
        Self::Deliveries,
        Self::DeliveriesTo,
        Self::ApiKeys,
        Self::Verifications,
        Self::VerificationsTo,
        Self::Services,
        Self::OptOuts,
        Self::Endpoints,
        Self::Events,
        Self::Dispatches,
        Self::Audit,
        Self::Sends,
        Self::SendsTo,
    ];

    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The listing with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|index| index.letter() == letter)
    }

    /// What kind of records it lists.
    pub fn kind(self) -> Kind {
        match self {
            Self::Deliveries | Self::DeliveriesTo => Kind::Delivery,
            Self::ApiKeys => Kind::ApiKey,
            Self::Verifications | Self::VerificationsTo | Self::Sends | Self::SendsTo => Kind::Verification,
            Self::Services => Kind::Service,
            Self::OptOuts => Kind::OptOut,
            Self::Endpoints => Kind::Endpoint,
            Self::Events => Kind::Event,
            Self::Dispatches => Kind::Dispatch,
            Self::Audit => Kind::Audit,
        }
    }
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

    /// Records of a lane due at or before `until`, the most overdue first, with
    /// the time they are due; those due at once by their keys.
    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError>;

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

/// What every engine refuses before it begins.
fn validate(commit: &Commit) -> Result<(), StoreError> {
    let Commit { changes, additions } = commit;
    let refuse = |why: String| Err(StoreError::Failed(why));
    for (what, count, most) in [
        ("changes", changes.len() + additions.len(), Change::MAX_COMMIT),
        ("counters", additions.len(), Commit::MAX_COUNTERS),
    ] {
        if count > most {
            return refuse(format!("{count} {what} in one commit, {most} are possible"));
        }
    }
    for (nth, counting) in additions.iter().enumerate() {
        validate_id(&counting.counter)?;
        counting.validate()?;
        let is_same = |change: &Change| change.key.kind == Kind::Counter && change.key.id == counting.counter;
        if changes.iter().any(is_same)
            || additions[..nth].iter().any(|earlier| earlier.counter == counting.counter)
        {
            return refuse("two changes of one Counter in one commit".to_owned());
        }
    }
    for (nth, change) in changes.iter().enumerate() {
        let Key { kind, id } = &change.key;
        let size = change.body.as_ref().map_or(0, Vec::len);
        validate_id(id)?;
        if size > Change::MAX_BODY {
            return Err(StoreError::TooLarge { size });
        }
        if changes[..nth].iter().any(|earlier| earlier.key == change.key) {
            return refuse(format!("two changes of one {kind:?} in one commit"));
        }
        let strange = |entry: &Entry| {
            entry.id != *id
                || entry.index.kind() != *kind
                || entry.scope.len() > Key::MAX_ID
                || entry.scope.contains('\0')
        };
        if change.entries_added.iter().chain(&change.entries_removed).any(strange) {
            return refuse(format!("an entry that is not one of its own {kind:?}"));
        }
    }
    Ok(())
}

fn validate_id(id: &str) -> Result<(), StoreError> {
    if id.is_empty() || id.len() > Key::MAX_ID {
        let why = format!("an id of {} bytes, 1 to {} are possible", id.len(), Key::MAX_ID);
        return Err(StoreError::Failed(why));
    }
    if id.contains('\0') {
        return Err(StoreError::Failed("an id with a NUL byte".to_owned()));
    }
    Ok(())
}

/// Times at rest and in order: whole milliseconds.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A time that was kept as milliseconds.
fn timestamp(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}
