//! The engine for one machine: sled 0.34, with group commit and a flush that
//! is one.
//!
//! - A thread of its own does all writing ([`writer`]); whoever commits waits
//!   for the group's answer without holding a thread of the runtime.
//! - sled's flush is no barrier on Linux: it writes out a range without telling
//!   the disk to keep it. So each flush is followed by an `fdatasync` on a
//!   descriptor of our own, and sled's timer is off.
//! - Nobody reads what is not yet on disk ([`shared`]).
//! - A store is never begun anew where data was expected ([`files`]).
//! - Keys, values and the checksum are in [`layout`].
//!
//! It refuses to know HTTP, Twilio and what records mean.

mod check;
mod files;
mod layout;
mod shared;
mod writer;

pub use check::CheckReport;
pub use shared::Stats;

use super::{Change, CommitError, Entry, Key, Scan, Store, StoreError, Stored, validate};
use async_trait::async_trait;
use files::{ADVICE, Directory};
use jiff::Timestamp;
use shared::{Shared, failure};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{GROUP_CHANGES, Work, Writer};

/// The log is cut into pieces of this size; a group must be small against it.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// A group made durable so recently says that the next would be, too.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// What an operator may turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much memory sled's page cache may use, in bytes.
    pub cache_bytes: u64,
    /// How many commits may wait before more are refused as overload.
    pub max_waiting: usize,
    /// How many changes one flush makes durable at most, 1 to 64.
    pub group_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, max_waiting: 4096, group_limit: GROUP_CHANGES }
    }
}

/// A store in a directory.
pub struct Sled {
    shared: Arc<Shared>,
    queue: RwLock<Option<SyncSender<Work>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Sled {
    /// Opens the store in a directory, and makes one where there is none. It
    /// reads files: call it before the runtime has other work.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open,
    /// [`StoreError::Damaged`] and [`StoreError::Open`] with what to do.
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let directory = Directory::take(dir)?;
        let db = open_db(&directory, options.cache_bytes)?;
        begin(&directory, &db)?;
        let data = directory.data().map_err(|error| cannot_open(&directory, &error))?;
        Self::start(directory, db, Box::new(move || data.sync_data()), options)
    }

    fn start(
        directory: Directory,
        db: sled::Db,
        sync: writer::SyncData,
        options: Options,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(db.clone(), directory));
        let (sender, queue) = sync_channel(options.max_waiting.max(1));
        let group_limit = options.group_limit.clamp(1, GROUP_CHANGES);
        let writer = Writer { db, sync, shared: Arc::clone(&shared), queue, group_limit };
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Open(format!("cannot start the writer: {error}")))?;
        Ok(Self { shared, queue: RwLock::new(Some(sender)), writer: Mutex::new(Some(writer)) })
    }

    /// Reads everything and verifies it: checksums, and that each entry has
    /// its record. It takes as long as reading all the files does.
    ///
    /// # Errors
    /// When it cannot be read to the end; what was found on the way there is
    /// in the report, see [`CheckReport::verdict`].
    pub async fn check(&self) -> Result<CheckReport, StoreError> {
        self.blocking(|shared| shared.with(check::check)).await
    }

    /// Figures since the store was opened.
    ///
    /// # Errors
    /// When it is closed or its files do not answer.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        self.blocking(|shared| shared.stats()).await
    }

    /// Hands work to the writer and waits for its answer.
    async fn submit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work { changes, answer })?;
        let gone = |_| Err(StoreError::Failed("the writer has stopped".to_owned()).into());
        answered.await.unwrap_or_else(gone)
    }

    fn send(&self, work: Work) -> Result<(), StoreError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().map(|queue| queue.try_send(work)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(StoreError::Overloaded),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(StoreError::Closed),
        }
    }

    /// Work that may read from disk, on a thread made for that.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.unwrap_or_else(|_| Err(StoreError::Failed("reading was interrupted".to_owned())))
    }

    /// Takes no more work; what finishes the rest and lets go of the files.
    fn stop(&self) -> impl FnOnce() + Send + 'static {
        let queue = self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(queue);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = Arc::clone(&self.shared);
        move || {
            if writer.is_some_and(|writer| writer.join().is_err()) {
                tracing::error!("the store's writer panicked");
            }
            shared.release();
        }
    }
}

