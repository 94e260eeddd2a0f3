//! The lines of an export: how they are written, and who keeps the account of
//! them, on the way out and on the way in.

use super::super::{Key, Kind, StoreError};
use super::{FORMAT, MAX_LINE};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Why a file is not an export that can be taken in. The texts are for the
/// operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// It does not begin as an export does.
    #[error("line 1 is not the head of an export of dialback: is this the right file?")]
    NoHeader,
    /// A newer version wrote it.
    #[error(
        "the export has format {0}, and this version of dialback knows {FORMAT} at most: use a newer one"
    )]
    Newer(u32),
    /// A newer version's kind.
    #[error("line {line}: the kind {kind:?} is not known to this version of dialback: use a newer one")]
    UnknownKind {
        /// The line of the file, from 1.
        line: u64,
        /// What it says.
        kind: String,
    },
    /// A line that is none of an export.
    #[error("line {line}: {what}: the file was altered or damaged; take another copy of it")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// A record that cannot be read.
    #[error("line {line}: {what}")]
    Record {
        /// Which, from 1.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// The last line is missing.
    #[error(
        "the file is cut off after line {0}: its last line is missing; go on with it by `dialback export FILE --resume`, or take another copy of it"
    )]
    CutOff(u64),
    /// The last line does not fit the others.
    #[error(
        "the lines do not add up to what the last one says: the file was altered or damaged; take another copy of it"
    )]
    Altered,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The first line, which says what the file is.
    Header {
        /// When the export began.
        at: Timestamp,
        /// The version of dialback that wrote it.
        version: String,
    },
    /// A record: its key and its body as it was stored.
    Record(Key, Vec<u8>),
    /// The last line, whose counts and hash were right.
    End,
}

#[derive(Serialize, Deserialize)]
struct Head {
    dialback_export: u32,
    at: Timestamp,
    version: String,
}

#[derive(Deserialize)]
struct Item<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    id: Cow<'l, str>,
    #[serde(borrow)]
    body: &'l RawValue,
}

#[derive(Serialize, Deserialize)]
struct Tail {
    records: BTreeMap<String, u64>,
    sha256: String,
}

/// The first line, with its end.
pub fn header(at: Timestamp, version: &str) -> Vec<u8> {
    line(&Head { dialback_export: FORMAT, at, version: version.to_owned() })
}

/// A record's line, with its end.
///
/// # Errors
/// [`StoreError::Damaged`] when the body is no JSON.
pub fn record(key: &Key, body: &[u8]) -> Result<Vec<u8>, StoreError> {
    let broken = |error| StoreError::Damaged(format!("record {key} does not read: {error}"));
    let mut raw: Box<RawValue> = serde_json::from_slice(body).map_err(broken)?;
    if raw.get().contains(['\n', '\r']) {
        // Between its parts: in a text they would be escaped.
        let value: serde_json::Value = serde_json::from_slice(body).map_err(broken)?;
        raw = serde_json::value::to_raw_value(&value).map_err(broken)?;
    }
    let (kind, id) = (key.kind.name(), serde_json::Value::from(key.id.as_str()));
    Ok(format!("{{\"kind\":\"{kind}\",\"id\":{id},\"body\":{raw}}}\n").into_bytes())
}

/// The records of some lines, for who is handed a piece of an export that
/// begins at line `first` of its file.
///
/// # Errors
/// [`BadFile`], with the line.
pub fn lines(bytes: &[u8], first: u64) -> Result<Vec<(Key, Vec<u8>)>, BadFile> {
    let lines = bytes.split(|byte| *byte == b'\n').zip(first..).filter(|(line, _)| !line.is_empty());
    lines.map(|(line, number)| item(line, number)).collect()
}

/// The account of an export: what came, in which order, and its digest.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    digest: Sha256,
    lines: u64,
    counts: BTreeMap<&'static str, u64>,
    /// Where it stands in [`Kind::IN_EXPORT_ORDER`], and the last id there.
    last: Option<(usize, String)>,
    ended: bool,
}

impl Ledger {
    /// Takes a line into account, with its end or without, and says what it is.
    ///
    /// # Errors
    /// [`BadFile`], with the line.
    pub fn take(&mut self, line: &[u8]) -> Result<Line, BadFile> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let number = self.lines + 1;
        if line.len() > MAX_LINE {
            return Err(bad(number, format!("it is longer than {MAX_LINE} bytes")));
        }
        let read = match number {
            1 => head(line)?,
            _ if self.ended => return Err(bad(number, "there is more behind the last line")),
            _ => self.read(line, number)?,
        };
        if read != Line::End {
            self.digest.update(line);
            self.digest.update(b"\n");
        }
        self.lines = number;
        Ok(read)
    }

    /// The last line, which ends the export.
    pub fn end(&mut self) -> Vec<u8> {
        self.ended = true;
        line(&self.tail())
    }

    /// Whether the last line has come.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The verdict when no more lines come.
    ///
    /// # Errors
    /// [`BadFile::CutOff`], or [`BadFile::NoHeader`] when nothing came at all.
    pub fn finish(&self) -> Result<(), BadFile> {
        match (self.lines, self.ended) {
            (0, _) => Err(BadFile::NoHeader),
            (lines, false) => Err(BadFile::CutOff(lines)),
            _ => Ok(()),
        }
    }

    /// The last record's key.
    pub fn last(&self) -> Option<Key> {
        let (at, id) = self.last.as_ref()?;
        Some(Key::new(*Kind::IN_EXPORT_ORDER.get(*at)?, id))
    }

    /// How many lines have come.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// How many records have come, by the names of their kinds.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// How many records have come.
    pub fn records(&self) -> u64 {
        self.counts.values().sum()
    }

    fn read(&mut self, line: &[u8], number: u64) -> Result<Line, BadFile> {
        if line.starts_with(b"{\"records\"")
            && let Ok(tail) = serde_json::from_slice::<Tail>(line)
        {
            let expected = self.tail();
            if (tail.records, tail.sha256) != (expected.records, expected.sha256) {
                return Err(BadFile::Altered);
            }
            self.ended = true;
            return Ok(Line::End);
        }
        let (key, body) = item(line, number)?;
        let at = Kind::IN_EXPORT_ORDER.iter().position(|kind| *kind == key.kind).unwrap_or(usize::MAX);
        let place = (at, key.id.clone());
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            return Err(bad(number, "the records are not in order"));
        }
        self.last = Some(place);
        *self.counts.entry(key.kind.name()).or_default() += 1;
        Ok(Line::Record(key, body))
    }

    fn tail(&self) -> Tail {
        let records = self.counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Tail { records, sha256: hex::encode(self.digest.clone().finalize()) }
    }
}

