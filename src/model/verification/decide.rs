//! The one place where a verification changes.

use super::Answer;
use super::Details;
use super::Effect;
use super::Failure;
use super::Jitter;
use super::OpenCheck;
use super::SendState;
use super::Status;
use super::Verification;
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::id::Sid;
use crate::model::message::{Route, Sent, is_replaced};
use crate::model::policy::Policy;
use crate::model::remedy::Remedy;
use jiff::SignedDuration;
use jiff::Timestamp;

/// What happened to a verification, or is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A code was offered, and it is or is not the one.
    Check {
        /// Whether it is.
        matches: bool,
    },
    /// A code was offered that the provider has to compare: it is counted first.
    Offer,
    /// What the provider said of a code that was counted.
    Told {
        /// What was counted.
        open: OpenCheck,
        /// What it said.
        answer: Answer,
    },
    /// The person wants another message or call.
    Resend {
        /// The channel of the new send.
        channel: Channel,
        /// A random digit for the gate, when the policy names one.
        gate_key: Option<u8>,
        /// The last send's number, if what was reported of it is that it did
        /// not arrive: the person need not wait to be reached another way.
        failed: Option<u8>,
        /// What it is about now, and its code's seed: another one kills the old
        /// code, the same one leaves it.
        renewed: Option<Box<(CodeSeed, Details)>>,
    },
    /// The code goes by another channel by itself, for a send of it did not arrive: the
    /// same code, at once.
    Follow {
        /// The send that did not arrive.
        number: u8,
        /// The channel of the new send.
        channel: Channel,
        /// A random digit for the gate, when the policy names one.
        gate_key: Option<u8>,
    },
    /// Nothing takes the place of a send that did not arrive.
    NotFollowed {
        /// The send that did not arrive.
        number: u8,
        /// Why not, in words without numbers or secrets; nothing where it arrived after
        /// all.
        why: Option<String>,
    },
    /// The provider says that a send which it had taken did not arrive.
    NotArrived {
        /// The send's number.
        number: u8,
        /// What is done about that.
        remedy: Remedy,
    },
    /// Who waits wants nothing that they did not ask for.
    Stay,
    /// The application called it off.
    Cancel,
    /// The application, which chose the code and checks it itself, says that it
    /// was right.
    Approve,
    /// The time came to look: something in the outbox may be due, or the end.
    Deadline,
    /// A job takes an outbox step for the time of a lease.
    Claim {
        /// The send's number.
        number: u8,
        /// By whom it may leave, the best first; empty where there is no choice.
        routes: Vec<Route>,
    },
    /// The sender of a send refused it, or could not take it now, and another one may.
    NextSender {
        /// The send's number.
        number: u8,
        /// Which claim found that out.
        claim: u32,
        /// Why it was not taken.
        failure: Failure,
        /// Senders that are not asked again about it.
        spent: Vec<String>,
    },
    /// There is no other sender that could take the place of a send that failed.
    NoOtherSender {
        /// The number of the send that failed.
        number: u8,
    },
    /// The job that claimed a step is still at it.
    Hold {
        /// The send's number.
        number: u8,
        /// Which claim it holds: [`super::OutboxStep::attempts`] as it was claimed.
        claim: u32,
    },
    /// The provider took a send.
    Accepted {
        /// The send's number.
        number: u8,
        /// Its name for it.
        sid: Sid,
        /// From when on its silence counts as a failure, where the policy goes by that.
        silent_at: Option<Timestamp>,
    },
    /// The provider has a name for the whole, for the code is the provider's.
    Named {
        /// The number of the send that it said so of.
        number: u8,
        /// Its name; nothing where it makes no codes any more.
        reference: Option<String>,
    },
    /// The provider refused a send, or it was given up.
    Refused {
        /// The send's number.
        number: u8,
        /// Which claim found that out: [`super::OutboxStep::attempts`] as it was claimed.
        claim: u32,
        /// The provider's error code.
        code: Option<u32>,
        /// Why, in words without numbers or secrets.
        reason: String,
        /// What is done about that.
        remedy: Remedy,
    },
    /// Nobody knows whether a send was taken, or a look-up has not told: it
    /// must be looked up.
    Unknown {
        /// The send's number.
        number: u8,
        /// Which claim found that out.
        claim: u32,
        /// Why nobody knows.
        failure: Failure,
        /// Draws the wait.
        jitter: Jitter,
    },
    /// A send was certainly not processed (too many requests, 429; no connection), or a
    /// look-up not done.
    NotProcessed {
        /// The send's number.
        number: u8,
        /// Which claim found that out.
        claim: u32,
        /// Why it was not.
        failure: Failure,
        /// Draws the wait.
        jitter: Jitter,
    },
    /// A look-up found no trace of a send.
    NotFound {
        /// The send's number.
        number: u8,
        /// Which claim found that out.
        claim: u32,
        /// Draws the wait until the next one, if this one came too soon.
        jitter: Jitter,
    },
    /// What a send said was taken away at the provider, or is gone there.
    Redacted {
        /// The send's number.
        number: u8,
    },
    /// It could not be taken away now.
    NotRedacted {
        /// The send's number.
        number: u8,
        /// How long the provider asks to be left alone.
        after: SignedDuration,
        /// Draws the wait.
        jitter: Jitter,
    },
    /// A call of ours was answered and asks what to say.
    CallAsks {
        /// The send's number.
        number: u8,
        /// Which call asks.
        sid: Sid,
        /// Who answered, as far as detection said.
        machine: bool,
        /// What the request is for.
        step: Step,
    },
}

