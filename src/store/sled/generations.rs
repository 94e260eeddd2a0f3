//! Which of the generations of a store's data is valid.
//!
//! sled gives no space back, so now and then what lives is copied into new
//! files, and the old ones are removed (`compaction.rs`). Generation 0 is
//! sled's files in the directory itself, as every store began that was made
//! before there were others; each later one has a directory `generation-N`.
//!
//! The file `current` says which one is valid, and how large it was when it was
//! fresh, and of how much. It is replaced whole: whoever opens the directory after a kill or a
//! power cut finds the old generation or the new one, and a leftover of the
//! other. It has a checksum, for by one wrong digit of it a copy that was never
//! finished would be taken for the data.
//!
//! It refuses to know keys, records and how a copy is made.

use super::super::StoreError;
use super::super::care::ADVICE;
use super::disk::{self, DATA};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

const CURRENT: &str = "current";
const CURRENT_NEW: &str = "current.new";
const PREFIX: &str = "generation-";

/// Which generation is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Current {
    /// Its number, one more with each copy.
    pub generation: u64,
    /// The size of its data when it was fresh, in bytes; 0 for generation 0,
    /// which nobody has measured.
    pub fresh_bytes: u64,
    /// The bytes of all keys and values that had been put into it then.
    pub fresh_puts: u64,
}

/// Why a generation did not become the valid one.
#[derive(Debug)]
pub(super) enum NotSet {
    /// The one before is valid as it was.
    Unchanged(io::Error),
    /// Which one a power cut would leave is unknown.
    Unknown(io::Error),
}

impl Current {
    const FIRST: Self = Self { generation: 0, fresh_bytes: 0, fresh_puts: 0 };

