//! Keys and values at rest, layout 1. One tree; the first byte of a key says
//! what it is:
//!
//! | key | value |
//! |---|---|
//! | `m` name | of the store itself: `mlayout` (1 byte), `mgroup`, `mgeneration`, `mlive` (8 each), `mtally` (8: group, or 32: group, records, sum) |
//! | `r` kind id | a record: layout (1 byte), version (8), checksum (4), body |
//! | `d` time kind id | when a record is due that a person waits for; empty |
//! | `b` `c` `l` `a` `o` time kind id | the same in the other lanes, see [`Lane`]; empty |
//! | `i` index scope `00` time id | a line of a listing; empty |
//!
//! Kinds and indexes are their letters; numbers are big-endian, times are
//! milliseconds since 1970 with the sign bit turned over, so that bytes sort as
//! times do. The checksum is CRC-32 over key, version and body: a value that
//! turns up under another key is noticed too.
//!
//! It refuses to know files, threads and what a body means.

use super::super::{Due, Entry, Index, Key, Kind, Lane, Scan, Stored, Version, millis, timestamp};
use bytes::Bytes;
use jiff::Timestamp;
use std::ops::Range;

/// The number of the layout of a record.
pub(super) const LAYOUT: u8 = 1;

/// The number of the layout of the whole. 1 had two lanes: a version that knows no
/// more would never do what stands in the others, so it is to refuse the store. To 2
/// a verification among the chores was none of its own, and to 3 a delivery; to 4 messages
/// of their own were none of its own, wherever they stand; 5 keeps no tally, and what it
/// writes would look like damage.
pub(super) const WHOLE: u8 = 6;

/// The first number of the whole that has a tally.
pub(super) const TALLIED: u8 = 6;

/// Where the store keeps the number of its layout.
pub(super) const LAYOUT_KEY: &[u8] = b"mlayout";

/// Where the store keeps the number of the last group. Each group writes its
/// own, so that a log which has lost its end can be told by it.
pub(super) const GROUP_KEY: &[u8] = b"mgroup";

/// Where the store keeps what its records come to (`tally.rs`). Each group writes it
/// along with its number, so the two are of one group or something is missing.
pub(super) const TALLY_KEY: &[u8] = b"mtally";

/// Where a generation keeps its own number, so that the data of one is not
/// taken for another's. Generation 0 has none.
pub(super) const GENERATION_KEY: &[u8] = b"mgeneration";

/// Where the store keeps how many bytes its keys and values have, about.
pub(super) const LIVE_KEY: &[u8] = b"mlive";

const RECORD: u8 = b'r';
const ENTRY: u8 = b'i';
const META: u8 = b'm';
const HEADER: usize = 1 + 8 + 4;

/// What a key names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Meta,
    Record(Key),
    Due(Key, Due),
    Entry(Entry),
}

/// What a key names, or `None` where it is none of ours.
pub(super) fn place(bytes: &[u8]) -> Option<Place> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        META => Some(Place::Meta),
        RECORD => key(rest).map(Place::Record),
        ENTRY => entry(bytes).map(Place::Entry),
        _ => due(bytes).map(|(key, due)| Place::Due(key, due)),
    }
}

