//! The model's values as records: JSON with a format number. What each kind's
//! records say of themselves is in `kinds/`.

use super::{
    Change, CommitError, Due, Entry, Key, Kind, Lane, Listed, Scan, Store, StoreError, Stored, Version,
};
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Lines that are read at once of a listing that is long.
const MOST_LISTED: usize = 500;

/// A value that is kept as a record.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// The kind that its key has; the table of kinds names the same.
    const KIND: Kind;
    /// The number of the format that is written now. Older ones still open.
    const FORMAT: u32;

    /// Its id, unique among the records of its kind.
    fn id(&self) -> String;

    /// When something is to be done about it.
    fn due(&self) -> Option<Timestamp> {
        None
    }

    /// The lane in which it is due.
    fn lane(&self) -> Lane {
        Self::KIND.lane()
    }

    /// Where it stands in listings.
    fn entries(&self) -> Vec<Entry> {
        Vec::new()
    }

    /// Which records must be there because of it, each with the time since
    /// when: what is kept for a while only may be gone again.
    fn refers(&self) -> Vec<(Key, Timestamp)> {
        Vec::new()
    }
}

/// What a record says of itself, for those who do not know its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The key that it belongs under.
    pub key: Key,
    /// The record as it is written now, in the newest format.
    pub body: Vec<u8>,
    /// As [`Record::due`] and [`Record::lane`].
    pub due: Option<Due>,
    /// Where it is listed, as [`Record::entries`].
    pub entries: Vec<Entry>,
    /// What must be there because of it, as [`Record::refers`].
    pub refers: Vec<(Key, Timestamp)>,
}

impl Facts {
    /// Whether it is the same record with the same content, whatever the order
    /// in which its fields were written.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let value = |facts: &Self| serde_json::from_slice::<serde_json::Value>(&facts.body).ok();
        self.key == other.key && (self.body == other.body || value(self) == value(other))
    }
}

/// A record with the version it was read at.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    /// The version; 0 for a record that is not stored yet.
    pub version: Version,
    /// The record, as it reads in this version.
    pub record: T,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: u32,
    record: T,
}

/// Reads a record.
///
/// # Errors
/// The engine's, or [`StoreError::Damaged`] when the bytes are not a record of
/// a format that is known.
pub async fn get<T: Record>(store: &dyn Store, id: &str) -> Result<Option<Versioned<T>>, StoreError> {
    let key = Key::new(T::KIND, id);
    store.read(&key).await?.map(|stored| versioned(&key, &stored)).transpose()
}

