//! Beginning a verification, and sending again.

use crate::app::admission::numbers;
use crate::app::admission::terms::{refuse_chosen, refuse_unpaid, worded};
use crate::app::admission::ways::{self, ways};
use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::app::services::{Directory, find};
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::{VerificationError, Verifying, View};
use crate::app::verification::{happen, view};
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::id::{ServiceId, SessionId, VerificationId};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::phone::PhoneNumber;
use crate::model::service::{DIGITS, Service};
use crate::model::test_number::TestNumber;
use crate::model::verification::{Details, Input, Start, Verification, decide};
use crate::secret::Secret;
use crate::store::records::{self, Ahead, Versioned};
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
    let view = match transact(&verifying.base, &transact::START, look).await? {
        Begun::Again(started) => return Ok(*started),
        Begun::Now(view) => *view,
    };
    let verification = &view.verification;
    happen::wake_for(&verifying.base, verification);
    tracing::info!(verification = %verification.id, to = %verification.to, channel = %verification.channel(), "verification started");
    Ok(Started { view, replayed: false })
}

/// What has to be written to start, or the answer that is kept. What that depends on is
/// read at once; where the service is not known, once it is.
async fn start_once(
    verifying: &Verifying,
    request: &StartRequest,
    kept: Option<&Kept>,
) -> Result<Draft<Begun>, VerificationError> {
    let (store, mut ahead) = (verifying.base.store(), Ahead::default());
    if let Some(kept) = kept {
        ahead.want::<IdempotencyRecord>(&kept.id);
    }
    // Read once, for its rules are most of what a start computes; refused in its turn.
    let number = numbers::number(&verifying.admission, &request.to);
    let want_ways = |service: Arc<Service>, ahead: &mut Ahead| {
        if let Ok((to, _)) = &number {
            ways::want_ways(&verifying.admission, service, to, ahead);
        }
    };
    match known_service(&verifying.directory, request) {
        Some(service) => want_ways(service, &mut ahead),
        None => find::want_service(&verifying.directory, request.service.as_ref(), &mut ahead),
    }
    ahead.read(store).await?;
    if let Some(kept) = kept {
        match replay(&verifying.directory, kept, &ahead).await? {
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
    let service = find::service_from(&verifying.directory, request.service.as_ref(), &ahead).await?;
    want_ways(service.clone(), &mut ahead);
    ahead.read(store).await?;
    let verification = new_verification(verifying, &service, request, number?, &ahead).await?;
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
    let view = view::fresh_view(&verifying.directory, service, verification);
    let view = view::wanted(&verifying.admission, view, &ahead).await?;
    Ok(Draft::Write(changes, Begun::Now(Box::new(view))))
}

fn known_service(directory: &Directory, request: &StartRequest) -> Option<Arc<Service>> {
    match &request.service {
        None => Some(directory.services.default_service().clone()),
        Some(id) => directory.services.known(id).flatten(),
    }
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
    resend_own(verifying, id, channel, |_| true).await
}

/// The same of one of the caller's; any other is not there.
pub(in crate::app) async fn resend_own(
    verifying: &Verifying,
    id: &VerificationId,
    channel: Option<Channel>,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<View, VerificationError> {
    let look = || resend_once(verifying, id, channel, &is_own);
    let (verification, ahead) = transact(&verifying.base, &transact::VERIFICATION, look).await?;
    happen::wake_for(&verifying.base, &verification);
    tracing::info!(verification = %id, channel = %verification.channel(), "verification sent again");
    view::view_from(&verifying.admission, verification, &ahead).await
}

/// What has to be written to send again, and what is shown around it: what is read to
/// decide, for the new send is known to nobody outside yet.
async fn resend_once(
    verifying: &Verifying,
    id: &VerificationId,
    channel: Option<Channel>,
    is_own: &impl Fn(&Verification) -> bool,
) -> Result<Draft<(Verification, Ahead)>, VerificationError> {
    let (admission, directory) = (&verifying.admission, &verifying.directory);
    let old = happen::verification(&verifying.base, id).await?;
    if !is_own(&old.record) {
        return Err(Fault::NotFound.into());
    }
    let ahead = view::around(admission, &[&old.record]).await?;
    let channel = channel.unwrap_or_else(|| old.record.channel());
    let service = find::service_of_from(directory, &old.record, &ahead).await?;
    let ways = ways(directory, service.clone(), &old.record.to, &ahead).await?;
    ways::refuse_way(admission, &ways, channel, &old.record.to, &ahead).await?;
    let gate_key = happen::gate_key(&verifying.base, &service);
    let failed = view::view_from(admission, old.record.clone(), &ahead).await?.failed_send();
    let renewed = renewed(verifying, &service, &old.record, &old.record.details, None)?;
    let input = Input::Resend { channel, gate_key, failed, renewed };
    let decision = decide(&service.policy(&directory.policy), &old.record, input, verifying.base.now());
    happen::refuse(&verifying.base, decision.outcome, channel)?;
    let changes = happen::written(&verifying.telling, Some(&old), &decision.verification);
    Ok(Draft::Write(changes, (decision.verification, ahead)))
}

async fn new_verification(
    verifying: &Verifying,
    service: &Arc<Service>,
    request: &StartRequest,
    (to, test): (PhoneNumber, Option<&TestNumber>),
    ahead: &Ahead,
) -> Result<Verification, VerificationError> {
    let ways = ways(&verifying.directory, service.clone(), &to, ahead).await?;
    let channel = ways::way(&verifying.admission, &ways, request.channel, &to, ahead).await?;
    new_verification_by(verifying, service, request, channel, (to, test))
}

/// A verification whose channel is settled, and what its number is to tests.
pub(in crate::app) fn new_verification_by(
    verifying: &Verifying,
    service: &Service,
    request: &StartRequest,
    channel: Channel,
    (to, test): (PhoneNumber, Option<&TestNumber>),
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
        admitted: None,
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

async fn replay(directory: &Directory, kept: &Kept, ahead: &Ahead) -> Result<Replay, VerificationError> {
    let found: Option<Versioned<IdempotencyRecord>> = ahead.get(directory.base.store(), &kept.id).await?;
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
    Now(Box<View>),
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
