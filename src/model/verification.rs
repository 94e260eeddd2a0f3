//! A verification: one person proving one number.
//!
//! It changes only by [`decide`], which is pure and total. What is to be done
//! in the world stands in the verification's own outbox, so that what is
//! written is what will be done, whatever dies between.

mod calling;
mod decide;
mod details;
mod elsewhere;
mod failover;
mod open_check;
#[cfg(test)]
mod tests;

use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::id::DeliveryId;
use crate::model::id::ServiceId;
use crate::model::id::SessionId;
use crate::model::id::VerificationId;
use crate::model::limits::Admitted;
use crate::model::lookup::LineType;
pub use crate::model::message::{
    Attempts, Doubt, Effect, Failure, Failures, Jitter, LastError, OutboxStep, SEND_RETRY,
};
use crate::model::message::{Life, Sending};
pub use crate::model::message::{Send, SendState};
use crate::model::phone::PhoneNumber;
use crate::model::plain::{after, is_default};
use crate::model::policy::Policy;
pub use decide::Decision;
pub use decide::Input;
pub use decide::Outcome;
pub use decide::Step;
pub use decide::decide;
pub use details::Details;
pub use details::binding;
pub use failover::FAILOVER_AGAIN_AFTER;
use jiff::Timestamp;
pub use open_check::Answer;
pub use open_check::OpenCheck;
use serde::Deserialize;
use serde::Serialize;
use std::fmt;

/// One person proving one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Its id: `VE` and 32 hexadecimal digits.
    pub id: VerificationId,
    /// The service it belongs to; nothing for the one of the configuration's
    /// top level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The session of the pages that it was begun in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The number to be proved.
    pub to: PhoneNumber,
    /// The language that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When it began.
    pub created_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How its code is derived.
    pub code: CodeSeed,
    /// What the application said about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub details: Details,
    /// True for a test number: its code is fixed, and nothing is sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub test: bool,
    /// What it was counted under beside its number and its service; nothing for a test
    /// number, and for what was begun before limits counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Admitted>,
    /// The provider's name for it, where the code is the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Codes offered so far.
    pub checks: u32,
    /// Those of them that the provider is asked about, and has not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open_checks: Vec<OpenCheck>,
    /// Whether who waits wants nothing to take the place of what does not arrive.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stays: bool,
    /// Messages and calls asked for so far, in order; at most 255.
    pub sends: Vec<Send>,
    /// What is still to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<OutboxStep>,
}

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for the code.
    Pending,
    /// The right code was offered.
    Approved,
    /// Called off by the application.
    Canceled,
    /// Too many wrong codes.
    MaxAttemptsReached,
    /// Nobody offered the right code in time.
    Expired,
}

impl Status {
    /// Every status there is.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Approved, Self::Canceled, Self::MaxAttemptsReached, Self::Expired];

    /// The status as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Canceled => "canceled",
            Self::MaxAttemptsReached => "max_attempts_reached",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message or call was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Its verification had ended, or ended before it left.
    Ended(Status),
    /// A newer message or call took its place.
    Replaced,
    /// It would have taken the place of another by itself, and who waits did not want it.
    Unwanted,
    /// Its code would have arrived dead.
    TooLate,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended(Status::Approved) => "the right code was offered before it left",
            Self::Ended(Status::Canceled) => "the verification was called off before it left",
            Self::Ended(Status::MaxAttemptsReached) => "too many wrong codes were offered before it left",
            Self::Ended(_) => "the verification ended before it left",
            Self::Replaced => "a newer message or call took its place",
            Self::Unwanted => "who waits for the code did not want it",
            Self::TooLate => "its code would have been worth nothing when it arrived",
        })
    }
}

impl Verification {
    /// A new one, with its first message or call in the outbox.
    pub fn start(policy: &Policy, request: Start, now: Timestamp) -> Self {
        let mut verification = Self {
            id: request.id,
            service: request.service,
            session: request.session,
            details: request.details,
            test: request.test,
            admitted: None,
            to: request.to,
            locale: request.locale,
            status: Status::Pending,
            created_at: now,
            expires_at: after(now, policy.lifetime),
            ended_at: None,
            code: request.code,
            reference: None,
            checks: 0,
            open_checks: Vec::new(),
            stays: false,
            sends: Vec::new(),
            outbox: Vec::new(),
        };
        verification.ask(request.channel, request.gate_key, now);
        verification
    }

    /// The status as of now: a pending one past its time has expired, whether
    /// that was written down yet or not.
    pub fn status_at(&self, now: Timestamp) -> Status {
        if self.status == Status::Pending && now >= self.expires_at { Status::Expired } else { self.status }
    }

    /// Codes that may still be offered.
    pub fn checks_left(&self, policy: &Policy) -> u32 {
        policy.max_checks.saturating_sub(self.checks)
    }

    /// Messages and calls that may still be sent.
    pub fn sends_left(&self, policy: &Policy) -> u8 {
        policy.max_sends.saturating_sub(u8::try_from(self.sends.len()).unwrap_or(u8::MAX))
    }

    /// From when on the next send is allowed; `None` when there is none left.
    pub fn resend_at(&self, policy: &Policy) -> Option<Timestamp> {
        let last = self.last_send()?;
        (self.sends_left(policy) > 0).then(|| after(last.asked_at, policy.cooldown_after(self.sends.len())))
    }

