//! What was read of services lately, so that each request need not read it again. It
//! refuses to know what that is.

use crate::model::id::ServiceId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long something is remembered: a change on another machine holds here after
/// this time at the latest.
pub(in crate::app) const REMEMBERED: Duration = Duration::from_secs(2);
/// Of how many services something is remembered.
const MOST: usize = 1000;

/// What was read, by the service, and when.
pub struct Recent<T> {
    read: Mutex<HashMap<ServiceId, (Instant, T)>>,
    span: Duration,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self::within(REMEMBERED)
    }
}

impl<T> Recent<T> {
    /// Remembers for so long; with nothing, each look is one at the store.
    pub fn within(span: Duration) -> Self {
        Self { read: Mutex::default(), span }
    }

    /// Forgets what was read of a service that was changed here.
    pub fn forget(&self, id: &ServiceId) {
        self.read().remove(id);
    }

    pub(in crate::app) fn keep(&self, id: &ServiceId, what: T) {
        let mut read = self.read();
        if read.len() >= MOST {
            read.clear();
        }
        read.insert(id.clone(), (Instant::now(), what));
    }

    fn read(&self) -> MutexGuard<'_, HashMap<ServiceId, (Instant, T)>> {
        // Nothing is ever half-changed under this lock.
        self.read.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl<T: Clone> Recent<T> {
    pub(in crate::app) fn find(&self, id: &ServiceId) -> Option<T> {
        self.read().get(id).filter(|(at, _)| at.elapsed() < self.span).map(|(_, what)| what.clone())
    }
}
