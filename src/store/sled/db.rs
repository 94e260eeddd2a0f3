//! Opening what sled keeps.

use super::super::StoreError;
use super::super::care::ADVICE;
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

/// sled has no kind for this error, only a text.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}
