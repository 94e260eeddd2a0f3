//! What becomes of a message of its own: pure and total.
//!
//! Its sends live by [`Sending`](super::Sending), as those of a verification do. What is
//! decided here is where the message as a whole stands, what takes the place of a send that
//! failed, and until when the record is kept.

use super::{
    Effect, MOST_SENDS, Message, MessageFailure, MessageInput, MessageStatus, OutboxStep, Send, SendState,
    Sent,
};
use crate::model::channel::Channel;
use crate::model::id::Sid;
use crate::model::plain::after;
use crate::model::policy::{Failover, Policy};
use crate::model::remedy::Remedy;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long after it was sent something may still be heard of a message: so long it is
/// asked for.
const HEARD_OF: SignedDuration = SignedDuration::from_hours(48);
/// How long after a failure that passes by itself the same channel is tried once more.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// For how long messages are kept that came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Those that left or were called off.
    pub finished: SignedDuration,
    /// Those that failed or ran out of time: somebody may want to send them again.
    pub failed: SignedDuration,
}

impl Default for Keep {
    fn default() -> Self {
        Self { finished: SignedDuration::from_hours(24), failed: SignedDuration::from_hours(7 * 24) }
    }
}

/// What an input makes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDecision {
    /// The message as it is from then on.
    pub message: Message,
    /// What came of the input.
    pub outcome: MessageOutcome,
}

/// What came of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageOutcome {
    /// It was done.
    Done,
    /// Nothing of the kind stands open: another job has it, or it is done.
    NotMine,
    /// The send was dropped: it would come too late, or is not wanted any more.
    Dropped,
    /// It stands so, and that cannot be changed any more.
    Stands(MessageStatus),
    /// It was sent as often as a message can be.
    NoSendsLeft,
}

impl From<Sent> for MessageOutcome {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Done => Self::Done,
            Sent::NotMine => Self::NotMine,
            Sent::Dropped => Self::Dropped,
        }
    }
}

/// Decides what an input makes of a message. Pure and total.
pub fn decide_message(
    (policy, keep): (&Policy, Keep),
    message: &Message,
    input: MessageInput,
    now: Timestamp,
) -> MessageDecision {
    let mut next = message.clone();
    // What is given up by these is given up for want of time.
    let ran_out = matches!(
        input,
        MessageInput::Claim { .. }
            | MessageInput::NotProcessed { .. }
            | MessageInput::NextSender { .. }
            | MessageInput::NotFound { .. }
    );
    let doubtful: Vec<u8> =
        next.outbox.iter().filter(|step| step.is_look_up()).map(OutboxStep::number).collect();
    let outcome = next.take(policy, input, now);
    // What is given up though nobody knows what became of it may be there.
    let was_doubtful = |send: &Send| {
        doubtful.contains(&send.number) && matches!(send.state, SendState::Failed { .. }) && !ran_out
    };
    next.has_left |= next.sends.iter().any(|send| send.state == SendState::Accepted || was_doubtful(send));
    next.conclude(keep, ran_out, now);
    MessageDecision { message: next, outcome }
}

impl Message {
    /// The same as it is when it was just made: of a test number, nothing is left to be done.
    pub fn begun(mut self, keep: Keep, now: Timestamp) -> Self {
        self.conclude(keep, false, now);
        self
    }

    /// Asks for the next send, by a channel, no sooner than then.
    pub fn ask(&mut self, channel: Channel, not_before: Timestamp, now: Timestamp) {
        let number = u8::try_from(self.sends.len() + 1).unwrap_or(u8::MAX);
        let mut send = Send::new(number, channel, self.round, now);
        if self.test {
            send.state = SendState::Test;
        } else {
            self.outbox.push(OutboxStep::new(Effect::Send { number }, not_before.max(now)));
        }
        self.sends.push(send);
    }

