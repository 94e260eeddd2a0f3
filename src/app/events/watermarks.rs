//! Up to where events can be read without missing one.
//!
//! Ids are given out in order, and their commits end in any order. Who reads on
//! from the last id it saw must not pass one that is still being written, or it
//! would never see it. So every id is remembered from when it is given out until
//! its commit has ended. This holds for one process; what several write to the
//! same store is read as the store says that it comes, see `feed.rs`.

use crate::model::id::EventId;
use crate::store::{AtEnd, Change, CommitHook, Kind};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Ids that were given out, and whose commits have not ended.
#[derive(Default)]
pub(in crate::app) struct Watermarks(Mutex<State>);

#[derive(Default)]
struct State {
    last: Option<EventId>,
    out: BTreeMap<EventId, Out>,
}

enum Out {
    /// Given out then; nobody has begun to write it.
    Given(Instant),
    Begun,
}

/// After this time an id whose commit was never begun is one that never will
/// be: something failed in between.
const FORGOTTEN: Duration = Duration::from_secs(5);
/// How far apart ids of the same millisecond are at most.
const STEP: u64 = u32::MAX as u64;

impl Watermarks {
    /// The next id. `random` has to be different each time, and nobody's guess.
    pub(in crate::app) fn next(&self, now: Timestamp, random: u128) -> EventId {
        let mut state = lock(&self.0);
        // The topmost random bit stays free, so that steps do not run over.
        let fresh = EventId::new(now, random & ((1 << 79) - 1));
        let id = match &state.last {
            Some(last) if last.at() >= now => last.plus(1 + (random as u64) % STEP),
            _ => fresh,
        };
        state.last = Some(id.clone());
        state.out.insert(id.clone(), Out::Given(Instant::now()));
        id
    }

    /// Everything before this id is written, or never will be; every id that is
    /// given out from now on comes after.
    pub(in crate::app) fn watermark(&self, now: Timestamp) -> EventId {
        self.look(now).0
    }

    /// The same, and whether nothing is being written: then only what is written from
    /// now on moves it.
    pub(in crate::app) fn look(&self, now: Timestamp) -> (EventId, bool) {
        let mut state = lock(&self.0);
        state.out.retain(|_, out| match out {
            Out::Given(at) => at.elapsed() < FORGOTTEN,
            Out::Begun => true,
        });
        let floor = EventId::new(now, 0);
        if state.last.as_ref().is_none_or(|last| *last < floor) {
            state.last = Some(floor.clone());
        }
        let end = state.last.as_ref().unwrap_or(&floor).plus(1);
        match state.out.keys().next() {
            Some(first) => (first.clone(), false),
            None => (end, true),
        }
    }

    fn begin(&self, ids: &[EventId]) {
        let mut state = lock(&self.0);
        for id in ids {
            state.out.insert(id.clone(), Out::Begun);
        }
    }

    fn end(&self, ids: &[EventId]) {
        let mut state = lock(&self.0);
        for id in ids {
            state.out.remove(id);
        }
    }
}

/// Ids are remembered until their commit has ended, and then those are told who wait for
/// what it wrote.
impl CommitHook for Shared {
    fn begin(self: Arc<Self>, changes: &[Change]) -> Option<AtEnd> {
        let of = |kind| changes.iter().filter(move |change| change.key.kind == kind);
        let new = of(Kind::Event).filter(|change| change.expected == 0);
        let ids: Vec<EventId> = new.filter_map(|change| change.key.id.parse().ok()).collect();
        let dispatches = of(Kind::Dispatch).next().is_some();
        if ids.is_empty() && !dispatches {
            return None;
        }
        self.watermarks.begin(&ids);
        Some(Box::new(move || {
            self.watermarks.end(&ids);
            if dispatches {
                self.wake.notify_one();
            }
            if !ids.is_empty() {
                self.written.send_modify(|count| *count = count.map(|count| count + 1));
            }
        }))
    }
}

/// What is told of commits, too.
#[derive(Default)]
pub(in crate::app) struct Shared {
    pub(in crate::app) watermarks: Watermarks,
    /// Wakes who dispatches.
    pub(in crate::app) wake: Arc<Notify>,
    /// Counts what was written, for streams; `None` when there is no more.
    pub(in crate::app) written: watch::Sender<Option<u64>>,
}

pub(in crate::app) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is ever half-changed under these locks.
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn nobody_reads_past_what_is_still_being_written() {
        let watermarks = Watermarks::default();
        let before = watermarks.watermark(at(5));
        let (first, second) = (watermarks.next(at(5), 7), watermarks.next(at(5), 3));
        assert!(before <= first && first < second, "also in one millisecond");
        assert_eq!(watermarks.watermark(at(9)), first);
        watermarks.begin(&[first.clone(), second.clone()]);
        watermarks.end(std::slice::from_ref(&second));
        assert_eq!(watermarks.watermark(at(9)), first, "the later one was done sooner");
        watermarks.end(&[first]);
        let watermark = watermarks.watermark(at(9));
        assert!(second < watermark && watermark <= watermarks.next(at(9), 0));
        assert!(watermarks.next(at(8), 1) > watermark, "also when a clock goes back");
    }
}
