//! Counters in a commit: how an engine adds to one, by the model's rule.
//!
//! An engine takes a counter's record as it is while nobody else can change it, hands
//! it in here, lets the commits of a group add to it one after the other, and writes
//! what that came to once. So a counter is never a lost race. The limits are asked
//! against what really stands there, not against what somebody has read before. It
//! refuses to know groups, and how an engine keeps others away.

use super::records::{self, Versioned};
use super::{Change, CountedError, Counting, Key, Limited, StoreError, Stored, Version};
use crate::model::counter::{Counter, Reached};
use std::collections::BTreeMap;

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

    /// The version that one of them has once it is written, if anything was added.
    pub(super) fn version_of(&self, id: &str) -> Option<Version> {
        self.0.get(id).and_then(OpenCounter::version)
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
            Ok(counter) if counter.counted() > Counter::MOST_COUNTED => {
                let most = Counter::MOST_COUNTED;
                Err(StoreError::Failed(format!(
                    "more than {most} limits have something counted in one counter"
                )))
            }
            added => Ok(added),
        }
    }

    /// As it was found, and what it has become where that is something else.
    fn changed(&self) -> Option<(Option<&Versioned<Counter>>, &Counter)> {
        let found = self.found.as_ref().ok()?.as_ref();
        let next = self.next.as_ref()?;
        // Who only asks for room changes nothing, and where there was nothing leaves nothing.
        let is_same = found.map_or(next.counted() == 0, |found| found.record == *next);
        (!is_same).then_some((found, next))
    }

    fn version(&self) -> Option<Version> {
        self.changed().map(|(found, _)| found.map_or(0, |found| found.version) + 1)
    }

    fn change(&self) -> Option<Change> {
        self.changed().map(|(found, next)| records::put(found, next))
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