    fn take(&mut self, policy: &Policy, input: MessageInput, now: Timestamp) -> MessageOutcome {
        match input {
            MessageInput::PutOff { number, until, sender } => self.put_off((number, sender), until),
            MessageInput::Claim { number, routes } => {
                self.sending().claim(policy, number, &routes, now).into()
            }
            MessageInput::Accepted { number, sid } if self.sending().is_anothers(number, &sid) => {
                MessageOutcome::NotMine
            }
            MessageInput::Accepted { number, sid } => self.accepted(number, sid),
            MessageInput::Refused { number, claim, .. }
            | MessageInput::Hold { number, claim }
            | MessageInput::Unknown { number, claim, .. }
            | MessageInput::NotProcessed { number, claim, .. }
            | MessageInput::NextSender { number, claim, .. }
            | MessageInput::NotFound { number, claim, .. }
                if self.sending().is_outdated(number, claim) =>
            {
                MessageOutcome::NotMine
            }
            MessageInput::Hold { number, .. } => self.sending().hold(policy, number, now).into(),
            MessageInput::Refused { number, code, reason, remedy, .. } => {
                let outcome = self.sending().refused(number, code, reason.clone(), now).into();
                if outcome == MessageOutcome::Done {
                    self.failed(policy, number, (MessageFailure { code, reason }, remedy), now);
                }
                outcome
            }
            MessageInput::Unknown { number, failure, jitter, .. } => {
                self.sending().in_doubt(policy, number, (&failure, jitter), now).into()
            }
            MessageInput::NotProcessed { number, failure, jitter, .. } => {
                self.sending().not_processed(policy, number, (&failure, jitter), now).into()
            }
            MessageInput::NextSender { number, failure, spent, .. } => {
                self.sending().next_sender(policy, number, (&failure, spent), now).into()
            }
            MessageInput::NotFound { number, jitter, .. } => {
                self.sending().not_found(policy, number, jitter, now).into()
            }
            MessageInput::Arrived { number } => self.arrived(number),
            MessageInput::NotArrived { number, code, reason, remedy } => {
                let is_there = self.send(number).is_some_and(|send| send.state == SendState::Accepted);
                if !is_there || self.status == MessageStatus::Delivered {
                    return MessageOutcome::NotMine;
                }
                self.failed(policy, number, (MessageFailure { code, reason }, remedy), now);
                MessageOutcome::Done
            }
            MessageInput::Follow { number, channel } => self.follow(policy, number, channel, now),
            MessageInput::NoOtherSender { number } => self.sending().no_other_sender(number).into(),
            MessageInput::NotFollowed { number, why } => self.not_followed(number, why),
            MessageInput::Cancel => self.cancel(),
            MessageInput::Retry { channel, expires_at } => self.retry(channel, expires_at, now),
        }
    }

    fn put_off(&mut self, (number, sender): (u8, Option<String>), until: Timestamp) -> MessageOutcome {
        let is_waiting = self.send(number).is_some_and(|send| send.state == SendState::Waiting);
        let is_it = |step: &&mut OutboxStep| step.is_about(number);
        let Some(step) = self.outbox.iter_mut().find(is_it).filter(|_| is_waiting) else {
            return MessageOutcome::NotMine;
        };
        step.due = step.due.max(until);
        (self.turn, self.turn_of) = (Some(number), sender);
        MessageOutcome::Done
    }

    /// The provider has it. That is so though it was called off or given up meanwhile.
    fn accepted(&mut self, number: u8, sid: Sid) -> MessageOutcome {
        let outcome = self.sending().settle(number, SendState::Accepted, Some(sid)).into();
        if outcome == MessageOutcome::Done && self.status != MessageStatus::Delivered {
            // What was to take its place is not needed any more.
            self.drop_waiting();
            self.failures.retain(|(failed, _)| *failed != number);
            (self.status, self.failure) = (MessageStatus::Queued, None);
            (self.ended_at, self.forget_at) = (None, None);
        }
        outcome
    }

