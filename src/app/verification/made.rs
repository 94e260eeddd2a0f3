//! What a new verification is made of, and what sending again makes of one: codes above
//! all. Whether that may be is not asked here.

use crate::app::hash::hash;
use crate::app::verification::request::StartRequest;
use crate::app::verification::{VerificationError, Verifying, happen};
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::id::VerificationId;
use crate::model::phone::PhoneNumber;
use crate::model::service::{DIGITS, Service};
use crate::model::test_number::TestNumber;
use crate::model::verification::{Details, Start, Verification};
use crate::secret::Secret;

/// A new verification, whose words are those that people will see.
///
/// # Errors
/// [`VerificationError::CodeKeyGone`].
pub(in crate::app) fn new_verification(
    verifying: &Verifying,
    service: &Service,
    (request, details): (&StartRequest, Details),
    channel: Channel,
    (to, test): (PhoneNumber, Option<&TestNumber>),
) -> Result<Verification, VerificationError> {
    let id = VerificationId::from_random(verifying.base.entropy.bytes());
    let custom = match test {
        Some(test) => Some(test.code.as_str()),
        None => request.custom_code.as_ref().map(|code| code.expose()),
    };
    let start = Start {
        code: code_seed(verifying, service, &id, 1, &details, custom)?,
        id,
        service: Some(service.id.clone())
            .filter(|id| *id != verifying.directory.services.default_service().id),
        session: request.session.clone(),
        details,
        test: test.is_some(),
        to,
        locale: request.locale.clone(),
        channel,
        gate_key: happen::gate_key(&verifying.base, service),
    };
    Ok(Verification::start(&service.policy(&verifying.directory.policy), start, verifying.base.now()))
}

/// What sending again changes beside the channel: another code where what
/// it is bound to has changed, or where the application brings another one.
/// A code that somebody chose is laid out anew for a new generation.
///
/// # Errors
/// [`VerificationError::CodeKeyGone`].
pub(in crate::app) fn renewed(
    verifying: &Verifying,
    service: &Service,
    old: &Verification,
    details: &Details,
    custom: Option<&Secret>,
) -> Result<Option<Box<(CodeSeed, Details)>>, VerificationError> {
    let code = || verifying.codes.derive(&old.id, &old.code).ok_or(VerificationError::CodeKeyGone);
    let is_bound_otherwise = old.details.binding() != details.binding();
    let is_other = match custom {
        Some(custom) if !old.test => !code()?.matches(custom.expose()),
        _ => false,
    };
    let is_laid_out_anew = old.code.custom.is_some() && service.settings.new_code_on_resend;
    let seed = if is_bound_otherwise || is_other || is_laid_out_anew {
        let kept = match (custom, &old.code.custom) {
            (Some(custom), _) if !old.test => Some(custom.clone()),
            (_, Some(_)) if old.test || !is_bound_otherwise => Some(Secret::new(code()?.expose())),
            _ => None,
        };
        let generation = old.code.generation + 1;
        code_seed(verifying, service, &old.id, generation, details, kept.as_ref().map(Secret::expose))?
    } else if old.details == *details {
        return Ok(None);
    } else {
        old.code.clone()
    };
    Ok(Some(Box::new((seed, details.clone()))))
}

/// The seed of one of a verification's codes.
fn code_seed(
    verifying: &Verifying,
    service: &Service,
    id: &VerificationId,
    generation: u32,
    details: &Details,
    custom: Option<&str>,
) -> Result<CodeSeed, VerificationError> {
    let settings = &service.settings;
    let seed = CodeSeed {
        generation,
        alphabet: Some(settings.code_alphabet.clone()).filter(|alphabet| alphabet != DIGITS),
        context: details.binding().map(|(amount, payee)| hash(&[amount, payee])),
        ..verifying.codes.seed(verifying.base.entropy.bytes(), settings.code_length)
    };
    match custom {
        None => Ok(seed),
        Some(code) => verifying.codes.seed_custom(id, seed, code).ok_or(VerificationError::CodeKeyGone),
    }
}
