//! Records of an export into a store, a piece at a time.
//!
//! A record that is there and the same is passed over, so what was begun can be
//! done again from the start. Entries and due dates are derived, not copied.

use super::super::records::{Facts, Versioned, put_facts};
use super::super::{Change, CommitError, Key, Store, StoreError, kinds};
use super::BadFile;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often a piece is tried again when somebody else writes the same records,
/// or when too many writes wait.
const TRIES: u32 = 20;
/// How long to wait before the second try; it grows with each.
const PAUSE: Duration = Duration::from_millis(5);

/// What is done with records that are there and different.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// They become as the file has them.
    pub overwrite: bool,
    /// Nothing is written; what would be done is counted.
    pub dry_run: bool,
}

/// What became of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// They were not there.
    pub added: u64,
    /// They were there and the same.
    pub equal: u64,
    /// They were different, and are as in the file now.
    pub replaced: u64,
    /// They were different, and were kept.
    pub kept: u64,
    /// The first [`Imported::MAX_SHOWN`] of those that were different, without
    /// numbers.
    pub different: Vec<String>,
}

impl Imported {
    /// Longest list of records that were different.
    pub const MAX_SHOWN: usize = 20;

    /// All that was read.
    pub fn records(&self) -> u64 {
        self.added + self.equal + self.replaced + self.kept
    }

    /// Adds what became of others.
    pub fn add(&mut self, other: Self) {
        self.added += other.added;
        self.equal += other.equal;
        self.replaced += other.replaced;
        self.kept += other.kept;
        self.different.extend(other.different);
        self.different.truncate(Self::MAX_SHOWN);
    }
}

/// Why a piece was not taken in; nothing of it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// It is not what an export has.
    #[error(transparent)]
    File(#[from] BadFile),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes records in, all of them or none; there are at most
/// [`Change::MAX_COMMIT`]. `line` is where the first stands in its file.
///
/// # Errors
/// [`ImportError::File`] for a record that does not read as its kind's, has a
/// newer format, or stands under a key that is not its own.
pub async fn import(
    store: &dyn Store,
    records: &[(Key, Vec<u8>)],
    line: u64,
    rules: Rules,
) -> Result<Imported, ImportError> {
    if records.len() > Change::MAX_COMMIT {
        let why = format!("{} records at once, {} are possible", records.len(), Change::MAX_COMMIT);
        return Err(StoreError::Failed(why).into());
    }
    let facts = records.iter().zip(line..).map(|((key, body), line)| facts(key, body, line));
    let facts: Vec<Facts> = facts.collect::<Result<_, _>>()?;
    for attempt in 1..=TRIES {
        let (changes, imported) = compare(store, &facts, rules).await?;
        if changes.is_empty() || rules.dry_run {
            return Ok(imported);
        }
        match store.commit(changes).await {
            Ok(()) => return Ok(imported),
            Err(CommitError::Conflict | CommitError::Store(StoreError::Overloaded)) => {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(StoreError::Overloaded.into())
}

/// The facts of a record of a file.
///
/// # Errors
/// As [`import`].
pub fn facts(key: &Key, body: &[u8], line: u64) -> Result<Facts, BadFile> {
    let facts = kinds::facts(key, body).map_err(|error| match error {
        // The file is, and not the store.
        StoreError::Damaged(what) => BadFile::Record { line, what },
        other => BadFile::Record { line, what: other.to_string() },
    })?;
    match facts.key == *key {
        true => Ok(facts),
        false => Err(BadFile::Line { line, what: format!("{key} is not the record's own id") }),
    }
}

/// What is to be written, and what that makes of the records.
async fn compare(
    store: &dyn Store,
    facts: &[Facts],
    rules: Rules,
) -> Result<(Vec<Change>, Imported), StoreError> {
    let keys: Vec<Key> = facts.iter().map(|new| new.key.clone()).collect();
    let there = store.read_many(&keys).await?;
    let (mut changes, mut imported) = (Vec::new(), Imported::default());
    for (new, there) in facts.iter().zip(there) {
        let Some(there) = there else {
            imported.added += 1;
            changes.push(put_facts(None, new.clone()));
            continue;
        };
        let old = Versioned { version: there.version, record: kinds::facts(&new.key, &there.body)? };
        if old.record.says_the_same(new) {
            imported.equal += 1;
            continue;
        }
        if imported.different.len() < Imported::MAX_SHOWN {
            imported.different.push(new.key.to_string());
        }
        match rules.overwrite {
            true => {
                imported.replaced += 1;
                changes.push(put_facts(Some(&old), new.clone()));
            }
            false => imported.kept += 1,
        }
    }
    Ok((changes, imported))
}
