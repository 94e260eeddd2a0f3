//! Counters in a commit: how an engine adds to one, by the model's rule.
//!
//! An engine takes a counter's record as it is while nobody else can change it, hands
//! it in here, lets the commits of a group add to it one after the other, and writes
//! what that came to once. So a counter is never a lost race. The limits are asked
//! against what really stands there, not against what somebody has read before. It
//! refuses to know groups, and how an engine keeps others away.

use super::records::{self, Versioned};
use super::{Change, CommitError, Key, Kind, StoreError, Stored};
use crate::model::counter::{Addition, Counter, Limit, Reached};
use jiff::Timestamp;
use std::collections::BTreeMap;

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
    /// ([`Compat::MOST_RATE_LIMITS`](crate::model::compat::Compat::MOST_RATE_LIMITS)), and some more.
    pub const MAX_COUNTERS: usize = 32;

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.additions.is_empty()
    }
}

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
    /// As without additions. A conflict is always one of the changes'.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<StoreError> for CountedError {
    fn from(error: StoreError) -> Self {
        Self::Commit(error.into())
    }
}

impl CountedError {
    /// As it is said to one who added nothing.
    pub(super) fn of_changes(self) -> CommitError {
        match self {
            Self::Commit(error) => error,
            Self::Limited(_) => {
                StoreError::Failed("a limit refused a commit that adds nothing".to_owned()).into()
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

/// The counters that a group adds to, from when they are first looked at until they
/// are written.
#[derive(Default)]
pub(super) struct OpenCounters(BTreeMap<String, OpenCounter>);

struct OpenCounter {
    /// As it was looked at; what does not read is said to those who add to it.
    found: Result<Option<Versioned<Counter>>, StoreError>,
    /// What it has become, where anything was added.
    next: Option<Counter>,
}

impl OpenCounters {
    /// From now on it is that, whatever was added to it before.
    pub(super) fn open(&mut self, key: &Key, stored: Option<&Stored>) {
        let found = stored.map(|Stored { version, body }| {
            records::decode(key, body).map(|record| Versioned { version: *version, record })
        });
        self.0.insert(key.id.clone(), OpenCounter { found: found.transpose(), next: None });
    }

    /// Adds what one commit does, all of it or nothing. `look` reads what is not open
    /// yet.
    ///
    /// # Errors
    /// [`CountedError::Limited`] with the limit that has no room for longest;
    /// [`StoreError::Damaged`] for what is no counter; what `look` says.
    pub(super) fn add(
        &mut self,
        additions: &[Counting],
        mut look: impl FnMut(&Key) -> Result<Option<Stored>, StoreError>,
    ) -> Result<(), CountedError> {
        let mut added = Vec::with_capacity(additions.len());
        let mut longest: Option<Limited> = None;
        for counting in additions {
            let key = counting.key();
            if !self.0.contains_key(&key.id) {
                self.open(&key, look(&key)?.as_ref());
            }
            let Some(counter) = self.0.get(&key.id) else { continue };
            match counter.with(counting)? {
                Ok(next) => added.push((key.id, next)),
                Err(reached) => {
                    let limited = Limited { counter: key.id, reached };
                    longest = Some(match longest {
                        Some(other) if !is_longer(&limited, &other) => other,
                        _ => limited,
                    });
                }
            }
        }
        if let Some(limited) = longest {
            return Err(CountedError::Limited(limited));
        }
        for (id, next) in added {
            if let Some(counter) = self.0.get_mut(&id) {
                counter.next = Some(next);
            }
        }
        Ok(())
    }

    /// What is to be written of one of them, if anything was added.
    pub(super) fn change_of(&self, id: &str) -> Option<Change> {
        self.0.get(id).and_then(OpenCounter::change)
    }

    /// What is to be written of all, in the order of ids.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        self.0.values().filter_map(OpenCounter::change)
    }
}

impl OpenCounter {
    /// What it would become.
    fn with(&self, counting: &Counting) -> Result<Result<Counter, Reached>, StoreError> {
        let found = self.found.as_ref().map_err(Clone::clone)?;
        let Counting { now, additions, limits, .. } = counting;
        let added = match self.next.as_ref().or(found.as_ref().map(|found| &found.record)) {
            Some(counter) => counter.add(*now, additions, limits),
            None => Counter::new(counting.counter.clone()).add(*now, additions, limits),
        };
        match added {
            Ok(counter) if counter.counts.len().max(counter.members.len()) > Counter::MOST_COUNTED => {
                let most = Counter::MOST_COUNTED;
                Err(StoreError::Failed(format!(
                    "more than {most} limits have something counted in one counter"
                )))
            }
            added => Ok(added),
        }
    }

    fn change(&self) -> Option<Change> {
        let found = self.found.as_ref().ok()?;
        self.next.as_ref().map(|next| records::put(found.as_ref(), next))
    }
}

/// Whether one refuses for longer than another; never is longest.
fn is_longer(one: &Limited, other: &Limited) -> bool {
    match (one.reached.passes_at, other.reached.passes_at) {
        (_, None) => false,
        (None, _) => true,
        (Some(one), Some(other)) => one > other,
    }
}
