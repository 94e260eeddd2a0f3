//! Beginning a verification, and sending again: what each face calls, all of it by the
//! one way in ([`begin`]).

use crate::app::admission::profile::Profile;
use crate::app::verification::begin::begin;
use crate::app::verification::code_request::{CodeRequest, Target};
use crate::app::verification::kept::Kept;
use crate::app::verification::request::{Again, Ask, Idempotency, StartRequest, Started};
use crate::app::verification::{VerificationError, Verifying, View};
use crate::model::id::VerificationId;
use crate::model::verification::Verification;

/// Starts a verification: its record, its outbox, what leads to it and the kept answer
/// are one write. Returns before anything is sent. Where the caller has one of the number
/// open, it is sent again, or shown if that is too soon.
///
/// # Errors
/// Whatever the rules refuse, or the store's.
pub async fn start(
    verifying: &Verifying,
    request: StartRequest,
    idempotency: Option<Idempotency>,
) -> Result<Started, VerificationError> {
    start_as(verifying, &Profile::API, &request, idempotency).await
}

/// The same of any face.
pub(in crate::app) async fn start_as(
    verifying: &Verifying,
    profile: &Profile,
    request: &StartRequest,
    idempotency: Option<Idempotency>,
) -> Result<Started, VerificationError> {
    let kept = idempotency.map(|idempotency| Kept::new(&idempotency, request));
    let target = Target::Number { request, limits: &[], passes_countries: false, kept };
    begin(verifying, &CodeRequest { profile, target }).await
}

/// Begins the number's verification, or sends again by the one that stands
/// open: the same code, unless what it is bound to has changed.
///
/// # Errors
/// Whatever the rules refuse, a rate limit that is reached, [`Fault::Contended`] where
/// somebody else asked at the same moment, or the store's; nothing was written then.
///
/// [`Fault::Contended`]: crate::app::fault::Fault::Contended
pub async fn ask(verifying: &Verifying, ask: &Ask) -> Result<View, VerificationError> {
    let target = Target::Number {
        request: &ask.request,
        limits: &ask.limits,
        passes_countries: ask.skip_risk_check,
        kept: None,
    };
    Ok(begin(verifying, &CodeRequest { profile: &Profile::VERIFY, target }).await?.view)
}

/// Sends one of the caller's again, by the same channel or another. Any other is not there.
///
/// # Errors
/// Too soon, none left, ended, not offered, not found, a payment that is
/// missing, or the store's.
pub async fn resend(
    verifying: &Verifying,
    id: &VerificationId,
    again: &Again,
    is_own: &(dyn Fn(&Verification) -> bool + Sync),
) -> Result<View, VerificationError> {
    let target = Target::Verification { id, again, is_own };
    Ok(begin(verifying, &CodeRequest { profile: &Profile::AGAIN, target }).await?.view)
}
