//! What becomes of a send: it is begun, held, taken, tried again, looked up or given up.
//!
//! Between beginning and settling lies the only moment whose outcome can be unknown. This
//! module refuses to know what takes the place of a send that failed.

use super::retry::{self, Jitter, LONGEST_DOUBT, MISSING};
use super::{Doubt, Effect, Failure, OutboxStep, Route, Send, SendState};
use crate::model::id::Sid;
use crate::model::plain::after;
use crate::model::policy::Policy;
use jiff::{SignedDuration, Timestamp};

/// The sends of one message and what is to be done about them.
pub struct Sending<'a> {
    /// Messages and calls asked for so far, in order.
    pub sends: &'a mut Vec<Send>,
    /// What is still to be done.
    pub outbox: &'a mut Vec<OutboxStep>,
    /// For how long that is worth it.
    pub life: Life,
}

/// For how long, and for which content, sending is worth anything.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// Whether somebody still waits for it.
    pub is_open: bool,
    /// Whether nobody does because its time ran out, so that what was tried has failed. What
    /// is not wanted any more for another reason is dropped.
    pub has_run_out: bool,
    /// Sends of another content are not begun any more ([`Send::generation`]).
    pub generation: u32,
    /// When it is worth nothing any more.
    pub ends_at: Timestamp,
}

/// What came of an input about a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was done.
    Done,
    /// Nothing of the kind stands open: another job has it, or it is done.
    NotMine,
    /// The send was dropped: it would come too late, or is not wanted any more.
    Dropped,
}

