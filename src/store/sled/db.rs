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

const DOES_NOT_OPEN: &str = "it does not open";

/// Opens a generation's files, or makes them.
pub(super) fn open_db(path: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(cache_bytes / IN_MEMORY)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None);
    // Some damage makes sled panic instead of saying so.
    let opened = catch_unwind(AssertUnwindSafe(|| files::patiently(|| config.open(), is_locked)));
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(error)) if is_locked(&error) => Err(files::in_use(path)),
        Ok(Err(sled::Error::Io(error))) if error.kind() != ErrorKind::UnexpectedEof => {
            Err(disk::cannot(path, &error))
        }
        Ok(Err(error)) => Err(damaged(path, &error.to_string())),
        Err(_) => Err(damaged(path, DOES_NOT_OPEN)),
    }
}

/// Reads what opening needs to know of a generation that sled has opened. Some damage makes it panic
/// only then.
pub(super) fn look<T>(
    path: &Path,
    db: sled::Db,
    read: impl FnOnce(&sled::Db) -> Result<T, StoreError>,
) -> Result<(sled::Db, T), StoreError> {
    let found = catch_unwind(AssertUnwindSafe(|| read(&db)));
    match found.unwrap_or_else(|_| Err(damaged(path, DOES_NOT_OPEN))) {
        Ok(found) => Ok((db, found)),
        Err(error) => {
            drop_quietly(db);
            Err(error)
        }
    }
}

/// sled syncs while it is dropped, and panics where it cannot; nobody needs
/// these files any more, or nothing was written to them.
pub(super) fn drop_quietly(db: sled::Db) {
    if catch_unwind(AssertUnwindSafe(|| drop(db))).is_err() {
        tracing::debug!("the engine panicked while closing files that go");
    }
}

fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::Damaged(format!("{}: {why}: {ADVICE}", path.display()))
}

/// sled has no kind for this error, only a text.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}
