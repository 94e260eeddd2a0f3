//! Gives space back: copies what lives into a fresh generation beside the old,
//! makes that the valid one, and removes the old.
//!
//! sled keeps every segment it ever had, so its files grow with all that was
//! ever written, not with what there is. The copy is made by the thread that
//! writes, in slices between groups, in the order of keys. What a group changes
//! behind the cursor is changed in the copy too (`mirror`), what it changes
//! before it is found when the cursor comes there. When all is copied both are
//! compared, in slices as well, and then `current` is replaced; before that a
//! kill or a power cut leaves the old generation as it was, afterwards it leaves
//! the new one, whole and durable.
//!
//! - While others wait the copy has a quarter of the thread's time, in slices
//!   of 2 ms; when nobody does it has all of it.
//! - The copy needs no batches: nobody reads it before it is valid. It is synced
//!   every MiB, so that no group waits for a large sync.
//! - Copying begins by itself when the files are larger than [`Growth`] lets
//!   them be for what lives in them now, so that the disk holds a constant
//!   factor of that, also after a wave of records has gone. What lives is
//!   counted along with the groups, and anew with each copy. When copying fails, the old generation goes on, and has to grow by a quarter before
//!   the next attempt.
//! - A reader that holds the old generation reads it to its end; it is removed
//!   when the last has gone, by a thread made for that.
//!
//! It refuses to know queues, commits and what a body means.

use super::super::StoreError;
use super::copying::{Copying, Put, SLICE, Step, Waiting};
use super::db::{drop_quietly, open_db};
use super::disk::DATA;
use super::disk::SyncData;
use super::files::{self, Directory};
use super::generations::{self, Current, NotSet};
use super::shared::{Shared, failure};
use super::tally::RecordSum;
use super::{disk, layout};
use sled::{Db, IVec};
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// While others wait, writing goes on for so many times as long as copying.
const SHARE: u32 = 3;

/// The same when the files have outgrown their bound by half, for else a steady load
/// would let them grow as long as the copy takes.
const SHARE_IN_NEED: u32 = 1;

/// How long the thread waits for work before it copies as one that has none:
/// who commits one after the other comes back sooner.
const PAUSE: Duration = Duration::from_millis(1);

/// What lives is written down when it has changed by this part of it,
const NOTE_SHARE: u64 = 16;

/// and so many bytes.
const NOTE_BYTES: u64 = 64 * 1024;

/// How long the remover of an old generation waits before it looks again
/// whether its last reader has gone.
const LAST_READER: Duration = Duration::from_millis(5);

/// How large the files may grow before they are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// To so many times of what a fresh copy of what lives would have,
    pub times: u64,
    /// and so many bytes more.
    pub slack_bytes: u64,
    /// No copy is made, or gone on with, when less than this would be left on
    /// the disk: writing needs it. In bytes.
    pub reserve_bytes: u64,
}

impl Default for Growth {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self { times: 2, slack_bytes: 64 * MIB, reserve_bytes: 64 * MIB }
    }
}

/// The one who gives space back, on the thread that writes.
pub(super) struct Compactor {
    directory: Arc<Directory>,
    shared: Arc<Shared>,
    growth: Growth,
    cache_bytes: u64,
    current: Current,
    /// The bytes of all keys and values there are, about.
    live: u64,
    /// The same as it was written down last.
    noted: u64,
    copy: Option<Copying>,
    /// Those who wait for a compaction that has not begun.
    asked: Vec<Waiting>,
    /// What copying may take of the time while others wait, in microseconds;
    /// less than nothing after a slice that took longer.
    credit: i64,
    is_idle: bool,
    /// After a failure: how large the data must be before the next attempt.
    not_before: u64,
    /// The generation before, which is to be removed, and who waits for that.
    retired: Option<(u64, Vec<Waiting>)>,
    removers: Vec<JoinHandle<()>>,
}

/// What the writer goes on with.
pub(super) struct Next {
    pub db: Arc<Db>,
    pub sync: SyncData,
    /// What the records come to.
    pub tally: Option<RecordSum>,
}

impl Compactor {
    pub(super) fn new(
        directory: Arc<Directory>,
        shared: Arc<Shared>,
        growth: Growth,
        cache_bytes: u64,
        live: u64,
    ) -> Self {
        Self {
            live,
            noted: live,
            current: directory.opened,
            directory,
            shared,
            growth,
            cache_bytes,
            copy: None,
            asked: Vec::new(),
            credit: 0,
            is_idle: false,
            not_before: 0,
            retired: None,
            removers: Vec::new(),
        }
    }

    /// Somebody wants a compaction that begins from now on, and its end.
    pub(super) fn ask(&mut self, waiting: Waiting) {
        self.asked.push(waiting);
    }

    /// A group makes it larger by so many bytes, or smaller. Says what is to be
    /// written down when that is too long ago.
    pub(super) fn grew(&mut self, by: i64) -> Option<u64> {
        self.live = self.live.saturating_add_signed(by);
        let is_near = self.live.abs_diff(self.noted) <= self.noted / NOTE_SHARE + NOTE_BYTES;
        (!is_near).then(|| {
            self.noted = self.live;
            self.live
        })
    }

