//! Beginning a verification, and sending again.

use crate::app::admission::numbers;
use crate::app::admission::terms::{refuse_chosen, refuse_unpaid, worded};
use crate::app::admission::ways::{self, ways};
use crate::app::hash::hash;
use crate::app::services::{Directory, find};
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::happen::{self, happen};
use crate::app::verification::view::{self, view};
use crate::app::verification::{VerificationError, Verifying, View};
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::id::{ServiceId, SessionId, VerificationId};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::service::{DIGITS, Service};
use crate::model::verification::{Details, Input, Start, Verification};
use crate::secret::Secret;
use crate::store::records::{self, Versioned};
use crate::store::{Key, Kind};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// What an application asks for.
#[derive(Clone, Serialize)]
pub struct StartRequest {
    /// The number, as the person wrote it.
    pub to: String,
    /// How; nothing for the service's preferred way to this number.
    pub channel: Option<Channel>,
    /// The language; one that there are texts in.
    pub locale: Option<String>,
    /// For which service; nothing for the one of the configuration's top level.
    pub service: Option<ServiceId>,
    /// The session of the pages, where it is begun in one.
    #[serde(skip)]
    pub session: Option<SessionId>,
    /// What else is said about it.
    pub details: Details,
    /// A code that the application chose: 4 to 10 letters and digits. It is no
    /// part of what an `Idempotency-Key` is compared by, for that is at rest.
    #[serde(skip)]
    pub custom_code: Option<Secret>,
}

impl StartRequest {
    /// The plainest request there is.
    pub fn to(number: impl Into<String>) -> Self {
        Self {
            to: number.into(),
            channel: None,
            locale: None,
            service: None,
            session: None,
            details: Details::default(),
            custom_code: None,
        }
    }
}

/// A key with which a request may be repeated without being done twice.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Who asks: keys of different callers do not meet.
    pub caller: String,
    /// Their key.
    pub key: String,
}

/// A verification that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// As it was when it started.
    pub view: View,
    /// True when this answer was given before.
    pub replayed: bool,
}

/// How long an answer is kept for its idempotency key.
pub(in crate::app) const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long to wait before starting is tried again.
const SHORTLY: Duration = Duration::from_millis(20);

/// Starts a verification: its record, its outbox and the kept answer are
/// one write. Returns before anything is sent.
///
/// # Errors
/// A number or channel that is refused, or the store's.
pub async fn start(
    verifying: &Verifying,
    request: StartRequest,
    idempotency: Option<Idempotency>,
) -> Result<Started, VerificationError> {
    let kept = idempotency.map(|idempotency| Kept::new(&idempotency, &request));
    let look = || start_once(verifying, &request, kept.as_ref());
    let (service, verification) = match transact(&verifying.base, &transact::START, look).await? {
        Begun::Again(started) => return Ok(*started),
        Begun::Now(service, verification) => (service, verification),
    };
    happen::wake_for(&verifying.base, &verification);
    tracing::info!(verification = %verification.id, to = %verification.to, channel = %verification.channel(), "verification started");
    let view =
        view::wanted(&verifying.admission, view::fresh_view(&verifying.directory, service, *verification))
            .await?;
    Ok(Started { view, replayed: false })
}

/// What has to be written to start, or the answer that is kept.
async fn start_once(
    verifying: &Verifying,
    request: &StartRequest,
    kept: Option<&Kept>,
) -> Result<Draft<Begun>, VerificationError> {
    if let Some(kept) = kept {
        match replay(&verifying.directory, kept).await? {
            Replay::Answer(started) => return Ok(Draft::Settled(Begun::Again(started))),
            // A job alone takes it away. To write over it here might
            // meet the answer of somebody who came after the job, under
            // the same version.
            Replay::Outdated(since) => {
                verifying.base.board.want(Key::new(Kind::IdempotencyRecord, &kept.id), since);
                return Ok(Draft::Later(SHORTLY));
            }
            Replay::Nothing => {}
        }
    }
    let service = find::service(&verifying.directory, request.service.as_ref()).await?;
    let verification = new_verification(verifying, &service, request).await?;
    let mut changes = happen::written(&verifying.telling, None, &verification);
    if let Some(kept) = kept {
        let expires_at = verification.created_at.checked_add(KEPT).unwrap_or(verification.expires_at);
        let answer = IdempotencyRecord {
            id: kept.id.clone(),
            fingerprint: kept.fingerprint.clone(),
            verification: Some(verification.clone()),
            reply: None,
            expires_at,
        };
        changes.push(records::put(None, &answer));
    }
    Ok(Draft::Write(changes, Begun::Now(service, Box::new(verification))))
}

