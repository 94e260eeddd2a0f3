//! Numbers that rules about countries and signals of fraud let pass. They are entries of
//! the lists, too, which are where they are said with a reason.

use crate::app::admission::known_lists::Own;
use crate::app::admission::{Admission, AdmissionError, numbers};
use crate::app::audit;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::services::compat;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::lists::ListEntry;
use crate::model::phone::PhoneNumber;
use crate::model::safe_number::SafeNumber;
use crate::store::CommitError;
use crate::store::records::{self, Ahead, Versioned};
use std::sync::Arc;

/// Puts a number on the list; one that is there stays as it is.
///
/// # Errors
/// What is no number, [`AdmissionError::ListFull`], or the store's.
pub async fn add_safe_number(
    admission: &Admission,
    actor: &Actor,
    number: &str,
) -> Result<SafeNumber, AdmissionError> {
    let (number, _) = numbers::number(admission, number)?;
    if let Some(found) = stored_safe_number(&admission.base, &number, &Ahead::default()).await? {
        return Ok(found.record);
    }
    let (count, _) = admission.lists.like(&admission.base, |_| false).await?;
    if count >= ListEntry::MOST {
        return Err(AdmissionError::ListFull { most: ListEntry::MOST });
    }
    let (sid, created_at) = (compat::new_sid(&admission.base, "GN"), admission.base.now());
    let safe = SafeNumber { sid, number, created_at, actor: Some(actor.clone()), reason: None };
    let entry = audit::entry(&admission.base, actor, Action::SafeNumberAdded, safe.number.masked());
    match admission.base.store().commit(vec![records::put(None, &safe), audit::write(&entry)]).await {
        Ok(()) => {
            admission.lists.note([Own::Safe(Arc::new(safe.clone()))]);
            Ok(safe)
        }
        Err(CommitError::Conflict) => safe_number(admission, safe.number.in_full()).await,
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Takes a number from the list; that somebody else does at the same moment is as well.
///
/// # Errors
/// As [`admission::safe_number`](crate::app::admission::safe_number).
pub async fn remove_safe_number(
    admission: &Admission,
    actor: &Actor,
    number: &str,
) -> Result<(), AdmissionError> {
    let (number, _) = numbers::number(admission, number).map_err(|_| Fault::NotFound)?;
    if stored_safe_number(&admission.base, &number, &Ahead::default()).await?.is_none() {
        return Err(Fault::NotFound.into());
    }
    let entry = audit::entry(&admission.base, actor, Action::SafeNumberRemoved, number.masked());
    let look = || async {
        let found = stored_safe_number(&admission.base, &number, &Ahead::default()).await?;
        Ok::<_, AdmissionError>(match found {
            None => Draft::Settled(()),
            Some(found) => Draft::Write(vec![records::delete(&found), audit::write(&entry)], ()),
        })
    };
    transact(&admission.base, &transact::LIST, look).await?;
    admission.lists.note(number.person().spellings().into_iter().map(Own::NoSafe));
    Ok(())
}

/// A number on the list.
///
/// # Errors
/// [`Fault::NotFound`], also for what is no number, or the store's.
pub async fn safe_number(admission: &Admission, number: &str) -> Result<SafeNumber, AdmissionError> {
    let (number, _) = numbers::number(admission, number).map_err(|_| Fault::NotFound)?;
    let found = stored_safe_number(&admission.base, &number, &Ahead::default()).await?;
    found.map(|found| found.record).ok_or(Fault::NotFound.into())
}

/// The number on the list, under whichever spelling it was put there.
pub(in crate::app) async fn stored_safe_number(
    base: &Base,
    number: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Option<Versioned<SafeNumber>>, AdmissionError> {
    let found = ahead.get_many(base.store(), &number.person().spellings()).await?;
    Ok(found.into_iter().flatten().next())
}

/// Wants the same.
pub(in crate::app) fn want_safe_number(number: &PhoneNumber, ahead: &mut Ahead) {
    number.person().spellings().into_iter().for_each(|spelling| ahead.want::<SafeNumber>(spelling));
}
