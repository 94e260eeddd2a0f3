//! What a send becomes when it did not succeed: it is tried again, looked up, or
//! given up.

use super::retry::{self, Jitter, LONGEST_DOUBT, MISSING};
use super::{Doubt, Effect, Failure, OutboxStep, Outcome, Send, SendState, Status, Verification};
use crate::model::policy::Policy;
use jiff::{SignedDuration, Timestamp};

impl Verification {
    /// It was refused for good, or a look-up was, and then nobody will know.
    pub(super) fn refused(
        &mut self,
        number: u8,
        code: Option<u32>,
        reason: String,
        now: Timestamp,
    ) -> Outcome {
        if let Some((send, step)) = self.open_send(number)
            && !step.is_look_up()
        {
            send.attempts.note(&Failure { code, reason: reason.clone(), after: SignedDuration::ZERO }, now);
        }
        self.settle(number, SendState::Failed { code, reason }, None)
    }

    /// It was certainly not processed (too many requests, 429, is the usual case): it is
    /// sent again after a backoff, while its code is worth it.
    pub(super) fn not_processed(
        &mut self,
        policy: &Policy,
        number: u8,
        (failure, jitter): (&Failure, Jitter),
        now: Timestamp,
    ) -> Outcome {
        let until = self.worth_until(policy);
        let Some((send, step)) = self.open_send(number) else {
            return Outcome::NotMine;
        };
        // Of a look-up that was not processed the send is as unknown as before.
        if step.is_look_up() {
            return self.in_doubt(policy, number, (failure, jitter), now);
        }
        send.attempts.note(failure, now);
        let next = retry::next_try(send.attempts.made, failure.after, jitter, now, until);
        self.send_again(number, next)
    }

    /// Nobody knows whether it was taken: it is looked up. So it is again when the
    /// look-up has not told.
    pub(super) fn in_doubt(
        &mut self,
        policy: &Policy,
        number: u8,
        (failure, jitter): (&Failure, Jitter),
        now: Timestamp,
    ) -> Outcome {
        let until = (self.status == Status::Pending).then(|| self.worth_until(policy));
        let last = self.expires_at.checked_add(LONGEST_DOUBT).unwrap_or(Timestamp::MAX);
        let Some((send, step)) = self.open_send(number) else {
            return Outcome::NotMine;
        };
        let doubt = match step.doubt.clone().filter(|_| step.is_look_up()) {
            Some(doubt) => Doubt { look_ups: doubt.look_ups.saturating_add(1), ..doubt },
            None => {
                send.attempts.note(failure, now);
                Doubt { since: now, look_ups: 0 }
            }
        };
        if doubt.look_ups > 0 && now >= last {
            let reason = format!("the outcome was never found out: {}", failure.reason);
            return self.settle(number, SendState::Failed { code: failure.code, reason }, None);
        }
        step.effect = Effect::LookUp { number };
        step.due = retry::next_look_up(doubt.look_ups, failure.after, jitter, now, until);
        step.doubt = Some(doubt);
        Outcome::Done
    }

    /// A look-up found nothing. When no list lags so long any more the send is
    /// missing, and is sent again.
    pub(super) fn not_found(
        &mut self,
        policy: &Policy,
        number: u8,
        jitter: Jitter,
        now: Timestamp,
    ) -> Outcome {
        let until = self.worth_until(policy);
        let Some((send, step)) = self.open_send(number).filter(|(_, step)| step.is_look_up()) else {
            return Outcome::NotMine;
        };
        let since = step.doubt.as_ref().map_or(now, |doubt| doubt.since);
        // A list is as old as the question: the claim wrote when it was asked, and
        // an answer that took its time proves no more for that.
        let lease = policy.lease.try_into().unwrap_or(SignedDuration::MAX);
        let begun = step.begun_at.or_else(|| step.due.checked_sub(lease).ok());
        let asked = begun.unwrap_or(Timestamp::MIN).min(now);
        if asked.duration_since(since) < MISSING.least {
            step.due = retry::next_proof(send.attempts.made, jitter, since, until);
            step.doubt.get_or_insert(Doubt { since, look_ups: 0 });
            return Outcome::Done;
        }
        self.send_again(number, (now <= until).then_some(now))
    }

    /// Puts a send that is certainly not under way back into the outbox, or gives
    /// it up where there is no time for it. Nobody waits for a code of what was
    /// approved or called off.
    fn send_again(&mut self, number: u8, next: Option<Timestamp>) -> Outcome {
        let status = self.status;
        let Some((send, step)) = self.open_send(number) else {
            return Outcome::NotMine;
        };
        if let (Status::Pending, Some(due)) = (status, next) {
            send.state = SendState::Waiting;
            *step = OutboxStep {
                effect: Effect::Send { number },
                due,
                attempts: step.attempts,
                doubt: None,
                begun_at: None,
            };
            return Outcome::Done;
        }
        send.state = match status {
            Status::Pending | Status::Expired => send.attempts.given_up(),
            _ => SendState::Dropped,
        };
        self.outbox.retain(|step| step.number() != number);
        Outcome::Done
    }

    /// Whether a send that was tried already is not to be tried any more, because
    /// a newer one brings the same code by the same channel: who asked again during
    /// an outage gets one message after it.
    pub(super) fn is_replaced(&self, number: u8) -> bool {
        let Some(send) = self.send(number).filter(|send| send.attempts.made > 0) else {
            return false;
        };
        self.sends.iter().any(|newer| {
            newer.number > number
                && newer.channel == send.channel
                && newer.generation == send.generation
                && matches!(newer.state, SendState::Waiting | SendState::Sending | SendState::Accepted)
        })
    }

    /// Since when there can be, at the other side, what a send in doubt has made:
    /// since its last try began, which had ended, or was dropped, within a lease more
    /// than the longest that it may take.
    pub fn look_up_since(&self, policy: &Policy, number: u8) -> Option<Timestamp> {
        let send = self.send(number)?;
        let doubt = self.outbox.iter().find(|step| step.number() == number)?.doubt.as_ref();
        let lease = (policy.longest_send + policy.lease).try_into().unwrap_or(SignedDuration::MAX);
        let begun = doubt.and_then(|doubt| doubt.since.checked_sub(lease).ok());
        Some(begun.map_or(send.asked_at, |begun| begun.max(send.asked_at)))
    }

    /// From when on the code would arrive dead.
    fn worth_until(&self, policy: &Policy) -> Timestamp {
        let least = policy.least_life.try_into().unwrap_or(SignedDuration::MAX);
        self.expires_at.checked_sub(least).unwrap_or(Timestamp::MIN)
    }

    /// A send that is not settled, with its outbox step.
    fn open_send(&mut self, number: u8) -> Option<(&mut Send, &mut OutboxStep)> {
        let send = self.sends.iter_mut().find(|send| send.number == number)?;
        Some((send, self.outbox.iter_mut().find(|step| step.is_about(number))?))
    }
}
