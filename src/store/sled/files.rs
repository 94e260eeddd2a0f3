//! The directory of a store: who may use it, whether it is one of ours, and
//! what must be on disk before the first record is.
//!
//! | file | what it is |
//! |---|---|
//! | `lock` | held by the process that has the store open |
//! | `dialback-store` | says that data is expected here, written last at creation |
//! | `dialback-store.making` | says that the store is being made, and holds nothing yet |
//! | `acknowledged` | the number of the last group that was |
//! | `current` | which generation of the data is valid (`generations.rs`) |
//! | `db`, `conf`, `blobs`, `snap.*` | sled's own, of generation 0 |
//! | `generation-N/` | the same of a later one |
//!
//! It refuses to know keys, records and groups.

use super::super::StoreError;
use super::super::care::ADVICE;
use super::disk::{DATA, cannot, sync_dir};
use super::generations::{self, Current};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const LOCK: &str = "lock";
const MARKER: &str = "dialback-store";
const MARKER_TEXT: &[u8] =
    b"A store of Dialback. Data is expected beside this file: do not delete either alone.\n";
const MAKING: &str = "dialback-store.making";
const ACKNOWLEDGED: &str = "acknowledged";
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether an entry of a store's directory has one of the store's own names.
pub fn is_own(name: &str) -> bool {
    matches!(name, LOCK | MARKER | MAKING | ACKNOWLEDGED) || generations::is_own(name)
}

/// A directory that is ours alone until this is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    /// Its path without links.
    pub path: PathBuf,
    /// Whether data is expected in it.
    pub marked: bool,
    /// The generation that was valid when it was opened.
    pub opened: Current,
    _lock: File,
}

impl Directory {
    /// Makes it where there is none, takes its lock and clears what a kill may
    /// have left half-written.
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        if dir.is_file() {
            return Err(StoreError::Open(format!("{} is a file: name a directory", dir.display())));
        }
        create(dir).map_err(|error| cannot(dir, &error))?;
        let path = dir.canonicalize().map_err(|error| cannot(dir, &error))?;
        let lock = lock(&path)?;
        let marker = path.join(MARKER);
        let marked = marker.try_exists().map_err(|error| cannot(&marker, &error))?;
        let making = if marked { end_making(&path) } else { begin_making(&path) };
        making.map_err(|error| cannot(&path, &error))?;
        let opened = Current::read(&path)?;
        let directory = Self { path, marked, opened, _lock: lock };
        let data = directory.generation(opened.generation);
        let size = fs::metadata(data.join(DATA)).map_or(0, |data| data.len());
        if size == 0 && (marked || opened.generation > 0 || directory.acknowledged()? > Some(0)) {
            return Err(missing(&data));
        }
        remove_leftovers(&data).map_err(|error| cannot(&data, &error))?;
        Ok(directory)
    }

    /// Where a generation's files are.
    pub(super) fn generation(&self, number: u64) -> PathBuf {
        generations::path(&self.path, number)
    }

    /// What makes a group durable in a generation: the data first, and then,
    /// for the next opening, its number. The number itself is not synced: it
    /// may be behind after a power cut, and never ahead.
    pub(super) fn sync_data(
        &self,
        generation: u64,
    ) -> io::Result<impl FnMut(u64) -> io::Result<()> + Send + 'static> {
        let data = OpenOptions::new().write(true).open(self.generation(generation).join(DATA))?;
        let mut acknowledged = self.open_acknowledged()?;
        Ok(move |number| {
            data.sync_data()?;
            write_number(&mut acknowledged, number)
        })
    }

    /// Refuses a log that ends before what was acknowledged: at a damaged
    /// place sled takes it for finished, and opens without complaint.
    pub(super) fn verify_end(&self, number: u64) -> Result<(), StoreError> {
        match self.acknowledged()? {
            Some(acknowledged) if acknowledged > number => Err(StoreError::Damaged(format!(
                "{}: of {acknowledged} acknowledged groups of writes the last {} are missing: {ADVICE}, \
                 or delete the file {ACKNOWLEDGED} in it to go on without them",
                self.path.display(),
                acknowledged - number
            ))),
            None if self.marked => {
                tracing::warn!(file = ACKNOWLEDGED, "is gone, so the end of the data cannot be verified");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Refuses data whose tally is not of its last group. Who goes on without what is
    /// missing at the end does so here, too.
    pub(super) fn verify_tally(&self) -> Result<(), StoreError> {
        if self.acknowledged()?.is_none() {
            tracing::warn!(file = ACKNOWLEDGED, "is gone, so what there is counts as all there was");
            return Ok(());
        }
        Err(StoreError::Damaged(format!(
            "{}: what its records come to is not of the last group of writes, so some may be missing: \
             {ADVICE}, or delete the file {ACKNOWLEDGED} in it to go on with what there is",
            self.path.display()
        )))
    }

    /// The size of the log, in bytes.
    pub(super) fn log_bytes(&self) -> u64 {
        let data = self.generation(self.opened.generation).join(DATA);
        fs::metadata(data).map_or(0, |data| data.len())
    }

    /// The number of the last acknowledged group, if that is known.
    fn acknowledged(&self) -> Result<Option<u64>, StoreError> {
        let path = self.path.join(ACKNOWLEDGED);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot(&path, &error)),
        };
        let number = std::str::from_utf8(&text).ok().and_then(|text| text.trim_end().parse().ok());
        number.map(Some).ok_or_else(|| {
            StoreError::Damaged(format!(
                "{} is not a number, so whether the end of the data is there is unknown: {ADVICE}, \
                 or delete that file to open what there is",
                path.display()
            ))
        })
    }

    /// Makes all that opening wrote durable, and the names in the directory.
    pub(super) fn sync(&self, number: u64) -> io::Result<()> {
        sync_generation(&self.generation(self.opened.generation))?;
        let mut acknowledged = self.open_acknowledged()?;
        write_number(&mut acknowledged, number)?;
        acknowledged.sync_all()?;
        sync_dir(&self.path)
    }

    /// Says, durably, that from now on data is expected here.
    pub(super) fn mark(&self) -> io::Result<()> {
        let mut marker = File::create(self.path.join(MARKER))?;
        marker.write_all(MARKER_TEXT)?;
        marker.sync_all()?;
        sync_dir(&self.path)?;
        end_making(&self.path)
    }

    fn open_acknowledged(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join(ACKNOWLEDGED))
    }

    /// The size of all files, in bytes.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        bytes_below(&self.path)
    }
}