    /// Whether a channel is open at once, without the wait between sends: the
    /// last send did not get through, and this way was not tried yet. So each way
    /// is opened by a failure once, and what all of them cost stays bounded.
    /// `failed` is the number of a send that did not arrive by the provider's word.
    pub fn is_way_out(&self, channel: Channel, failed: Option<u8>) -> bool {
        let Some(last) = self.last_send() else { return false };
        let struggles = matches!(last.state, SendState::Waiting | SendState::Sending)
            && last.attempts.last_error.is_some();
        let is_lost = matches!(last.state, SendState::Failed { .. }) || failed == Some(last.number);
        let is_tried = |send: &Send| send.channel == channel && !self.is_unwanted(send);
        (struggles || is_lost) && !self.sends.iter().any(is_tried)
    }

    /// Whether nobody can know its code, for every send that was to carry it never left.
    pub fn is_unknown(&self) -> bool {
        let mut carrying =
            self.sends.iter().filter(|send| send.generation == self.code.generation).peekable();
        carrying.peek().is_some() && carrying.all(|send| send.shadow)
    }

    /// The last message or call, but for those that were to follow by themselves and that
    /// who waits did not want.
    pub fn last_send(&self) -> Option<&Send> {
        self.sends.iter().rfind(|send| !self.is_unwanted(send))
    }

    fn is_unwanted(&self, send: &Send) -> bool {
        self.stays && send.follows.is_some() && send.state == SendState::Dropped
    }

    /// The channel last used.
    pub fn channel(&self) -> Channel {
        self.last_send().map_or(Channel::Sms, |send| send.channel)
    }

    /// What sort of telephone its number leads to, where a look-up told.
    pub fn line_type(&self) -> Option<LineType> {
        self.admitted.as_ref().and_then(|admitted| admitted.line_type)
    }

    /// The send of that number.
    pub fn send(&self, number: u8) -> Option<&Send> {
        self.sends.iter().find(|send| send.number == number)
    }

    /// Our name for the send of that number.
    pub fn delivery_id(&self, number: u8) -> DeliveryId {
        self.id.delivery(number)
    }

    /// When a send that was tried without success is tried or looked up next;
    /// while that is under way, from when on somebody else may.
    pub fn next_attempt_at(&self, number: u8) -> Option<Timestamp> {
        self.send(number)?.attempts.last_error.as_ref()?;
        self.outbox.iter().find(|step| step.is_about(number)).map(|step| step.due)
    }

    /// Why a send was dropped, as far as what is known now says; `None` for one
    /// that was not.
    pub fn why_dropped(&self, number: u8) -> Option<Dropped> {
        let send = self.send(number).filter(|send| send.state == SendState::Dropped)?;
        let is_renewed = send.generation != self.code.generation;
        let is_followed = self.sends.iter().any(|other| other.number > number);
        if self.is_unwanted(send) {
            return Some(Dropped::Unwanted);
        }
        Some(match self.status {
            Status::Pending | Status::Expired if is_renewed || is_followed => Dropped::Replaced,
            Status::Pending => Dropped::TooLate,
            _ if is_renewed => Dropped::Replaced,
            status => Dropped::Ended(status),
        })
    }

    /// When something is to be done next: an outbox step, or dying.
    pub fn due(&self) -> Option<Timestamp> {
        // What nobody waits for stands behind what somebody does.
        let is_redacting = self.is_only_redacting();
        let steps = self.outbox.iter().filter(|step| step.is_redaction() == is_redacting);
        let steps = steps.map(|step| step.due);
        let end = (self.status == Status::Pending).then_some(self.expires_at);
        steps.chain(end).min()
    }

    /// Whether something is still to be sent or found out.
    pub fn is_at_work(&self) -> bool {
        self.outbox.iter().any(|step| !step.is_redaction())
    }

    /// Whether nothing is left to do but to take away what was said.
    pub fn is_only_redacting(&self) -> bool {
        !self.outbox.is_empty() && !self.is_at_work()
    }

    /// Its sends with what is to be done next, and for how long that is worth it.
    fn sending(&mut self) -> Sending<'_> {
        let life = Life {
            is_open: self.status == Status::Pending,
            has_run_out: self.status == Status::Expired,
            generation: self.code.generation,
            ends_at: self.expires_at,
        };
        Sending { sends: &mut self.sends, outbox: &mut self.outbox, life }
    }

    fn ask(&mut self, channel: Channel, gate_key: Option<u8>, now: Timestamp) {
        // `max_sends` is a u8, so there is a number left whenever one is asked for.
        let number = u8::try_from(self.sends.len() + 1).unwrap_or(u8::MAX);
        self.sends.push(Send {
            state: if self.test { SendState::Test } else { SendState::Waiting },
            gate_key: gate_key.filter(|_| channel == Channel::Call),
            ..Send::new(number, channel, self.code.generation, now)
        });
        // What is asked for takes the place of whatever was to follow by itself.
        self.outbox.retain(|step| !step.is_failover());
        if !self.test {
            self.outbox.push(OutboxStep::new(Effect::Send { number }, now));
        }
    }
}

/// What a verification starts from.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its id, drawn by whoever starts it.
    pub id: VerificationId,
    /// The service, if it is not the one of the configuration's top level.
    pub service: Option<ServiceId>,
    /// The session of the pages, where it is begun in one.
    pub session: Option<SessionId>,
    /// What the application said about it.
    pub details: Details,
    /// Whether the number is a test number.
    pub test: bool,
    /// The number that is to be proved.
    pub to: PhoneNumber,
    /// The language, if one was asked for.
    pub locale: Option<String>,
    /// The channel of its first send.
    pub channel: Channel,
    /// The seed of its code.
    pub code: CodeSeed,
    /// A random digit for the gate, when the policy names one.
    pub gate_key: Option<u8>,
}