/// What a call of ours asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The call was answered.
    Answered,
    /// A key was pressed at the gate, or none in time.
    Gate {
        /// The key, or nothing.
        digits: String,
    },
    /// The code was read once, to its end.
    Read,
    /// A key was pressed after the code was read.
    Again {
        /// The key, or nothing.
        digits: String,
    },
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The verification as it is to be written; equal to the old one when
    /// nothing changed.
    pub verification: Verification,
    /// What came of it.
    pub outcome: Outcome,
    /// What was added to the outbox.
    pub effects: Vec<Effect>,
}

/// What came of an event. A wrong code is an outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done as it was asked.
    Done,
    /// The right code: the number is proved.
    Approved,
    /// A wrong code.
    Wrong,
    /// A check was counted: the provider is to be asked.
    Counted(OpenCheck),
    /// The verification has ended already.
    Ended(Status),
    /// It cannot be sent again yet.
    TooSoon {
        /// From when on.
        at: Timestamp,
    },
    /// No send is left.
    NoSendsLeft,
    /// The policy does not have this channel.
    ChannelOff,
    /// The application did not choose the code, so it cannot know that it was right.
    CodeNotChosen,
    /// Nothing of the kind stands open: another job has it, or it is done.
    NotMine,
    /// The send was dropped, for its code would arrive dead.
    Dropped,
    /// The call is to hear the gate.
    SayGate,
    /// The call pressed the wrong key and is to hear the gate again.
    SayGateAgain,
    /// The call is to hear the code.
    SayCode {
        /// Whether it may ask to hear it again.
        again: bool,
    },
    /// The call has heard the code once and is to hear it once more.
    SayCodeOnceMore {
        /// Whether it may ask to hear it again.
        again: bool,
    },
    /// The call is to hear that no key was pressed, and goodbye.
    SayNoKey,
    /// The call is to hear a goodbye.
    SayGoodbye,
    /// The call is to hear that the code is no longer good.
    SayEnded,
    /// The call is to hear nothing secret: a machine answered.
    SayNothing,
}

impl From<Sent> for Outcome {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Done => Self::Done,
            Sent::NotMine => Self::NotMine,
            Sent::Dropped => Self::Dropped,
        }
    }
}

/// Decides what an event makes of a verification. Pure and total.
pub fn decide(policy: &Policy, verification: &Verification, input: Input, now: Timestamp) -> Decision {
    let mut next = verification.clone();
    next.expire(now);
    let before = next.outbox.len();
    let outcome = match input {
        Input::Check { matches } => next.check(policy, matches, now),
        Input::Offer => next.offer(policy, now),
        Input::Told { open, answer } => next.told(policy, &open, answer, now),
        Input::Named { number, reference } => next.name(number, reference),
        Input::Resend { channel, gate_key, failed, renewed } => {
            next.resend(policy, (channel, gate_key), failed, renewed, now)
        }
        Input::Follow { number, channel, gate_key } => next.follow(policy, number, (channel, gate_key), now),
        Input::NotFollowed { number, why } => next.not_followed(number, why),
        Input::NoOtherSender { number } => next.sending().no_other_sender(number).into(),
        Input::NotArrived { number, remedy } => next.not_arrived(policy, number, remedy, now),
        Input::Stay => next.stay(),
        Input::Cancel => next.stop(Status::Canceled, now),
        Input::Approve => next.vouch(now),
        Input::Deadline => Outcome::Done,
        Input::Claim { number, routes } => next.sending().claim(policy, number, &routes, now).into(),
        Input::Accepted { number, sid, .. } if next.sending().is_anothers(number, &sid) => Outcome::NotMine,
        Input::Accepted { number, sid, silent_at } => {
            let outcome = next.sending().settle(number, SendState::Accepted, Some(sid)).into();
            if let Some(at) = silent_at.filter(|_| outcome == Outcome::Done) {
                next.watch(policy, number, at, now);
            }
            outcome
        }
        Input::Refused { number, claim, .. }
        | Input::Hold { number, claim }
        | Input::Unknown { number, claim, .. }
        | Input::NotProcessed { number, claim, .. }
        | Input::NextSender { number, claim, .. }
        | Input::NotFound { number, claim, .. }
            if next.sending().is_outdated(number, claim) =>
        {
            Outcome::NotMine
        }
        Input::Hold { number, .. } => next.sending().hold(policy, number, now).into(),
        Input::Refused { number, code, reason, remedy, .. } => {
            let outcome = next.sending().refused(number, code, reason, now).into();
            if outcome == Outcome::Done {
                next.fail_over(policy, number, remedy, now);
            }
            outcome
        }
        Input::Unknown { number, failure, jitter, .. } => {
            next.sending().in_doubt(policy, number, (&failure, jitter), now).into()
        }
        Input::NotProcessed { number, failure, jitter, .. } => {
            next.sending().not_processed(policy, number, (&failure, jitter), now).into()
        }
        Input::NextSender { number, failure, spent, .. } => {
            next.sending().next_sender(policy, number, (&failure, spent), now).into()
        }
        Input::NotFound { number, jitter, .. } => {
            next.sending().not_found(policy, number, jitter, now).into()
        }
        Input::Redacted { number } => next.sending().redacted(number).into(),
        Input::NotRedacted { number, after, jitter } => {
            next.sending().not_redacted(number, (after, jitter), now).into()
        }
        Input::CallAsks { number, sid, machine, step } => next.call_asks(policy, number, sid, machine, step),
    };
    if policy.redact && next.status != Status::Pending {
        next.sending().ask_for_redaction(now);
    }
    // What an earlier version made is listed from its next change on.
    if next != *verification {
        next.sends.iter_mut().for_each(|send| send.listed = true);
    }
    let effects = next.outbox.iter().skip(before).map(|step| step.effect.clone()).collect();
    Decision { verification: next, outcome, effects }
}

