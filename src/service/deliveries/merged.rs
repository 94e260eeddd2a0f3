//! Several scans as one listing, newest first.
//!
//! One number has several addresses, each with a listing of its own. All
//! listings have one order, so that a place in one is a place in all of them:
//! where a page of the whole ended, each scan goes on. It refuses to know what
//! is listed.

use crate::service::ServiceError;
use crate::service::listing::Place;
use crate::store::{Scan, Store};
use std::collections::{BTreeSet, VecDeque};

/// Scans that are gone through together.
pub(super) struct Merged<'s> {
    store: &'s dyn Store,
    sources: Vec<Source>,
    /// Places that were put in besides.
    more: BTreeSet<Place>,
    last: Option<Place>,
}

struct Source {
    scan: Scan,
    /// What was listed and not yet taken, the newest first.
    waiting: VecDeque<Place>,
    is_last: bool,
}

impl<'s> Merged<'s> {
    /// These scans, from after that place on.
    pub fn new(store: &'s dyn Store, scans: Vec<Scan>, after: Option<Place>) -> Self {
        let source = |scan: Scan| Source {
            scan: Scan { after: after.clone(), ..scan },
            waiting: VecDeque::new(),
            is_last: false,
        };
        Self { store, sources: scans.into_iter().map(source).collect(), more: BTreeSet::new(), last: after }
    }

    /// The next place; none comes twice.
    pub async fn next(&mut self) -> Result<Option<Place>, ServiceError> {
        loop {
            for source in &mut self.sources {
                source.fill(self.store).await?;
            }
            let waiting = self.sources.iter().filter_map(|source| source.waiting.front());
            let Some(next) = waiting.chain(self.more.last()).max().cloned() else {
                return Ok(None);
            };
            for source in &mut self.sources {
                if source.waiting.front() == Some(&next) {
                    source.waiting.pop_front();
                }
            }
            self.more.remove(&next);
            if self.last.as_ref().is_none_or(|last| next < *last) {
                self.last = Some(next.clone());
                return Ok(Some(next));
            }
        }
    }
}

impl Source {
    async fn fill(&mut self, store: &dyn Store) -> Result<(), ServiceError> {
        if self.is_last || !self.waiting.is_empty() {
            return Ok(());
        }
        let entries = store.scan(&self.scan).await?;
        self.is_last = entries.len() < self.scan.limit;
        self.waiting.extend(entries.into_iter().map(|entry| (entry.at, entry.id)));
        if let Some(last) = self.waiting.back() {
            self.scan.after = Some(last.clone());
        }
        Ok(())
    }
}
