//! The audit log: who changed keys, services, endpoints, opt-outs, the safe list
//! and the configuration, and whose data was erased.
//!
//! Whatever is written up is done by somebody, and its entry is in the
//! same commit: what is not in the log did not happen. Entries name settings and
//! show numbers masked. A keyed hash of a number would tell whether two entries
//! mean the same one, and would be personal data for as long as the key exists;
//! the log is to outlive what was erased.

use super::listing::{Page, Window, scan_of};
use super::transact::{self, Draft};
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing;
use crate::app::transact::transact;
use crate::entropy::Entropy;
use crate::model::audit::{Action, Actor, AuditEntry};
use crate::model::code::CodeKeys;
use crate::model::id::AuditId;
use crate::secret::Secret;
use crate::store::{Change, Index, Scan, Store, records};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Which part of the log to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Written at this time or later.
    pub since: Option<Timestamp>,
    /// Written before this time.
    pub until: Option<Timestamp>,
    /// Of this action.
    pub action: Option<Action>,
    /// By this actor.
    pub actor: Option<String>,
}

/// An entry about what they do now.
pub(in crate::app) fn entry(
    base: &Base,
    actor: &Actor,
    action: Action,
    subject: impl Into<String>,
) -> AuditEntry {
    entry_at(&base.entropy, base.now(), actor.clone(), action, subject)
}

/// Lists the log, the newest first. A page may be short, or even empty,
/// while `next` says that there is more.
///
/// # Errors
/// The store's.
pub async fn audit(base: &Base, filter: &AuditFilter, window: &Window) -> Result<Page<AuditEntry>, Fault> {
    let scope = filter.action.map_or("", Action::group);
    let scan = Scan { since: filter.since, until: filter.until, ..scan_of(Index::Audit, scope) };
    let takes = |entry: &AuditEntry| {
        filter.action.is_none_or(|action| entry.action == action)
            && filter.actor.as_ref().is_none_or(|actor| entry.actor.as_str() == actor)
    };
    listing::page(base, scan, window, takes).await
}

/// Writes up which settings are others than when the log last heard of them:
/// each by its name, its value, and whether that is secret. Answers their
/// names; all, where there is nothing to compare with.
///
/// # Errors
/// The store's.
pub async fn note_configuration(
    base: &Base,
    codes: &CodeKeys,
    settings: &[(String, Secret, bool)],
) -> Result<Vec<String>, Fault> {
    let marks: BTreeMap<String, String> =
        settings.iter().map(|setting| (setting.0.clone(), mark(codes, setting))).collect();
    let look = || async {
        let last = last_marks(base).await?;
        let changed = changed(last.as_ref(), &marks, settings);
        if changed.is_empty() {
            return Ok(Draft::Settled(changed));
        }
        let entry = entry(base, &Actor::configuration(), Action::ConfigurationChanged, "");
        let mut entry = match &last {
            Some(_) => entry.with("changed", changed.join(", ")),
            None => entry.with("changed", "everything: nothing was known of it before"),
        };
        entry.marks.clone_from(&marks);
        Ok(Draft::Write(vec![records::put(None, &entry)], changed))
    };
    transact(base, &transact::AUDIT, look).await
}

async fn last_marks(base: &Base) -> Result<Option<BTreeMap<String, String>>, Fault> {
    let window = Window { limit: 1, after: None };
    let scan = scan_of(Index::Audit, Action::ConfigurationChanged.group());
    let last = listing::page::<AuditEntry>(base, scan, &window, |entry| !entry.marks.is_empty()).await?;
    Ok(last.items.into_iter().next().map(|entry| entry.marks))
}

/// A short hash of a setting; of a secret one with a key that is not in the
/// store, for a password can be tried out.
fn mark(codes: &CodeKeys, (key, value, is_secret): &(String, Secret, bool)) -> String {
    let text = format!("{key}\0{}", value.expose());
    let hash = match is_secret {
        true => codes.fingerprint(&text),
        false => hex::encode(Sha256::digest(text.as_bytes())),
    };
    hash[..16].to_owned()
}

/// The setting that the marks of secrets are made with.
const CODE_KEYS: &str = "codes.keys";

/// The names of settings whose marks differ.
fn changed(
    last: Option<&BTreeMap<String, String>>,
    marks: &BTreeMap<String, String>,
    settings: &[(String, Secret, bool)],
) -> Vec<String> {
    let before = |key: &str| last.and_then(|last| last.get(key));
    // With another key the marks of all secrets are others, whatever they are.
    let is_rekeyed = last.is_some() && before(CODE_KEYS) != marks.get(CODE_KEYS);
    let differs = |(key, _, is_secret): &&(String, Secret, bool)| {
        let is_blind = is_rekeyed && *is_secret && key != CODE_KEYS;
        !is_blind && before(key) != marks.get(key)
    };
    settings.iter().filter(differs).map(|setting| setting.0.clone()).collect()
}

/// An entry, for whoever has a store alone.
pub fn entry_at(
    entropy: &Entropy,
    now: Timestamp,
    actor: Actor,
    action: Action,
    subject: impl Into<String>,
) -> AuditEntry {
    let id = AuditId::new(now, u128::from_be_bytes(entropy.bytes()));
    let (details, marks) = (BTreeMap::new(), BTreeMap::new());
    AuditEntry { id, at: now, actor, action, subject: subject.into(), details, marks }
}

/// The change that writes an entry.
pub fn write(entry: &AuditEntry) -> Change {
    records::put(None, entry)
}

/// The log straight from a store, the newest first.
///
/// # Errors
/// The store's.
pub async fn read_audit(
    store: &dyn Store,
    since: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<AuditEntry>, Fault> {
    let scan = Scan { since, limit, ..scan_of(Index::Audit, "") };
    Ok(records::all_listed(store, scan).await?)
}
