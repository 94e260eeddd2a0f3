//! Taking somebody from a list. That somebody else has done so already is as well.

use super::look::{ListFilter, list_entries};
use crate::app::admission::known_lists::Own;
use crate::app::admission::{Admission, AdmissionError, safe_list};
use crate::app::audit;
use crate::app::fault::Fault;
use crate::app::listing::Window;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::id::ServiceId;
use crate::model::lists::{Effect, ListEntry, Target};
use crate::store::records::{self, Versioned};

/// Takes an entry away, by its id or by the name of a safe number.
///
/// # Errors
/// [`Fault::NotFound`], or the store's.
pub async fn remove_entry(admission: &Admission, actor: &Actor, id: &str) -> Result<(), AdmissionError> {
    let (entries, safe) = admission.lists.all(&admission.base).await?;
    if let Some(safe) = safe.iter().find(|safe| safe.sid == id) {
        return safe_list::remove_safe_number(admission, actor, safe.number.in_full()).await;
    }
    let is_it =
        |entry: &&std::sync::Arc<ListEntry>| entry.id.as_str() == id && !entry.is_over(admission.base.now());
    let key = entries.iter().find(is_it).map(|entry| entry.key.clone()).ok_or(Fault::NotFound)?;
    let look = || async {
        let found: Option<Versioned<ListEntry>> = records::get(admission.base.store(), &key).await?;
        // Another of the same thing may have been made since.
        let found = match found {
            None => return Ok::<_, AdmissionError>(Draft::Settled(true)),
            Some(found) if found.record.id.as_str() != id => return Ok(Draft::Settled(false)),
            Some(found) => found,
        };
        let whom = found.record.target.shown();
        let log = audit::entry(&admission.base, actor, Action::ListEntryRemoved, whom);
        let log = log.with("effect", found.record.effect).with("entry", &found.record.id);
        Ok(Draft::Write(vec![records::delete(&found), audit::write(&log)], true))
    };
    if transact(&admission.base, &transact::LIST, look).await? {
        admission.lists.note([Own::NoEntry(key)]);
    }
    Ok(())
}

/// Takes away what a list says of a target, for a service alone or for all; false where it
/// says nothing.
///
/// # Errors
/// The store's.
pub async fn remove_entry_of(
    admission: &Admission,
    actor: &Actor,
    effect: Effect,
    target: &Target,
    service: Option<&ServiceId>,
) -> Result<bool, AdmissionError> {
    let filter = ListFilter { effect: Some(effect), target: Some(target.clone()), ..ListFilter::default() };
    let window = Window { limit: ListEntry::MOST, after: None };
    let mut found = list_entries(admission, &filter, &window).await?.items;
    found.retain(|line| line.service.as_ref() == service);
    for line in &found {
        match remove_entry(admission, actor, &line.id).await {
            Ok(()) | Err(AdmissionError::Fault(Fault::NotFound)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(!found.is_empty())
}