#[async_trait]
impl Store for Sled {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.shared.read(key)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        self.shared.with(|_| Ok(()))?;
        validate(&changes)?;
        if changes.is_empty() {
            return Ok(());
        }
        self.submit(changes).await
    }

    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.blocking(move |shared| {
            shared.with(|db| {
                let keys = db.range(layout::due_range(until)).keys().take(limit);
                keys.map(|key| layout::due(&known(key)?).ok_or_else(foreign)).collect()
            })
        })
        .await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        let range = layout::scan_range(scan);
        let limit = scan.limit;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.blocking(move |shared| {
            shared.with(|db| {
                let keys = db.range(range).keys().rev().take(limit);
                keys.map(|key| layout::entry(&known(key)?).ok_or_else(foreign)).collect()
            })
        })
        .await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.shared.with(|_| Ok(()))?;
        if let Some(error) = self.shared.failure() {
            return Err(error);
        }
        if self.shared.settled_at().is_some_and(|at| at.elapsed() < PROBE_EVERY) {
            return Ok(());
        }
        self.submit(Vec::new()).await.map_err(|error| match error {
            CommitError::Store(error) => error,
            CommitError::Conflict => StoreError::Failed("a probe met a conflict".to_owned()),
        })
    }

    async fn close(&self) {
        let finish = self.stop();
        if tokio::task::spawn_blocking(finish).await.is_err() {
            tracing::error!("closing the store was interrupted");
        }
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        self.stop()();
    }
}

fn open_db(directory: &Directory, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(&directory.path)
        .cache_capacity(cache_bytes)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    // Some damage makes sled panic instead of saying so.
    match catch_unwind(AssertUnwindSafe(|| config.open())) {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error @ (sled::Error::Io(_) | sled::Error::Unsupported(_)))) => {
            Err(cannot_open(directory, &error))
        }
        Ok(Err(error)) => {
            Err(StoreError::Damaged(format!("{}: {error}: {ADVICE}", directory.path.display())))
        }
        Err(_) => {
            Err(StoreError::Damaged(format!("{}: it does not open: {ADVICE}", directory.path.display())))
        }
    }
}

/// Makes sure that this is a store of ours with its data, or a new one.
fn begin(directory: &Directory, db: &sled::Db) -> Result<(), StoreError> {
    let layout = db.get(layout::LAYOUT_KEY).map_err(|error| failure(&error))?;
    match layout.as_deref() {
        Some(&[number]) if number <= layout::LAYOUT => {}
        Some(_) => {
            let why = "it was written by a newer version of dialback: use that one";
            return Err(StoreError::Open(format!("{}: {why}", directory.path.display())));
        }
        None if directory.marked => return Err(files::missing(&directory.path)),
        None if !db.is_empty() => {
            let why = "it holds data that is not dialback's: use another directory";
            return Err(StoreError::Open(format!("{}: {why}", directory.path.display())));
        }
        None => {
            db.insert(layout::LAYOUT_KEY, &[layout::LAYOUT]).map_err(|error| failure(&error))?;
            db.flush().map_err(|error| failure(&error))?;
        }
    }
    // sled has just written a snapshot under a new name, and perhaps all else.
    let durable = directory.data().and_then(|data| data.sync_all()).and_then(|()| directory.sync());
    let durable = durable.and_then(|()| if directory.marked { Ok(()) } else { directory.mark() });
    durable.map_err(|error| cannot_open(directory, &error))
}

fn known(key: sled::Result<sled::IVec>) -> Result<sled::IVec, StoreError> {
    key.map_err(|error| failure(&error))
}

fn foreign() -> StoreError {
    StoreError::Damaged(format!("an entry does not read: {ADVICE}"))
}

fn cannot_open(directory: &Directory, error: &dyn std::error::Error) -> StoreError {
    StoreError::Open(format!("{}: {error}", directory.path.display()))
}
