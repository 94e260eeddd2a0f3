//! What the writer and the readers of a store have in common.
//!
//! A reader must not see what is applied and not yet durable: a repeated
//! webhook would find its event recorded, change nothing, and be acknowledged
//! for something that a power cut takes away. So the writer leaves here what
//! the records of its group were before, until the group is on disk. Such a
//! read is stale, which is allowed, because the commit decides.
//!
//! It refuses to know how groups are made and what records mean.

use super::super::care::ADVICE;
use super::super::{CommitError, CountedError, Key, Kind, Stats, StoreError, Stored};
use super::disk;
use super::files::Directory;
use super::layout;
use sled::{Db, IVec};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::watch;

pub(super) struct Shared {
    /// Empty once closed. Whoever reads holds it open.
    open: RwLock<Option<Open>>,
    unsettled: Mutex<HashMap<Vec<u8>, Option<IVec>>>,
    applying: watch::Sender<bool>,
    failure: OnceLock<StoreError>,
    failed: watch::Sender<bool>,
    settled_at: Mutex<Option<Instant>>,
    commits: AtomicU64,
    conflicts: AtomicU64,
    groups: AtomicU64,
    generation: AtomicU64,
    compactions: AtomicU64,
    copies: AtomicU64,
}

struct Open {
    /// The valid generation. Whoever reads takes it once and reads it to the
    /// end, so that nobody waits for a long reader when the next becomes valid.
    db: RwLock<Arc<Db>>,
    directory: Arc<Directory>,
}

impl Shared {
    pub(super) fn new(db: Arc<Db>, directory: Arc<Directory>) -> Self {
        Self {
            generation: AtomicU64::new(directory.opened.generation),
            compactions: AtomicU64::new(0),
            copies: AtomicU64::new(0),
            open: RwLock::new(Some(Open { db: RwLock::new(db), directory })),
            unsettled: Mutex::default(),
            applying: watch::Sender::default(),
            failure: OnceLock::new(),
            failed: watch::Sender::default(),
            settled_at: Mutex::default(),
            commits: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            groups: AtomicU64::new(0),
        }
    }