impl Sending<'_> {
    /// A job takes a step for the time of a lease. What would come too late is dropped. What
    /// is sent leaves by the first of the routes that it may take; without any, as its
    /// service sends.
    pub fn claim(&mut self, policy: &Policy, number: u8, routes: &[Route], now: Timestamp) -> Sent {
        let least_end = after(now, policy.least_life);
        let Life { generation, is_open, ends_at, .. } = self.life;
        let is_replaced = is_replaced(self.sends, number);
        let is_due = |step: &&mut OutboxStep| step.is_about(number) && step.due <= now;
        let Some(step) = self.outbox.iter_mut().find(is_due) else {
            return Sent::NotMine;
        };
        let Some(send) = self.sends.iter_mut().find(|send| send.number == number) else {
            return Sent::NotMine;
        };
        let is_to_be_sent = !step.is_look_up() && send.state == SendState::Waiting;
        let is_wanted = is_open && send.generation == generation && !is_replaced;
        if is_to_be_sent && !(is_wanted && ends_at >= least_end) {
            send.state = if is_wanted { send.attempts.given_up() } else { SendState::Dropped };
            self.outbox.retain(|step| step.number() != number);
            return Sent::Dropped;
        }
        if is_to_be_sent {
            send.attempts.begin(now);
            send.route = send.best_of(routes);
        }
        // Begun before and not settled: whoever began it may have died between
        // sending and writing. From here on nobody may simply send again. It had
        // ended so long before its lease that lists show what it has made.
        if send.state == SendState::Sending {
            let old = if step.is_look_up() { SignedDuration::ZERO } else { MISSING.least };
            let since = step.due.checked_sub(old).unwrap_or(Timestamp::MIN);
            step.effect = Effect::LookUp { number };
            step.doubt.get_or_insert(Doubt { since, look_ups: 0 });
        }
        step.attempts += 1;
        step.due = after(now, policy.lease);
        step.begun_at = Some(now);
        send.state = SendState::Sending;
        Sent::Done
    }

    /// Gives the job that is at a step its lease anew.
    pub fn hold(&mut self, policy: &Policy, number: u8, now: Timestamp) -> Sent {
        let is_under_way =
            self.sends.iter().any(|send| send.number == number && send.state == SendState::Sending);
        let Some(step) = self.outbox.iter_mut().find(|step| step.number() == number && is_under_way) else {
            return Sent::NotMine;
        };
        step.due = step.due.max(after(now, policy.lease));
        Sent::Done
    }

    /// Whether another claim came after this one. What a job thinks of a send
    /// that it was too slow with counts no more; that it was accepted does.
    pub fn is_outdated(&self, number: u8, claim: u32) -> bool {
        self.outbox.iter().any(|step| step.number() == number && step.attempts != claim)
    }

    /// Whether a name of the provider's is that of another send. Two that are looked up
    /// at once, by two jobs, may both find the one message that there is;
    /// whoever comes second has found nothing and looks again.
    pub fn is_anothers(&self, number: u8, sid: &Sid) -> bool {
        self.sends.iter().any(|send| send.number != number && send.sid.as_ref() == Some(sid))
    }

    /// The last word about a send, with the provider's name for it where there is one.
    pub fn settle(&mut self, number: u8, state: SendState, sid: Option<Sid>) -> Sent {
        let Some(send) = self.sends.iter_mut().find(|send| send.number == number) else {
            return Sent::NotMine;
        };
        // Accepted is a fact that the provider knows; nothing that we think later undoes it.
        if send.state == SendState::Accepted {
            return Sent::NotMine;
        }
        send.state = state;
        send.sid = sid.or(send.sid.take());
        self.outbox.retain(|step| step.number() != number);
        Sent::Done
    }

    /// It was refused for good, or a look-up was, and then nobody will know.
    pub fn refused(&mut self, number: u8, code: Option<u32>, reason: String, now: Timestamp) -> Sent {
        if let Some((send, step)) = self.open_send(number)
            && !step.is_look_up()
        {
            send.attempts.note(&Failure { code, reason: reason.clone(), after: SignedDuration::ZERO }, now);
        }
        self.settle(number, SendState::Failed { code, reason }, None)
    }

    /// It was certainly not processed (too many requests, 429, is the usual case): it is
    /// sent again after a backoff, while its code is worth it.
    pub fn not_processed(
        &mut self,
        policy: &Policy,
        number: u8,
        (failure, jitter): (&Failure, Jitter),
        now: Timestamp,
    ) -> Sent {
        let until = self.worth_until(policy);
        let Some((send, step)) = self.open_send(number) else {
            return Sent::NotMine;
        };
        // Of a look-up that was not processed the send is as unknown as before.
        if step.is_look_up() {
            return self.in_doubt(policy, number, (failure, jitter), now);
        }
        send.attempts.note(failure, now);
        let next = retry::next_try(send.attempts.made, failure.after, jitter, now, until);
        self.send_again(number, next)
    }

    /// Its sender refused it, or could not take it now, and another one may: it is sent again
    /// at once, and not by those that are spent.
    pub fn next_sender(
        &mut self,
        policy: &Policy,
        number: u8,
        (failure, spent): (&Failure, Vec<String>),
        now: Timestamp,
    ) -> Sent {
        let until = self.worth_until(policy);
        let Some((send, step)) = self.open_send(number) else {
            return Sent::NotMine;
        };
        // Of a look-up that was refused the send is as unknown as before.
        if send.route.is_none() || step.is_look_up() {
            return Sent::NotMine;
        }
        send.attempts.note(failure, now);
        let is_new = |sender: &String| !send.not_by.contains(sender);
        let spent: Vec<String> = spent.into_iter().filter(is_new).collect();
        send.not_by.extend(spent);
        self.send_again(number, (now <= until).then_some(now))
    }

    /// What was to go on by another sender goes on by another channel: none is left.
    pub fn no_other_sender(&mut self, number: u8) -> Sent {
        for step in self.outbox.iter_mut().filter(|step| step.number() == number) {
            if let Effect::FailOver { next_sender, .. } = &mut step.effect
                && *next_sender
            {
                *next_sender = false;
                return Sent::Done;
            }
        }
        Sent::NotMine
    }

    /// Nobody knows whether it was taken: it is looked up. So it is again when the
    /// look-up has not told.
    pub fn in_doubt(
        &mut self,
        policy: &Policy,
        number: u8,
        (failure, jitter): (&Failure, Jitter),
        now: Timestamp,
    ) -> Sent {
        let until = self.life.is_open.then(|| self.worth_until(policy));
        let last = self.life.ends_at.checked_add(LONGEST_DOUBT).unwrap_or(Timestamp::MAX);
        let Some((send, step)) = self.open_send(number) else {
            return Sent::NotMine;
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
        Sent::Done
    }

    /// A look-up found nothing. When no list lags so long any more the send is
    /// missing, and is sent again.
    pub fn not_found(&mut self, policy: &Policy, number: u8, jitter: Jitter, now: Timestamp) -> Sent {
        let until = self.worth_until(policy);
        let Some((send, step)) = self.open_send(number).filter(|(_, step)| step.is_look_up()) else {
            return Sent::NotMine;
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
            return Sent::Done;
        }
        self.send_again(number, (now <= until).then_some(now))
    }

    /// Puts a send that is certainly not under way back into the outbox, or gives
    /// it up where there is no time for it. Nobody waits for a code of what was
    /// approved or called off.
    fn send_again(&mut self, number: u8, next: Option<Timestamp>) -> Sent {
        let Life { is_open, has_run_out, .. } = self.life;
        let Some((send, step)) = self.open_send(number) else {
            return Sent::NotMine;
        };
        if let (true, Some(due)) = (is_open, next) {
            send.state = SendState::Waiting;
            *step = OutboxStep { attempts: step.attempts, ..OutboxStep::new(Effect::Send { number }, due) };
            return Sent::Done;
        }
        send.state = match is_open || has_run_out {
            true => send.attempts.given_up(),
            false => SendState::Dropped,
        };
        self.outbox.retain(|step| step.number() != number);
        Sent::Done
    }

    /// From when on it would come too late.
    fn worth_until(&self, policy: &Policy) -> Timestamp {
        let least = policy.least_life.try_into().unwrap_or(SignedDuration::MAX);
        self.life.ends_at.checked_sub(least).unwrap_or(Timestamp::MIN)
    }

    /// A send that is not settled, with its outbox step.
    fn open_send(&mut self, number: u8) -> Option<(&mut Send, &mut OutboxStep)> {
        let send = self.sends.iter_mut().find(|send| send.number == number)?;
        Some((send, self.outbox.iter_mut().find(|step| step.is_about(number))?))
    }
}