    /// Reads what is said in a store's directory.
    pub(super) fn read(dir: &Path) -> Result<Self, StoreError> {
        let damaged = |why: &str| {
            Err(StoreError::Damaged(format!(
                "{}: {why}, so which of its data is valid is unknown: {ADVICE}",
                dir.join(CURRENT).display()
            )))
        };
        match fs::read(dir.join(CURRENT)) {
            Ok(bytes) => Self::parse(&bytes).map_or_else(|| damaged("the file does not read"), Ok),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let later = others(dir, 0).map_err(|error| disk::cannot(dir, &error))?;
                match later.is_empty() || dir.join(DATA).exists() {
                    true => Ok(Self::FIRST),
                    false => damaged("the file is gone"),
                }
            }
            Err(error) => Err(disk::cannot(&dir.join(CURRENT), &error)),
        }
    }

    /// Makes this the valid one, durably. Its own files must be durable.
    pub(super) fn set(self, dir: &Path) -> Result<(), NotSet> {
        let new = dir.join(CURRENT_NEW);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(self.text().as_bytes())?;
            file.sync_all()
        });
        written.map_err(NotSet::Unchanged)?;
        let renamed = fs::rename(&new, dir.join(CURRENT));
        match renamed.and_then(|()| disk::sync_dir(dir)) {
            Ok(()) => Ok(()),
            Err(error) if Self::read(dir).is_ok_and(|there| there != self) => Err(NotSet::Unchanged(error)),
            Err(error) => Err(NotSet::Unknown(error)),
        }
    }

    fn text(self) -> String {
        let Self { generation, fresh_bytes, fresh_puts } = self;
        let said =
            format!("generation {generation}, when fresh of {fresh_bytes} bytes after puts of {fresh_puts}");
        format!("{said}; checksum {:08x}\n", crc32fast::hash(said.as_bytes()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut numbers = text.split(' ').filter_map(|word| word.trim_end_matches([',', ';']).parse().ok());
        let mut next = || numbers.next();
        let read = Self { generation: next()?, fresh_bytes: next()?, fresh_puts: next()? };
        (read.text() == text).then_some(read)
    }
}

/// Where a generation's files are.
pub(super) fn path(dir: &Path, generation: u64) -> PathBuf {
    match generation {
        0 => dir.to_owned(),
        later => dir.join(format!("{PREFIX}{later}")),
    }
}

/// Removes every generation but the valid one. What cannot be removed now is
/// found again at the next opening.
pub(super) fn remove_others(dir: &Path, valid: u64) {
    let found = others(dir, valid).unwrap_or_default();
    for generation in found {
        remove(dir, generation);
    }
    let _ = fs::remove_file(dir.join(CURRENT_NEW));
}

/// Removes a generation that is not the valid one.
pub(super) fn remove(dir: &Path, generation: u64) {
    let removed = match generation {
        0 => remove_first(dir),
        later => fs::remove_dir_all(path(dir, later)),
    };
    match removed {
        Ok(()) => tracing::debug!(generation, "a generation of the store's files was removed"),
        Err(error) => {
            tracing::warn!(generation, %error, "an old generation of the store's files cannot be removed");
        }
    }
}

/// Generations with files in the directory, other than the given one.
fn others(dir: &Path, than: u64) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for file in fs::read_dir(dir)? {
        let name = file?.file_name();
        let Some(name) = name.to_str() else { continue };
        let generation = match name.strip_prefix(PREFIX) {
            Some(number) => number.parse().ok().filter(|n| path(dir, *n).ends_with(name)),
            None => is_engines(name).then_some(0),
        };
        found.extend(generation.filter(|generation| *generation != than));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Whether an entry of the store's directory belongs to its generations.
pub(super) fn is_own(name: &str) -> bool {
    matches!(name, CURRENT | CURRENT_NEW) || name.starts_with(PREFIX) || is_engines(name)
}

/// Whether sled calls one of its files, or a directory of them, so.
pub(super) fn is_engines(name: &str) -> bool {
    matches!(name, DATA | "conf" | "blobs") || name.starts_with("snap.")
}

/// Removes sled's files in the directory itself.
pub(super) fn remove_first(dir: &Path) -> io::Result<()> {
    for file in fs::read_dir(dir)? {
        let file = file?;
        if !file.file_name().to_str().is_some_and(is_engines) {
            continue;
        }
        match file.file_type()?.is_dir() {
            true => fs::remove_dir_all(file.path())?,
            false => fs::remove_file(file.path())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_back_and_nothing_else_is() {
        let said = Current { generation: 12, fresh_bytes: 345, fresh_puts: 67 };
        let text = said.text();
        assert_eq!(Current::parse(text.as_bytes()), Some(said));
        for bit in 0..text.len() * 8 {
            let mut damaged = text.clone().into_bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Current::parse(&damaged), None, "bit {bit}");
        }
        assert!((0..text.len()).all(|short| Current::parse(&text.as_bytes()[..short]).is_none()));
    }

    #[test]
    fn only_generations_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let kept = ["lock", "dialback-store", "acknowledged", "local.json", "generation-02", "generation-x"];
        for name in [&kept[..], &["db", "conf", "snap.01", "current.new"]].concat() {
            fs::write(dir.path().join(name), b"1").unwrap();
        }
        for name in ["blobs", "generation-1", "generation-2", "generation-3"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        remove_others(dir.path(), 2);
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        let mut expected = [&kept[..], &["generation-2"]].concat();
        expected.sort_unstable();
        assert_eq!(left, expected);
    }

    #[test]
    fn one_replaces_the_other_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Current::read(dir.path()).unwrap(), Current::FIRST);
        for generation in 1..4 {
            let current = Current { generation, fresh_bytes: 9, fresh_puts: 1 };
            current.set(dir.path()).unwrap();
            assert_eq!(Current::read(dir.path()).unwrap(), current);
        }
        fs::create_dir(dir.path().join("generation-3")).unwrap();
        fs::remove_file(dir.path().join(CURRENT)).unwrap();
        let refused = Current::read(dir.path()).unwrap_err();
        assert!(matches!(&refused, StoreError::Damaged(text) if text.contains("restore")), "{refused}");
    }
}