/// Reads records, in the order of their ids; `None` where there is none.
///
/// # Errors
/// As [`get`], for the first that does not read.
pub async fn get_many<T: Record>(
    store: &dyn Store,
    ids: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<Option<Versioned<T>>>, StoreError> {
    let keys: Vec<Key> = ids.into_iter().map(|id| Key::new(T::KIND, id)).collect();
    let found = store.read_many(&keys).await?;
    let read =
        |(key, stored): (&Key, Option<Stored>)| stored.map(|stored| versioned(key, &stored)).transpose();
    keys.iter().zip(found).map(read).collect()
}

/// Records of several kinds that are read at once, before it is known which of them
/// are asked for. What is asked for and was not wanted is read then: to want too little
/// costs a round trip, and is no mistake.
#[derive(Debug, Default)]
pub struct Ahead {
    wanted: Vec<Key>,
    found: HashMap<Key, Option<Stored>>,
}

impl Ahead {
    /// One record that was read already.
    pub fn of(key: Key, stored: Option<Stored>) -> Self {
        Self { wanted: Vec::new(), found: HashMap::from([(key, stored)]) }
    }

    /// A record as it is stored, as [`Ahead::get`] has it.
    ///
    /// # Errors
    /// The engine's.
    pub async fn stored(&self, store: &dyn Store, key: Key) -> Result<Option<Stored>, StoreError> {
        match self.found.get(&key) {
            Some(found) => Ok(found.clone()),
            None => store.read(&key).await,
        }
    }

    /// Wants a record, too.
    pub fn want<T: Record>(&mut self, id: impl Into<String>) {
        let key = Key::new(T::KIND, id);
        if !self.found.contains_key(&key) && !self.wanted.contains(&key) {
            self.wanted.push(key);
        }
    }

    /// Reads what is wanted and was not read yet, if anything is.
    ///
    /// # Errors
    /// The engine's.
    pub async fn read(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let keys = std::mem::take(&mut self.wanted);
        if !keys.is_empty() {
            let found = store.read_many(&keys).await?;
            self.found.extend(keys.into_iter().zip(found));
        }
        Ok(())
    }

    /// Records, in the order of their ids, as [`Ahead::get`] has each.
    ///
    /// # Errors
    /// As [`get`].
    pub async fn get_many<T: Record>(
        &self,
        store: &dyn Store,
        ids: &[String],
    ) -> Result<Vec<Option<Versioned<T>>>, StoreError> {
        let keys = ids.iter().map(|id| Key::new(T::KIND, id));
        let found: Option<Vec<_>> = keys.map(|key| Some((self.found.get(&key)?, key))).collect();
        match found {
            Some(found) => found
                .into_iter()
                .map(|(stored, key)| stored.as_ref().map(|stored| versioned(&key, stored)).transpose())
                .collect(),
            None => get_many(store, ids).await,
        }
    }

    /// A record, as it was read ahead; as it is now, where it was not.
    ///
    /// # Errors
    /// As [`get`].
    pub async fn get<T: Record>(
        &self,
        store: &dyn Store,
        id: &str,
    ) -> Result<Option<Versioned<T>>, StoreError> {
        let stored = self.stored(store, Key::new(T::KIND, id)).await?;
        of(id, stored.as_ref())
    }
}

/// The record that a line of a listing leads to, if that is there.
///
/// # Errors
/// [`StoreError::Damaged`], as [`get`].
pub fn listed<T: Record>(line: &Listed) -> Result<Option<Versioned<T>>, StoreError> {
    of(&line.entry.id, line.stored.as_ref())
}

/// A stretch of one listing, each line with the record that it leads to.
///
/// # Errors
/// The engine's.
pub async fn stretch(store: &dyn Store, scan: &Scan) -> Result<Vec<Listed>, StoreError> {
    Ok(store.list(std::slice::from_ref(scan)).await?.pop().unwrap_or_default())
}

/// The records of a stretch of a listing, as far as they are there, however long it is:
/// some hundreds at once.
///
/// # Errors
/// The engine's, and as [`get`].
pub async fn all_listed<T: Record>(store: &dyn Store, scan: Scan) -> Result<Vec<T>, StoreError> {
    let (mut left, mut scan, mut all) = (scan.limit, scan, Vec::new());
    while left > 0 {
        scan.limit = left.min(MOST_LISTED);
        let lines = stretch(store, &scan).await?;
        for line in &lines {
            all.extend(listed::<T>(line)?.map(|found| found.record));
        }
        let Some(last) = lines.last().filter(|_| lines.len() == scan.limit) else { break };
        scan.after = Some(last.entry.place());
        left -= lines.len();
    }
    Ok(all)
}

/// The record of an id from what was read under it.
///
/// # Errors
/// [`StoreError::Damaged`], as [`get`].
pub fn of<T: Record>(id: &str, stored: Option<&Stored>) -> Result<Option<Versioned<T>>, StoreError> {
    stored.map(|stored| versioned(&Key::new(T::KIND, id), stored)).transpose()
}

/// The change that makes `new` of what was read, `None` for a new record.
pub fn put<T: Record>(old: Option<&Versioned<T>>, new: &T) -> Change {
    change(T::KIND, new.id(), old, Some(new))
}

/// The change that deletes a record.
pub fn delete<T: Record>(old: &Versioned<T>) -> Change {
    change(T::KIND, old.record.id(), Some(old), None)
}

/// Commits a single change.
///
/// # Errors
/// As [`Store::commit`].
pub async fn save<T: Record>(
    store: &dyn Store,
    old: Option<&Versioned<T>>,
    new: &T,
) -> Result<(), CommitError> {
    store.commit(vec![put(old, new)]).await
}

/// The facts of a record from its bytes.
///
/// # Errors
/// [`StoreError::Damaged`] when the bytes are not a record of a format that is
/// known.
pub fn facts<T: Record>(key: &Key, body: &[u8]) -> Result<Facts, StoreError> {
    decode::<T>(key, body).map(|record| facts_of(&record))
}

/// The facts of a record.
pub fn facts_of<T: Record>(record: &T) -> Facts {
    Facts {
        key: Key::new(T::KIND, record.id()),
        body: encode(record),
        due: due(record),
        entries: record.entries(),
        refers: record.refers(),
    }
}

/// The change that makes `new` of what was read, as [`put`] does.
pub fn put_facts(old: Option<&Versioned<Facts>>, new: Facts) -> Change {
    let before = old.map(|old| old.record.entries.clone()).unwrap_or_default();
    Change {
        key: new.key,
        expected: old.map_or(0, |old| old.version),
        body: Some(new.body),
        due_before: old.and_then(|old| old.record.due),
        due_after: new.due,
        entries_added: missing_in(&before, &new.entries),
        entries_removed: missing_in(&new.entries, &before),
    }
}

fn change<T: Record>(kind: Kind, id: String, old: Option<&Versioned<T>>, new: Option<&T>) -> Change {
    let before = old.map(|old| old.record.entries()).unwrap_or_default();
    let after = new.map(Record::entries).unwrap_or_default();
    Change {
        key: Key::new(kind, id),
        expected: old.map_or(0, |old| old.version),
        body: new.map(encode),
        due_before: old.and_then(|old| due(&old.record)),
        due_after: new.and_then(due),
        entries_added: missing_in(&before, &after),
        entries_removed: missing_in(&after, &before),
    }
}

/// When and where a record is due.
fn due<T: Record>(record: &T) -> Option<Due> {
    record.due().map(|at| Due { at, lane: record.lane() })
}

fn missing_in(some: &[Entry], others: &[Entry]) -> Vec<Entry> {
    others.iter().filter(|entry| !some.contains(entry)).cloned().collect()
}

fn encode<T: Record>(record: &T) -> Vec<u8> {
    // Records are plain data with text keys: writing them cannot fail.
    serde_json::to_vec(&Envelope { format: T::FORMAT, record }).expect("a record is plain JSON")
}

fn versioned<T: Record>(key: &Key, stored: &Stored) -> Result<Versioned<T>, StoreError> {
    Ok(Versioned { version: stored.version, record: decode(key, &stored.body)? })
}

/// The record of a body.
///
/// # Errors
/// As [`facts`].
pub(super) fn decode<T: Record>(key: &Key, body: &[u8]) -> Result<T, StoreError> {
    match serde_json::from_slice::<Envelope<T>>(body) {
        Ok(envelope) if envelope.format <= T::FORMAT => Ok(envelope.record),
        Ok(Envelope { format, .. }) => Err(newer::<T>(key, format)),
        // What a newer version wrote need not read as this one's records do.
        Err(error) => Err(match serde_json::from_slice::<Envelope<IgnoredAny>>(body) {
            Ok(Envelope { format, .. }) if format > T::FORMAT => newer::<T>(key, format),
            _ => StoreError::Damaged(format!("record {key} does not read: {error}")),
        }),
    }
}

fn newer<T: Record>(key: &Key, format: u32) -> StoreError {
    StoreError::Damaged(format!(
        "record {key} has format {format}, and this version of dialback knows {} at most: use a newer one",
        T::FORMAT
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::{About, Delivery, Fact, Report};
    use crate::model::opt_out::OptOut;
    use crate::store::memory::Memory;

    #[tokio::test]
    async fn what_does_not_read_is_named_without_a_number() {
        let store = Memory::new();
        let wish = |format: u32| format!(r#"{{"format":{format},"record":{{"anything":"else"}}}}"#);
        let key = Key::new(OptOut::KIND, OptOut::key("+14155550123", "+15005550006"));
        for (version, format, expected) in [(0, 1, "does not read"), (1, 2, "use a newer one")] {
            let change = Change {
                key: key.clone(),
                expected: version,
                body: Some(wish(format).into_bytes()),
                due_before: None,
                due_after: None,
                entries_added: Vec::new(),
                entries_removed: Vec::new(),
            };
            store.commit(vec![change]).await.unwrap();
            let error = get::<OptOut>(&store, &key.id).await.map(drop).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("4155550123"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_delivery_to_any_address_can_be_recorded() {
        let store = Memory::new();
        for (n, to) in ["", "a\0b", &"sip:x".repeat(100)].into_iter().enumerate() {
            let about = About { to: Some(to.to_owned()), ..About::default() };
            let sid = format!("SM{n:032x}").parse().unwrap();
            let report = Report { sid, id: None, about, fact: Fact::default() };
            let delivery = Delivery::new(report, Timestamp::UNIX_EPOCH);
            save(&store, None, &delivery).await.unwrap();
        }
    }
}