/// In place, and always of one length, so that it is never half there.
fn write_number(file: &mut File, number: u64) -> io::Result<()> {
    file.rewind()?;
    file.write_all(format!("{number:020}\n").as_bytes())
}

/// The size of all files in a directory and below, in bytes.
fn bytes_below(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(dir)? {
        // What vanishes meanwhile takes no room.
        let Ok((path, about)) = file.and_then(|file| Ok((file.path(), file.metadata()?))) else { continue };
        bytes += if about.is_dir() { bytes_below(&path).unwrap_or(0) } else { about.len() };
    }
    Ok(bytes)
}

/// Makes a generation's files durable, and their names.
pub(super) fn sync_generation(path: &Path) -> io::Result<()> {
    for file in fs::read_dir(path)? {
        let file = file?;
        if file.file_name().to_str().is_some_and(generations::is_engines) {
            File::open(file.path())?.sync_all()?;
        }
    }
    sync_dir(path)
}

/// The refusal to start empty where data was.
pub(super) fn missing(path: &Path) -> StoreError {
    StoreError::Open(format!("{} held a store and its data is gone: {ADVICE}", path.display()))
}

/// Says that a store is being made, before sled has a file here. What a cut or a
/// kill left of an earlier making holds nothing, and sled may refuse it: it goes.
fn begin_making(dir: &Path) -> io::Result<()> {
    let making = dir.join(MAKING);
    if making.try_exists()? {
        generations::remove_first(dir)?;
        remove(&dir.join(ACKNOWLEDGED))?;
    } else if !dir.join(DATA).try_exists()? {
        File::create(making)?;
    }
    // Whoever made the directories may have died before their names were durable.
    let device = fs::metadata(dir)?.dev();
    for path in dir.ancestors() {
        match fs::metadata(path).and_then(|about| Ok((about.dev() == device, File::open(path)?))) {
            Ok((true, above)) => above.sync_all()?,
            Ok((false, _)) => break,
            // Made by somebody else, who sees to it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What is here now is data, whatever becomes of the marker.
fn end_making(dir: &Path) -> io::Result<()> {
    remove(&dir.join(MAKING))
}

/// Removes a file, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
        sync_dir(path.canonicalize()?.parent().unwrap_or(path))?;
    }
    Ok(())
}

/// sled has a lock too, but takes it only after it has looked around.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| cannot(&path, &error))?;
    match patiently(|| file.try_lock(), |error| matches!(error, TryLockError::WouldBlock)) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(dir)),
        Err(TryLockError::Error(error)) => Err(cannot(&path, &error)),
    }
}

/// Another process has it.
pub(super) fn in_use(dir: &Path) -> StoreError {
    StoreError::InUse(format!("{}: stop that process, or use another directory", dir.display()))
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
