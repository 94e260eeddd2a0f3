//! Verifications, as a key may begin, check and see them.

use crate::app::fault::Fault;
use crate::app::keyed::narrowed::Narrowed;
use crate::app::verification::{
    Again, Ask, Checked, Idempotency, Offer, StartRequest, Started, VerificationError, VerificationFilter,
    View,
};
use crate::app::{Page, Window};
use crate::model::id::VerificationId;
use crate::model::service::Service;
use crate::model::verification::Verification;

use crate::app::verification;

/// See [`verification::start`](crate::app::verification::start).
///
/// # Errors
/// As there.
pub async fn start(
    key: &Narrowed,
    request: StartRequest,
    idempotency: Option<Idempotency>,
) -> Result<Started, VerificationError> {
    let service = key.named(request.service.clone())?;
    let request = StartRequest { service, caller: Some(key.actor.as_str().to_owned()), ..request };
    verification::start(&key.all.verifying, request, idempotency).await
}

/// See [`verification::ask`](crate::app::verification::ask).
///
/// # Errors
/// As there.
pub async fn ask(key: &Narrowed, ask: &Ask) -> Result<View, VerificationError> {
    let mut ask = ask.clone();
    ask.request.service = key.named(ask.request.service)?;
    ask.request.caller = Some(key.actor.as_str().to_owned());
    verification::ask(&key.all.verifying, &ask).await
}

/// See [`verification::last_asked`](crate::app::verification::last_asked). Whether it is one
/// of the key's services is asked by who reads it.
///
/// # Errors
/// As there; not found for another service's.
pub async fn last_asked(
    key: &Narrowed,
    service: &Service,
    to: &str,
) -> Result<VerificationId, VerificationError> {
    key.refuse_foreign_service(&service.id)?;
    verification::last_asked(&key.all.admission, service, to).await
}

/// See [`verification::fetch`](crate::app::verification::fetch).
///
/// # Errors
/// As there.
pub async fn fetch(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    Ok(key.own(verification::fetch(&key.all.admission, id).await?).await?)
}

/// See [`verification::verifications`](crate::app::verification::verifications).
///
/// # Errors
/// As there.
pub async fn verifications(
    key: &Narrowed,
    filter: &VerificationFilter,
    window: &Window,
) -> Result<Page<View>, VerificationError> {
    verification::verifications(&key.all.admission, &key.services, filter, window).await
}

/// See [`verification::check`](crate::app::verification::check).
///
/// # Errors
/// As there.
pub async fn check(key: &Narrowed, id: &VerificationId, offer: Offer) -> Result<Checked, VerificationError> {
    verification::check::check_own(&key.all.verifying, id, offer, |one| key.has(one)).await
}

/// The same of a verification of one service; any other is not there.
///
/// # Errors
/// As there.
pub async fn check_of(
    key: &Narrowed,
    service: &Service,
    id: &VerificationId,
    offer: Offer,
) -> Result<Checked, VerificationError> {
    let is_own = |one: &Verification| key.has(one) && key.belongs(service, one);
    verification::check::check_own(&key.all.verifying, id, offer, is_own).await
}

/// See [`verification::verdict`](crate::app::verification::verdict).
///
/// # Errors
/// As there.
pub async fn verdict(
    key: &Narrowed,
    found: impl Future<Output = Result<VerificationId, VerificationError>>,
    offer: Offer,
) -> Result<Option<View>, VerificationError> {
    verification::verdict::verdict(&key.all.verifying, found, offer, |one| key.has(one)).await
}

/// The same of a verification of one service; any other is not there.
///
/// # Errors
/// As there.
pub async fn verdict_of(
    key: &Narrowed,
    service: &Service,
    found: impl Future<Output = Result<VerificationId, VerificationError>>,
    offer: Offer,
) -> Result<Option<View>, VerificationError> {
    let is_own = |one: &Verification| key.has(one) && key.belongs(service, one);
    verification::verdict::verdict(&key.all.verifying, found, offer, is_own).await
}

/// See [`verification::resend`](crate::app::verification::resend).
///
/// # Errors
/// As there.
pub async fn resend(key: &Narrowed, id: &VerificationId, again: Again) -> Result<View, VerificationError> {
    // Who asks again is counted under its own key.
    let again = Again { caller: Some(key.actor.as_str().to_owned()), ..again };
    verification::resend(&key.all.verifying, id, &again, &|one| key.has(one)).await
}

/// See [`verification::cancel`](crate::app::verification::cancel).
///
/// # Errors
/// As there.
pub async fn cancel(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    verification::check::cancel_own(&key.all.admission, id, |one| key.has(one)).await
}

/// See [`verification::stay`](crate::app::verification::stay).
///
/// # Errors
/// As there.
pub async fn stay(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    verification::check::stay_own(&key.all.admission, id, |one| key.has(one)).await
}

/// Ends a verification of the key's services whose code the application chose and checked
/// itself.
///
/// # Errors
/// Not found, ended otherwise, [`VerificationError::CodeNotChosen`], or the store's.
pub async fn approve(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    verification::check::approve(&key.all.admission, id, |one| key.has(one)).await
}

/// See [`verification::release`](crate::app::verification::release).
///
/// # Errors
/// As there.
pub async fn release(
    key: &Narrowed,
    service: &Service,
    verification: &Verification,
) -> Result<(), VerificationError> {
    match key.has(verification) {
        true => verification::release(&key.all.base, service, verification).await,
        false => Err(Fault::NotFound.into()),
    }
}
