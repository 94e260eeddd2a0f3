//! What is found out beside the looks, for it takes a while and is asked for once: a proof
//! that a person is asking, and what a provider knows of the number.
//!
//! A look says what it wants; what was brought stands in the next. This module refuses to
//! know which rule wants it, and what providers say.

use crate::app::admission::AdmissionError;
use crate::app::admission::request::Proof;
use crate::app::verification::captcha::{self, Bound, Looked};
use crate::app::verification::code_request::CodeRequest;
use crate::app::verification::seen::Seen;
use crate::app::verification::{VerificationError, Verifying};
use crate::model::captcha::CaptchaDemand;
use crate::model::counter::Pseudonym;
use crate::model::fraud::About;
use crate::model::id::SessionId;
use crate::model::lookup::LookedUp;
use crate::model::phone::{Kind, Line};
use crate::model::verification::Verification;

/// What is found out beside the looks, for it takes a while: what is known of it in one.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Brought {
    /// What is known of a proof that a person is asking.
    pub(in crate::app) proof: Proof,
    /// Whether the number was looked up as far as it can be.
    pub(in crate::app) is_looked_up: bool,
    /// What was told of it then.
    pub(in crate::app) told: Option<LookedUp>,
}

/// Looks at the proof that was brought, where one is asked for; nothing where none is, or
/// none was brought. Not in a look, for it takes a while, and counts once.
pub(in crate::app) async fn proved(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    refused: &VerificationError,
) -> Option<Result<(), VerificationError>> {
    let VerificationError::Admission(AdmissionError::CaptchaRequired { rule, demand }) = refused else {
        return None;
    };
    let (captcha, offer, demand) = (verifying.captcha.as_deref()?, asked.target.captcha()?, demand.as_ref()?);
    let about = (demand.bound_to.clone(), asked.target.who().address);
    let again = match captcha::look_at(verifying, captcha, offer, about).await {
        Ok(Looked::Passed) => return Some(Ok(())),
        Ok(Looked::Wrong(fault)) => {
            tracing::debug!(face = asked.profile.name, rule, %fault, "a proof was not taken");
            let demand = Some(Box::new(CaptchaDemand { why: Some(fault), ..(**demand).clone() }));
            AdmissionError::CaptchaRequired { rule: rule.clone(), demand }
        }
        Ok(Looked::Away) => AdmissionError::CaptchaUnavailable { channel: demand.channel },
        Err(error) => error.into(),
    };
    Some(Err(again.into()))
}

/// What is asked for by a rule that wants a proof, of whoever asks for a code now.
pub(in crate::app) fn demanded(
    verifying: &Verifying,
    asked: &CodeRequest<'_>,
    seen: &Seen<'_>,
    why: AdmissionError,
) -> AdmissionError {
    let (AdmissionError::CaptchaRequired { rule, .. }, Ok((number, _))) = (&why, &seen.number) else {
        return why;
    };
    let who = asked.target.who();
    let whose = who.session.map(SessionId::as_str).or(who.caller).unwrap_or_default();
    let demand = captcha::demand(verifying, Bound { number, whose }, seen.channel);
    AdmissionError::CaptchaRequired { rule: rule.clone(), demand: demand.map(Box::new) }
}

/// Whom a request is about, with what a look-up told of the number, for this request, an
/// earlier one, or the verification that it goes on with; and to what sort of telephone it
/// leads by that.
pub(in crate::app) fn looked_up(
    verifying: &Verifying,
    about: Option<About>,
    told: Option<LookedUp>,
    seen: &Seen<'_>,
) -> (Option<About>, Line) {
    let Some(mut about) = about else { return (None, Line::Unknown) };
    let lookups = verifying.admission.lookups.as_ref();
    let told = told.or_else(|| lookups.and_then(|lookups| lookups.known(about.number)));
    let last = seen.last.as_ref().filter(|_| about.is_resend).map(|last| &last.record);
    let told = LookedUp {
        line_type: told.and_then(|told| told.line_type).or_else(|| last.and_then(Verification::line_type)),
        ..told.unwrap_or(LookedUp::NOTHING)
    };
    about.is_voip |= told.line() == Line::Special(Kind::Voip);
    about.looked_up = told.facts(verifying.base.now());
    (Some(about), told.line())
}

/// The name of a number that is to be looked up.
pub(in crate::app) fn unknown(verifying: &Verifying, about: &About) -> Option<Pseudonym> {
    let lookups = verifying.admission.lookups.as_ref()?;
    lookups.is_wanted(about.number).then_some(about.number)
}
