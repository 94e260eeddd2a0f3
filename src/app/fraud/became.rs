//! What becomes of a verification that the log tells of: it was proved, a send of it
//! certainly never left, or the provider took one for fraud.
//!
//! It compares the record as it was with the one that is written, so that whoever writes
//! it tells the same. It refuses to know who that is.

use super::about::{Told, about, bare, sender_of};
use super::watch::Watch;
use crate::model::fraud::{About, Entry};
use crate::model::senders::Senders;
use crate::model::service::Service;
use crate::model::verification::{Send, Status, Verification};
use jiff::Timestamp;

/// What Twilio calls fraud: a burst of texts to a prefix (30450), a message that its own
/// protection stopped (30453), and a number that Verify does not send to (60410).
const FRAUD: [u32; 3] = [30450, 30453, 60410];

/// Whether an error of the provider's says that it takes something for fraud.
pub(in crate::app) fn is_fraud(code: u32) -> bool {
    FRAUD.contains(&code)
}

/// What is told of a verification of a service that becomes another. `unsent` are the sends
/// that have certainly never left.
pub(in crate::app) fn became(
    watch: &Watch,
    (service, senders): (&Service, &Senders),
    (old, new): (&Verification, &Verification),
    unsent: &[&Send],
    at: Timestamp,
) -> Vec<Entry> {
    let about = |send: &Send| about_send(watch, (service, senders), new, send).map(Box::new);
    let mut lines = Vec::new();
    let is_proved = new.status == Status::Approved && old.status != Status::Approved;
    if let Some((admitted, first)) = new.admitted.as_ref().zip(new.sends.first()).filter(|_| is_proved) {
        let asked_at = first.asked_at;
        let sends = u32::try_from(new.sends.len()).unwrap_or(u32::MAX);
        // One that was begun before there was a log is not in it.
        if let Some((decision, about)) = admitted.decision.clone().zip(about(first)) {
            lines.push(Entry::Verified { at, asked_at, sends, decision, about });
        }
    }
    for send in unsent {
        lines.extend(about(send).map(|about| Entry::Unsent { at, asked_at: send.asked_at, about }));
    }
    for send in &new.sends {
        let before = old.send(send.number).map(|send| &send.attempts);
        let last = send.attempts.last_error.as_ref();
        let is_new = before.and_then(|before| before.last_error.as_ref()) != last;
        if let Some(code) = last.and_then(|last| last.code).filter(|code| is_new && is_fraud(*code)) {
            lines.extend(about(send).map(|about| Entry::Verdict { at, code, about }));
        }
    }
    lines
}

/// Whom a send of a verification is about; nothing for a test number, and for one that was
/// begun before anything was kept of who asked.
pub(in crate::app) fn about_send(
    watch: &Watch,
    (service, senders): (&Service, &Senders),
    verification: &Verification,
    send: &Send,
) -> Option<About> {
    let admitted = verification.admitted.as_ref().filter(|_| !verification.test)?;
    let is_first = send.number == 1;
    // Whom it was counted for when it was asked for, whoever it left by.
    let known = admitted.sender.clone().filter(|_| is_first);
    let left_by = || send.route.as_ref().map(|route| bare(&route.sender).to_owned());
    let sender =
        known.or_else(left_by).or_else(|| sender_of(senders, (service, send.channel), &verification.to));
    let told = about(
        &watch.names,
        &Told {
            number: &verification.to,
            standing: &verification.to.standing(),
            admitted,
            session: verification.session.as_ref(),
            service: &service.id,
            sender: sender.as_deref(),
            channel: send.channel,
            face: admitted.face.as_deref().unwrap_or_default(),
            is_resend: !is_first,
        },
    );
    Some(About { micros: send.micros, ..told })
}
