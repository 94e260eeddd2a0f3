//! Whether work is taken, and what was done: what writers and those who commit
//! have in common.
//!
//! Who cannot be served is told so at once: Twilio asks again, and a queue of
//! those who wait for a server that is not there would only be late for
//! everybody. It refuses to know statements and connections.

use super::super::{CommitError, CountedError, StoreError};
use super::company::Company;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Default)]
pub(super) struct Gate {
    /// Writers that have a connection.
    connected: AtomicUsize,
    /// Why the last attempt to get one failed, where nobody has one.
    refusal: Mutex<Option<String>>,
    /// When what was last written was begun, and when that came into doubt.
    written: Mutex<Written>,
    /// Groups that the server is at.
    pub company: Company,
    pub commits: AtomicU64,
    pub conflicts: AtomicU64,
    pub groups: AtomicU64,
}

#[derive(Default)]
struct Written {
    begun_at: Option<Instant>,
    doubted_at: Option<Instant>,
}

impl Gate {
    /// Refuses new work where it would wait for nothing.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &*locked(&self.refusal) {
            Some(why) => Err(StoreError::Unavailable(why.clone())),
            None => Ok(()),
        }
    }

    /// Whether new work is refused.
    pub(super) fn is_refusing(&self) -> bool {
        locked(&self.refusal).is_some()
    }

    /// Whether some writer has a connection.
    pub(super) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::SeqCst) > 0
    }

    /// How many writers of this process have a connection.
    pub(super) fn writers(&self) -> i64 {
        i64::try_from(self.connected.load(Ordering::SeqCst)).unwrap_or(i64::MAX)
    }

    /// A writer has a connection. True where nobody had one before.
    pub(super) fn connected(&self) -> bool {
        self.connected.fetch_add(1, Ordering::SeqCst);
        let is_news = locked(&self.refusal).take().is_some();
        if is_news {
            tracing::info!("the database can be reached again");
        }
        is_news
    }

    /// A writer has lost its connection.
    pub(super) fn disconnected(&self) {
        self.doubt();
        self.connected.fetch_sub(1, Ordering::SeqCst);
    }

    /// A writer could not get one. True where no other has one either, so that
    /// what waits is to be told.
    pub(super) fn failed(&self, why: &str) -> bool {
        let mut refusal = locked(&self.refusal);
        // Looked at under the lock: who connects meanwhile takes it back.
        if self.connected.load(Ordering::SeqCst) > 0 {
            return false;
        }
        if refusal.is_none() {
            tracing::error!(error = why, "the database cannot be reached: nothing is written until it can");
        }
        *refusal = Some(why.to_owned());
        true
    }

    /// Something was written that was begun then.
    pub(super) fn settled(&self, begun_at: Instant) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        let mut written = locked(&self.written);
        written.begun_at = written.begun_at.max(Some(begun_at));
    }

    /// Whether something would be written now is no longer known: what is asked next is
    /// tried, however short ago something was.
    pub(super) fn doubt(&self) {
        locked(&self.written).doubted_at = Some(Instant::now());
    }

    /// Since when it is known that what is begun is written; nothing where that has come
    /// into doubt since.
    pub(super) fn settled_at(&self) -> Option<Instant> {
        let written = locked(&self.written);
        written.begun_at.filter(|begun_at| written.doubted_at.is_none_or(|doubted_at| *begun_at > doubted_at))
    }

    pub(super) fn count(&self, verdict: &Result<(), CountedError>) {
        match verdict {
            Ok(()) => self.commits.fetch_add(1, Ordering::Relaxed),
            Err(CountedError::Commit(CommitError::Conflict)) => {
                self.conflicts.fetch_add(1, Ordering::Relaxed)
            }
            Err(CountedError::Limited(_) | CountedError::Commit(CommitError::Store(_))) => 0,
        };
    }
}

/// Nothing is ever half-changed under these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
