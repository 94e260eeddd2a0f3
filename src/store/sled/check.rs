//! Reads all of a store and says what is wrong with it.
//!
//! sled does not notice all damage by itself, so each record has a checksum,
//! each entry must have its record, and all records together must come to what was written
//! (`tally.rs`). It mends nothing, and refuses to know what records mean.
//!
//! Everything is read in the order of keys: to look up the record of each entry
//! would read pages from all over the files, again and again. Entries come before
//! records, so what they name is remembered, as hashes of 64 bits and at most
//! [`REMEMBERED`] of them, and crossed off as the records come. Where there is more,
//! there are more passes, each for a part of it. Only what is left over at the end is
//! looked up, so nothing is called damage that has gone meanwhile.

use super::super::digests::{Digests, digest};
use super::super::{Absent, CheckReport, Due, Entry, Index, Key, Lane, StoreError};
use super::layout::{self, Place};
use super::shared::touch;
use super::shared::{failure, known};
use super::tally::{RecordSum, Tallied};
use sled::Db;

/// Most records that are remembered in one pass, which is 16 MB.
const REMEMBERED: usize = 2_000_000;

const UNCOUNTED: &str = "an older version wrote this store and nobody has counted its records since, so it was \
    not compared whether all are there; `dialback store compact` counts them";
const WRITTEN: &str = "the store was written all the while, so it was not compared whether all records are \
    there; stop the server, and check again";

/// How often records are counted while others write, until they write nothing.
const COUNTS: u32 = 3;

/// Reads everything, and says what is damaged.
pub(super) fn check(db: &Db) -> Result<CheckReport, StoreError> {
    check_remembering(db, REMEMBERED)
}

fn check_remembering(db: &Db, most: usize) -> Result<CheckReport, StoreError> {
    let (mut report, mut digests) = (CheckReport::default(), Digests::default());
    let mut named = Named::all(most);
    let (before, mut found) = (Tallied::read(db)?, RecordSum::default());
    for pair in db.iter() {
        let (key, value) = pair.map_err(|error| failure(&error))?;
        touch(db, &key)?;
        report.bytes += (key.len() + value.len()) as u64;
        match layout::place(&key) {
            None => report.note("a key that is none of ours".to_owned()),
            Some(Place::Meta) => {}
            Some(Place::Record(record)) => {
                report.records += 1;
                found.add(&key, &value);
                if layout::version(&key, &value).is_none() {
                    report.note(format!("{record} is not what was written"));
                }
                named.cross_off(&record);
            }
            Some(Place::Due(record, due)) => {
                report.due += 1;
                digests.add_due(&record, due);
                named.remember(&record);
            }
            Some(Place::Entry(entry)) => {
                report.entries += 1;
                digests.add_entry(&entry);
                named.remember(&listed(entry));
            }
        }
    }
    let parts = named.parts;
    let mut left = named.left();
    for part in 1..parts {
        left.extend(left_of(db, Named::part(most, part, parts))?);
    }
    strays(db, left, &mut report)?;
    compare(db, before, found, &mut report)?;
    report.digests = Some(digests);
    Ok(report)
}

/// Compares what was found with what was written. A group that is applied meanwhile changes
/// both, so it is of no use then, and records are counted again.
fn compare(
    db: &Db,
    mut before: Option<Tallied>,
    mut found: RecordSum,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    for count in 1..=COUNTS {
        let Some(Tallied { tally: Some(written), .. }) = before else {
            report.not_compared = Some(UNCOUNTED.to_owned());
            return Ok(());
        };
        let after = Tallied::read(db)?;
        if after == before {
            written.wrong(found).into_iter().for_each(|wrong| report.note(wrong));
            return Ok(());
        }
        before = after;
        if count < COUNTS {
            found = RecordSum::count(db)?;
        }
    }
    report.not_compared = Some(WRITTEN.to_owned());
    Ok(())
}

/// A further pass.
fn left_of(db: &Db, mut named: Named) -> Result<Vec<u64>, StoreError> {
    for key in db.iter().keys() {
        let key = known(key)?;
        touch(db, &key)?;
        match layout::place(&key) {
            Some(Place::Record(record)) => named.cross_off(&record),
            Some(Place::Due(record, _)) => named.remember(&record),
            Some(Place::Entry(entry)) => named.remember(&listed(entry)),
            Some(Place::Meta) | None => {}
        }
    }
    Ok(named.left())
}

/// Looks at the entries of records that were not met.
fn strays(db: &Db, mut hashes: Vec<u64>, report: &mut CheckReport) -> Result<(), StoreError> {
    hashes.sort_unstable();
    if hashes.is_empty() {
        return Ok(());
    }
    for key in db.iter().keys() {
        let key = known(key)?;
        touch(db, &key)?;
        let (record, is) = match layout::place(&key) {
            Some(Place::Due(record, _)) => (record, "due"),
            Some(Place::Entry(entry)) => (listed(entry), "listed"),
            // Behind all entries.
            Some(Place::Record(_)) => break,
            Some(Place::Meta) | None => continue,
        };
        if hashes.binary_search(&digest(&record)).is_ok() && is_stray(db, &key, &record)? {
            report.note(format!("{record} is {is} and does not exist"));
        }
    }
    Ok(())
}

