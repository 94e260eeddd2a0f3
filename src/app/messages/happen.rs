//! The one way in which a stored message of its own changes.

use super::count;
use crate::app::base::Base;
use crate::app::events::{Telling, told};
use crate::app::fault::Fault;
use crate::app::fraud::lines::Lines;
use crate::app::messages::MessageError;
use crate::app::messages::Messages;
use crate::app::services::{Directory, ServiceError, find};
use crate::app::transact::{self, Draft, transact};
use crate::model::id::{MessageId, ServiceId};
use crate::model::message::{Message, MessageDecision, MessageInput, decide_message};
use crate::model::service::Service;
use crate::store::records::{self, Ahead, Record, Versioned};
use crate::store::{Change, Commit, Key, Kind, Lane};
use std::sync::Arc;

pub(in crate::app) async fn message(base: &Base, id: &MessageId) -> Result<Versioned<Message>, MessageError> {
    Ok(records::get(base.store(), id.as_str()).await?.ok_or(Fault::NotFound)?)
}

/// The service of a message; one that is gone is followed by the rules of the top level.
pub(in crate::app) async fn service_of(
    messages: &Messages,
    message: &Message,
) -> Result<Arc<Service>, MessageError> {
    Ok(find::service_or_default(&messages.admission.directory, message.service.as_ref(), &Ahead::default())
        .await?)
}

/// Whether the service of a message is there: nothing is sent by another's senders.
pub(in crate::app) async fn has_service(
    messages: &Messages,
    message: &Message,
) -> Result<bool, MessageError> {
    match find::service(&messages.admission.directory, message.service.as_ref()).await {
        Ok(_) => Ok(true),
        Err(ServiceError::NoSuchService) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether a message belongs to that service.
pub(in crate::app) fn is_of(directory: &Directory, message: &Message, service: &ServiceId) -> bool {
    let default = &directory.services.default_service().id;
    message.service.as_ref().unwrap_or(default) == service
}

/// What an input makes of a message of a service, now.
pub(in crate::app) fn decided(
    messages: &Messages,
    service: &Service,
    message: &Message,
    input: MessageInput,
) -> MessageDecision {
    let policy = service.policy(&messages.admission.directory.policy);
    decide_message((&policy, messages.keep), message, input, messages.admission.base.now())
}

/// Lets something happen to a message, as often as it takes to be first. The input is made
/// anew from what was read each time.
///
/// # Errors
/// What `input` says, and the store's.
pub(in crate::app) async fn happen(
    messages: &Messages,
    id: &MessageId,
    input: impl Fn(&Message) -> Result<MessageInput, MessageError>,
) -> Result<MessageDecision, MessageError> {
    let base = &messages.admission.base;
    let look = || async {
        let old = message(base, id).await?;
        let service = service_of(messages, &old.record).await?;
        let mut decision = decided(messages, &service, &old.record, input(&old.record)?);
        if decision.message == old.record {
            return Ok(Draft::Settled((decision, false)));
        }
        let both = (&old.record, &mut decision.message);
        let additions = count::given_back(&messages.admission, &service, both, base.now());
        let changes = written(&messages.admission.telling, Some(&old), &decision.message);
        let commit = Commit { changes, additions };
        Ok::<_, MessageError>(Draft::Tracked(commit, Lines::default(), (decision, true)))
    };
    let (decision, is_written) = transact(base, &transact::MESSAGE, look).await?;
    if is_written {
        wake_for(base, &decision.message);
    }
    Ok(decision)
}

/// Says that a message was written about which something is to be done.
pub(in crate::app) fn wake_for(base: &Base, message: &Message) {
    if !message.is_at_work() {
        return;
    }
    match (Record::lane(message), message.due()) {
        (Lane::Person, Some(due)) if due <= base.now() => {
            base.board.wake_for(Key::new(Kind::Message, message.id.to_string()), due);
        }
        // When it is due is for who looks.
        (lane, _) => base.board.wake_lane(lane),
    }
}

/// What has to be written for a message to become another: it, and what others are told of
/// it.
pub(in crate::app) fn written(
    telling: &Telling,
    old: Option<&Versioned<Message>>,
    new: &Message,
) -> Vec<Change> {
    let mut changes = vec![records::put(old, new)];
    changes.extend(told::told_of_message(telling, old, new));
    changes
}
