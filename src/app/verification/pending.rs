//! One verification for a service and a number: begun, or sent again when it
//! is there already.
//!
//! What leads to it, the verification, and what the rate limits count are one
//! write, so that no race makes two of them or one request too many.

use crate::app::admission::ways::{self, ways};
use crate::app::admission::{Admission, numbers};
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::leases::Tickets;
use crate::app::services::{Directory, find};
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::limits::{Counts, counts};
use crate::app::verification::{
    AskError, StartRequest, VerificationError, Verifying, View, happen, start, view,
};
use crate::model::active_verification::ActiveVerification;
use crate::model::channel::Channel;
use crate::model::id::VerificationId;
use crate::model::phone::PhoneNumber;
use crate::model::policy::Policy;
use crate::model::service::Service;
use crate::model::verification::{Input, Outcome, Status, Verification, decide};
use crate::store::records::{self, Ahead, Versioned};
use crate::store::{Change, Commit, CommitError};
use std::sync::{Arc, OnceLock};

/// What an application asks for that wants one verification for each number.
#[derive(Clone)]
pub struct Ask {
    /// What is to be begun, or sent again.
    pub request: StartRequest,
    /// The values to count by, with the names of their rate limits.
    pub limits: Vec<(String, String)>,
    /// Whether rules about countries are passed over.
    pub skip_risk_check: bool,
}

/// Which verification stood open, and how often it had been sent.
type Mark = Option<(VerificationId, usize)>;

/// Begins the number's verification, or sends again by the one that stands
/// open: the same code, unless what it is bound to has changed.
///
/// # Errors
/// [`AskError`]; nothing was written then.
pub async fn ask(verifying: &Verifying, ask: &Ask) -> Result<View, AskError> {
    let service = find::service(&verifying.directory, ask.request.service.as_ref()).await?;
    let (to, _) = numbers::number(&verifying.admission, &ask.request.to)?;
    let mut ahead = Ahead::default();
    ways::want_ways(&verifying.admission, service.clone(), &to, &mut ahead);
    ahead.read(verifying.base.store()).await?;
    let ways = match ask.skip_risk_check {
        true => ways::ways_to_all(&verifying.directory, service, &to, &ahead).await?,
        false => ways(&verifying.directory, service, &to, &ahead).await?,
    };
    let channel = ways::way(&verifying.admission, &ways, ask.request.channel, &to, &ahead).await?;
    let service = ways.service;
    let first_seen = OnceLock::new();
    let look = || async {
        match ask_once(verifying, &service, ask, channel, &to, &first_seen).await {
            Ok((changes, counts, verification)) => Ok(draft(changes, counts, verification)),
            Err(AskError::Verification(error)) => Err(error),
            Err(refused) => Ok(Draft::Settled(Err(refused))),
        }
    };
    let asked = transact(&verifying.base, &transact::VERIFICATION, look).await.map_err(|error| match error {
        VerificationError::Fault(Fault::Contended) => AskError::Concurrent,
        error => error.into(),
    });
    let verification = asked??;
    happen::wake_for(&verifying.base, &verification);
    let sends = verification.sends.len();
    tracing::info!(verification = %verification.id, to = %verification.to, %channel, sends, "verification asked for");
    Ok(view::fresh_view(&verifying.directory, service, verification))
}

/// What has to be written for a number to be asked as it is seen now.
async fn ask_once(
    verifying: &Verifying,
    service: &Arc<Service>,
    ask: &Ask,
    channel: Channel,
    to: &PhoneNumber,
    first_seen: &OnceLock<Mark>,
) -> Result<(Vec<Change>, Counts, Verification), AskError> {
    let open = open(&verifying.base, service, to).await?;
    // Somebody else asked between our reading and our writing: the person gets
    // one message, not two.
    if *first_seen.get_or_init(|| open.mark()) != open.mark() {
        return Err(AskError::Concurrent);
    }
    let (changes, verification) = asked(verifying, service, ask, channel, (to, &open))?;
    Ok((changes, counts(&verifying.base, service, &ask.limits).await?, verification))
}

