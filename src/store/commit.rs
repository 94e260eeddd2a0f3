//! What a commit does, changes of records and additions to counters, and why it was not
//! done. It refuses to know engines and what records mean.

use super::{Change, CommitError, Key, Kind, StoreError};
use crate::model::compat::Compat;
use crate::model::counter::{Addition, Limit, Reached};
use jiff::Timestamp;

/// What a commit does, all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Changes of records, against the versions that they were read at.
    pub changes: Vec<Change>,
    /// What is added to counters, each once, whatever versions these have. None of
    /// them is among the changes.
    pub additions: Vec<Counting>,
}

impl Commit {
    /// Most counters in one commit: those of all rate limits that a service may have
    /// ([`Compat::MOST_RATE_LIMITS`]), and some more.
    pub const MAX_COUNTERS: usize = 32;

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.additions.is_empty()
    }
}

/// Counters of the limits of a number, an address and all others that one start may add to.
const OF_LIMITS: usize = 11;
const _: () = assert!(Compat::MOST_RATE_LIMITS + OF_LIMITS <= Commit::MAX_COUNTERS);

impl From<Vec<Change>> for Commit {
    fn from(changes: Vec<Change>) -> Self {
        Self { changes, additions: Vec::new() }
    }
}

/// What is added to the counter of one subject, and under which limits.
#[derive(Debug, Clone)]
pub struct Counting {
    /// The counter's id; there need not be one yet.
    pub counter: String,
    /// When it is added, by the clock of whoever does.
    pub now: Timestamp,
    /// What is added, at most [`Counting::MOST`].
    pub additions: Vec<Addition>,
    /// What there may be, at most [`Counting::MOST`]. Names are different, of letters,
    /// digits and `_.:-`, and at most [`Counting::LONGEST_NAME`] bytes long.
    pub limits: Vec<Limit>,
}

impl Counting {
    /// Most additions to a counter in one commit, and most limits.
    pub const MOST: usize = 32;
    /// Longest name of a limit in bytes.
    pub const LONGEST_NAME: usize = 64;

    /// The record that it adds to.
    pub fn key(&self) -> Key {
        Key::new(Kind::Counter, &self.counter)
    }

    /// Whether it keeps to what the port says of it.
    pub(super) fn validate(&self) -> Result<(), StoreError> {
        let refuse = |why: String| Err(StoreError::Failed(why));
        let most = self.additions.len().max(self.limits.len());
        if most > Self::MOST {
            return refuse(format!("{most} additions or limits of one counter, {} are possible", Self::MOST));
        }
        let is_name = |name: &str| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
            !name.is_empty() && name.len() <= Self::LONGEST_NAME && name.bytes().all(is_allowed)
        };
        for (nth, Limit { name, .. }) in self.limits.iter().enumerate() {
            if !is_name(name) {
                return refuse(format!(
                    "a limit's name of {} bytes: write 1 to {} of letters, digits and _.:-",
                    name.len(),
                    Self::LONGEST_NAME
                ));
            }
            if self.limits[..nth].iter().any(|earlier| earlier.name == *name) {
                return refuse(format!("two limits of one counter are called {name}"));
            }
        }
        Ok(())
    }
}

/// A limit that refused a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// The id of its counter.
    pub counter: String,
    /// Which limit, and when the same would pass; of several counters that refuse the
    /// one that does so for longest.
    pub reached: Reached,
}

/// Why a commit with additions was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CountedError {
    /// A limit has no room; nothing of this commit was done.
    #[error("the limit {} is reached", .0.reached.limit)]
    Limited(Limited),
    /// As without additions. A conflict is one of the changes', or others were in the way of
    /// every try (`postgres`, where they lock in another order); never one of the additions'.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreError> for CountedError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl CountedError {
    /// As it is said to one who added nothing that a limit could refuse.
    pub fn of_changes(self) -> CommitError {
        match self {
            Self::Commit(error) => error,
            Self::Limited(_) => {
                StoreError::Failed("a limit refused a commit that adds nothing to it".to_owned()).into()
            }
        }
    }

    /// As it is said of a probe, which changes nothing either.
    pub(super) fn of_probe(self) -> StoreError {
        match self.of_changes() {
            CommitError::Store(error) => error,
            CommitError::Conflict => StoreError::Failed("a probe met a conflict".to_owned()),
        }
    }
}
