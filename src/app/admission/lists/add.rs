//! Putting somebody on a list, once: whoever says the same again says why and until when
//! anew.

use crate::app::admission::known_lists::Own;
use crate::app::admission::{Admission, AdmissionError, safe_list};
use crate::app::audit;
use crate::app::services::compat;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::id::{ListEntryId, ServiceId};
use crate::model::lists::{Effect, ListEntry, ListLine, Target};
use crate::model::phone::PhoneNumber;
use crate::model::safe_number::SafeNumber;
use crate::model::service::BadSetting;
use crate::store::records::{self, Ahead, Versioned};
use jiff::Timestamp;
use std::sync::Arc;

/// Who is to be allowed or blocked.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// What it is to do.
    pub effect: Effect,
    /// To whom it is to do that.
    pub target: Target,
    /// For codes of this service alone; nothing for all.
    pub service: Option<ServiceId>,
    /// Why, in words for other operators.
    pub reason: Option<String>,
    /// When it is to stop; nothing where somebody has to take it away.
    pub ends_at: Option<Timestamp>,
}

/// What stands there of the same thing.
struct There {
    entries: Vec<Versioned<ListEntry>>,
    safe: Option<Versioned<SafeNumber>>,
    is_room: bool,
}

/// Puts somebody on a list, or says anew why and until when. What is said of a number for
/// all services, allows it and has no end is a safe number.
///
/// # Errors
/// A reason or an end that cannot be, [`AdmissionError::ListFull`], or the store's.
pub async fn add_entry(
    admission: &Admission,
    actor: &Actor,
    new: &NewEntry,
) -> Result<ListLine, AdmissionError> {
    let new = checked(new, admission.base.now())?;
    let look = || async {
        let there = there(admission, &new).await?;
        match new.safe() {
            Some(number) => safe_draft(admission, actor, (&new, number), there),
            None => entry_draft(admission, actor, &new, there),
        }
    };
    let (line, own) = transact(&admission.base, &transact::LIST, look).await?;
    if !own.is_empty() {
        admission.lists.note(own);
        let whom = new.target.shown();
        tracing::info!(effect = %new.effect, whom, "a list was changed by an operator");
    }
    Ok(line)
}

type Done = (ListLine, Vec<Own>);

fn entry_draft(
    admission: &Admission,
    actor: &Actor,
    new: &NewEntry,
    there: There,
) -> Result<Draft<Done>, AdmissionError> {
    let now = admission.base.now();
    let old = there.entries.first().filter(|old| !old.record.is_over(now));
    let is_same = |old: &&Versioned<ListEntry>| {
        old.record.reason == new.reason
            && old.record.ends_at == new.ends_at
            && old.record.target == new.target
    };
    if let Some(old) = old.filter(is_same)
        && there.entries.len() == 1
        && there.safe.is_none()
    {
        return Ok(Draft::Settled((ListLine::from(&old.record), Vec::new())));
    }
    if there.entries.is_empty() && there.safe.is_none() && !there.is_room {
        return Err(AdmissionError::ListFull { most: ListEntry::MOST });
    }
    let entry = ListEntry {
        key: ListEntry::key(&admission.limiting.names, new.effect, &new.target, new.service.as_ref()),
        id: match old {
            Some(old) => old.record.id.clone(),
            None => ListEntryId::from_random(admission.base.entropy.bytes()),
        },
        effect: new.effect,
        target: new.target.clone(),
        service: new.service.clone(),
        reason: new.reason.clone(),
        ends_at: new.ends_at,
        actor: actor.clone(),
        // Its place in the listing stays: who reads that page by page misses nothing in force.
        created_at: old.map_or(now, |old| old.record.created_at),
    };
    let log = audit::entry(&admission.base, actor, Action::ListEntryAdded, entry.target.shown());
    let log = log.with("effect", entry.effect).with("entry", &entry.id);
    let log = match entry.ends_at {
        Some(end) => log.with("ends_at", end),
        None => log,
    };
    let (same, others): (Vec<_>, Vec<_>) = there.entries.iter().partition(|old| old.record.key == entry.key);
    let mut changes = vec![records::put(same.first().copied(), &entry), audit::write(&log)];
    changes.extend(others.iter().map(|old| records::delete(old)));
    changes.extend(there.safe.iter().map(records::delete));
    let mut own: Vec<Own> = others.iter().map(|old| Own::NoEntry(old.record.key.clone())).collect();
    own.extend(there.safe.iter().map(|safe| Own::NoSafe(safe.record.number.in_full().to_owned())));
    let line = ListLine::from(&entry);
    own.push(Own::Entry(Arc::new(entry)));
    Ok(Draft::Write(changes, (line, own)))
}

