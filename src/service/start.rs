//! Beginning a verification, and sending again.

use super::{Service, ServiceError, TRIES, View};
use crate::model::answer::Answer;
use crate::model::channel::Channel;
use crate::model::id::VerificationId;
use crate::model::opt_out::OptOut;
use crate::model::phone::PhoneNumber;
use crate::model::verification::{Event, Start, Verification};
use crate::store::CommitError;
use crate::store::records::{self, Versioned};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What an application asks for.
#[derive(Clone)]
pub struct StartRequest {
    /// The number, as the person wrote it.
    pub to: String,
    /// How.
    pub channel: Channel,
    /// The language.
    pub locale: Option<String>,
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
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long to wait before starting is tried again.
const SHORTLY: Duration = Duration::from_millis(20);

impl Service {
    /// Starts a verification: its record, its outbox and the kept answer are
    /// one write. Returns before anything is sent.
    ///
    /// # Errors
    /// A number or channel that is refused, or the store's.
    pub async fn start(
        &self,
        request: StartRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Started, ServiceError> {
        let kept = idempotency.map(|idempotency| Kept::new(&idempotency, &request));
        for _ in 0..TRIES {
            if let Some(started) = self.start_once(&request, kept.as_ref()).await? {
                return Ok(started);
            }
            // Somebody was first with the same key, or the worker is about to
            // forget an old answer to it.
            self.0.wake.notify_one();
            tokio::time::sleep(SHORTLY).await;
        }
        Err(ServiceError::Contended)
    }

    /// Starts, or repeats the answer that is kept; `None` when it is to be
    /// tried again.
    async fn start_once(
        &self,
        request: &StartRequest,
        kept: Option<&Kept>,
    ) -> Result<Option<Started>, ServiceError> {
        if let Some(kept) = kept {
            match self.replay(kept).await? {
                Replay::Answer(started) => return Ok(Some(*started)),
                // The worker alone takes it away. To write over it here might
                // meet the answer of somebody who came after the worker, under
                // the same version.
                Replay::Outdated => return Ok(None),
                Replay::Nothing => {}
            }
        }
        let to = PhoneNumber::parse(&request.to, &self.0.numbers)?;
        if !self.0.policy.channels.contains(&request.channel) {
            return Err(ServiceError::ChannelOff(request.channel));
        }
        self.refuse_opted_out(&to, request.channel).await?;
        let verification = self.new_verification(to, request);
        let mut changes = vec![records::put(None, &verification)];
        if let Some(kept) = kept {
            let expires_at = verification.created_at.checked_add(KEPT).unwrap_or(verification.expires_at);
            let answer = Answer {
                id: kept.id.clone(),
                fingerprint: kept.fingerprint.clone(),
                verification: verification.clone(),
                expires_at,
            };
            changes.push(records::put(None, &answer));
        }
        match self.store().commit(changes).await {
            Ok(()) => {}
            Err(CommitError::Conflict) => return Ok(None),
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
        self.0.wake.notify_one();
        tracing::info!(verification = %verification.id, to = %verification.to, channel = %request.channel, "verification started");
        Ok(Some(Started { view: self.fresh_view(verification), replayed: false }))
    }

    /// Sends again, by the same channel or another.
    ///
    /// # Errors
    /// Too soon, none left, ended, not offered, not found, or the store's.
    pub async fn resend(&self, id: &VerificationId, channel: Option<Channel>) -> Result<View, ServiceError> {
        let old = self.verification(id).await?.record;
        let channel = channel.unwrap_or_else(|| old.channel());
        self.refuse_opted_out(&old.to, channel).await?;
        let gate_key = self.gate_key();
        let decision = self.happen(id, |_| Ok(Event::Resend { channel, gate_key })).await?;
        self.refuse(decision.outcome, channel)?;
        tracing::info!(verification = %id, %channel, "verification sent again");
        self.view(decision.verification).await
    }

    fn new_verification(&self, to: PhoneNumber, request: &StartRequest) -> Verification {
        let start = Start {
            id: VerificationId::from_random(self.0.entropy.bytes()),
            to,
            locale: request.locale.clone(),
            channel: request.channel,
            code: self.0.codes.seed(self.0.entropy.bytes(), self.0.policy.code_length),
            gate_key: self.gate_key(),
        };
        Verification::start(&self.0.policy, start, self.now())
    }

    fn fresh_view(&self, verification: Verification) -> View {
        let deliveries = verification.sends.iter().map(|send| (send.clone(), None)).collect();
        self.bare_view(verification, deliveries)
    }

    async fn replay(&self, kept: &Kept) -> Result<Replay, ServiceError> {
        let found: Option<Versioned<Answer>> = records::get(self.store(), &kept.id).await?;
        let Some(found) = found else {
            return Ok(Replay::Nothing);
        };
        if found.record.expires_at <= self.now() {
            return Ok(Replay::Outdated);
        }
        if found.record.fingerprint != kept.fingerprint {
            return Err(ServiceError::KeyReused);
        }
        let view = self.view_as_started(found.record.verification);
        Ok(Replay::Answer(Box::new(Started { view, replayed: true })))
    }

    /// The answer that was given is given again, whatever happened since.
    fn view_as_started(&self, verification: Verification) -> View {
        let status = verification.status;
        let policy = &self.0.policy;
        View {
            status,
            checks_left: verification.checks_left(policy),
            sends_left: verification.sends_left(policy),
            resend_at: verification.resend_at(policy),
            ..self.fresh_view(verification)
        }
    }

    async fn refuse_opted_out(&self, to: &PhoneNumber, channel: Channel) -> Result<(), ServiceError> {
        let Some(sender) = self.0.sender.as_ref().filter(|_| channel == Channel::Sms) else {
            return Ok(());
        };
        let wish = records::get::<OptOut>(self.store(), &OptOut::key(to.in_full(), sender)).await?;
        match wish {
            Some(wish) if wish.record.opted_out => Err(ServiceError::OptedOut),
            _ => Ok(()),
        }
    }
}

/// What is kept for an idempotency key.
enum Replay {
    Nothing,
    /// The answer that was given.
    Answer(Box<Started>),
    /// One that is too old and was not forgotten yet.
    Outdated,
}

/// An idempotency key and its request as they are stored: hashed, for a key may
/// hold anything and a request holds a number.
struct Kept {
    id: String,
    fingerprint: String,
}

impl Kept {
    fn new(idempotency: &Idempotency, request: &StartRequest) -> Self {
        let hash = |parts: &[&str]| {
            let mut hash = Sha256::new();
            for part in parts {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
            hex::encode(hash.finalize())
        };
        Self {
            id: hash(&[&idempotency.caller, &idempotency.key]),
            fingerprint: hash(&[
                &request.to,
                request.channel.as_str(),
                request.locale.as_deref().unwrap_or(""),
            ]),
        }
    }
}
