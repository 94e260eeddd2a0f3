//! Verifications, as a key may begin, check and see them.

use crate::app::keyed::narrowed::Narrowed;
use crate::app::verification::{
    Ask, AskError, Checked, Idempotency, Offer, StartRequest, Started, VerificationError, VerificationFilter,
    View,
};
use crate::app::{Page, Window};
use crate::model::channel::Channel;
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
    verification::start(&key.all.verifying, StartRequest { service, ..request }, idempotency).await
}

/// See [`verification::ask`](crate::app::verification::ask).
///
/// # Errors
/// As there.
pub async fn ask(key: &Narrowed, ask: &Ask) -> Result<View, AskError> {
    let mut ask = ask.clone();
    ask.request.service = key.named(ask.request.service)?;
    verification::ask(&key.all.verifying, &ask).await
}

/// See [`verification::last_asked`](crate::app::verification::last_asked).
///
/// # Errors
/// As there.
pub async fn last_asked(
    key: &Narrowed,
    service: &Service,
    to: &str,
) -> Result<VerificationId, VerificationError> {
    let id = verification::last_asked(&key.all.admission, service, to).await?;
    key.refuse_foreign(&id).await?;
    Ok(id)
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
    verification::listed::verifications_among(&key.all.admission, &key.services, filter, window).await
}

/// See [`verification::check`](crate::app::verification::check).
///
/// # Errors
/// As there.
pub async fn check(key: &Narrowed, id: &VerificationId, offer: Offer) -> Result<Checked, VerificationError> {
    key.refuse_foreign(id).await?;
    verification::check(&key.all.verifying, id, offer).await
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
    let own = async {
        let id = found.await?;
        key.refuse_foreign(&id).await?;
        Ok(id)
    };
    verification::verdict(&key.all.verifying, own, offer).await
}

/// See [`verification::resend`](crate::app::verification::resend).
///
/// # Errors
/// As there.
pub async fn resend(
    key: &Narrowed,
    id: &VerificationId,
    channel: Option<Channel>,
) -> Result<View, VerificationError> {
    key.refuse_foreign(id).await?;
    verification::resend(&key.all.verifying, id, channel).await
}

/// See [`verification::cancel`](crate::app::verification::cancel).
///
/// # Errors
/// As there.
pub async fn cancel(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    key.refuse_foreign(id).await?;
    verification::cancel(&key.all.admission, id).await
}

/// See [`verification::approve`](crate::app::verification::approve).
///
/// # Errors
/// As there.
pub async fn approve(key: &Narrowed, id: &VerificationId) -> Result<View, VerificationError> {
    key.refuse_foreign(id).await?;
    verification::approve(&key.all.admission, id).await
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
    key.refuse_foreign(&verification.id).await?;
    verification::release(&key.all.base, service, verification).await
}
