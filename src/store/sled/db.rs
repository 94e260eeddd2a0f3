//! Opening what sled keeps.

use super::super::StoreError;
use super::super::care::ADVICE;
use super::shared::failure;
use super::{disk, files};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The log is cut into pieces of this size; a group must be small against it.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// sled counts what pages take in its log; in memory, each key and value a piece of its
/// own, they take about so many times of that.
const IN_MEMORY: u64 = 2;

/// Opens a generation's files, or makes them.
pub(super) fn open_db(path: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes / IN_MEMORY)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    // Some damage makes sled panic instead of saying so.
    let opened = catch_unwind(AssertUnwindSafe(|| files::patiently(|| config.open(), is_locked)));
    let damaged = |why: String| Err(StoreError::Damaged(format!("{}: {why}: {ADVICE}", path.display())));
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) if is_locked(&error) => Err(files::in_use(path)),
        Ok(Err(sled::Error::Io(error))) if error.kind() != ErrorKind::UnexpectedEof => {
            Err(disk::cannot(path, &error))
        }
        Ok(Err(error)) => damaged(error.to_string()),
        Err(_) => damaged("it does not open".to_owned()),
    }
}

/// Looks for a key once more that a walk has just come to.
///
/// sled counts what is used of its cache in blocks of 64 looks, for each of 256 parts
/// of it, and lets nothing go before a block is full. Who goes through everything and
/// looks at each page once so has 16,384 of them in memory beside the cache, which may
/// be more than that. With a look for each key blocks are full in time; it takes a
/// microsecond.
pub(super) fn touch(db: &sled::Db, key: &[u8]) -> Result<(), StoreError> {
    db.contains_key(key).map(drop).map_err(|error| failure(&error))
}

/// sled has no kind for this error, only a text.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}
