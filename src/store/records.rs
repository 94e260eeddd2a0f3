//! The model's values as records: JSON with a format number, and the entries
//! that each has.

use super::{Change, CommitError, Due, Entry, Index, Key, Kind, Lane, Store, StoreError, Version};
use crate::model::active_verification::ActiveVerification;
use crate::model::audit::AuditEntry;
use crate::model::channel::Channel;
use crate::model::compat::Compat;
use crate::model::counter::Counter;
use crate::model::delivery::Delivery;
use crate::model::dispatch::{self, Dispatch};
use crate::model::endpoint::Endpoint;
use crate::model::erasure::{self, Erasure};
use crate::model::event::Event;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::key::ApiKey;
use crate::model::lease::Lease;
use crate::model::opt_out::OptOut;
use crate::model::safe_number::SafeNumber;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::model::verification::{self, Verification};
use jiff::{SignedDuration, Timestamp};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value that is kept as a record.
pub trait Record: Serialize + DeserializeOwned + Clone + Send + Sync {
    /// Its kind.
    const KIND: Kind;
    /// The number of the format that is written now. Older ones still open.
    const FORMAT: u32;

    /// Its id.
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
    /// As [`Record::entries`].
    pub entries: Vec<Entry>,
    /// As [`Record::refers`].
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
    /// The value.
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
    match store.read(&key).await? {
        None => Ok(None),
        Some(stored) => Ok(Some(Versioned { version: stored.version, record: decode(&key, &stored.body)? })),
    }
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

impl Record for Verification {
    const KIND: Kind = Kind::Verification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Verification::due(self)
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index, scope, at| Entry { index, scope, at, id: self.id.to_string() };
        let number = || self.to.in_full().to_owned();
        let mut entries = vec![
            entry(Index::Verifications, String::new(), self.created_at),
            entry(Index::VerificationsTo, number(), self.created_at),
        ];
        // A send is listed here until its delivery is listed under Twilio's name.
        // One line stands for all of the same millisecond, for it is the same line.
        let unnamed = self.sends.iter().filter(|send| send.listed && send.sid.is_none());
        let times: BTreeMap<i64, Timestamp> =
            unnamed.map(|send| (send.asked_at.as_millisecond(), send.asked_at)).collect();
        for at in times.into_values() {
            entries.extend([entry(Index::Sends, String::new(), at), entry(Index::SendsTo, number(), at)]);
        }
        entries
    }

    fn refers(&self) -> Vec<(Key, Timestamp)> {
        // A message is settled and its delivery recorded in one commit. A call
        // is bound already when it asks for its code, which may be before
        // anything was reported of it.
        let messages = self.sends.iter().filter(|send| send.channel != Channel::Call);
        let delivery = |send: &verification::Send| {
            Some((Key::new(Kind::Delivery, send.sid.as_ref()?.as_str()), send.asked_at))
        };
        messages.filter_map(delivery).collect()
    }
}

impl Record for SessionWindow {
    const KIND: Kind = Kind::SessionWindow;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        SessionWindow::key(&self.number, &self.sender)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.closes_at())
    }
}

impl Record for Service {
    const KIND: Kind = Kind::Service;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, self.id.to_string());
        vec![Entry { index: Index::Services, scope: String::new(), at, id }]
    }
}

impl Record for Delivery {
    const KIND: Kind = Kind::Delivery;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.sid.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index, scope| Entry { index, scope, at: self.first_seen, id: self.sid.to_string() };
        // An address that cannot be a scope is not listed, or its delivery
        // could not be recorded at all.
        let to = self.about.to.as_ref().filter(|to| !to.contains('\0') && to.len() <= Key::MAX_ID);
        let mut entries = vec![entry(Index::Deliveries, String::new())];
        entries.extend(to.map(|to| entry(Index::DeliveriesTo, to.clone())));
        let at_work = self.erased.as_ref().filter(|erased| !erased.redacted);
        entries.extend(at_work.map(|erased| entry(Index::DeliveriesTo, erased.by.to_string())));
        entries
    }
}

impl Record for ApiKey {
    const KIND: Kind = Kind::ApiKey;
    // 2 since keys may be bound to services: a process that does not know that
    // must not take a bound key for one of all services.
    const FORMAT: u32 = 2;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn entries(&self) -> Vec<Entry> {
        vec![Entry { index: Index::ApiKeys, scope: String::new(), at: self.created_at, id: self.id.clone() }]
    }
}

impl Record for IdempotencyRecord {
    const KIND: Kind = Kind::IdempotencyRecord;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for OptOut {
    const KIND: Kind = Kind::OptOut;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        OptOut::key(&self.number, &self.sender)
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |scope| Entry { index: Index::OptOuts, scope, at: self.at, id: self.id() };
        // As with deliveries: an address that cannot be a scope is listed under
        // none.
        let number = Some(self.number.clone()).filter(|number| !number.is_empty() && !number.contains('\0'));
        std::iter::once(entry(String::new())).chain(number.map(entry)).collect()
    }
}

/// How long what has ended is kept before it is deleted. The next record of the
/// same id begins at version 1 again, and whoever read the old one must not
/// write over it: no request lasts as long as this.
const REST: SignedDuration = SignedDuration::from_mins(5);

impl Record for Compat {
    const KIND: Kind = Kind::Compat;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.service.to_string()
    }
}

impl Record for ActiveVerification {
    const KIND: Kind = Kind::ActiveVerification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        ActiveVerification::key(&self.service, &self.number)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at.checked_add(REST).unwrap_or(Timestamp::MAX))
    }
}

impl Record for Counter {
    const KIND: Kind = Kind::Counter;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.ends_at.checked_add(REST).unwrap_or(Timestamp::MAX))
    }
}

impl Record for SafeNumber {
    const KIND: Kind = Kind::SafeNumber;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.number.in_full().to_owned()
    }
}

impl Record for Session {
    const KIND: Kind = Kind::Session;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}

impl Record for Endpoint {
    const KIND: Kind = Kind::Endpoint;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, self.id.to_string());
        vec![Entry { index: Index::Endpoints, scope: String::new(), at, id }]
    }
}

impl Record for Event {
    const KIND: Kind = Kind::Event;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn entries(&self) -> Vec<Entry> {
        // By the id's own time, so that the listing's order is that of the ids.
        let (at, id) = (self.id.at(), self.id.to_string());
        vec![Entry { index: Index::Events, scope: String::new(), at, id }]
    }
}

impl Record for Dispatch {
    const KIND: Kind = Kind::Dispatch;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        Self::id_of(&self.event, &self.endpoint)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(Self::due(self))
    }

    fn lane(&self) -> Lane {
        if self.state == dispatch::State::Pending { Lane::Webhook } else { Lane::Chore }
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, Record::id(self));
        vec![Entry { index: Index::Dispatches, scope: self.endpoint.to_string(), at, id }]
    }
}

impl Record for Lease {
    const KIND: Kind = Kind::Lease;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.name.clone()
    }
}

impl Record for AuditEntry {
    const KIND: Kind = Kind::Audit;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |scope: &str| Entry {
            index: Index::Audit,
            scope: scope.to_owned(),
            at: self.at,
            id: Record::id(self),
        };
        vec![entry(""), entry(self.action.group())]
    }
}

impl Record for Erasure {
    const KIND: Kind = Kind::Erasure;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        self.next_at.filter(|_| self.state == erasure::State::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::{About, Fact, Report};
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