    /// It arrived: nothing takes its place, and what waits to does not leave.
    fn arrived(&mut self, number: u8) -> MessageOutcome {
        let is_there = self.send(number).is_some_and(|send| send.state == SendState::Accepted);
        if !is_there || self.status == MessageStatus::Delivered {
            return MessageOutcome::NotMine;
        }
        self.drop_waiting();
        self.failures.retain(|(failed, _)| *failed != number);
        (self.status, self.failure, self.arrived) = (MessageStatus::Delivered, None, Some(number));
        (self.ended_at, self.forget_at) = (None, None);
        MessageOutcome::Done
    }

    /// A send failed: it is followed by another one where that may be, else the message has
    /// failed.
    fn failed(
        &mut self,
        policy: &Policy,
        number: u8,
        (why, remedy): (MessageFailure, Remedy),
        now: Timestamp,
    ) {
        let is_open = matches!(self.status, MessageStatus::Queued | MessageStatus::Sent);
        let is_last = self.latest().is_some_and(|send| send.number == number);
        if !is_open || !is_last {
            return;
        }
        self.lost(number, why);
        let own = self.send(number).map(|send| (send.channel, send.generation));
        let is_first =
            self.sends.iter().filter(|send| Some((send.channel, send.generation)) == own).count() == 1;
        let again = remedy == Remedy::Again && is_first;
        let next_sender = remedy.is_next_sender();
        let due = if again { after(now, AGAIN_AFTER) } else { now };
        let has_way = again || next_sender || self.untried().next().is_some();
        let has_time = after(due, policy.least_life) <= self.expires_at;
        let may_follow = policy.failover != Failover::Off && !self.called_off;
        if may_follow && remedy.moves_on() && has_way && has_time && self.has_room() {
            self.outbox.push(OutboxStep::new(Effect::FailOver { number, again, next_sender }, due));
            self.status = MessageStatus::Queued;
        } else {
            self.status = MessageStatus::Failed;
        }
    }

    /// Why a send did not bring it. Of several the message tells of the last that had left,
    /// for what came of one that was not even taken says less.
    fn lost(&mut self, number: u8, why: MessageFailure) {
        let left = |message: &Self, number: u8| {
            message.send(number).is_some_and(|send| send.state == SendState::Accepted)
        };
        let had_left = self.failures.iter().any(|(number, _)| left(self, *number));
        if self.failure.is_none() || left(self, number) || !had_left {
            self.failure = Some(why.clone());
        }
        self.failures.retain(|(known, _)| *known != number);
        self.failures.push((number, why));
    }

    /// The channels by which it may go on in the place of the send that failed, the best
    /// first.
    pub fn ways_on(&self) -> Vec<Channel> {
        let Some(step) = self.outbox.iter().find(|step| step.is_failover()) else { return Vec::new() };
        let Effect::FailOver { number, again, next_sender } = step.effect else { return Vec::new() };
        let own = self.send(number).map(|send| send.channel).filter(|_| again || next_sender);
        own.into_iter().chain(self.untried()).collect()
    }

    fn follow(&mut self, policy: &Policy, number: u8, channel: Channel, now: Timestamp) -> MessageOutcome {
        let is_due = self.to_be_followed().is_some_and(|(failed, due)| failed == number && due <= now);
        if !is_due || !self.ways_on().contains(&channel) {
            return MessageOutcome::NotMine;
        }
        if after(now, policy.least_life) > self.expires_at {
            return MessageOutcome::Dropped;
        }
        let spent = self.spent_by(number, channel);
        self.outbox.retain(|step| !step.is_failover());
        self.ask(channel, now, now);
        if let Some(send) = self.sends.last_mut() {
            send.follows = Some(number);
            send.not_by = spent;
        }
        MessageOutcome::Done
    }

    /// The senders that are passed over by what takes the place of a send by its own channel.
    fn spent_by(&self, number: u8, channel: Channel) -> Vec<String> {
        let goes_on = |step: &OutboxStep| matches!(step.effect, Effect::FailOver { next_sender: true, .. });
        let own = self.send(number).filter(|send| send.channel == channel);
        own.filter(|_| self.outbox.iter().any(goes_on)).map(Send::spent_senders).unwrap_or_default()
    }

