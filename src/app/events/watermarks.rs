//! Up to where events can be read without missing one.
//!
//! Ids are given out in order, and their commits end in any order. Who reads on
//! from the last id it saw must not pass one that is still being written, or it
//! would never see it. So every id is remembered from when it is given out until
//! its commit has ended. This holds for one process; of what several write to
//! the same store the last seconds are read again and again, see `feed.rs`.

use super::{Shared, lock};
use crate::model::id::EventId;
use crate::store::{
    Absent, CheckReport, Commit, CountedError, Depth, Due, Entry, Key, Kind, Lane, Scan, Stats, Store,
    StoreError, Stored,
};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Ids that were given out, and whose commits have not ended.
#[derive(Default)]
pub(super) struct Watermarks(Mutex<State>);

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
    pub(super) fn next(&self, now: Timestamp, random: u128) -> EventId {
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
    pub(super) fn watermark(&self, now: Timestamp) -> EventId {
        self.look(now).0
    }

    /// The same, and whether nothing is being written: then only what is written from
    /// now on moves it.
    pub(super) fn look(&self, now: Timestamp) -> (EventId, bool) {
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

/// A store that tells when an event was written.
pub(super) struct Watched {
    pub(super) inner: Arc<dyn Store>,
    pub(super) shared: Arc<Shared>,
}

/// Ends a commit's ids however it ends.
struct Ending<'s> {
    watermarks: &'s Watermarks,
    ids: Vec<EventId>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.watermarks.end(&self.ids);
    }
}

#[async_trait]
impl Store for Watched {
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let of = |kind| commit.changes.iter().filter(move |change| change.key.kind == kind);
        let new = of(Kind::Event).filter(|change| change.expected == 0);
        let ids: Vec<EventId> = new.filter_map(|change| change.key.id.parse().ok()).collect();
        let dispatches = of(Kind::Dispatch).next().is_some();
        if ids.is_empty() && !dispatches {
            return self.inner.commit_counted(commit).await;
        }
        let Shared { watermarks, wake, written } = &*self.shared;
        let tells = !ids.is_empty();
        watermarks.begin(&ids);
        let ending = Ending { watermarks, ids };
        let verdict = self.inner.commit_counted(commit).await;
        drop(ending);
        if dispatches {
            wake.notify_one();
        }
        if tells {
            written.send_modify(|count| *count = count.map(|count| count + 1));
        }
        verdict
    }

    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.inner.read(key).await
    }

    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.inner.due_in(lane, until, limit).await
    }

    async fn claim(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
        span: Duration,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.inner.claim(lane, until, limit, span).await
    }

    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        self.inner.depths(until).await
    }

    fn failure(&self) -> Option<StoreError> {
        self.inner.failure()
    }

    async fn failed(&self) -> StoreError {
        self.inner.failed().await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        self.inner.scan(scan).await
    }

    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        self.inner.walk(kind, after, limit).await
    }

    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        self.inner.absent(due, entries).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.inner.check().await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.inner.stats().await
    }

    async fn compact(&self) -> Result<(), StoreError> {
        self.inner.compact().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
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
