//! How many records a store has, and a sum over them: that one vanished, or came back
//! as an older version, is seen by it though nothing else names that record.
//!
//! sled goes on behind a damaged place in the middle of its log, and what stood there is
//! gone without a word: pages come back as they were before. So each group writes what
//! the records come to with it, in its own batch, and a check compares that with what
//! it has met. A record counts by a hash of its key, version and checksum; the sum of these
//! hashes is the same in any order, and of two sets that differ by what breaks once in 2^128.
//!
//! The tally says of which group it is. One that is not of the last is damage, and refused at
//! opening: versions that know no tally refuse the store (`layout::WHOLE`). What such a version has
//! left is counted when it is opened, where its log is small, and else by the next copy that
//! compaction makes, as it compares; until then it is known to be uncounted.
//!
//! It refuses to know files, groups and what a body means.

use super::super::StoreError;
use super::layout;
use super::shared::{failure, touch};
use sha2::{Digest, Sha256};
use sled::Db;

/// Records, as how many there are and a sum over them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RecordSum {
    records: u64,
    sum: u128,
}

impl RecordSum {
    /// A record is there.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        // Of a damaged store more may go than were counted.
        self.records = self.records.wrapping_add(1);
        self.sum = self.sum.wrapping_add(hash(key, value));
    }

    /// A record is gone.
    pub(super) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.records = self.records.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash(key, value));
    }

    /// What one record was, and what it is now.
    pub(super) fn replace(&mut self, key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) {
        if let Some(value) = before {
            self.remove(key, value);
        }
        if let Some(value) = after {
            self.add(key, value);
        }
    }

    /// Counts all records of a store that nobody writes meanwhile.
    pub(super) fn count(db: &Db) -> Result<Self, StoreError> {
        let mut tally = Self::default();
        for pair in db.range(layout::records_range()) {
            let (key, value) = pair.map_err(|error| failure(&error))?;
            touch(db, &key)?;
            tally.add(&key, &value);
        }
        Ok(tally)
    }

    /// What is wrong with the records that were found, where these were written.
    pub(super) fn wrong(self, found: Self) -> Option<String> {
        match found.records.wrapping_sub(self.records) as i64 {
            0 if found.sum == self.sum => None,
            0 => Some("some records are older than what was written last, or others".to_owned()),
            more @ 1.. => Some(format!("there are {more} more records than were written")),
            less => Some(format!("{} records are missing", less.unsigned_abs())),
        }
    }
}

/// A tally as it is at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tallied {
    /// The number of the group that wrote it.
    pub group: u64,
    /// `None` until somebody has counted.
    pub tally: Option<RecordSum>,
}

impl Tallied {
    /// What a store says of itself; `None` where it says nothing that reads.
    pub(super) fn read(db: &Db) -> Result<Option<Self>, StoreError> {
        let value = db.get(layout::TALLY_KEY).map_err(|error| failure(&error))?;
        Ok(value.and_then(|value| Self::parse(&value)))
    }

    /// The value at [`layout::TALLY_KEY`].
    pub(super) fn value(self) -> Vec<u8> {
        let group = self.group.to_be_bytes();
        match self.tally {
            None => group.to_vec(),
            Some(RecordSum { records, sum }) => {
                [&group[..], &records.to_be_bytes(), &sum.to_be_bytes()].concat()
            }
        }
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (group, rest) = value.split_first_chunk()?;
        let group = u64::from_be_bytes(*group);
        if rest.is_empty() {
            return Some(Self { group, tally: None });
        }
        let (records, sum) = rest.split_first_chunk()?;
        let (records, sum) = (u64::from_be_bytes(*records), u128::from_be_bytes(sum.try_into().ok()?));
        Some(Self { group, tally: Some(RecordSum { records, sum }) })
    }
}

/// It is kept, so it has to be the same in every version: the standard library's is not.
fn hash(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = Sha256::new();
    hasher.update(key);
    hasher.update(layout::header(value));
    let digest: [u8; 32] = hasher.finalize().into();
    u128::from_be_bytes(std::array::from_fn(|at| digest[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(records: &[(&[u8], u64, &[u8])]) -> RecordSum {
        let mut tally = RecordSum::default();
        for (key, version, body) in records {
            tally.add(key, &layout::value(key, *version, body));
        }
        tally
    }

    #[test]
    fn what_is_not_the_same_is_told() {
        let whole = of(&[(b"rv1", 3, b"{}"), (b"rv2", 1, b"{}")]);
        assert_eq!(whole.wrong(of(&[(b"rv2", 1, b"{}"), (b"rv1", 3, b"{}")])), None, "in any order");
        let older = of(&[(b"rv1", 2, b"{}"), (b"rv2", 1, b"{}")]);
        // Made again under the same key, it begins at version 1 again.
        let another = of(&[(b"rv1", 3, b"{}"), (b"rv2", 1, b"[]")]);
        for found in [older, another] {
            assert!(whole.wrong(found).is_some_and(|said| said.contains("older")));
        }
        assert_eq!(whole.wrong(of(&[])).as_deref(), Some("2 records are missing"));
        let more = of(&[(b"rv1", 3, b"{}"), (b"rv2", 1, b"{}"), (b"rv3", 1, b"{}")]);
        assert_eq!(whole.wrong(more).as_deref(), Some("there are 1 more records than were written"));
    }

    #[test]
    fn it_is_kept_the_same_for_ever() {
        let tallied = Tallied { group: 7, tally: Some(of(&[(b"rv1", 3, b"{}")])) };
        let hex: String = tallied.value().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "00000000000000070000000000000001e39c2a61db32c8ad956a2e05007084b2");
        let uncounted = Tallied { group: 7, tally: None };
        for said in [tallied, uncounted] {
            assert_eq!(Tallied::parse(&said.value()), Some(said));
        }
        let value = tallied.value();
        let short = (0..value.len()).filter(|short| *short != 8);
        assert!(short.into_iter().all(|short| Tallied::parse(&value[..short]).is_none()));
    }
}
