//! Reads all of a store and says what is wrong with it.
//!
//! sled does not notice all damage by itself, so each record has a checksum,
//! and each entry must have its record. It mends nothing, and refuses to know
//! what records mean.

use super::super::{Absent, CheckReport, Due, Entry, Index, Key, Lane, StoreError};
use super::layout::{self, Place};
use super::shared::failure;
use sled::Db;

/// Reads everything.
pub(super) fn check(db: &Db) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport::default();
    for pair in db.iter() {
        let (key, value) = pair.map_err(|error| failure(&error))?;
        report.bytes += (key.len() + value.len()) as u64;
        match layout::place(&key) {
            None => report.note("a key that is none of ours".to_owned()),
            Some(Place::Meta) => {}
            Some(Place::Record(named)) => {
                report.records += 1;
                if layout::version(&key, &value).is_none() {
                    report.note(format!("{named} is not what was written"));
                }
            }
            Some(Place::Due(named, _)) => {
                report.due += 1;
                if stray(db, &key, &named)? {
                    report.note(format!("{named} is due and does not exist"));
                }
            }
            Some(Place::Entry(entry)) => {
                report.entries += 1;
                let named = Key::new(entry.index.kind(), entry.id);
                if stray(db, &key, &named)? {
                    report.note(format!("{named} is listed and does not exist"));
                }
            }
        }
    }
    Ok(report)
}

/// Which of these entries are not there.
pub(super) fn absent(db: &Db, due: Vec<(Key, Due)>, entries: Vec<Entry>) -> Result<Absent, StoreError> {
    let there = |key: Vec<u8>| db.contains_key(key).map_err(|error| failure(&error));
    let mut absent = Absent::default();
    for (key, due) in due {
        let aside = layout::due_key(Due { lane: Lane::Aside, ..due }, &key);
        let early = layout::early_due_key(due, &key);
        let mut places = [layout::due_key(due, &key), aside].into_iter().chain(early);
        if !places.try_fold(false, |found, place| Ok::<bool, StoreError>(found || there(place)?))? {
            absent.due.push((key, due));
        }
    }
    for entry in entries {
        if !there(layout::entry_key(&entry))? {
            absent.entries.push(entry);
        }
    }
    Ok(absent)
}

/// The lines of all listings that lead to a record.
pub(super) fn entries_of(db: &Db, key: &Key) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    for index in Index::ALL.into_iter().filter(|index| index.kind() == key.kind) {
        for line in db.range(layout::index_range(index)).keys() {
            let line = line.map_err(|error| failure(&error))?;
            entries.extend(layout::entry(&line).filter(|entry| entry.id == key.id));
        }
    }
    Ok(entries)
}

/// Whether an entry has no record and has not just gone with it.
fn stray(db: &Db, entry: &[u8], named: &Key) -> Result<bool, StoreError> {
    let there = |key: &[u8]| db.contains_key(key).map_err(|error| failure(&error));
    Ok(!there(&layout::record_key(named))? && there(entry)?)
}
