//! A copy of what lives, as it is made: a slice at a time, in the order of keys, and
//! then compared with what was copied.
//!
//! It refuses to know when it is time for one, and what becomes of it.

use super::super::StoreError;
use super::super::care::ADVICE;
use super::shared::failure;
use super::shared::touch;
use super::tally::{RecordSum, Tallied};
use super::{disk, layout};
use sled::{Db, IVec};
use std::fs::File;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How long a slice copies, but for the sync that may end it.
pub(super) const SLICE: Duration = Duration::from_millis(2);

/// After how many keys a slice looks at the time.
const SLICE_KEYS: usize = 16;

/// How many keys are put one after the other before they get their values.
///
/// sled writes a page anew with every tenth change of it, and whenever it is split, and
/// gives no room back in which one page of many still stands. Pages that are split while
/// they hold keys alone leave little behind: the copy takes two thirds of the room that
/// it does when each key is put with its value.
const TOGETHER: usize = 128;

/// A copy is synced when it has grown by so much, in bytes.
const SYNC_BYTES: u64 = 1024 * 1024;

/// Where to say how a compaction ended that was asked for.
pub(super) type Waiting = oneshot::Sender<Result<(), StoreError>>;

/// A put or a removal.
pub(super) type Put = (IVec, Option<IVec>);

/// A copy that is being made.
pub(super) struct Copying {
    pub generation: u64,
    pub db: Arc<Db>,
    pub data: File,
    pub is_whole: bool,
    /// The last key that was copied, or, once all is, that was compared.
    pub cursor: Option<IVec>,
    /// How many bytes of keys and values were put into it,
    pub puts: u64,
    /// and how many of them were synced.
    pub synced: u64,
    /// The bytes of what was compared,
    pub live: u64,
    /// and its records.
    pub tally: RecordSum,
    pub answers: Vec<Waiting>,
    pub began: Instant,
}

/// What became of a slice.
pub(super) enum Step {
    More,
    Done,
}

impl Copying {
    /// Copies the next keys.
    pub(super) fn take(&mut self, old: &Db) -> Result<Step, StoreError> {
        let began = Instant::now();
        let mut pairs = old.range(after(self.cursor.as_ref()));
        while began.elapsed() < SLICE {
            let next = pairs.by_ref().take(TOGETHER).collect::<Result<Vec<_>, _>>();
            let next = next.map_err(|error| failure(&error))?;
            let Some((last, _)) = next.last() else {
                (self.is_whole, self.cursor) = (true, None);
                break;
            };
            self.cursor = Some(last.clone());
            self.put_together(old, next)?;
        }
        Ok(Step::More)
    }

    /// Puts neighbours: the keys first, and then the values.
    fn put_together(&mut self, old: &Db, pairs: Vec<(IVec, IVec)>) -> Result<(), StoreError> {
        for (key, value) in &pairs {
            touch(old, key)?;
            if key != layout::GENERATION_KEY && !value.is_empty() {
                self.db.insert(key, IVec::default()).map_err(|error| failure(&error))?;
            }
        }
        pairs.into_iter().try_for_each(|(key, value)| self.put(key, Some(value)))
    }

    /// Compares the next keys.
    pub(super) fn compare(&mut self, old: &Db) -> Result<Step, StoreError> {
        let began = Instant::now();
        let mut expected = pairs(old, self.cursor.as_ref());
        let mut found = pairs(&self.db, self.cursor.as_ref());
        for nth in 1.. {
            let (expected, found) = (expected.next().transpose()?, found.next().transpose()?);
            if expected != found {
                return Err(StoreError::Failed("the copy is not what was copied".to_owned()));
            }
            let Some((key, value)) = expected else { break };
            touch(old, &key)?;
            touch(&self.db, &key)?;
            self.live += (key.len() + value.len()) as u64;
            if layout::is_record(&key) {
                self.tally.add(&key, &value);
            }
            self.cursor = Some(key);
            if nth % SLICE_KEYS == 0 && began.elapsed() >= SLICE {
                return Ok(Step::More);
            }
        }
        Ok(Step::Done)
    }

    pub(super) fn put(&mut self, key: IVec, value: Option<IVec>) -> Result<(), StoreError> {
        if key == layout::GENERATION_KEY {
            return Ok(());
        }
        self.puts += (key.len() + value.as_ref().map_or(0, |value| value.len())) as u64;
        let before = match &value {
            Some(value) => self.db.insert(&key, value),
            None => self.db.remove(&key),
        };
        let before = before.map_err(|error| failure(&error))?;
        let is_compared = self.is_whole && self.cursor.as_ref().is_some_and(|last| key <= *last);
        if is_compared && layout::is_record(&key) {
            self.tally.replace(&key, before.as_deref(), value.as_deref());
        }
        Ok(())
    }

    /// What its records come to, by what groups have kept; where nobody has counted yet,
    /// by what was compared.
    pub(super) fn settle_tally(&mut self) -> Result<Option<RecordSum>, StoreError> {
        let Some(Tallied { group, tally }) = Tallied::read(&self.db)? else { return Ok(None) };
        if let Some(kept) = tally {
            if let Some(wrong) = kept.wrong(self.tally) {
                tracing::error!(%wrong, "the store is damaged: {ADVICE}");
            }
            return Ok(tally);
        }
        let counted = Tallied { group, tally: Some(self.tally) };
        self.put(layout::TALLY_KEY.into(), Some(counted.value().into()))?;
        Ok(counted.tally)
    }

    pub(super) fn sync_now_and_then(&mut self) -> Result<(), StoreError> {
        if self.puts - self.synced < SYNC_BYTES {
            return Ok(());
        }
        self.sync()
    }

    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.synced = self.puts;
        self.db.flush().map_err(|error| failure(&error))?;
        self.data.sync_data().map_err(|error| StoreError::Failed(disk::said(&error)))
    }
}

/// What a generation holds after a key, but for its own number.
fn pairs(db: &Db, cursor: Option<&IVec>) -> impl Iterator<Item = Result<(IVec, IVec), StoreError>> + use<> {
    let pairs = db.range(after(cursor)).map(|pair| pair.map_err(|error| failure(&error)));
    pairs.filter(|pair| pair.as_ref().map_or(true, |(key, _)| key != layout::GENERATION_KEY))
}

fn after(cursor: Option<&IVec>) -> (Bound<IVec>, Bound<IVec>) {
    (cursor.map_or(Bound::Unbounded, |last| Bound::Excluded(last.clone())), Bound::Unbounded)
}
