//! Services by their names, without reading all of them for each request.
//!
//! A process remembers which names it has seen. That is never believed: what it
//! leads to is read, so that a service which another process renamed or deleted is
//! not found by its old name. What another one made since is looked for first, in
//! the listing from the newest on; and where nothing has the name, everything is
//! read anew, once a moment at most. It refuses to know who asks, and for what.

use crate::app::listing::{Place, scan_of};
use crate::app::recent::REMEMBERED;
use crate::app::{App, AppError};
use crate::model::id::ServiceId;
use crate::model::service::Service;
use crate::store::records;
use crate::store::{Entry, Index, Scan};
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

/// Services that are read at once.
const AT_ONCE: usize = 32;
/// Lines of the listing that are read at once.
const LINES: usize = 1_000;
/// After how many seconds everything is read anew though a name was found: another
/// process may have given it to a second service.
const STALE: i64 = 60;

/// The names that were seen.
#[derive(Default)]
pub struct Names {
    seen: Mutex<Seen>,
    /// Held by who reads everything, so that one does for all who wait.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    by_name: HashMap<String, BTreeSet<ServiceId>>,
    /// The newest line of the listing that was read.
    newest: Option<Place>,
    /// When everything was read last, by the `App`'s clock.
    at: Option<Timestamp>,
}

impl Names {
    /// Learns that a service has a name.
    pub fn learn(&self, name: &str, id: &ServiceId) {
        self.seen().by_name.entry(name.to_owned()).or_default().insert(id.clone());
    }

    fn of(&self, name: &str) -> Vec<ServiceId> {
        self.seen().by_name.get(name).into_iter().flatten().cloned().collect()
    }

    /// For how many seconds everything is known; nothing where it never was, or
    /// the clock was set back.
    fn age(&self, now: Timestamp) -> Option<i64> {
        let at = self.seen().at?;
        Some(now.duration_since(at).as_secs()).filter(|age| *age >= 0)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing is ever half-changed under this lock.
        self.seen.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl App {
    /// All services that have a name: those of the configuration and of the store.
    pub(in crate::app) async fn all_named(&self, name: &str) -> Result<Vec<ServiceId>, AppError> {
        let own = self.directory().of_configuration().filter(|service| service.settings.name == name);
        let mut found: Vec<ServiceId> = own.map(|service| service.id.clone()).collect();
        let names = &self.directory().names;
        if names.age(self.now()).is_some() {
            self.learn_newest().await?;
        }
        let mut stored = self.still_named(name).await?;
        let most = if stored.is_empty() { REMEMBERED.as_secs().cast_signed() } else { STALE };
        if names.age(self.now()).is_none_or(|age| age >= most) {
            let _reading = names.reading.lock().await;
            // Somebody else may have done it meanwhile.
            if names.age(self.now()).is_none_or(|age| age >= most) {
                self.learn_all().await?;
            }
            stored = self.still_named(name).await?;
        }
        found.extend(stored);
        Ok(found)
    }

    /// Those of the store that were seen with a name and have it.
    async fn still_named(&self, name: &str) -> Result<Vec<ServiceId>, AppError> {
        let mut found = Vec::new();
        for id in self.directory().names.of(name) {
            let service = records::get::<Service>(self.store(), id.as_str()).await?;
            if service.is_some_and(|service| service.record.settings.name == name) {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// Reads every service of the store.
    async fn learn_all(&self) -> Result<(), AppError> {
        let now = self.now();
        let (mut by_name, mut newest, mut after) = (HashMap::new(), None, None);
        loop {
            let scan = Scan { after, limit: LINES, ..scan_of(Index::Services, "") };
            let lines = self.store().scan(&scan).await?;
            newest = newest.or_else(|| lines.first().map(|line| (line.at, line.id.clone())));
            let is_last = lines.len() < LINES;
            after = lines.last().map(|line| (line.at, line.id.clone()));
            for (name, id) in self.names_of(lines).await? {
                by_name.entry(name).or_insert_with(BTreeSet::new).insert(id);
            }
            if is_last {
                break;
            }
        }
        let mut seen = self.directory().names.seen();
        // What was learned while this went on stays: a name too many is only read.
        for (name, ids) in seen.by_name.drain() {
            by_name.entry(name).or_default().extend(ids);
        }
        *seen = Seen { by_name, newest, at: Some(now) };
        Ok(())
    }

    /// Reads the services that were made since.
    async fn learn_newest(&self) -> Result<(), AppError> {
        let newest = self.directory().names.seen().newest.clone();
        let since = newest.as_ref().map(|(at, _)| *at);
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let scan = Scan { since, after, limit: LINES, ..scan_of(Index::Services, "") };
            let page = self.store().scan(&scan).await?;
            let is_last = page.len() < LINES;
            after = page.last().map(|line| (line.at, line.id.clone()));
            lines.extend(page);
            if is_last {
                break;
            }
        }
        lines
            .retain(|line| newest.as_ref().is_none_or(|newest| (line.at, &line.id) != (newest.0, &newest.1)));
        let Some(first) = lines.first().map(|line| (line.at, line.id.clone())) else { return Ok(()) };
        for (name, id) in self.names_of(lines).await? {
            self.directory().names.learn(&name, &id);
        }
        let mut seen = self.directory().names.seen();
        seen.newest = seen.newest.take().max(Some(first));
        Ok(())
    }

    async fn names_of(&self, lines: Vec<Entry>) -> Result<Vec<(String, ServiceId)>, AppError> {
        let read = |line: Entry| async move {
            let service = records::get::<Service>(self.store(), &line.id).await?;
            Ok::<_, AppError>(service.map(|service| (service.record.settings.name, service.record.id)))
        };
        let all = futures_util::stream::iter(lines).map(read).buffer_unordered(AT_ONCE);
        all.try_filter_map(|named| async move { Ok(named) }).try_collect().await
    }
}
