//! What takes the place of a send that did not arrive: the same code by the next channel,
//! by itself and once for each channel. Whether a rule lets it is not known here.

use super::{Effect, OutboxStep, Outcome, SendState, Status, Verification};
use crate::model::channel::Channel;
use crate::model::plain::after;
use crate::model::policy::{Failover, Policy};
use crate::model::remedy::Remedy;
use jiff::Timestamp;
use std::time::Duration;

/// How long after a failure that passes by itself the same channel is tried once more.
pub const FAILOVER_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Why nothing follows where who waits said so.
const UNWANTED: &str = "who waits for the code wants nothing else";

impl Verification {
    /// The channels by which the code may go on, the best first, if the send of that number
    /// is to be followed by another one: the channels that no send has taken, in the
    /// policy's order, and before them the send's own where that is tried once more.
    pub fn ways_on(&self, policy: &Policy, number: u8) -> Vec<Channel> {
        let Some(OutboxStep { effect: Effect::FailOver { again, next_sender, .. }, .. }) =
            self.failover_of(number)
        else {
            return Vec::new();
        };
        let own = self.send(number).map(|send| send.channel).filter(|_| *again || *next_sender);
        own.into_iter().chain(self.untried(policy)).collect()
    }

    /// Whether another send is to take the place of one by itself, and from when on.
    pub fn fails_over_at(&self, number: u8) -> Option<Timestamp> {
        self.failover_of(number).map(|step| step.due)
    }

    fn failover_of(&self, number: u8) -> Option<&OutboxStep> {
        self.outbox.iter().find(|step| step.is_failover() && step.number() == number)
    }

    fn untried(&self, policy: &Policy) -> impl Iterator<Item = Channel> {
        let is_untried = |channel: &Channel| self.sends.iter().all(|send| send.channel != *channel);
        policy.channels.iter().copied().filter(is_untried)
    }

    /// The provider says that it did not arrive.
    pub(super) fn not_arrived(
        &mut self,
        policy: &Policy,
        number: u8,
        remedy: Remedy,
        now: Timestamp,
    ) -> Outcome {
        match self.send(number).is_some_and(|send| send.state == SendState::Accepted) {
            true => self.fail_over(policy, number, remedy, now),
            false => Outcome::NotMine,
        }
    }

    /// Lets another send take the place of one that failed, where its remedy and the policy
    /// say so, and something is left to try.
    pub(super) fn fail_over(
        &mut self,
        policy: &Policy,
        number: u8,
        remedy: Remedy,
        now: Timestamp,
    ) -> Outcome {
        // What was only watched for its silence has failed; what follows another send stays.
        self.not_followed(number, None);
        let own = self.send(number).map(|send| send.channel);
        let is_first = self.sends.iter().filter(|send| Some(send.channel) == own).count() == 1;
        let again = remedy == Remedy::Again && is_first;
        let next_sender = remedy.is_next_sender();
        let due = if again { after(now, FAILOVER_AGAIN_AFTER) } else { now };
        if !remedy.moves_on() || !self.may_fail_over(policy, number, again || next_sender, due) {
            return Outcome::NotMine;
        }
        if self.stays {
            self.end_failover(number, Some(UNWANTED.to_owned()));
            return Outcome::NotMine;
        }
        self.outbox.push(step(number, (again, next_sender), due));
        Outcome::Done
    }

    /// Lets another send take the place of one of which nothing is heard until then.
    pub(super) fn watch(&mut self, policy: &Policy, number: u8, at: Timestamp, now: Timestamp) {
        let is_watched = policy.failover == Failover::OnSilence && !self.stays;
        if is_watched && self.may_fail_over(policy, number, false, at.max(now)) {
            self.outbox.push(step(number, (false, false), at.max(now)));
        }
    }