/// The write, with what is counted in it.
fn draft(
    changes: Vec<Change>,
    counts: Counts,
    verification: Verification,
) -> Draft<Result<Verification, AskError>> {
    Draft::Counted {
        commit: Commit { changes, additions: counts.additions() },
        tickets: Tickets::default(),
        done: Ok(verification),
        refused: Box::new(move |limited| Err(counts.reached(limited))),
    }
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
    let live = pointers(&admission.base, service, &to).await?.live;
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
    let Some(found) = pointers(base, service, &verification.to).await?.live else { return Ok(()) };
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

async fn open(base: &Base, service: &Service, to: &PhoneNumber) -> Result<Open, VerificationError> {
    let Pointers { own, live } = pointers(base, service, to).await?;
    let last = match live {
        Some(live) => records::get::<Verification>(base.store(), live.record.verification.as_str()).await?,
        None => None,
    };
    Ok(Open { pending: own, last })
}

/// What leads to a person's verification: what stands under their key, or
/// under another spelling of the number while what was written so lives.
async fn pointers(base: &Base, service: &Service, to: &PhoneNumber) -> Result<Pointers, VerificationError> {
    let person = to.person();
    let numbers: Vec<PhoneNumber> =
        person.spellings().iter().filter_map(|spelling| spelling.parse().ok()).collect();
    let keys = numbers.iter().map(|number| ActiveVerification::key(&service.id, number));
    let found = records::get_many::<ActiveVerification>(base.store(), keys).await?;
    let (mut own, mut live) = (None, None);
    for (number, found) in numbers.iter().zip(found) {
        if live.is_none() {
            live = found.clone().filter(|found| base.now() < found.record.expires_at);
        }
        if number == person.number() {
            own = found;
        }
    }
    Ok(Pointers { own, live })
}

/// What is to be written, and the verification as it will be.
fn asked(
    verifying: &Verifying,
    service: &Service,
    ask: &Ask,
    channel: Channel,
    (to, open): (&PhoneNumber, &Open),
) -> Result<(Vec<Change>, Verification), AskError> {
    let now = verifying.base.now();
    match &open.last {
        Some(last) if last.record.status_at(now) == Status::Pending => {
            asked_again(verifying, service, ask, channel, last)
        }
        Some(last) if last.record.status == Status::MaxAttemptsReached && now < last.record.expires_at => {
            Err(AskError::ChecksUsedUp { seconds: seconds_left(&verifying.base, &last.record) })
        }
        _ => {
            let number = numbers::known(&verifying.admission, to.clone());
            let verification = start::new_verification_by(verifying, service, &ask.request, channel, number)?;
            let pending = ActiveVerification {
                service: service.id.clone(),
                number: verification.to.person().number().clone(),
                verification: verification.id.clone(),
                expires_at: verification.expires_at,
            };
            let mut changes = happen::written(&verifying.telling, None, &verification);
            changes.push(records::put(open.pending.as_ref(), &pending));
            Ok((changes, verification))
        }
    }
}

fn asked_again(
    verifying: &Verifying,
    service: &Service,
    ask: &Ask,
    channel: Channel,
    old: &Versioned<Verification>,
) -> Result<(Vec<Change>, Verification), AskError> {
    let custom = ask.request.custom_code.as_ref();
    let renewed = start::renewed(verifying, service, &old.record, &ask.request.details, custom)?;
    let input = Input::Resend {
        channel,
        gate_key: happen::gate_key(&verifying.base, service),
        failed: None,
        renewed,
    };
    let decision = decide(&policy(verifying, service), &old.record, input, verifying.base.now());
    if decision.outcome == Outcome::NoSendsLeft {
        return Err(AskError::SendsUsedUp { seconds: seconds_left(&verifying.base, &old.record) });
    }
    happen::refuse(&verifying.base, decision.outcome, channel)?;
    Ok((happen::written(&verifying.telling, Some(old), &decision.verification), decision.verification))
}

/// How long a verification still lives, in whole seconds, at least one.
pub fn seconds_left(base: &Base, verification: &Verification) -> i64 {
    let left = verification.expires_at.duration_since(base.now()).as_millis();
    i64::try_from((left + 999) / 1000).unwrap_or(i64::MAX).max(1)
}

/// What leads to the verification of a person.
struct Pointers {
    /// What stands under their key, and is written over.
    own: Option<Versioned<ActiveVerification>>,
    /// What still leads somewhere, under any spelling.
    live: Option<Versioned<ActiveVerification>>,
}

/// What stands open for a number.
struct Open {
    pending: Option<Versioned<ActiveVerification>>,
    last: Option<Versioned<Verification>>,
}

impl Open {
    /// Changes whenever somebody begins anew or sends again, and not when a
    /// job goes about its outbox steps.
    fn mark(&self) -> Mark {
        self.last.as_ref().map(|last| (last.record.id.clone(), last.record.sends.len()))
    }
}

/// Twilio Verify knows no wait between two sends, and its clients do not
/// expect one: the cooldown that nobody has set is not theirs. One that somebody
/// has set holds.
fn policy(verifying: &Verifying, service: &Service) -> Policy {
    let policy = service.policy(&verifying.directory.policy);
    match service.settings.sets_cooldown() {
        true => policy,
        false => Policy { cooldown: Vec::new(), ..policy },
    }
}