/// Whether an entry has no record and has not just gone with it.
fn is_stray(db: &Db, entry: &[u8], named: &Key) -> Result<bool, StoreError> {
    let there = |key: &[u8]| db.contains_key(key).map_err(|error| failure(&error));
    Ok(!there(&layout::record_key(named))? && there(entry)?)
}

fn listed(entry: Entry) -> Key {
    Key::new(entry.index.kind(), entry.id)
}

/// Records that entries name, as hashes; or a part of them.
struct Named {
    most: usize,
    /// How many there may be before they are looked through.
    limit: usize,
    part: u64,
    parts: u64,
    hashes: Vec<u64>,
    /// Which of them were met; from the first record on, when all have been named.
    met: Option<Vec<bool>>,
}

impl Named {
    /// All of them, or, where that turns out to be too many, the first part.
    fn all(most: usize) -> Self {
        Self::part(most, 0, 1)
    }

    fn part(most: usize, part: u64, parts: u64) -> Self {
        Self { most, limit: most, part, parts, hashes: Vec::new(), met: None }
    }

    fn remember(&mut self, record: &Key) {
        let hash = digest(record);
        if hash % self.parts != self.part {
            return;
        }
        self.hashes.push(hash);
        if self.hashes.len() > self.limit {
            self.make_room();
        }
    }

    /// Each counts once. The first pass decides into how many parts they go.
    fn make_room(&mut self) {
        self.sort();
        while self.part == 0 && self.hashes.len() > self.most / 2 {
            self.parts *= 2;
            self.hashes.retain(|hash| hash % self.parts == 0);
        }
        self.limit = self.most.max(2 * self.hashes.len());
    }

    fn sort(&mut self) {
        self.hashes.sort_unstable();
        self.hashes.dedup();
    }

    fn cross_off(&mut self, record: &Key) {
        if self.met.is_none() {
            self.sort();
        }
        let met = self.met.get_or_insert_with(|| vec![false; self.hashes.len()]);
        if let Ok(at) = self.hashes.binary_search(&digest(record)) {
            met[at] = true;
        }
    }

    /// Those that were not met.
    fn left(mut self) -> Vec<u64> {
        self.sort();
        let met = self.met.unwrap_or_else(|| vec![false; self.hashes.len()]);
        self.hashes.into_iter().zip(met).filter(|(_, met)| !met).map(|(hash, _)| hash).collect()
    }
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

#[cfg(test)]
mod tests {
    use super::super::super::{Kind, timestamp};
    use super::*;
    use sled::IVec;

    /// So many records, each with a line and a due entry.
    fn filled(records: u32) -> Db {
        let db = sled::Config::new().temporary(true).open().unwrap();
        for n in 0..records {
            let key = Key::new(Kind::Event, format!("EV{n:08}"));
            let at = timestamp(i64::from(n)).unwrap();
            let record = layout::record_key(&key);
            let value = layout::value(&record, 1, b"{}");
            db.insert(record, value).unwrap();
            db.insert(layout::due_key(Due { at, lane: Lane::Chore }, &key), IVec::default()).unwrap();
            let line = Entry { index: Index::Events, scope: String::new(), at, id: key.id };
            db.insert(layout::entry_key(&line), IVec::default()).unwrap();
        }
        db
    }

    #[test]
    fn what_is_left_without_its_record_is_found_in_however_many_parts() {
        let db = filled(1000);
        let gone = [17, 500, 999].map(|n| Key::new(Kind::Event, format!("EV{n:08}")));
        for most in [REMEMBERED, 1000, 100, 10] {
            let report = check_remembering(&db, most).unwrap();
            assert_eq!((report.records, report.due, report.entries), (1000, 1000, 1000));
            assert_eq!(report.damage, Vec::<String>::new(), "{most}");
        }
        for key in &gone {
            db.remove(layout::record_key(key)).unwrap();
        }
        let mut expected: Vec<String> = Vec::new();
        for is in ["due", "listed"] {
            expected.extend(gone.iter().map(|key| format!("{key} is {is} and does not exist")));
        }
        for most in [REMEMBERED, 1000, 100, 10] {
            let report = check_remembering(&db, most).unwrap();
            assert_eq!((report.damage, report.damaged), (expected.clone(), 6), "{most}");
        }
    }

    #[test]
    fn no_more_is_remembered_than_was_asked_for() {
        let mut named = Named::all(100);
        for n in 0..100_000 {
            let key = Key::new(Kind::Event, format!("EV{n:08}"));
            named.remember(&key);
            named.remember(&key);
            assert!(named.hashes.len() <= 100);
        }
        assert!(named.parts >= 1024, "{} parts", named.parts);
    }
}
