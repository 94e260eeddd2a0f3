//! Services by their names, without reading all of them for each request.
//!
//! A process remembers which names it has seen. That is never believed: what it
//! leads to is read, so that a service which another process renamed or deleted is
//! not found by its old name. What another one made since is looked for first, in
//! the listing from the newest on; and where nothing has the name, everything is
//! read anew, once a moment at most. It refuses to know who asks, and for what.

use crate::app::listing::Place;
use crate::model::id::ServiceId;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

/// The names that were seen.
#[derive(Default)]
pub struct Names {
    pub(in crate::app) seen: Mutex<Seen>,
    /// Held by who reads everything, so that one does for all who wait.
    pub(in crate::app) reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(in crate::app) struct Seen {
    pub(in crate::app) by_name: HashMap<String, BTreeSet<ServiceId>>,
    /// The newest line of the listing that was read.
    pub(in crate::app) newest: Option<Place>,
    /// When everything was read last, by the server's clock.
    pub(in crate::app) at: Option<Timestamp>,
}

impl Names {
    /// Learns that a service has a name.
    pub fn learn(&self, name: &str, id: &ServiceId) {
        self.seen().by_name.entry(name.to_owned()).or_default().insert(id.clone());
    }

    pub(in crate::app) fn of(&self, name: &str) -> Vec<ServiceId> {
        self.seen().by_name.get(name).into_iter().flatten().cloned().collect()
    }

    /// For how many seconds everything is known; nothing where it never was, or
    /// the clock was set back.
    pub(in crate::app) fn age(&self, now: Timestamp) -> Option<i64> {
        let at = self.seen().at?;
        Some(now.duration_since(at).as_secs()).filter(|age| *age >= 0)
    }

    pub(in crate::app) fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing is ever half-changed under this lock.
        self.seen.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}
