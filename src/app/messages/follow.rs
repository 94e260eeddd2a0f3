//! What takes the place of a send that failed, what is sent again, and what is called off.
//! Rules and budgets are asked each time anew.

use super::RetryRequest;
use super::admit::{Asked, want_way, way_of};
use super::count::{self, Full};
use super::create::end_of;
use super::happen::{self, decided, happen};
use crate::app::admission::AdmissionError;
use crate::app::fault::{Failing, Fault};
use crate::app::fraud::lines::Lines;
use crate::app::messages::MessageError;
use crate::app::messages::Messages;
use crate::app::transact::{self, Draft, transact};
use crate::model::channel::Channel;
use crate::model::id::MessageId;
use crate::model::message::{Message, MessageInput, MessageOutcome, MessageStatus};
use crate::model::service::MessageType;
use crate::store::Commit;
use crate::store::records::Ahead;

/// Has a message sent again that failed.
///
/// # Errors
/// Not found; [`MessageError::Stands`] for one that did not fail; why it may not be; or the
/// store's.
pub async fn retry_message(
    messages: &Messages,
    request: &RetryRequest,
    is_own: impl Fn(&Message) -> bool,
) -> Result<Message, MessageError> {
    let more = |message: &Message| {
        if !is_own(message) {
            return Err(Fault::NotFound.into());
        }
        if !matches!(message.status, MessageStatus::Failed | MessageStatus::Expired) {
            return Err(MessageError::Stands(message.status));
        }
        if request.channel.is_some_and(|channel| !message.plan.contains(&channel)) {
            let what = "the channel is none of the message's plan";
            return Err(AdmissionError::NotAllowed { field: "channel", what }.into());
        }
        let plan = request.channel.map_or_else(|| message.plan.clone(), |channel| vec![channel]);
        let expires_at = end_of(request.expires_at, messages.admission.base.now())?;
        Ok(More { plan, input: Box::new(move |channel| MessageInput::Retry { channel, expires_at }) })
    };
    sent_on(messages, &request.id, more).await
}

/// Calls a message off that has not left. One that was called off stays so.
///
/// # Errors
/// Not found; [`MessageError::Stands`] for one that has left or failed; or the store's.
pub async fn cancel_message(
    messages: &Messages,
    id: &MessageId,
    is_own: impl Fn(&Message) -> bool,
) -> Result<Message, MessageError> {
    let input = |message: &Message| match is_own(message) {
        true => Ok(MessageInput::Cancel),
        false => Err(Fault::NotFound.into()),
    };
    let decision = happen(messages, id, input).await?;
    match decision.outcome {
        MessageOutcome::Stands(status) => Err(MessageError::Stands(status)),
        _ => Ok(decision.message),
    }
}

/// Sends by the next channel what did not arrive by the send of that number, or writes down
/// why nothing follows.
///
/// # Errors
/// The store's, or too many at once: it is tried again.
pub(in crate::app) async fn fail_over(
    messages: &Messages,
    id: &MessageId,
    number: u8,
) -> Result<(), MessageError> {
    let more = |message: &Message| match message.to_be_followed() {
        Some((failed, _)) if failed == number => Ok(More {
            plan: message.ways_on(),
            input: Box::new(move |channel| MessageInput::Follow { number, channel }),
        }),
        // It arrived after all, or somebody else was faster.
        _ => Err(Fault::NotFound.into()),
    };
    let why = match sent_on(messages, id, more).await {
        Ok(_) => return Ok(()),
        Err(error) if error.is_not_found() => None,
        Err(error) if error.fault().is_some() => return Err(error),
        Err(error) => Some(error.to_string()),
    };
    tracing::info!(message = %id, number, why, "nothing follows what did not arrive");
    happen(messages, id, |_| Ok(MessageInput::NotFollowed { number, why: why.clone() })).await?;
    Ok(())
}

/// A further send of a message: by which channels it may go, and what it is to the message.
struct More {
    plan: Vec<Channel>,
    input: Box<dyn Fn(Channel) -> MessageInput + std::marker::Send + Sync>,
}

/// Asks the rules for a further send, counts it and writes it.
async fn sent_on(
    messages: &Messages,
    id: &MessageId,
    more: impl Fn(&Message) -> Result<More, MessageError>,
) -> Result<Message, MessageError> {
    let (base, admission) = (&messages.admission.base, &messages.admission);
    let look = || async {
        let old = happen::message(base, id).await?;
        let More { plan, input } = more(&old.record)?;
        let service = happen::service_of(messages, &old.record).await?;
        let message_type = type_of(&service.settings.message_types(), &old.record);
        let asked = Asked {
            service: service.clone(),
            number: Ok(&old.record.to),
            plan: &plan,
            message_type: (&old.record.message_type, &message_type),
            is_test: old.record.test,
        };
        let mut ahead = Ahead::default();
        want_way(admission, &asked, &mut ahead);
        ahead.read(base.store()).await?;
        let (sending, channel) = way_of(admission, &asked, &ahead).await?;
        let decision = decided(messages, &service, &old.record, input(channel));
        match decision.outcome {
            MessageOutcome::Done => {}
            MessageOutcome::Stands(status) => return Err(MessageError::Stands(status)),
            MessageOutcome::NoSendsLeft => return Err(MessageError::NoSendsLeft),
            MessageOutcome::NotMine => return Err(Fault::NotFound.into()),
            MessageOutcome::Dropped => return Err(MessageError::TooLate),
        }
        let (mut next, standing) = (decision.message, old.record.to.standing());
        let additions = count::count(admission, &sending, &mut next, &message_type);
        let now = base.now();
        Ok::<_, MessageError>(Draft::Counted {
            commit: Commit {
                changes: happen::written(&messages.admission.telling, Some(&old), &next),
                additions: additions.countings,
            },
            tickets: additions.tickets,
            lines: Lines::default(),
            done: Ok(next),
            refused: Box::new(move |limited| Err(Box::new(Full::of(limited, &standing, &sending.id, now)))),
        })
    };
    let message = match transact(base, &transact::MESSAGE, look).await? {
        Ok(message) => message,
        Err(full) => return Err(full.told(admission).await),
    };
    happen::wake_for(base, &message);
    Ok(message)
}

/// The type of a message as its service has it now; one that is gone limits nothing.
pub(in crate::app) fn type_of(
    types: &std::collections::BTreeMap<String, MessageType>,
    message: &Message,
) -> MessageType {
    types.get(&message.message_type).cloned().unwrap_or_default()
}
