//! The engine for one machine: sled 0.34, with group commit and a flush that
//! is one.
//!
//! - A thread of its own does all writing (`writer.rs`); whoever commits waits
//!   for the group's answer without holding a thread of the runtime.
//! - sled's flush is no barrier on Linux: it writes out a range without telling
//!   the disk to keep it. So each flush is followed by an `fdatasync` on a
//!   descriptor of our own, and sled's timer is off.
//! - Nobody reads what is not yet on disk (`shared.rs`).
//! - A store is never begun anew where data was expected, and not opened where
//!   the end of it is missing (`files.rs`).
//! - What was deleted gives its space back by a copy of what lives
//!   (`compaction.rs`, `generations.rs`).
//! - Keys, values and the checksum are in `layout.rs`.
//!
//! It refuses to know HTTP, Twilio and what records mean.

mod check;
mod compaction;
mod copying;
mod db;
mod disk;
mod files;
mod generations;
mod lanes;
mod layout;
mod shared;
mod tally;
mod writer;

pub use compaction::Growth;
pub use files::is_own;

use super::care::ADVICE;
use super::hook::{Answer, Ending, Hooks};
use super::measured::measured;
use super::{
    Absent, CheckReport, Commit, CommitHook, CountedError, Depth, Due, Entry, Key, Kind, Lane, Maintenance,
    Scan, Stats, Store, StoreError, Stored, validate,
};
use crate::telemetry::metrics::{Meter, Place, meter};
use async_trait::async_trait;
use compaction::Compactor;
use db::open_db;
use disk::foreign;
use files::Directory;
use jiff::Timestamp;
use shared::known;
use shared::{Shared, failure};
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tally::{RecordSum, Tallied};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use writer::{GROUP_CHANGES, Submitted, Work, Writer};

static COMMITS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Commit, "sled"));

/// A group made durable so recently says that the next would be, too.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Up to so many bytes of log the records of a store that has no tally are counted when
/// it is opened, which takes a fraction of a second.
const COUNTED_AT_OPENING: u64 = 64 * 1024 * 1024;

/// What an operator may turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How much memory sled's page cache may use, in bytes; while a copy is
    /// made that gives space back, it has as much once more.
    pub cache_bytes: u64,
    /// How many commits may wait before more are refused as overload.
    pub max_waiting: usize,
    /// How many changes one flush makes durable at most, 1 to 64.
    pub group_limit: usize,
    /// How large the files may grow.
    pub growth: Growth,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            max_waiting: 4096,
            group_limit: GROUP_CHANGES,
            growth: Growth::default(),
        }
    }
}

/// A store in a directory.
pub struct Sled {
    shared: Arc<Shared>,
    queue: RwLock<Option<SyncSender<Work>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    hooks: Hooks,
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
        let generation = directory.opened.generation;
        let path = directory.generation(generation);
        let db = open_db(&path, options.cache_bytes)?;
        let (db, begun) = db::look(&path, db, |db| begin(&directory, db, COUNTED_AT_OPENING))?;
        let sync = directory.sync_data(generation).map_err(|error| disk::cannot(&directory.path, &error))?;
        // Only now: what was opened is whole, so nobody needs the others.
        generations::remove_others(&directory.path, generation);
        Self::start(directory, db, begun, Box::new(sync), options)
    }

    fn start(
        directory: Directory,
        db: sled::Db,
        begun: Begun,
        sync: disk::SyncData,
        options: Options,
    ) -> Result<Self, StoreError> {
        let (directory, db) = (Arc::new(directory), Arc::new(db));
        let shared = Arc::new(Shared::new(Arc::clone(&db), Arc::clone(&directory)));
        let Begun { last, live, has_aside } = begun;
        let compactor =
            Compactor::new(directory, Arc::clone(&shared), options.growth, options.cache_bytes, live);
        let (sender, queue) = sync_channel(options.max_waiting.max(1));
        let group_limit = options.group_limit.clamp(1, GROUP_CHANGES);
        let runtime = Handle::try_current().ok();
        let shared_too = Arc::clone(&shared);
        let writer =
            Writer { db, sync, shared: shared_too, queue, compactor, group_limit, last, has_aside, runtime };
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Open(format!("cannot start the writer: {error}")))?;
        Ok(Self {
            shared,
            queue: RwLock::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            hooks: Hooks::default(),
        })
    }

    /// Hands work to the writer and waits for its answer.
    async fn submit(&self, commit: Commit, ending: Ending) -> Result<(), CountedError> {
        let (answer, answered) = Answer::to(ending);
        self.send(Work::Commit(Submitted { commit, answer }))?;
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
        self.shared.read(key).await
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.shared.read_many(keys).await
    }

    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let ending = self.hooks.begin(&commit.changes);
        self.shared.with(|_| Ok(()))?;
        validate(&commit)?;
        if commit.is_empty() {
            return Ok(());
        }
        measured(*COMMITS, commit.changes.len(), self.submit(commit, ending)).await
    }

    fn watch(&self, hook: Weak<dyn CommitHook>) {
        self.hooks.add(hook);
    }

    // A group that is applied while this reads may move a record past it, from
    // later to earlier; who commits such a move asks again afterwards.
    async fn due_after(
        &self,
        lane: Lane,
        after: Option<&(Key, Timestamp)>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let range = layout::due_range_after(lane, after, until);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.blocking(move |shared| {
            shared.with(|db| {
                let keys = db.range(range).keys().take(limit);
                keys.map(|key| lanes::due(&known(key)?)).collect()
            })
        })
        .await
    }

    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        self.blocking(move |shared| shared.with(|db| lanes::depths(db, until))).await
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
        self.submit(Commit::default(), Ending::default()).await.map_err(CountedError::of_probe)
    }

    fn failure(&self) -> Option<StoreError> {
        self.shared.failure()
    }

    async fn failed(&self) -> StoreError {
        self.shared.failed().await
    }

    async fn close(&self) {
        let finish = self.stop();
        if tokio::task::spawn_blocking(finish).await.is_err() {
            tracing::error!("closing the store was interrupted");
        }
    }
}