    /// Reads, unless the store is closed.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Db) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // Nothing is ever half-changed under these locks, so one that a panic
        // left behind is as good as any.
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_ref().ok_or(StoreError::Closed)?;
        let db = Arc::clone(&open.db.read().unwrap_or_else(PoisonError::into_inner));
        // sled asserts where it might return an error.
        catch_unwind(AssertUnwindSafe(|| read(&db))).unwrap_or_else(|_| {
            Err(StoreError::Damaged(format!("the engine panicked while reading: {ADVICE}")))
        })
    }

    /// A record as it is on disk.
    pub(super) async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.applied().await;
        self.with(|db| self.settled_record(db, key))
    }

    /// The same of several.
    pub(super) async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.applied().await;
        self.with(|db| keys.iter().map(|key| self.settled_record(db, key)).collect())
    }

    /// sled lets nobody read while it applies a batch, and would have the
    /// runtime's threads stand still; so a reader waits here as a task.
    async fn applied(&self) {
        if *self.applying.borrow() {
            // The sender is ours and cannot have gone.
            let _ = self.applying.subscribe().wait_for(|applying| !applying).await;
        }
    }

    fn settled_record(&self, db: &Db, key: &Key) -> Result<Option<Stored>, StoreError> {
        let bytes = layout::record_key(key);
        // The tree first: what it shows is either still listed as unsettled
        // afterwards, or has been settled by then.
        let value = db.get(&bytes).map_err(|error| failure(&error))?;
        let value = match self.unsettled().get(&bytes) {
            Some(before) => before.clone(),
            None => value,
        };
        value.map(|value| layout::stored(&bytes, &value).ok_or_else(|| damaged(key))).transpose()
    }

    /// Records of a kind in the order of their ids, as they are on disk.
    pub(super) fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        self.with(|db| {
            let mut found = Vec::new();
            for pair in db.range(layout::record_range(kind, after)) {
                if found.len() == limit {
                    break;
                }
                let (bytes, value) = pair.map_err(|error| failure(&error))?;
                touch(db, &bytes)?;
                let Some(layout::Place::Record(key)) = layout::place(&bytes) else {
                    return Err(StoreError::Damaged(format!("a key of {kind:?} does not read: {ADVICE}")));
                };
                let value = match self.unsettled().get(bytes.as_ref()) {
                    Some(before) => before.clone(),
                    None => Some(value),
                };
                if let Some(value) = value {
                    let stored = layout::stored(&bytes, &value).ok_or_else(|| damaged(&key))?;
                    found.push((key.id, stored));
                }
            }
            Ok(found)
        })
    }

    /// Says what records were before a group that is about to be applied.
    pub(super) fn unsettle(&self, before: impl Iterator<Item = (Vec<u8>, Option<IVec>)>) {
        self.unsettled().extend(before);
    }

    /// Says whether the writer is applying a batch.
    pub(super) fn applying(&self, applying: bool) {
        self.applying.send_replace(applying);
    }

    /// The group is on disk.
    pub(super) fn settled(&self, commits: usize) {
        self.unsettled().clear();
        *self.settled_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.groups.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(commits, "group is durable");
    }

    /// Whether a group would be made durable now is no longer known.
    pub(super) fn doubt(&self) {
        *self.settled_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// When a group was last made durable.
    pub(super) fn settled_at(&self) -> Option<Instant> {
        *self.settled_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There are two generations on the disk from now on.
    pub(super) fn copying(&self) {
        self.copies.fetch_add(1, Ordering::Relaxed);
    }

    /// One of the two is gone.
    pub(super) fn copied(&self) {
        self.copies.fetch_sub(1, Ordering::Relaxed);
    }

    /// From now on another generation is read. No group is under way.
    pub(super) fn switch(&self, next: Arc<Db>, generation: u64) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.as_ref() {
            *open.db.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
        self.generation.store(generation, Ordering::Relaxed);
        self.compactions.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on nothing is written.
    pub(super) fn fail(&self, error: &StoreError) {
        if self.failure.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store failed: nothing is written until it is opened again");
        }
        self.failed.send_replace(true);
        // A panic while applying has left it on, and readers waiting.
        self.applying(false);
    }

    /// Why nothing is written any more.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failure.get().cloned()
    }

    /// Waits until nothing is written any more.
    pub(super) async fn failed(&self) -> StoreError {
        // The sender is ours and cannot have gone.
        let _ = self.failed.subscribe().wait_for(|failed| *failed).await;
        self.failure().unwrap_or(StoreError::Closed)
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

    pub(super) fn stats(&self) -> Result<Stats, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let open = open.as_ref().ok_or(StoreError::Closed)?;
        let bytes = open.directory.bytes().map_err(|error| StoreError::Failed(disk::said(&error)))?;
        Ok(Stats {
            commits: self.commits.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
            groups: self.groups.load(Ordering::Relaxed),
            bytes_on_disk: bytes,
            generation: self.generation.load(Ordering::Relaxed),
            compactions: self.compactions.load(Ordering::Relaxed),
            is_copying: self.copies.load(Ordering::Relaxed) > 0,
        })
    }

    /// Lets go of the files, when all readers have.
    pub(super) fn release(&self) {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        // sled syncs while it is dropped, and panics where it cannot; whatever
        // was acknowledged is on disk already.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(open)));
        if dropped.is_err() {
            tracing::warn!("the engine panicked while closing");
        }
    }

    fn unsettled(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Option<IVec>>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record that is not what was written.
pub(super) fn damaged(key: &Key) -> StoreError {
    StoreError::Damaged(format!("{key} is not what was written: {ADVICE}"))
}

/// A key, or why it was not read.
pub(super) fn known(key: sled::Result<sled::IVec>) -> Result<sled::IVec, StoreError> {
    key.map_err(|error| failure(&error))
}

/// Looks for a key once more that a walk has just come to.
///
/// sled counts what is used of its cache in blocks of 64 looks, for each of 256 parts
/// of it, and lets nothing go before a block is full. Who goes through everything and
/// looks at each page once so has 16,384 of them in memory beside the cache, which may
/// be more than that. With a look for each key blocks are full in time; it takes a
/// microsecond.
pub(super) fn touch(db: &Db, key: &[u8]) -> Result<(), StoreError> {
    db.contains_key(key).map(drop).map_err(|error| failure(&error))
}

/// sled's error as ours.
pub(super) fn failure(error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
            StoreError::Damaged(format!("{error}: {ADVICE}"))
        }
        // Where something is missing at the end of a file.
        sled::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
            StoreError::Damaged(format!("{error}: {ADVICE}"))
        }
        sled::Error::Io(error) => StoreError::Failed(disk::said(error)),
        other => StoreError::Failed(other.to_string()),
    }
}
