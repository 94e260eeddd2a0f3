//! What takes the place of a message or call that did not arrive: the next channel, by the
//! one way in, like whatever else is asked for.
//!
//! That something did not arrive is written with what is to follow from it, in the
//! verification's own outbox, by whoever writes the failure down; who takes that step asks
//! for the next send and ends the step in one commit. So it follows once, whoever dies
//! between. This module refuses to know what each channel needs.

use crate::app::admission::profile::Profile;
use crate::app::fault::{Failing, Fault};
use crate::app::messages::alert::alert;
use crate::app::messages::news::{has_failed, remedy_of};
use crate::app::messaging::pace::Pace;
use crate::app::messaging::{Messaging, MessagingError, routing};
use crate::app::services::find;
use crate::app::verification::VerificationError;
use crate::app::verification::begin::begin;
use crate::app::verification::code_request::{CodeRequest, Target};
use crate::app::verification::happen::{self, happen};
use crate::model::delivery::Delivery;
use crate::model::id::{Sid, VerificationId};
use crate::model::policy::Failover;
use crate::model::service::Service;
use crate::model::verification::{Decision, Input, OutboxStep, Outcome, Send, Verification, decide};
use jiff::Timestamp;

/// Sends by the next channel what did not arrive by the send of that number, or writes
/// down why nothing follows.
///
/// # Errors
/// The store's, or too many at once: it is tried again.
pub(in crate::app) async fn fail_over(
    messaging: &Messaging,
    id: &VerificationId,
    number: u8,
) -> Result<(), MessagingError> {
    look_for_sender(messaging, id, number).await?;
    let target = Target::Following { id, number };
    let asked = CodeRequest { profile: &Profile::FAILOVER, target };
    let why = match Box::pin(begin(&messaging.verifying, &asked)).await {
        Ok(_) => return Ok(()),
        // It arrived after all, or somebody else was faster.
        Err(VerificationError::Fault(Fault::NotFound) | VerificationError::Ended(_)) => None,
        Err(error) if error.fault().is_some() => return Err(error.into()),
        Err(error) => Some(error.to_string()),
    };
    tracing::info!(verification = %id, number, why, "nothing follows what did not arrive");
    happen(&messaging.admission, id, |_| Ok(Input::NotFollowed { number, why: why.clone() })).await?;
    Ok(())
}

/// Lets what was to go on by another sender of its channel go on by another channel where
/// none is left, those among them that the person told to stop.
async fn look_for_sender(
    messaging: &Messaging,
    id: &VerificationId,
    number: u8,
) -> Result<(), MessagingError> {
    let verification = happen::verification(&messaging.base, id).await?.record;
    let mut steps = verification.outbox.iter().filter(|step| step.number() == number);
    let Some(send) = verification.send(number).filter(|_| steps.any(OutboxStep::is_by_next_sender)) else {
        return Ok(());
    };
    let service = find::service_of(&messaging.directory, &verification).await?;
    let next = Send { not_by: send.spent_senders(), ..send.clone() };
    let in_own_words = service.settings.whatsapp_content_sid.is_none();
    let left = routing::routes_of(messaging, &service, (&verification.to, &next), in_own_words).await?;
    if left.is_empty() {
        happen(&messaging.admission, id, |_| Ok(Input::NoOtherSender { number })).await?;
    }
    Ok(())
}

/// What a verification becomes as the provider names the send of that number so, and by what
/// its delivery becomes with that: it is settled, and where it did not arrive that is told,
/// too. The outcome is that of the settling.
pub(in crate::app) fn settled_by(
    messaging: &Messaging,
    service: &Service,
    old: &Verification,
    (number, sid): (u8, &Sid),
    (before, after): (Option<&Delivery>, Option<&Delivery>),
) -> Decision {
    let (policy, now) = (service.policy(&messaging.directory.policy), messaging.base.now());
    let silent_at = silent_at(&messaging.pace, service, old, (number, now));
    let mut decision = decide(&policy, old, Input::Accepted { number, sid: sid.clone(), silent_at }, now);
    let makes_codes = messaging.gateway.codes().is_some();
    let reference = after.and_then(|after| after.about.reference.clone()).filter(|_| makes_codes);
    // Who makes no codes any more has sent ours.
    let is_named = reference.is_some() || !makes_codes && old.reference.is_some();
    if is_named && decision.outcome == Outcome::Done {
        let named = Input::Named { number, reference };
        decision.verification = decide(&policy, &decision.verification, named, now).verification;
    }
    let told =
        after.and_then(|after| not_arrived(messaging, service, (before, after), &decision.verification));
    if let Some(input) = told {
        decision.verification = decide(&policy, &decision.verification, input, now).verification;
    }
    decision
}

/// What a delivery that becomes another tells its verification: that it did not arrive;
/// nothing where it tells no such thing, or told it before.
fn not_arrived(
    messaging: &Messaging,
    service: &Service,
    (before, after): (Option<&Delivery>, &Delivery),
    verification: &Verification,
) -> Option<Input> {
    let (whose, number) = after.id.as_ref()?.of_verification()?;
    let send = verification.send(number).filter(|send| send.sid.as_ref() == Some(&after.sid))?;
    if !has_failed(before, after) || whose != verification.id {
        return None;
    }
    let remedy = remedy_of(&messaging.admission, service, (&verification.to, send), after);
    alert(&messaging.admission, service, send, after.error_code(), remedy);
    Some(Input::NotArrived { number, remedy })
}

/// From when on the silence of a message counts as a failure; nothing where it does not, or
/// for a call, which is never silent.
fn silent_at(
    pace: &Pace,
    service: &Service,
    verification: &Verification,
    (number, now): (u8, Timestamp),
) -> Option<Timestamp> {
    let channel = verification.send(number)?.channel;
    if service.settings.failover != Failover::OnSilence || !channel.is_message() {
        return None;
    }
    let region = verification.to.region().unwrap_or_default();
    now.checked_add(pace.arrivals().silence(&region, channel)).ok()
}