#[async_trait]
impl Maintenance for Sled {
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        let after = after.map(str::to_owned);
        self.blocking(move |shared| shared.walk(kind, after.as_deref(), limit)).await
    }

    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        let (due, entries) = (due.to_vec(), entries.to_vec());
        self.blocking(move |shared| shared.with(|db| check::absent(db, due, entries))).await
    }

    async fn entries_of(&self, key: &Key) -> Result<Vec<Entry>, StoreError> {
        let key = key.clone();
        self.blocking(move |shared| shared.with(|db| check::entries_of(db, &key))).await
    }

    /// Checksums, and that each entry has its record.
    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.blocking(|shared| shared.with(check::check)).await
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        self.blocking(Shared::stats).await
    }

    /// Copies what lives into new files and removes the old ones. It takes as
    /// long as writing all of it does, and its space once more.
    async fn compact(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Work::Compact(answer))?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        self.stop()();
    }
}

/// What opening has read of a store.
struct Begun {
    /// The number of the last group, and what the records come to with it.
    last: Tallied,
    /// The bytes of all keys and values there are, about.
    live: u64,
    /// Whether anything was ever set aside.
    has_aside: bool,
}

/// Makes sure that this is a store of ours with all its data, or a new one, and
/// reads what writing goes on from. Up to so many bytes of log its records are counted
/// where nobody has.
fn begin(directory: &Directory, db: &sled::Db, counted: u64) -> Result<Begun, StoreError> {
    let layout = db.get(layout::LAYOUT_KEY).map_err(|error| failure(&error))?;
    match layout.as_deref() {
        Some(&[number]) if number <= layout::WHOLE => {}
        Some(_) => {
            let why = "it was written by a newer version of dialback: use that one";
            return Err(StoreError::Open(format!("{}: {why}", directory.path.display())));
        }
        None if directory.marked => return Err(files::missing(&directory.path)),
        None if !db.is_empty() => {
            let why = "it holds data that is not dialback's: use another directory";
            return Err(StoreError::Open(format!("{}: {why}", directory.path.display())));
        }
        None => {}
    }
    if number_at(db, layout::GENERATION_KEY)? != directory.opened.generation {
        let why = "its data is of another generation";
        return Err(StoreError::Damaged(format!("{}: {why}: {ADVICE}", directory.path.display())));
    }
    let number = number_at(db, layout::GROUP_KEY)?;
    directory.verify_end(number)?;
    let is_tallied = matches!(layout.as_deref(), Some(&[number]) if number >= layout::TALLIED);
    let last = last(directory, db, is_tallied, number, counted)?;
    lanes::refile(db)?;
    // sled has just written a snapshot under a new name, and perhaps all else.
    let durable =
        directory.sync(number).and_then(|()| if directory.marked { Ok(()) } else { directory.mark() });
    durable.map_err(|error| disk::cannot(&directory.path, &error))?;
    Ok(Begun { last, live: number_at(db, layout::LIVE_KEY)?, has_aside: lanes::has_aside(db)? })
}

/// The last group with its tally, which is written down together with the layout that
/// has one. A tally that is not of the last group says that something is missing.
fn last(
    directory: &Directory,
    db: &sled::Db,
    is_tallied: bool,
    group: u64,
    counted: u64,
) -> Result<Tallied, StoreError> {
    let kept = Tallied::read(db)?.filter(|kept| is_tallied && kept.group == group);
    if is_tallied && kept.is_none() {
        directory.verify_tally()?;
    }
    let is_small = directory.log_bytes() <= counted;
    let tally = match kept.and_then(|kept| kept.tally) {
        None if is_small => Some(RecordSum::count(db)?),
        tally => tally,
    };
    let last = Tallied { group, tally };
    if kept != Some(last) || !is_tallied {
        let mut batch = sled::Batch::default();
        batch.insert(layout::LAYOUT_KEY, &[layout::WHOLE]);
        batch.insert(layout::TALLY_KEY, last.value());
        db.apply_batch(batch).map_err(|error| failure(&error))?;
        db.flush().map_err(|error| failure(&error))?;
    }
    Ok(last)
}

fn number_at(db: &sled::Db, key: &[u8]) -> Result<u64, StoreError> {
    let value = db.get(key).map_err(|error| failure(&error))?;
    Ok(value.and_then(|value| layout::number(&value)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