    /// How long to wait for work before there is a slice to be done; `None`
    /// when there is none.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.copy.as_ref()?;
        Some(if self.is_idle { Duration::ZERO } else { PAUSE })
    }

    /// No work came for as long as that.
    pub(super) fn idle(&mut self) {
        self.is_idle = true;
    }

    /// A group took so long to serve. Says whether a slice's time has come,
    /// though others may wait.
    pub(super) fn served(&mut self, took: Duration) -> bool {
        self.is_idle = false;
        if self.copy.is_none() {
            return false;
        }
        let share = if self.bytes() > self.most() / 2 * 3 { SHARE_IN_NEED } else { SHARE };
        self.credit = (self.credit + micros(took / share)).min(micros(SLICE));
        self.credit >= micros(SLICE)
    }

    /// Whether groups are to be mirrored.
    pub(super) fn is_copying(&self) -> bool {
        self.copy.is_some()
    }

    /// Does in the copy what a durable group has done behind the cursor.
    pub(super) fn mirror(&mut self, puts: Vec<Put>) {
        self.attempt(|_, copy| {
            let behind = |key: &IVec| copy.is_whole || copy.cursor.as_ref().is_some_and(|last| key <= last);
            let puts: Vec<Put> = puts.into_iter().filter(|(key, _)| behind(key)).collect();
            puts.into_iter().try_for_each(|(key, value)| copy.put(key, value))
        });
    }

    /// Begins a compaction when somebody has asked, or when it is time.
    pub(super) fn begin(&mut self) {
        if self.copy.is_some() || (self.asked.is_empty() && !self.has_grown()) {
            return;
        }
        let answers = std::mem::take(&mut self.asked);
        self.shared.copying();
        let begun = match self.shared.failure() {
            Some(error) => Err(error),
            None => guarded(|| self.make()),
        };
        match begun {
            Ok((db, data)) => {
                let generation = self.current.generation + 1;
                tracing::debug!(generation, "the store's files are being replaced");
                self.credit = 0;
                self.copy = Some(Copying {
                    generation,
                    db: Arc::new(db),
                    data,
                    is_whole: false,
                    cursor: None,
                    puts: 0,
                    synced: 0,
                    live: 0,
                    tally: RecordSum::default(),
                    answers,
                    began: Instant::now(),
                });
            }
            Err(error) => self.given_up(&error, answers),
        }
    }

    fn has_grown(&self) -> bool {
        let bytes = self.bytes();
        bytes > self.most() && bytes >= self.not_before
    }

    /// How large the files may grow for what lives in them.
    fn most(&self) -> u64 {
        let Growth { times, slack_bytes, .. } = self.growth;
        self.fresh().saturating_mul(times).saturating_add(slack_bytes)
    }

    /// How large a fresh copy of what lives would be, in bytes.
    fn fresh(&self) -> u64 {
        // Of what groups changed meanwhile, a copy holds more than what lives.
        let Current { fresh_bytes, fresh_puts, .. } = self.current;
        let fresh = u128::from(self.live) * u128::from(fresh_bytes.max(1)) / u128::from(fresh_puts.max(1));
        u64::try_from(fresh).unwrap_or(u64::MAX)
    }

    fn bytes(&self) -> u64 {
        let data = self.directory.generation(self.current.generation).join(DATA);
        fs::metadata(data).map_or(0, |data| data.len())
    }

    /// An empty generation.
    fn make(&self) -> Result<(Db, File), StoreError> {
        let generation = self.current.generation + 1;
        let path = self.directory.generation(generation);
        self.leaves_room(self.fresh())?;
        // The leftover of an attempt whose removal failed.
        if path.exists() {
            generations::remove(&self.directory.path, generation);
        }
        fs::create_dir(&path).map_err(|error| failed(&error))?;
        let db = open_db(&path, self.cache_bytes)?;
        let number = layout::number_value(generation);
        db.insert(layout::GENERATION_KEY, &number).map_err(|error| failure(&error))?;
        let data = File::options().write(true).open(path.join(DATA)).map_err(|error| failed(&error))?;
        Ok((db, data))
    }

    fn leaves_room(&self, for_bytes: u64) -> Result<(), StoreError> {
        let disk = rustix::fs::statvfs(&self.directory.path).map_err(|error| failed(&error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let reserve = self.growth.reserve_bytes;
        if free >= reserve.saturating_add(for_bytes) {
            return Ok(());
        }
        Err(StoreError::Failed(format!(
            "no room for a copy: {free} bytes are free, {} are wanted: make room on that disk",
            reserve.saturating_add(for_bytes)
        )))
    }

    /// Copies or compares for a while, and says what to write to from now on
    /// when that was the last of it.
    pub(super) fn slice(&mut self, old: &Db) -> Option<Next> {
        let began = Instant::now();
        let step = self.attempt(|compactor, copy| {
            compactor.leaves_room(0)?;
            let step = if copy.is_whole { copy.compare(old) } else { copy.take(old) }?;
            copy.sync_now_and_then()?;
            Ok(step)
        });
        if !self.is_idle {
            self.credit -= micros(began.elapsed());
        }
        match step {
            Some(Step::Done) => self.finish(),
            _ => None,
        }
    }

    /// Makes the copy the valid generation.
    fn finish(&mut self) -> Option<Next> {
        let next = self.attempt(|compactor, copy| {
            let tally = copy.settle_tally()?;
            copy.sync()?;
            let path = compactor.directory.generation(copy.generation);
            files::sync_generation(&path).map_err(|error| failed(&error))?;
            disk::sync_dir(&compactor.directory.path).map_err(|error| failed(&error))?;
            let sync = compactor.directory.sync_data(copy.generation).map_err(|error| failed(&error))?;
            let fresh_bytes = copy.data.metadata().map_err(|error| failed(&error))?.len();
            let current = Current { generation: copy.generation, fresh_bytes, fresh_puts: copy.puts };
            match current.set(&compactor.directory.path) {
                Ok(()) => Ok((current, Next { db: Arc::clone(&copy.db), sync: Box::new(sync), tally })),
                Err(NotSet::Unchanged(error)) => Err(failed(&error)),
                Err(NotSet::Unknown(error)) => {
                    let error = failed(&error);
                    compactor.shared.fail(&error);
                    Err(error)
                }
            }
        });
        let (current, next) = next?;
        let copy = self.copy.take()?;
        let old = std::mem::replace(&mut self.current, current);
        (self.live, self.not_before) = (copy.live, 0);
        self.shared.switch(Arc::clone(&next.db), current.generation);
        tracing::info!(
            generation = current.generation,
            bytes = current.fresh_bytes,
            took_ms = copy.began.elapsed().as_millis() as u64,
            "the store's files were replaced by smaller ones"
        );
        self.retired = Some((old.generation, copy.answers));
        Some(next)
    }

    /// Removes the generation before, once the writer has let go of it too.
    pub(super) fn retire(&mut self, old: Arc<Db>) {
        let Some((generation, answers)) = self.retired.take() else { return };
        let (directory, shared) = (Arc::clone(&self.directory), Arc::clone(&self.shared));
        self.removers.retain(|remover| !remover.is_finished());
        let remove = move || {
            let mut old = old;
            let old = loop {
                match Arc::try_unwrap(old) {
                    Ok(old) => break old,
                    Err(read) => old = read,
                }
                thread::sleep(LAST_READER);
            };
            drop_quietly(old);
            generations::remove(&directory.path, generation);
            shared.copied();
            for answer in answers {
                let _ = answer.send(Ok(()));
            }
        };
        match thread::Builder::new().name("store-remover".to_owned()).spawn(remove) {
            Ok(remover) => self.removers.push(remover),
            Err(error) => {
                self.shared.copied();
                tracing::warn!(%error, "the old files stay until the store is opened again");
            }
        }
    }

    /// Ends what is under way, for good.
    pub(super) fn end(mut self) {
        let answers = self.discard();
        for answer in answers.into_iter().chain(self.asked) {
            let _ = answer.send(Err(StoreError::Closed));
        }
        for remover in self.removers {
            if remover.join().is_err() {
                tracing::warn!("the remover of old files panicked");
            }
        }
    }

    /// Does something with the copy; when that fails there is none any more.
    fn attempt<T>(&mut self, work: impl FnOnce(&Self, &mut Copying) -> Result<T, StoreError>) -> Option<T> {
        let mut copy = self.copy.take()?;
        let done = guarded(|| match self.shared.failure() {
            Some(error) => Err(error),
            None => work(self, &mut copy),
        });
        self.copy = Some(copy);
        done.map_err(|error| {
            let answers = self.discard();
            self.given_up(&error, answers);
        })
        .ok()
    }

    /// Removes the copy, and says who waited for it.
    fn discard(&mut self) -> Vec<Waiting> {
        let Some(Copying { generation, db, data, answers, .. }) = self.copy.take() else { return Vec::new() };
        drop((data, Arc::try_unwrap(db).map(drop_quietly)));
        // Unless which one is valid is unknown: then the next opening decides.
        let valid = Current::read(&self.directory.path).map(|current| current.generation);
        if valid.is_ok_and(|valid| valid != generation) {
            generations::remove(&self.directory.path, generation);
        }
        answers
    }

    fn given_up(&mut self, error: &StoreError, answers: Vec<Waiting>) {
        self.shared.copied();
        let bytes = self.bytes();
        self.not_before = bytes.saturating_add(bytes / 4);
        tracing::warn!(%error, bytes, "the store's files could not be replaced by smaller ones");
        for answer in answers {
            let _ = answer.send(Err(error.clone()));
        }
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn failed(error: &io::Error) -> StoreError {
    StoreError::Failed(disk::said(error))
}

/// sled asserts where it might return an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::Failed("the engine panicked while copying".to_owned())))
}
