//! What leads to the one verification of a person, for a service or for one of its
//! callers: a pointer, written in the commit of the verification that it leads to.

use crate::app::admission::request::seconds_between;
use crate::app::admission::{Admission, numbers};
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::app::services::Directory;
use crate::app::verification::VerificationError;
use crate::model::active_verification::ActiveVerification;
use crate::model::id::{SessionId, VerificationId};
use crate::model::phone::PhoneNumber;
use crate::model::service::Service;
use crate::model::verification::Verification;
use crate::store::records::{self, Ahead, Versioned};
use crate::store::{Change, CommitError};

/// Which verification was begun last, and how often it had been sent.
pub(in crate::app) type Mark = Option<(VerificationId, usize)>;

/// Where what leads to a person's verification stands, and is written over.
pub(in crate::app) struct Place {
    number: PhoneNumber,
    caller: Option<String>,
    own: Option<Versioned<ActiveVerification>>,
}

/// What leads to the verification of a person.
pub(in crate::app) struct Pointers {
    /// Where it stands under their key.
    pub(in crate::app) place: Place,
    /// What still leads somewhere, under any spelling.
    live: Option<Versioned<ActiveVerification>>,
}

impl Place {
    /// The change that lets it lead to a verification.
    pub(in crate::app) fn leading_to(&self, service: &Service, verification: &Verification) -> Change {
        let pointer = ActiveVerification {
            service: service.id.clone(),
            number: self.number.clone(),
            caller: self.caller.clone(),
            verification: verification.id.clone(),
            expires_at: verification.expires_at,
        };
        records::put(self.own.as_ref(), &pointer)
    }
}

/// Who asks, as what leads to their verifications names them: a key and a session
/// together; nothing where neither is known.
pub(in crate::app) fn caller_key(key: Option<&str>, session: Option<&SessionId>) -> Option<String> {
    let session = session.map(SessionId::as_str);
    (key.is_some() || session.is_some())
        .then(|| hash(&[key.unwrap_or_default(), session.unwrap_or_default()]))
}

/// The verification that was begun last for a service and a number, and has
/// not been forgotten; it may have ended.
///
/// # Errors
/// [`Fault::NotFound`], also for what is no number, or the store's.
pub async fn last_asked(
    admission: &Admission,
    service: &Service,
    to: &str,
) -> Result<VerificationId, VerificationError> {
    let (to, _) = numbers::number(admission, to).map_err(|_| Fault::NotFound)?;
    let live = pointers(&admission.base, service, &to, None, &Ahead::default()).await?.live;
    live.map(|pending| pending.record.verification).ok_or(Fault::NotFound.into())
}

/// Lets the number of a verification begin anew at once.
///
/// # Errors
/// The store's.
pub async fn release(
    base: &Base,
    service: &Service,
    verification: &Verification,
) -> Result<(), VerificationError> {
    let found = pointers(base, service, &verification.to, None, &Ahead::default()).await?;
    let Some(found) = found.live else { return Ok(()) };
    if found.record.verification != verification.id {
        return Ok(());
    }
    // Over now, and deleted in its time: to delete it here would let its
    // version begin anew under whoever has read it.
    let over = ActiveVerification { expires_at: base.now(), ..found.record.clone() };
    match records::save(base.store(), Some(&found), &over).await {
        // Somebody has begun anew already.
        Ok(()) | Err(CommitError::Conflict) => Ok(()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Whether a verification belongs to a service.
pub fn belongs(directory: &Directory, service: &Service, verification: &Verification) -> bool {
    *verification.service.as_ref().unwrap_or(&directory.services.default_service().id) == service.id
}

/// How long a verification still lives, in whole seconds, at least one.
pub fn seconds_left(base: &Base, verification: &Verification) -> i64 {
    seconds_between(base.now(), verification.expires_at)
}

/// Wants what leads to a person's verification.
pub(in crate::app) fn want_pointers(
    service: &Service,
    to: &PhoneNumber,
    caller: Option<&str>,
    ahead: &mut Ahead,
) {
    for number in spellings(to) {
        ahead.want::<ActiveVerification>(ActiveVerification::key(&service.id, &number, caller));
    }
}

/// What leads to a person's verification: what stands under their key, or
/// under another spelling of the number while what was written so lives.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn pointers(
    base: &Base,
    service: &Service,
    to: &PhoneNumber,
    caller: Option<&str>,
    ahead: &Ahead,
) -> Result<Pointers, VerificationError> {
    let (person, numbers) = (to.person(), spellings(to));
    let key = |number: &PhoneNumber| ActiveVerification::key(&service.id, number, caller);
    let keys: Vec<String> = numbers.iter().map(key).collect();
    let found = ahead.get_many::<ActiveVerification>(base.store(), &keys).await?;
    let (mut own, mut live) = (None, None);
    for (number, found) in numbers.iter().zip(found) {
        if live.is_none() {
            live = found.clone().filter(|found| base.now() < found.record.expires_at);
        }
        if number == person.number() {
            own = found;
        }
    }
    let place = Place { number: person.number().clone(), caller: caller.map(str::to_owned), own };
    Ok(Pointers { place, live })
}

/// The verification that is led to.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn led_to(
    base: &Base,
    pointers: &Pointers,
    ahead: &mut Ahead,
) -> Result<Option<Versioned<Verification>>, VerificationError> {
    let Some(live) = &pointers.live else { return Ok(None) };
    let id = live.record.verification.as_str();
    ahead.want::<Verification>(id);
    ahead.read(base.store()).await?;
    Ok(ahead.get::<Verification>(base.store(), id).await?)
}

fn spellings(to: &PhoneNumber) -> Vec<PhoneNumber> {
    to.person().spellings().iter().filter_map(|spelling| spelling.parse().ok()).collect()
}