    fn not_followed(&mut self, number: u8, why: Option<String>) -> MessageOutcome {
        if self.to_be_followed().is_none_or(|(failed, _)| failed != number) {
            return MessageOutcome::NotMine;
        }
        self.outbox.retain(|step| !step.is_failover());
        if let Some(send) = self.sends.iter_mut().find(|send| send.number == number) {
            send.not_followed = why;
        }
        self.status = MessageStatus::Failed;
        MessageOutcome::Done
    }

    fn cancel(&mut self) -> MessageOutcome {
        match self.status {
            MessageStatus::Canceled => MessageOutcome::NotMine,
            MessageStatus::Queued => {
                self.drop_waiting();
                (self.status, self.called_off) = (MessageStatus::Canceled, true);
                MessageOutcome::Done
            }
            status => MessageOutcome::Stands(status),
        }
    }

    fn retry(&mut self, channel: Channel, expires_at: Timestamp, now: Timestamp) -> MessageOutcome {
        if !matches!(self.status, MessageStatus::Failed | MessageStatus::Expired) || self.is_at_work() {
            return MessageOutcome::Stands(self.status);
        }
        if !self.has_room() {
            return MessageOutcome::NoSendsLeft;
        }
        self.round = self.round.saturating_add(1);
        (self.status, self.failure, self.called_off) = (MessageStatus::Queued, None, false);
        (self.ended_at, self.forget_at, self.expires_at) = (None, None, expires_at);
        self.ask(channel, now, now);
        MessageOutcome::Done
    }

    /// Drops what has not been begun. What has is waited for: it may be with the provider.
    fn drop_waiting(&mut self) {
        let waiting: Vec<u8> = self
            .sends
            .iter_mut()
            .filter(|send| send.state == SendState::Waiting)
            .map(|send| {
                send.state = SendState::Dropped;
                send.number
            })
            .collect();
        self.outbox.retain(|step| !step.is_failover() && !waiting.contains(&step.number()));
    }

    fn has_room(&self) -> bool {
        self.sends.len() < MOST_SENDS
    }

    /// Where it stands once nothing is to be done about it, and until when it is kept.
    fn conclude(&mut self, keep: Keep, ran_out: bool, now: Timestamp) {
        if self.status == MessageStatus::Queued && self.outbox.is_empty() {
            self.status = self.standing(ran_out);
        }
        let kept = match self.status {
            MessageStatus::Queued => {
                self.forget_at = None;
                return;
            }
            // It may be heard of for so long, and then is over without a word.
            MessageStatus::Sent if !self.test => {
                self.forget_at.get_or_insert_with(|| after(after(now, HEARD_OF), keep.finished));
                return;
            }
            MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Canceled => keep.finished,
            MessageStatus::Failed | MessageStatus::Expired => keep.failed,
        };
        if self.ended_at.is_none() {
            self.ended_at = Some(now);
            self.forget_at = Some(after(now, kept));
        }
    }

    /// What its last send says of it.
    fn standing(&mut self, ran_out: bool) -> MessageStatus {
        match self.latest().map(|send| &send.state) {
            Some(SendState::Accepted | SendState::Test) => MessageStatus::Sent,
            Some(SendState::Failed { code, reason }) => {
                let why = MessageFailure { code: *code, reason: reason.clone() };
                self.failure.get_or_insert(why);
                if ran_out { MessageStatus::Expired } else { MessageStatus::Failed }
            }
            // What came before it did not arrive, and no time was left for it.
            Some(SendState::Dropped) if self.failure.is_some() => MessageStatus::Failed,
            Some(SendState::Dropped | SendState::Waiting | SendState::Sending) | None => {
                MessageStatus::Expired
            }
        }
    }
}
