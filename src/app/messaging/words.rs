//! Does what stands in the outbox of a message of its own: a send, a look-up, or what takes
//! the place of a send that failed. As with codes, a send is claimed by a write before it is
//! made and settled by a write after; what lies between is looked up before anybody sends
//! again.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Failing, Fault};
use crate::app::fraud::lines::Lines;
use crate::app::messages::admit::{Asked, want_way, way_of};
use crate::app::messages::follow::{fail_over, type_of};
use crate::app::messages::happen::{self, happen};
use crate::app::messages::settle::{changed, settled_by};
use crate::app::messages::{MessageError, news};
use crate::app::messaging::holding::{self, Claim, Renewed};
use crate::app::messaging::pace::Leg;
use crate::app::messaging::sending::{failure, jitter, look_up, not_looked_up, own, paced_sender, taken};
use crate::app::messaging::turns::Turn;
use crate::app::messaging::{Messaging, MessagingError, inbound, reported, routing};
use crate::app::services::compat;
use crate::app::transact::{self, Draft, transact};
use crate::gateway::{Carried, SendError, SendRequest, opted_out, segments_of};
use crate::model::channel::Channel;
use crate::model::delivery::{Delivery, Report};
use crate::model::id::MessageId;
use crate::model::message::{
    Effect, Message, MessageInput, MessageOutcome, OutboxStep, Priority, Route, Send, SendState,
    look_up_since,
};
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::store::Commit;
use crate::store::records::Ahead;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Does what is due about a message.
///
/// # Errors
/// Not found, or the store's.
pub async fn tend_message(messaging: &Messaging, id: &str) -> Result<(), MessagingError> {
    let id = id.parse::<MessageId>().map_err(|_| Fault::NotFound)?;
    let message = happen::message(&messaging.base, &id).await?.record;
    let now = messaging.base.now();
    let Some(step) = message.outbox.iter().find(|step| step.due <= now) else { return Ok(()) };
    let number = step.number();
    let service = happen::service_of(&messaging.messages, &message).await?;
    if step.is_failover() {
        if step.is_by_next_sender()
            && let Some(send) = message.send(number)
        {
            let next = Send { not_by: send.spent_senders(), ..send.clone() };
            let in_own_words = message.content.approved.is_none();
            let left = routing::routes_of(messaging, &service, (&message.to, &next), in_own_words);
            if left.await?.is_empty() {
                happen(&messaging.messages, &id, |_| Ok(MessageInput::NoOtherSender { number })).await?;
            }
        }
        return Ok(fail_over(&messaging.messages, &id, number).await?);
    }
    let mut routes = Vec::new();
    if let Some(send) = message.send(number).filter(|_| matches!(step.effect, Effect::Send { .. })) {
        let in_own_words = message.content.approved.is_none();
        routes = routing::routes_of(messaging, &service, (&message.to, send), in_own_words).await?;
        if !has_turn(messaging, (&service, &routes), &message, number).await? {
            return Ok(());
        }
    }
    let policy = service.policy(&messaging.directory.policy);
    // Measured from before the claim, and not by a clock that may be set.
    let claimed = Instant::now();
    let decision =
        happen(&messaging.messages, &id, |_| Ok(MessageInput::Claim { number, routes: routes.clone() }))
            .await?;
    match decision.outcome {
        MessageOutcome::Done => {
            let claim = Claim::of(&decision.message.outbox, number, claimed, policy.hold());
            let begin_by = claimed + policy.longest_send;
            let carried = carry(messaging, service, decision.message, (number, begin_by, &routes));
            let renew = |number, claim| {
                let id = &id;
                async move {
                    let held =
                        happen(&messaging.messages, id, |_| Ok(MessageInput::Hold { number, claim })).await?;
                    Ok(Renewed::of(held.outcome == MessageOutcome::Done, &held.message.outbox, number))
                }
            };
            holding::held(&id, &claim, renew, carried).await
        }
        MessageOutcome::Dropped => {
            tracing::info!(message = %id, number, "not sent: its time is over, or nobody wants it any more");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Takes the turn of a send: at once where somebody waits for it. Any other that is not next
/// is put off until its turn, and whoever looks after it does something else meanwhile.
async fn has_turn(
    messaging: &Messaging,
    (service, routes): (&Service, &[Route]),
    message: &Message,
    number: u8,
) -> Result<bool, MessagingError> {
    // One that was begun is looked up, which takes nobody's turn.
    let waits = |send: &&Send| send.state == SendState::Waiting;
    let Some(send) = message.send(number).filter(waits) else { return Ok(true) };
    let now = messaging.base.now();
    let by = Send { route: send.best_of(routes), ..send.clone() };
    let turn_of = by.route.as_ref().map(|route| route.sender.clone());
    if message.turn == Some(number) && message.turn_of == turn_of {
        return Ok(true);
    }
    let sender = paced_sender(messaging, (service, &message.to), &by);
    let segments = match send.channel {
        Channel::Sms => segments_of(&message.content.text),
        Channel::Whatsapp | Channel::Call => 1,
    };
    if message.priority == Priority::High {
        messaging.turns.take(sender.as_deref(), segments, now);
        return Ok(true);
    }
    let left = message.expires_at.duration_since(now);
    let until = match messaging.turns.reserve(sender.as_deref(), segments, (now, left)) {
        Turn::Now => return Ok(true),
        Turn::In(wait) => now.checked_add(wait).unwrap_or(Timestamp::MAX),
        // Then its time is over, and it has taken nobody's turn.
        Turn::TooLate => message.expires_at,
    };
    let input = MessageInput::PutOff { number, until, sender: turn_of };
    happen(&messaging.messages, &message.id, |_| Ok(input.clone())).await?;
    Ok(false)
}

/// Makes a claimed send, or looks it up, and writes down what came of it.
async fn carry(
    messaging: &Messaging,
    service: Arc<Service>,
    message: Message,
    (number, begin_by, routes): (u8, Instant, &[Route]),
) -> Result<(), MessagingError> {
    let step = message.outbox.iter().find(|step| step.number() == number);
    let (Some(send), Some(step)) = (message.send(number), step) else { return Ok(()) };
    let nothing = Ahead::default();
    let sending = compat::sending_to(&messaging.directory, service.clone(), &message.to, &nothing).await?;
    let outcome = match step.effect {
        Effect::Send { .. } => sent(messaging, &service, &message, (send, begin_by)).await?,
        Effect::LookUp { .. } => {
            let request = request(messaging, sending.clone(), &message, (send, begin_by, false));
            let policy = service.policy(&messaging.directory.policy);
            let since = look_up_since((&message.sends, &message.outbox), &policy, number);
            look_up(messaging, &request, since.unwrap_or(message.created_at), &message.sends).await?
        }
        // It is no try of a send.
        Effect::FailOver { .. } | Effect::Redact { .. } => return Ok(()),
    };
    let (id, claim) = (&message.id, step.attempts);
    let nothing = || MessageInput::NotFound { number, claim, jitter: jitter(&messaging.base, id, step) };
    let input = match outcome {
        Ok(Some(report)) => match accepted(messaging, id, send, report).await? {
            true => return Ok(()),
            // What looks like it is another's: this one was not found.
            false => nothing(),
        },
        Ok(None) => nothing(),
        Err(error) => {
            tracing::warn!(message = %id, number, attempts = send.attempts.made, %error, "send not accepted");
            not_accepted(messaging, (&sending, send, routes), (id, step), error)
        }
    };
    let decision = happen(&messaging.messages, id, |_| Ok(input.clone())).await?;
    let is_not_found = matches!(input, MessageInput::NotFound { .. });
    if is_not_found && decision.message.send(number).is_some_and(|send| send.state != SendState::Sending) {
        tracing::info!(message = %id, number, "the other side lists no such send: it was not made there");
    }
    Ok(())
}

/// Makes the send, if it may still be: what was promised may leave much later, and rules and
/// wishes change.
async fn sent(
    messaging: &Messaging,
    service: &Arc<Service>,
    message: &Message,
    (send, begin_by): (&Send, Instant),
) -> Result<Result<Option<Report>, SendError>, MessagingError> {
    let admission = &messaging.admission;
    if !happen::has_service(&messaging.messages, message).await? {
        let reason = "the service that it was to be sent for is gone".to_owned();
        return Ok(Err(SendError::Refused { code: None, reason }));
    }
    let message_type = type_of(&service.settings.message_types(), message);
    let asked = Asked {
        service: service.clone(),
        number: Ok(&message.to),
        plan: &[send.channel],
        message_type: (&message.message_type, &message_type),
        is_test: message.test,
    };
    let mut ahead = Ahead::default();
    want_way(admission, &asked, &mut ahead);
    if send.channel == Channel::Whatsapp {
        inbound::want_window(admission, service, &message.to, &mut ahead);
    }
    ahead.read(messaging.base.store()).await?;
    let sending = match way_of(admission, &asked, &ahead).await {
        Ok((sending, _)) => sending,
        Err(MessageError::Admission(AdmissionError::OptedOut)) => return Ok(Err(opted_out())),
        Err(error) if error.fault().is_some() => return Err(error.into()),
        Err(error) => return Ok(Err(SendError::Refused { code: None, reason: error.to_string() })),
    };
    let window_open = send.channel == Channel::Whatsapp
        && inbound::window_open(admission, &sending, (&message.to, send), &ahead).await?;
    if let Some(refusal) = routing::refusal(admission, &message.to, send, &ahead).await? {
        return Ok(Err(refusal));
    }
    let request = request(messaging, sending, message, (send, begin_by, window_open));
    let begun = Instant::now();
    routing::asked(messaging, send);
    let outcome = messaging.gateway.send(&request).await;
    routing::ended(messaging, (&message.to, send), &outcome).await?;
    if outcome.is_ok() {
        messaging.pace.learn(Leg::Taken(send.channel), begun.elapsed());
    }
    Ok(outcome.map(Some))
}

fn request(
    messaging: &Messaging,
    service: Arc<Service>,
    message: &Message,
    (send, begin_by, window_open): (&Send, Instant, bool),
) -> SendRequest {
    let left = message.expires_at.duration_since(messaging.base.now());
    SendRequest {
        id: message.delivery_id(send.number),
        channel: send.channel,
        to: message.to.clone(),
        content: Carried::Words(message.content.clone()),
        locale: message.content.language.clone(),
        begin_by,
        window_open,
        route: send.route.clone(),
        service,
        valid_for: Duration::try_from(left).unwrap_or_default(),
    }
}

/// What an attempt without success means for the send.
fn not_accepted(
    messaging: &Messaging,
    (service, send, routes): (&Service, &Send, &[Route]),
    (id, step): (&MessageId, &OutboxStep),
    error: SendError,
) -> MessageInput {
    let (number, claim) = (step.number(), step.attempts);
    if !step.is_look_up()
        && let Some((failure, spent)) = routing::next_after(messaging, service, (send, routes), &error)
    {
        return MessageInput::NextSender { number, claim, failure, spent };
    }
    let jitter = jitter(&messaging.base, id, step);
    match error {
        // The send is as unknown as before, and stays so: its callback may tell yet.
        SendError::Refused { code, reason } if step.is_look_up() => {
            let reason = not_looked_up(&reason);
            MessageInput::Refused { number, claim, code, reason, remedy: Remedy::Stop }
        }
        SendError::Refused { code, reason } => {
            let remedy = news::remedy_of_refusal(&messaging.admission, service, send, code);
            MessageInput::Refused { number, claim, code, reason, remedy }
        }
        SendError::NotProcessed { code, reason, after } => {
            MessageInput::NotProcessed { number, claim, failure: failure(code, reason, after), jitter }
        }
        SendError::Unknown { code, reason, after } => {
            MessageInput::Unknown { number, claim, failure: failure(code, reason, after), jitter }
        }
    }
}

/// Settles a send and records what is known of its delivery, in one write; false where that
/// delivery is another's, which looked like it: two messages to one person may say the same.
async fn accepted(
    messaging: &Messaging,
    id: &MessageId,
    send: &Send,
    mut report: Report,
) -> Result<bool, MessagingError> {
    own(messaging, Some(send), &mut report);
    let number = send.number;
    let (report, sid, own_id) = (&report, &report.sid, id.delivery(number));
    let look = || async {
        let (store, mut ahead) = (messaging.base.store(), Ahead::default());
        ahead.want::<Message>(id.as_str());
        ahead.want::<Delivery>(sid.as_str());
        ahead.read(store).await?;
        let old = ahead.get::<Message>(store, id.as_str()).await?.ok_or(Fault::NotFound)?;
        let known = ahead.get::<Delivery>(store, sid.as_str()).await?;
        let before = known.as_ref().map(|known| &known.record);
        if before.and_then(|known| known.id.as_ref()).is_some_and(|known| *known != own_id) {
            return Ok(Draft::Settled(None));
        }
        let service = happen::service_of(&messaging.messages, &old.record).await?;
        let delivery = taken(messaging, before, report);
        let Some(after) = delivery.as_ref().or(before) else { return Ok(Draft::Settled(None)) };
        let next = settled_by(&messaging.messages, &service, &old.record, (number, (before, after)));
        let (mut changes, additions, next) = changed(&messaging.messages, &service, &old, next);
        let mut lines = Lines::default();
        let send = next.send(number).filter(|send| send.sid.as_ref() == Some(sid));
        if let Some(delivery) = delivery {
            let delivery = match send {
                Some(send) => delivery.asked_at(send.asked_at),
                None => delivery,
            };
            let (more, told) = reported::written(&messaging.admission, known.as_ref(), &delivery).await?;
            changes.extend(more);
            lines = lines.and(told);
        }
        Ok::<_, MessagingError>(Draft::Tracked(Commit { changes, additions }, lines, Some(next)))
    };
    let next = transact(&messaging.base, &transact::MESSAGE, look).await?;
    let Some(next) = next else { return Ok(false) };
    tracing::info!(message = %id, number, %sid, "send accepted");
    // Whoever did this looks for nothing else by itself.
    happen::wake_for(&messaging.base, &next);
    Ok(true)
}
