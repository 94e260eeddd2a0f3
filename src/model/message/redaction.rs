//! Taking away at the provider what was said, once it is worth nothing any more. It is
//! repeated until it is done: doing it twice does no harm.

use super::retry::{Backoff, Jitter};
use super::{Effect, OutboxStep, Send, SendState, Sending, Sent};
use jiff::{SignedDuration, Timestamp};

/// How long after the end it is asked for first: most messages have arrived by then, and
/// one that is still under way cannot be emptied.
pub const REDACT_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// Before it is asked for again: nobody waits for it, and it has to be done.
pub const REDACT_RETRY: Backoff = Backoff {
    least: SignedDuration::from_secs(5),
    first: SignedDuration::from_secs(10),
    most: SignedDuration::from_mins(60),
};

impl Sending<'_> {
    /// Asks for the redaction of every message that the provider has, and that has neither
    /// been redacted nor is to be already.
    pub fn ask_for_redaction(&mut self, now: Timestamp) {
        let due = now.checked_add(REDACT_AFTER).unwrap_or(Timestamp::MAX);
        for send in self.sends.iter().filter(|send| lies_there(send)) {
            let is_asked_for = |step: &OutboxStep| step.is_redaction() && step.number() == send.number;
            if !self.outbox.iter().any(is_asked_for) {
                self.outbox.push(OutboxStep::new(Effect::Redact { number: send.number }, due));
            }
        }
    }

    /// It is redacted, or gone there.
    pub fn redacted(&mut self, number: u8) -> Sent {
        if !self.end_redaction(number) {
            return Sent::NotMine;
        }
        if let Some(send) = self.sends.iter_mut().find(|send| send.number == number) {
            send.redacted = true;
        }
        Sent::Done
    }

    /// It could not be redacted now: it is asked for again, no sooner than the provider
    /// allows.
    pub fn not_redacted(
        &mut self,
        number: u8,
        (at_least, jitter): (SignedDuration, Jitter),
        now: Timestamp,
    ) -> Sent {
        let is_it = |step: &&mut OutboxStep| step.is_redaction() && step.number() == number;
        let Some(step) = self.outbox.iter_mut().find(is_it) else { return Sent::NotMine };
        step.attempts = step.attempts.saturating_add(1);
        let at_least = at_least.clamp(SignedDuration::ZERO, REDACT_RETRY.most);
        let wait = REDACT_RETRY.wait(step.attempts, jitter).max(at_least);
        step.due = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        Sent::Done
    }

    fn end_redaction(&mut self, number: u8) -> bool {
        let before = self.outbox.len();
        self.outbox.retain(|step| !(step.is_redaction() && step.number() == number));
        self.outbox.len() < before
    }
}

/// Whether the provider has words of ours: calls leave none, and what was only pretended
/// never came there.
fn lies_there(send: &Send) -> bool {
    send.channel.is_message()
        && send.state == SendState::Accepted
        && send.sid.is_some()
        && !send.shadow
        && !send.redacted
}
