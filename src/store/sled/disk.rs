//! What files and directories need, whatever they are for.

use super::super::StoreError;
use super::super::care::ADVICE;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// What sled calls its log.
pub(super) const DATA: &str = "db";

/// An error of a file as the store's, with what to do.
pub(super) fn cannot(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open(format!("{}: {}", path.display(), said(error)))
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// An error of a file with what to do about it.
pub(super) fn said(error: &io::Error) -> String {
    // sled's own texts of these are not for people.
    let (what, to_do) = match error.kind() {
        ErrorKind::ReadOnlyFilesystem => ("read-only file system", "mount it for writing, or use another"),
        ErrorKind::PermissionDenied => ("permission denied", "give it to the user that dialback runs as"),
        ErrorKind::StorageFull => ("no space left on the disk", "make room there and start again"),
        ErrorKind::QuotaExceeded => ("the disk quota is used up", "raise it or make room, and start again"),
        ErrorKind::FileTooLarge => (
            "files may grow no more",
            "raise that limit (`ulimit -f`, LimitFSIZE= of systemd) and start again",
        ),
        ErrorKind::IsADirectory => ("it is a directory and should be a file", "move it away"),
        _ => return error.to_string(),
    };
    format!("{what}: {to_do}")
}

/// What is wrong with an entry that does not read.
pub(super) fn foreign() -> StoreError {
    StoreError::Damaged(format!("an entry does not read: {ADVICE}"))
}

/// Makes durable what was flushed, the group with that number.
pub(super) type SyncData = Box<dyn FnMut(u64) -> io::Result<()> + Send>;