    /// Whether another send may take the place of one then: the person still waits for its
    /// code and has asked for nothing else since, and there is a way and the time to try it.
    fn may_fail_over(&self, policy: &Policy, number: u8, again: bool, due: Timestamp) -> bool {
        let Some(send) = self.sends.last().filter(|send| send.number == number) else { return false };
        policy.failover != Failover::Off
            && self.status == Status::Pending
            && send.generation == self.code.generation
            && matches!(send.state, SendState::Accepted | SendState::Failed { .. })
            && self.sends_left(policy) > 0
            && (again || self.untried(policy).next().is_some())
            && after(due, policy.least_life) <= self.expires_at
    }

    /// The next send, in place of one that did not arrive. It carries the same code, for
    /// the other one may arrive yet.
    pub(super) fn follow(
        &mut self,
        policy: &Policy,
        number: u8,
        (channel, gate_key): (Channel, Option<u8>),
        now: Timestamp,
    ) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        if !self.ways_on(policy, number).contains(&channel) {
            return Outcome::NotMine;
        }
        let spent = self.spent_by(number, channel);
        if self.sends_left(policy) == 0 {
            return Outcome::NoSendsLeft;
        }
        if after(now, policy.least_life) > self.expires_at {
            return Outcome::Dropped;
        }
        self.ask(channel, gate_key, now);
        if let Some(send) = self.sends.last_mut() {
            send.follows = Some(number);
            send.not_by = spent;
        }
        Outcome::Done
    }

    /// The senders that are passed over by what takes the place of a send by its own channel.
    fn spent_by(&self, number: u8, channel: Channel) -> Vec<String> {
        let step = self.failover_of(number).map(|step| &step.effect);
        let goes_on = matches!(step, Some(Effect::FailOver { next_sender: true, .. }));
        let own = self.send(number).filter(|send| goes_on && send.channel == channel);
        own.map(super::Send::spent_senders).unwrap_or_default()
    }

    /// Who waits wants nothing that they did not ask for: nothing follows any more, and what
    /// was about to by itself does not leave. What has begun to leave goes on.
    pub(super) fn stay(&mut self) -> Outcome {
        if self.status != Status::Pending {
            return Outcome::Ended(self.status);
        }
        self.stays = true;
        if let Some(step) = self.outbox.iter().find(|step| step.is_failover()) {
            self.not_followed(step.number(), Some(UNWANTED.to_owned()));
        }
        let is_about_to =
            |send: &&mut super::Send| send.follows.is_some() && send.state == SendState::Waiting;
        for send in self.sends.iter_mut().filter(is_about_to) {
            send.state = SendState::Dropped;
            self.outbox.retain(|step| step.number() != send.number);
        }
        Outcome::Done
    }

    /// What is about to take the place of the last send by itself, which who waits may call
    /// off ([`Input::Stay`](super::Input::Stay)): its channel, of those that may be used, and whether it
    /// was asked for already. Nothing where none is.
    pub fn about_to_follow(&self, policy: &Policy, usable: &[Channel]) -> Option<(Channel, bool)> {
        let last = self.sends.last().filter(|_| self.status == Status::Pending)?;
        if last.follows.is_some() && last.state == SendState::Waiting {
            return Some((last.channel, true));
        }
        let next = self.ways_on(policy, last.number).into_iter().find(|way| usable.contains(way))?;
        Some((next, false))
    }

    /// Nothing takes its place.
    pub(super) fn not_followed(&mut self, number: u8, why: Option<String>) -> Outcome {
        if self.failover_of(number).is_none() {
            return Outcome::NotMine;
        }
        self.end_failover(number, why);
        Outcome::Done
    }

    /// Takes down what was to follow, and why the send of that number is not followed.
    fn end_failover(&mut self, number: u8, why: Option<String>) {
        self.outbox.retain(|step| !step.is_failover());
        if let Some(send) = self.sends.iter_mut().find(|send| send.number == number) {
            send.not_followed = why;
        }
    }
}

impl super::Send {
    /// Whether it is a call that took the place of something by itself.
    pub fn is_failover_call(&self) -> bool {
        self.follows.is_some() && self.channel == Channel::Call
    }
}

fn step(number: u8, (again, next_sender): (bool, bool), due: Timestamp) -> OutboxStep {
    OutboxStep::new(Effect::FailOver { number, again, next_sender }, due)
}