impl Verification {
    fn expire(&mut self, now: Timestamp) {
        if self.status == Status::Pending && now >= self.expires_at {
            self.end(Status::Expired, self.expires_at);
        }
    }

    pub(super) fn end(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
        // What was not begun is not begun any more. What is under way or
        // unknown is still found out, for the record of what was sent is true.
        let code = self.code.generation;
        let replaced: Vec<u8> = self
            .sends
            .iter()
            .map(|send| send.number)
            .filter(|number| is_replaced(&self.sends, *number))
            .collect();
        for send in self.sends.iter_mut().filter(|send| send.state == SendState::Waiting) {
            let is_wanted = send.generation == code && !replaced.contains(&send.number);
            let is_over = status == Status::Expired && is_wanted;
            send.state = if is_over { send.attempts.given_up() } else { SendState::Dropped };
        }
        let open: Vec<u8> = self
            .sends
            .iter()
            .filter(|send| send.state == SendState::Sending)
            .map(|send| send.number)
            .collect();
        self.outbox.retain(|step| open.contains(&step.number()));
    }

    fn check(&mut self, policy: &Policy, matches: bool, now: Timestamp) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        // The limit may have been lowered since the last check.
        if self.checks >= policy.max_checks {
            self.end(Status::MaxAttemptsReached, now);
            return Outcome::Ended(self.status);
        }
        self.checks += 1;
        if matches {
            self.end(Status::Approved, now);
            return Outcome::Approved;
        }
        if self.checks >= policy.max_checks {
            self.end(Status::MaxAttemptsReached, now);
        }
        Outcome::Wrong
    }

    fn resend(
        &mut self,
        policy: &Policy,
        (channel, gate_key): (Channel, Option<u8>),
        failed: Option<u8>,
        renewed: Option<Box<(CodeSeed, Details)>>,
        now: Timestamp,
    ) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        if !policy.channels.contains(&channel) {
            return Outcome::ChannelOff;
        }
        match self.resend_at(policy) {
            None => return Outcome::NoSendsLeft,
            Some(at) if now < at && !self.is_way_out(channel, failed) => return Outcome::TooSoon { at },
            Some(_) => {}
        }
        let generation = self.code.generation;
        let is_renewed = renewed.as_ref().is_some_and(|renewed| renewed.0 != self.code);
        if let Some(renewed) = renewed {
            (self.code, self.details) = *renewed;
        }
        if is_renewed || policy.new_code_on_resend {
            self.code.generation = generation + 1;
        }
        self.ask(channel, gate_key, now);
        Outcome::Done
    }

    fn stop(&mut self, status: Status, now: Timestamp) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        self.end(status, now);
        Outcome::Done
    }

    /// The application's word counts for a code that it chose, and for no other:
    /// whoever takes its word for a code of ours has proved nothing. A test
    /// number's code is the configuration's choice.
    fn vouch(&mut self, now: Timestamp) -> Outcome {
        let is_chosen = self.code.custom.is_some() && !self.test;
        if self.status == Status::Pending && !is_chosen {
            return Outcome::CodeNotChosen;
        }
        self.stop(Status::Approved, now)
    }
}