/// The value at [`GROUP_KEY`], [`GENERATION_KEY`] and [`LIVE_KEY`].
pub(super) fn number_value(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The number at [`GROUP_KEY`], [`GENERATION_KEY`] and [`LIVE_KEY`].
pub(super) fn number(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

/// The key of a record.
pub(super) fn record_key(key: &Key) -> Vec<u8> {
    [&[RECORD, key.kind.letter()], key.id.as_bytes()].concat()
}

/// All records of a kind, after the given id.
pub(super) fn record_range(kind: Kind, after: Option<&str>) -> Range<Vec<u8>> {
    // No id has a NUL byte, so the next possible one is this longer by one.
    let start = match after {
        Some(id) => [&[RECORD, kind.letter()], id.as_bytes(), &[0]].concat(),
        None => vec![RECORD, kind.letter()],
    };
    start..vec![RECORD, kind.letter() + 1]
}

/// All records of all kinds.
pub(super) fn records_range() -> Range<Vec<u8>> {
    vec![RECORD]..vec![RECORD + 1]
}

/// Whether a key is a record's.
pub(super) fn is_record(key: &[u8]) -> bool {
    key.first() == Some(&RECORD)
}

/// The key of a due entry.
pub(super) fn due_key(due: Due, key: &Key) -> Vec<u8> {
    let (letter, at) = (due_letter(due.lane), sortable(millis(due.at)));
    [&[letter][..], &at, &[key.kind.letter()], key.id.as_bytes()].concat()
}

/// Where else a record's due entry may stand than under [`due_key`], see
/// [`Due::early_lane`].
pub(super) fn early_due_key(due: Due, key: &Key) -> Option<Vec<u8>> {
    due.early_lane(key.kind).map(|lane| due_key(Due { lane, ..due }, key))
}

/// All of a lane that is due at or before a time.
pub(super) fn due_range(lane: Lane, until: Timestamp) -> Range<Vec<u8>> {
    let (letter, end) = (due_letter(lane), sortable(millis(until).saturating_add(1)));
    vec![letter]..[&[letter][..], &end].concat()
}

/// The same behind a place in it; empty when its end is before that.
pub(super) fn due_range_after(
    lane: Lane,
    after: Option<&(Key, Timestamp)>,
    until: Timestamp,
) -> Range<Vec<u8>> {
    let range = due_range(lane, until);
    match after {
        None => range,
        // No id has a NUL byte, so the next possible one is this longer by one.
        Some((key, at)) => [due_key(Due { at: *at, lane }, key), vec![0]].concat()..range.end,
    }
}

fn due_letter(lane: Lane) -> u8 {
    match lane {
        Lane::Person => b'd',
        Lane::Webhook => b'b',
        Lane::Chore => b'c',
        Lane::Long => b'l',
        Lane::Aside => b'a',
        Lane::Bulk => b'o',
    }
}

/// A due entry from its key.
pub(super) fn due(bytes: &[u8]) -> Option<(Key, Due)> {
    let (&letter, rest) = bytes.split_first()?;
    let lane = Lane::ALL.into_iter().find(|lane| due_letter(*lane) == letter)?;
    let (at, rest) = time(rest)?;
    let key = key(rest)?;
    key.kind.lanes_at_rest().any(|own| own == lane).then_some((key, Due { at, lane }))
}

/// The key of a listing's line.
pub(super) fn entry_key(entry: &Entry) -> Vec<u8> {
    line(entry.index, &entry.scope, millis(entry.at), &entry.id)
}

/// All lines of a listing, whatever their scopes.
pub(super) fn index_range(index: Index) -> Range<Vec<u8>> {
    vec![ENTRY, index.letter()]..vec![ENTRY, index.letter() + 1]
}

/// What a scan looks at, oldest first; empty when its end is before its start.
pub(super) fn scan_range(scan: &Scan) -> Range<Vec<u8>> {
    let at = |at: Timestamp| line(scan.index, &scan.scope, millis(at), "");
    let start = scan.since.map_or_else(|| line(scan.index, &scan.scope, i64::MIN, ""), at);
    // No time is as late as this, so nothing is lost at the open end.
    let last = line(scan.index, &scan.scope, i64::MAX, "");
    let until = scan.until.map_or(last, at);
    let end = match &scan.after {
        Some((at, id)) => until.min(line(scan.index, &scan.scope, millis(*at), id)),
        None => until,
    };
    start..end
}

/// A listing's line from its key.
pub(super) fn entry(bytes: &[u8]) -> Option<Entry> {
    let (&index, rest) = bytes.strip_prefix(&[ENTRY])?.split_first()?;
    let nul = rest.iter().position(|byte| *byte == 0)?;
    let (at, id) = time(&rest[nul + 1..])?;
    Some(Entry { index: Index::from_letter(index)?, scope: text(&rest[..nul])?, at, id: text(id)? })
}

/// A record's value.
pub(super) fn value(key: &[u8], version: Version, body: &[u8]) -> Vec<u8> {
    let version = version.to_be_bytes();
    let checksum = checksum(key, &version, body).to_be_bytes();
    [&[LAYOUT][..], &version, &checksum, body].concat()
}

/// What stands before a value's body: its layout, version and checksum, as they are.
pub(super) fn header(value: &[u8]) -> &[u8] {
    value.get(..HEADER).unwrap_or(value)
}

/// The version of a value, or `None` when it is not what was written under
/// this key.
pub(super) fn version(key: &[u8], value: &[u8]) -> Option<Version> {
    let (header, body) = value.split_at_checked(HEADER)?;
    let version: [u8; 8] = header[1..9].try_into().ok()?;
    let intact = header[0] == LAYOUT && header[9..] == checksum(key, &version, body).to_be_bytes();
    intact.then_some(Version::from_be_bytes(version))
}

/// A record from its value, or `None` when it is not what was written.
pub(super) fn stored(key: &[u8], value: &[u8]) -> Option<Stored> {
    let version = version(key, value)?;
    Some(Stored { version, body: Bytes::copy_from_slice(&value[HEADER..]) })
}

fn checksum(key: &[u8], version: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [key, version, body] {
        hasher.update(part);
    }
    hasher.finalize()
}

fn line(index: Index, scope: &str, at: i64, id: &str) -> Vec<u8> {
    [&[ENTRY, index.letter()][..], scope.as_bytes(), &[0], &sortable(at), id.as_bytes()].concat()
}

fn key(bytes: &[u8]) -> Option<Key> {
    let (&kind, id) = bytes.split_first()?;
    Some(Key { kind: Kind::from_letter(kind)?, id: text(id)? })
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn sortable(millis: i64) -> [u8; 8] {
    (millis ^ i64::MIN).to_be_bytes()
}

fn time(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (at, rest) = bytes.split_first_chunk()?;
    Some((timestamp(i64::from_be_bytes(*at) ^ i64::MIN)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        timestamp(millis).unwrap()
    }

    #[test]
    fn keys_name_what_they_were_made_from() {
        let key = Key::new(Kind::Verification, "VE1");
        let line = Entry { index: Index::DeliveriesTo, scope: "+1".into(), at: at(-5), id: "SM1".into() };
        let due = Due { at: at(7), lane: Lane::Person };
        let named = [place(&record_key(&key)), place(&due_key(due, &key)), place(&entry_key(&line))];
        assert_eq!(
            named,
            [Some(Place::Record(key.clone())), Some(Place::Due(key, due)), Some(Place::Entry(line))]
        );
    }

    #[test]
    fn foreign_keys_are_nothing() {
        let foreign: [&[u8]; 8] = [b"", b"x", b"r", b"rz1", b"d", b"d1234567", b"ik", b"it\x00123"];
        assert!(foreign.iter().all(|bytes| place(bytes).is_none()));
    }

    #[test]
    fn due_keys_sort_by_time() {
        let key = Key::new(Kind::Verification, "VE1");
        let times = [Timestamp::MIN, at(-1), at(0), at(1), at(1 << 40), Timestamp::MAX];
        assert!(times.map(|at| due_key(Due { at, lane: Lane::Person }, &key)).is_sorted());
        let other = due_key(Due { at: at(0), lane: Lane::Webhook }, &Key::new(Kind::Dispatch, "EV1"));
        assert!(due_range(Lane::Webhook, at(0)).contains(&other));
        for lane in [Lane::Person, Lane::Chore, Lane::Long, Lane::Aside, Lane::Bulk] {
            assert!(!due_range(lane, Timestamp::MAX).contains(&other));
        }
        assert!(due(&other).is_some() && due(&[b"d", &other[1..]].concat()).is_none(), "each in its lane");
    }

    #[test]
    fn a_value_is_read_back_under_its_own_key_only() {
        let value = value(b"rv1", 7, b"{}");
        assert_eq!(stored(b"rv1", &value), Some(Stored { version: 7, body: "{}".into() }));
        assert_eq!(stored(b"rv2", &value), None);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let value = value(b"rv1", 7, b"{\"a\":1}");
        for bit in 0..value.len() * 8 {
            let mut damaged = value.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(stored(b"rv1", &damaged), None, "bit {bit}");
        }
        assert!((0..value.len()).all(|short| stored(b"rv1", &value[..short]).is_none()));
    }
}