fn safe_draft(
    admission: &Admission,
    actor: &Actor,
    (new, number): (&NewEntry, &PhoneNumber),
    there: There,
) -> Result<Draft<Done>, AdmissionError> {
    if let Some(old) = there.safe.as_ref().filter(|old| old.record.reason == new.reason)
        && there.entries.is_empty()
    {
        return Ok(Draft::Settled((ListLine::from(&old.record), Vec::new())));
    }
    if there.entries.is_empty() && there.safe.is_none() && !there.is_room {
        return Err(AdmissionError::ListFull { most: ListEntry::MOST });
    }
    let made = || (compat::new_sid(&admission.base, "GN"), number.clone(), admission.base.now());
    let old = there.safe.as_ref().map(|old| &old.record);
    let (sid, number, created_at) =
        old.map_or_else(made, |old| (old.sid.clone(), old.number.clone(), old.created_at));
    let safe = SafeNumber { sid, number, created_at, actor: Some(actor.clone()), reason: new.reason.clone() };
    let log = audit::entry(&admission.base, actor, Action::SafeNumberAdded, safe.number.masked());
    let mut changes = vec![records::put(there.safe.as_ref(), &safe), audit::write(&log)];
    changes.extend(there.entries.iter().map(records::delete));
    let mut own: Vec<Own> = there.entries.iter().map(|old| Own::NoEntry(old.record.key.clone())).collect();
    let line = ListLine::from(&safe);
    own.push(Own::Safe(Arc::new(safe)));
    Ok(Draft::Write(changes, (line, own)))
}

async fn there(admission: &Admission, new: &NewEntry) -> Result<There, AdmissionError> {
    let names = &admission.limiting.names;
    let key = ListEntry::key(names, new.effect, &new.target, new.service.as_ref());
    // What was made when names had another key is found by what it says.
    let is_like = |entry: &ListEntry| {
        entry.effect == new.effect && entry.target == new.target && entry.service == new.service
    };
    let (count, mut keys) = admission.lists.like(&admission.base, is_like).await?;
    keys.retain(|like| *like != key);
    keys.insert(0, key);
    let entries = records::get_many::<ListEntry>(admission.base.store(), keys).await?;
    let safe = match (&new.target, new.effect, &new.service) {
        (Target::Number(number), Effect::Allow, None) => {
            safe_list::stored_safe_number(&admission.base, number, &Ahead::default()).await?
        }
        _ => None,
    };
    Ok(There { entries: entries.into_iter().flatten().collect(), safe, is_room: count < ListEntry::MOST })
}

/// The same with the reason as it is kept.
fn checked(new: &NewEntry, now: Timestamp) -> Result<NewEntry, AdmissionError> {
    let wrong =
        |field: &str, what: String| AdmissionError::Setting(BadSetting { field: field.to_owned(), what });
    let reason = new.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()).map(str::to_owned);
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > ListEntry::MAX_REASON) {
        return Err(wrong("reason", format!("has to be at most {} characters", ListEntry::MAX_REASON)));
    }
    if reason.as_ref().is_some_and(|reason| reason.chars().any(char::is_control)) {
        return Err(wrong("reason", "has to be one line without control characters".to_owned()));
    }
    if new.ends_at.is_some_and(|end| end <= now) {
        return Err(wrong("ends_at", format!("is over already; it is {now:.0} now")));
    }
    Ok(NewEntry { reason, ..new.clone() })
}

impl NewEntry {
    /// The number that it makes a safe one.
    fn safe(&self) -> Option<&PhoneNumber> {
        match (&self.target, self.effect, &self.service, self.ends_at) {
            (Target::Number(number), Effect::Allow, None, None) => Some(number),
            _ => None,
        }
    }
}
