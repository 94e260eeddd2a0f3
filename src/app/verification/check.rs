//! Is this the code? And looking at or calling off a verification.

use crate::app::admission::Admission;
use crate::app::verification::happen::{self, happen};
use crate::app::verification::view::view;
use crate::app::verification::{VerificationError, Verifying, View};
use crate::model::id::VerificationId;
use crate::model::verification::{Input, Outcome, Verification, binding};
use crate::model::wording;

/// What somebody says the code is.
#[derive(Clone, Default)]
pub struct Offer {
    /// The code.
    pub code: String,
    /// What is to be paid, of a code that is bound to it.
    pub amount: Option<String>,
    /// Who is to be paid.
    pub payee: Option<String>,
}

/// A code alone.
impl From<&str> for Offer {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }
}

impl From<&String> for Offer {
    fn from(code: &String) -> Self {
        code.as_str().into()
    }
}

/// What came of a check.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Whether it was the code, of a verification that was still alive.
    pub valid: bool,
    /// The verification after it.
    pub view: View,
}

/// Compares a code. The check is counted, and the code is spent if it was
/// right, by the same write, so that no two callers can both be right and
/// none gets a check for free.
///
/// # Errors
/// What cannot be a code is refused without spending a check. An ended
/// verification is [`VerificationError::Ended`].
pub async fn check(
    verifying: &Verifying,
    id: &VerificationId,
    offered: impl Into<Offer>,
) -> Result<Checked, VerificationError> {
    let offered = offered.into();
    let decision = happen(&verifying.telling, id, |verification| {
        let seed = &verification.code;
        let Some(code) = seed.read(&offered.code) else {
            return Err(VerificationError::NotACode { length: seed.length, kind: seed.kind() });
        };
        let offered = Offer { code, ..offered.clone() };
        Ok(Input::Check { matches: matches(verifying, verification, &offered)? })
    })
    .await?;
    let valid = match decision.outcome {
        Outcome::Ended(status) => return Err(VerificationError::Ended(status)),
        outcome => outcome == Outcome::Approved,
    };
    let verification = decision.verification;
    tracing::info!(verification = %id, valid, status = %verification.status, checks = verification.checks, "code checked");
    Ok(Checked { valid, view: view(&verifying.admission, verification).await? })
}

/// Does the work of comparing an offer with a code that nobody was sent, so
/// that who asks in vain cannot tell by the time it takes.
pub(in crate::app) fn pretend_to_check(verifying: &Verifying, offered: &Offer) {
    let id = VerificationId::from_random([0; 15]);
    let length = u8::try_from(offered.code.len()).unwrap_or(u8::MAX);
    let seed = verifying.codes.seed([0; 16], length);
    let matches = verifying.codes.derive(&id, &seed).map(|code| code.matches(&offered.code));
    std::hint::black_box(matches);
}

/// A verification as it stands.
///
/// # Errors
/// Not found, or the store's.
pub async fn fetch(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    let verification = happen::verification(&admission.base, id).await?.record;
    view(admission, verification).await
}

/// Calls a verification off. One that was called off stays so.
///
/// # Errors
/// Not found, ended otherwise, or the store's.
pub async fn cancel(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    use crate::model::verification::Status;
    let decision = happen(&admission.telling, id, |_| Ok(Input::Cancel)).await?;
    match decision.outcome {
        Outcome::Ended(status) if status != Status::Canceled => Err(VerificationError::Ended(status)),
        _ => {
            tracing::info!(verification = %id, "verification canceled");
            view(admission, decision.verification).await
        }
    }
}

/// Ends a verification whose code the application chose and checked itself.
///
/// # Errors
/// Not found, ended otherwise, [`VerificationError::CodeNotChosen`], or the store's.
pub async fn approve(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    use crate::model::verification::Status;
    let decision = happen(&admission.telling, id, |_| Ok(Input::Approve)).await?;
    match decision.outcome {
        Outcome::Ended(status) if status != Status::Approved => Err(VerificationError::Ended(status)),
        Outcome::CodeNotChosen => Err(VerificationError::CodeNotChosen),
        _ => {
            tracing::info!(verification = %id, "verification approved by the application");
            view(admission, decision.verification).await
        }
    }
}

fn matches(
    verifying: &Verifying,
    verification: &Verification,
    offered: &Offer,
) -> Result<bool, VerificationError> {
    let code =
        verifying.codes.derive(&verification.id, &verification.code).ok_or(VerificationError::CodeKeyGone)?;
    // A code that is bound to an amount and a payee is good for them alone.
    let shown = |text: &Option<String>| text.as_deref().map(wording::shown).filter(|text| !text.is_empty());
    let (details, payment) = (&verification.details, (shown(&offered.amount), shown(&offered.payee)));
    // Those of before words were made plain are compared as plainly.
    let own = (shown(&details.amount), shown(&details.payee));
    let bound = binding(&own.0, &own.1) == binding(&payment.0, &payment.1);
    Ok(code.matches(&offered.code) && bound)
}
