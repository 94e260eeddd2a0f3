//! Which limits that refuse nobody are full: read beside, and remembered for a moment.
//!
//! What was read may be outdated by ten seconds. It marks, and never lets through what a
//! commit refuses.

use super::counted::addition_of;
use super::counters::CountedFor;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::model::counter::Counter;
use crate::model::limits::{Action, Counted, LimitRule, Limits};
use crate::store::records;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is remembered what was read of a counter.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Of so many counters it is remembered.
const MOST: usize = 10_000;

/// What was read of counters lately.
#[derive(Default)]
pub(in crate::app) struct Seen(Mutex<HashMap<String, Read>>);

/// When a counter was read, and what there was of it.
type Read = (Instant, Option<Arc<Counter>>);

/// A rule that refuses nobody and of which a window is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Full {
    pub(in crate::app) rule: &'static str,
    /// Whether what it came to is to say so, too.
    pub(in crate::app) is_flag: bool,
}

/// The rules that refuse nobody and have no room for what the last send counts.
pub(in crate::app) async fn full(
    base: &Base,
    seen: &Seen,
    limits: &Limits,
    who: &CountedFor<'_>,
    now: Timestamp,
) -> Result<Vec<Full>, Fault> {
    let is_watched = |rule: &&LimitRule| {
        rule.action != Action::Refuse && !rule.windows.is_empty() && rule.counted != Counted::WrongCodes
    };
    let watched: Vec<_> = limits
        .rules()
        .iter()
        .filter(is_watched)
        .filter_map(|rule| {
            let place = who.counter(rule.subject)?;
            // A rule that does not count this has nothing to say of it: a send again begins
            // nothing.
            let addition = addition_of(rule, who, rule.word(&place.part))?;
            Some((rule, place, addition))
        })
        .collect();
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = watched.iter().map(|(_, place, _)| place.counter.as_str()).collect();
    let counters = seen.read(base, &ids).await?;
    let mut full = Vec::new();
    for ((rule, place, addition), counter) in watched.into_iter().zip(counters) {
        let Some(counter) = counter else { continue };
        if counter.add(now, &[addition], &rule.bounds(&place.part)).is_err() {
            full.push(Full { rule: rule.name, is_flag: rule.action == Action::Flag });
        }
    }
    Ok(full)
}

impl Seen {
    /// Forgets all that was read.
    pub(in crate::app) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets what was read of these.
    pub(in crate::app) fn forget<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.for_each(|id| drop(seen.remove(id)));
    }

    /// The counters of these ids, in their order.
    async fn read(&self, base: &Base, ids: &[&str]) -> Result<Vec<Option<Arc<Counter>>>, Fault> {
        if let Some(known) = self.known(ids) {
            return Ok(known);
        }
        let found = records::get_many::<Counter>(base.store(), ids.iter().copied()).await?;
        let found: Vec<_> =
            found.into_iter().map(|found| found.map(|found| Arc::new(found.record))).collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        let now = Instant::now();
        seen.extend(
            ids.iter().map(|id| (*id).to_owned()).zip(found.iter().map(|found| (now, found.clone()))),
        );
        Ok(found)
    }

    /// What is remembered of them, if it is of all.
    fn known(&self, ids: &[&str]) -> Option<Vec<Option<Arc<Counter>>>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |id: &&str| seen.get(*id).filter(|(at, _)| at.elapsed() < REMEMBERED);
        ids.iter().map(|id| known(id).map(|(_, found)| found.clone())).collect()
    }
}
