//! The directory of a store: who may use it, whether it is one of ours, and
//! what must be on disk before the first record is.
//!
//! | file | what it is |
//! |---|---|
//! | `lock` | held by the process that has the store open |
//! | `dialback-store` | says that data is expected here, written last at creation |
//! | `acknowledged` | the number of the last group that was |
//! | `db`, `conf`, `blobs`, `snap.*` | sled's own |
//!
//! It refuses to know keys, records and groups.

use super::super::StoreError;
use super::super::care::ADVICE;
use fs2::FileExt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const MARKER: &str = "dialback-store";
const MARKER_TEXT: &[u8] =
    b"A store of Dialback. Data is expected beside this file: do not delete either alone.\n";
const DATA: &str = "db";
const ACKNOWLEDGED: &str = "acknowledged";
const PATIENCE: Duration = Duration::from_millis(500);

/// A directory that is ours alone until this is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    /// Its path without links.
    pub path: PathBuf,
    /// Whether data is expected in it.
    pub marked: bool,
    _lock: File,
}

impl Directory {
    /// Makes it where there is none, takes its lock and clears what a kill may
    /// have left half-written.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let cannot = |error: io::Error| StoreError::Open(format!("{}: {error}", dir.display()));
        if dir.is_file() {
            return Err(StoreError::Open(format!("{} is a file: name a directory", dir.display())));
        }
        create(dir).map_err(cannot)?;
        let path = dir.canonicalize().map_err(cannot)?;
        let lock = lock(&path)?;
        let marked = path.join(MARKER).try_exists().map_err(cannot)?;
        let size = fs::metadata(path.join(DATA)).map_or(0, |data| data.len());
        if marked && size == 0 {
            return Err(missing(&path));
        }
        remove_leftovers(&path).map_err(cannot)?;
        Ok(Self { path, marked, _lock: lock })
    }

    /// A descriptor of our own on the data.
    fn data(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path.join(DATA))
    }

    /// What makes a group durable: the data first, and then, for the next
    /// opening, its number. The number itself is not synced: it may be behind
    /// after a power cut, and never ahead.
    pub(super) fn sync_data(&self) -> io::Result<impl FnMut(u64) -> io::Result<()> + Send + 'static> {
        let data = self.data()?;
        let path = self.path.join(ACKNOWLEDGED);
        let mut acknowledged = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        Ok(move |number| {
            data.sync_data()?;
            acknowledged.rewind()?;
            acknowledged.write_all(format!("{number:020}\n").as_bytes())
        })
    }

    /// Refuses a log that ends before what was acknowledged: at a damaged
    /// place sled takes it for finished, and opens without complaint.
    pub(super) fn verify_end(&self, number: u64) -> Result<(), StoreError> {
        let text = match fs::read_to_string(self.path.join(ACKNOWLEDGED)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(StoreError::Open(format!("{}: {error}", self.path.display()))),
        };
        match text.trim_end().parse::<u64>() {
            Ok(acknowledged) if acknowledged > number => Err(StoreError::Damaged(format!(
                "{}: of {acknowledged} acknowledged groups of writes the last {} are missing: {ADVICE}, \
                 or delete the file {ACKNOWLEDGED} in it to go on without them",
                self.path.display(),
                acknowledged - number
            ))),
            Ok(_) => Ok(()),
            Err(_) => {
                tracing::warn!(
                    file = ACKNOWLEDGED,
                    "not a number, so the end of the data cannot be verified"
                );
                Ok(())
            }
        }
    }

    /// Makes all that opening wrote durable, and the names in the directory.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.data()?.sync_all()?;
        File::open(&self.path)?.sync_all()
    }

    /// Says, durably, that from now on data is expected here.
    pub(super) fn mark(&self) -> io::Result<()> {
        let mut marker = File::create(self.path.join(MARKER))?;
        marker.write_all(MARKER_TEXT)?;
        marker.sync_all()?;
        self.sync()
    }
}

/// The refusal to start empty where data was.
pub(super) fn missing(path: &Path) -> StoreError {
    StoreError::Open(format!("{} held a store and its data is gone: {ADVICE}", path.display()))
}

/// Makes the directory and its parents, for the owner's eyes only, and makes
/// each new name durable in the directory above it.
fn create(dir: &Path) -> io::Result<()> {
    let new: Vec<&Path> =
        dir.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)?;
    for path in new {
        File::open(path.canonicalize()?.parent().unwrap_or(path))?.sync_all()?;
    }
    Ok(())
}

/// sled has a lock too, but takes it only after it has looked around.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let cannot = |error: io::Error| StoreError::Open(format!("{}: {error}", path.display()));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(cannot)?;
    match patiently(|| FileExt::try_lock_exclusive(&file), |error| error.kind() == io::ErrorKind::WouldBlock)
    {
        Ok(()) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(StoreError::InUse(format!("{}: stop that process, or use another directory", dir.display())))
        }
        Err(error) => Err(cannot(error)),
    }
}

/// Tries for a lock for up to [`PATIENCE`]: a child that was started before
/// the store was closed holds its locks until it becomes another program.
pub(super) fn patiently<T, E>(
    mut attempt: impl FnMut() -> Result<T, E>,
    contended: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if contended(&error) && start.elapsed() < PATIENCE => thread::sleep(PATIENCE / 50),
            done => return done,
        }
    }
}

/// A snapshot that was being written when the process died makes sled refuse
/// to open. The one before it is still there.
fn remove_leftovers(dir: &Path) -> io::Result<()> {
    for file in fs::read_dir(dir)? {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            tracing::info!(file = %name, "removing a half-written snapshot");
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}