/// Sends again, by the same channel or another.
///
/// # Errors
/// Too soon, none left, ended, not offered, not found, a payment that is
/// missing, or the store's.
pub async fn resend(
    verifying: &Verifying,
    id: &VerificationId,
    channel: Option<Channel>,
) -> Result<View, VerificationError> {
    // Number and service of a verification never change.
    let old = happen::verification(&verifying.base, id).await?.record;
    let channel = channel.unwrap_or_else(|| old.channel());
    let service = find::service_of(&verifying.directory, &old).await?;
    let ways = ways(&verifying.directory, service.clone(), &old.to).await?;
    ways::refuse_way(&verifying.admission, &ways, channel, &old.to).await?;
    let gate_key = happen::gate_key(&verifying.base, &service);
    let failed = view(&verifying.admission, old).await?.failed_send();
    let resend = |old: &Verification| {
        let renewed = renewed(verifying, &service, old, &old.details, None)?;
        Ok(Input::Resend { channel, gate_key, failed, renewed })
    };
    let decision = happen(&verifying.telling, id, resend).await?;
    happen::refuse(&verifying.base, decision.outcome, channel)?;
    tracing::info!(verification = %id, %channel, "verification sent again");
    view(&verifying.admission, decision.verification).await
}

async fn new_verification(
    verifying: &Verifying,
    service: &Arc<Service>,
    request: &StartRequest,
) -> Result<Verification, VerificationError> {
    let (to, _) = numbers::number(&verifying.admission, &request.to)?;
    let ways = ways(&verifying.directory, service.clone(), &to).await?;
    let channel = ways::way(&verifying.admission, &ways, request.channel, &to).await?;
    new_verification_by(verifying, service, request, channel)
}

/// A verification whose channel is settled.
pub(in crate::app) fn new_verification_by(
    verifying: &Verifying,
    service: &Service,
    request: &StartRequest,
    channel: Channel,
) -> Result<Verification, VerificationError> {
    let details = worded(service, &request.details)?;
    refuse_unpaid(service, &details)?;
    refuse_chosen(service, request.custom_code.is_some())?;
    refuse_unspoken(
        &verifying.directory,
        service,
        request.details.template.as_deref(),
        request.locale.as_deref(),
    )?;
    let (to, test) = numbers::number(&verifying.admission, &request.to)?;
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

/// Refuses a language that there are no texts in: whoever asks for one that
/// there is not would find out from people who cannot read theirs.
pub(in crate::app) fn refuse_unspoken(
    directory: &Directory,
    service: &Service,
    set: Option<&str>,
    locale: Option<&str>,
) -> Result<(), VerificationError> {
    Ok(locale.map_or(Ok(()), |locale| directory.services.judge_locale(service, set, locale))?)
}

/// What sending again changes beside the channel: another code where what
/// it is bound to has changed, or where the application brings another one.
/// A code that somebody chose is laid out anew for a new generation.
///
/// # Errors
/// What the service's terms refuse, or [`VerificationError::CodeKeyGone`].
pub(in crate::app) fn renewed(
    verifying: &Verifying,
    service: &Service,
    old: &Verification,
    details: &Details,
    custom: Option<&Secret>,
) -> Result<Option<Box<(CodeSeed, Details)>>, VerificationError> {
    // What was said before was judged then.
    let details = if *details == old.details { details.clone() } else { worded(service, details)? };
    refuse_unpaid(service, &details)?;
    refuse_chosen(service, custom.is_some())?;
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
        code_seed(verifying, service, &old.id, generation, &details, kept.as_ref().map(Secret::expose))?
    } else if old.details == details {
        return Ok(None);
    } else {
        old.code.clone()
    };
    Ok(Some(Box::new((seed, details))))
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

async fn replay(directory: &Directory, kept: &Kept) -> Result<Replay, VerificationError> {
    let found: Option<Versioned<IdempotencyRecord>> = records::get(directory.base.store(), &kept.id).await?;
    let Some(found) = found else {
        return Ok(Replay::Nothing);
    };
    if found.record.expires_at <= directory.base.now() {
        return Ok(Replay::Outdated(found.record.expires_at));
    }
    if found.record.fingerprint != kept.fingerprint {
        return Err(VerificationError::KeyReused);
    }
    // An answer to something else has another request's fingerprint.
    let verification = found.record.verification.ok_or(VerificationError::KeyReused)?;
    let service = find::service_of(directory, &verification).await?;
    let view = view::view_as_started(directory, service, verification);
    Ok(Replay::Answer(Box::new(Started { view, replayed: true })))
}

/// What is kept for an idempotency key.
enum Begun {
    /// Once more, as it was answered.
    Again(Box<Started>),
    /// By this write.
    Now(Arc<Service>, Box<Verification>),
}

enum Replay {
    Nothing,
    /// The answer that was given.
    Answer(Box<Started>),
    /// One that is too old since then and was not forgotten yet.
    Outdated(Timestamp),
}

/// An idempotency key and its request as they are stored: hashed, for a key may
/// hold anything and a request holds a number.
struct Kept {
    id: String,
    fingerprint: String,
}

impl Kept {
    fn new(idempotency: &Idempotency, request: &StartRequest) -> Self {
        // Plain data with text keys: writing it cannot fail.
        let request = serde_json::to_string(request).unwrap_or_default();
        Self { id: hash(&[&idempotency.caller, &idempotency.key]), fingerprint: hash(&[&request]) }
    }
}