/// Whether a send that was tried already is not to be tried any more, because
/// a newer one brings the same by the same channel: who asked again during
/// an outage gets one message after it.
pub fn is_replaced(sends: &[Send], number: u8) -> bool {
    let tried = sends.iter().find(|send| send.number == number && send.attempts.made > 0);
    tried.is_some_and(|send| {
        sends.iter().any(|newer| {
            newer.number > number
                && newer.channel == send.channel
                && newer.generation == send.generation
                && matches!(newer.state, SendState::Waiting | SendState::Sending | SendState::Accepted)
        })
    })
}

/// Since when there can be, at the other side, what a send in doubt has made:
/// since its last try began, which had ended, or was dropped, within a lease more
/// than the longest that it may take. Nothing where there is no such step.
pub fn look_up_since(
    (sends, outbox): (&[Send], &[OutboxStep]),
    policy: &Policy,
    number: u8,
) -> Option<Timestamp> {
    let send = sends.iter().find(|send| send.number == number)?;
    let doubt = outbox.iter().find(|step| step.number() == number)?.doubt.as_ref();
    let lease = (policy.longest_send + policy.lease).try_into().unwrap_or(SignedDuration::MAX);
    let begun = doubt.and_then(|doubt| doubt.since.checked_sub(lease).ok());
    Some(begun.map_or(send.asked_at, |begun| begun.max(send.asked_at)))
}