fn head(line: &[u8]) -> Result<Line, BadFile> {
    #[derive(Deserialize)]
    struct Format {
        dialback_export: u32,
    }
    match serde_json::from_slice::<Head>(line) {
        Ok(Head { dialback_export: FORMAT, at, version }) => Ok(Line::Header { at, version }),
        // What a newer version writes need not read as this one's head does.
        _ => match serde_json::from_slice::<Format>(line) {
            Ok(Format { dialback_export }) if dialback_export > FORMAT => {
                Err(BadFile::Newer(dialback_export))
            }
            _ => Err(BadFile::NoHeader),
        },
    }
}

fn item(line: &[u8], number: u64) -> Result<(Key, Vec<u8>), BadFile> {
    let item: Item = serde_json::from_slice(line).map_err(|error| bad(number, error.to_string()))?;
    let kind = kind_of(&item.kind, number)?;
    if item.id.is_empty() || item.id.len() > Key::MAX_ID || item.id.contains('\0') {
        return Err(bad(number, "this cannot be a record's id"));
    }
    Ok((Key::new(kind, item.id), item.body.get().as_bytes().to_vec()))
}

fn kind_of(name: &str, line: u64) -> Result<Kind, BadFile> {
    let kind = Kind::named(name).filter(|kind| kind.is_exported());
    kind.ok_or_else(|| BadFile::UnknownKind { line, kind: name.chars().take(40).collect() })
}

fn bad(line: u64, what: impl Into<String>) -> BadFile {
    BadFile::Line { line, what: what.into() }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    // Plain data with text keys: writing it cannot fail.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut ledger = Ledger::default();
        let mut file = header(Timestamp::UNIX_EPOCH, "0.1.0");
        for (kind, id) in [(Kind::Verification, "VE1"), (Kind::Verification, "VE2"), (Kind::Delivery, "SM1")]
        {
            file.extend(record(&Key::new(kind, id), b"{\"format\":1,\n \"record\":{}}").unwrap());
        }
        file.split_inclusive(|byte| *byte == b'\n').for_each(|line| drop(ledger.take(line).unwrap()));
        file.extend(ledger.end());
        file
    }

    fn verdict(file: &[u8]) -> Result<Ledger, BadFile> {
        let mut ledger = Ledger::default();
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            ledger.take(line)?;
        }
        ledger.finish().map(|()| ledger)
    }

    #[test]
    fn a_file_adds_up() {
        let ledger = verdict(&file()).unwrap();
        assert_eq!((ledger.records(), ledger.lines(), ledger.counts()["verification"]), (3, 5, 2));
        assert_eq!(ledger.last(), Some(Key::new(Kind::Delivery, "SM1")));
    }

    #[test]
    fn no_byte_can_be_changed_and_no_line_taken_away() {
        let file = file();
        for at in 0..file.len() - 1 {
            let mut altered = file.clone();
            altered[at] ^= 1;
            // But for the head's time and version all is read; and those are in
            // the digest.
            assert!(verdict(&altered).is_err(), "byte {at}");
        }
        for end in 0..file.len() - 1 {
            assert!(verdict(&file[..end]).is_err(), "cut at {end}");
        }
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        for gone in 0..lines.len() {
            let less: Vec<u8> = [&lines[..gone], &lines[gone + 1..]].concat().concat();
            assert!(verdict(&less).is_err(), "line {gone}");
        }
        let twice = [&lines[..2], &lines[1..]].concat().concat();
        assert!(verdict(&twice).unwrap_err().to_string().contains("not in order"));
        assert!(verdict(&[&file[..], b"{}\n"].concat()).unwrap_err().to_string().contains("behind the last"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        let text = |file: &str| verdict(file.as_bytes()).unwrap_err().to_string();
        assert!(text("").contains("line 1"));
        assert!(text("{\"dialback_export\":2,\"new\":true}\n").contains("use a newer one"));
        let head = String::from_utf8(header(Timestamp::UNIX_EPOCH, "9")).unwrap();
        assert!(text(&head).contains("cut off after line 1"));
        let unknown = text(&format!("{head}{{\"kind\":\"moon\",\"id\":\"1\",\"body\":{{}}}}\n"));
        assert!(unknown.contains("line 2") && unknown.contains("\"moon\""), "{unknown}");
        let long =
            format!("{head}{{\"kind\":\"delivery\",\"id\":\"1\",\"body\":\"{}\"}}\n", "x".repeat(MAX_LINE));
        assert!(text(&long).contains("longer than"));
    }
}
