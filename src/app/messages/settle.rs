//! What a message of its own hears of its deliveries: that the provider has one, that it
//! arrived, or that it did not. It is decided in the commit that records the delivery.

use super::{count, happen};
use crate::app::messages::MessageError;
use crate::app::messages::Messages;
use crate::app::messages::alert::alert;
use crate::app::messages::news::{has_failed, remedy_of};
use crate::gateway;
use crate::model::account::Accounts;
use crate::model::delivery::Delivery;
use crate::model::message::{Message, MessageInput, SendState};
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::store::records::{self, Versioned};
use crate::store::{Change, Counting};

/// Whether a delivery of a message is known by now to have arrived, and was not before.
pub(in crate::app) fn has_arrived(before: Option<&Delivery>, after: &Delivery) -> bool {
    let arrived = |delivery: &Delivery| !delivery.unproved && delivery.is_delivered() == Some(true);
    let is_ours = after.id.as_ref().is_some_and(|id| id.of_message().is_some());
    is_ours && arrived(after) && !named(before).is_some_and(arrived)
}

/// What was known of a delivery to be ours: of what was reported before that nothing was
/// told.
fn named(before: Option<&Delivery>) -> Option<&Delivery> {
    before.filter(|before| before.id.is_some())
}

/// A delivery that carries the name of a message's, unless another account than the send's
/// speaks of it, with the time at which it was asked for,
/// and what becomes of its message by it, with what is counted then.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn settle_by(
    messages: &Messages,
    accounts: &Accounts,
    before: Option<&Delivery>,
    delivery: Delivery,
) -> Result<(Delivery, Option<(Vec<Change>, Vec<Counting>)>), MessageError> {
    let Some((id, number)) = delivery.id.as_ref().and_then(|id| id.of_message()) else {
        return Ok((delivery, None));
    };
    let Some(old) = records::get::<Message>(messages.admission.base.store(), id.as_str()).await? else {
        return Ok((delivery, None));
    };
    let Some(send) = old.record.send(number) else {
        return Ok((delivery, None));
    };
    if !accounts.made(delivery.about.account_sid.as_deref(), send.account()) {
        return Ok((delivery.of_nobody(), None));
    }
    if send.state == SendState::Accepted && send.sid.as_ref() != Some(&delivery.sid) {
        return Ok((delivery, None));
    }
    let asked_at = send.asked_at;
    let service = happen::service_of(messages, &old.record).await?;
    let next = settled_by(messages, &service, &old.record, (number, (before, &delivery)));
    let (changes, additions, _) = changed(messages, &service, &old, next);
    let settled = Some((changes, additions)).filter(|(changes, _)| !changes.is_empty());
    Ok((delivery.asked_at(asked_at), settled))
}

/// What a message becomes as the provider names the send of that number so, and by what its
/// delivery becomes with that.
pub(in crate::app) fn settled_by(
    messages: &Messages,
    service: &Service,
    old: &Message,
    (number, (before, after)): (u8, (Option<&Delivery>, &Delivery)),
) -> Message {
    let accepted = MessageInput::Accepted { number, sid: after.sid.clone() };
    let next = happen::decided(messages, service, old, accepted).message;
    let is_its = next.send(number).is_some_and(|send| send.sid.as_ref() == Some(&after.sid));
    if !is_its {
        return next;
    }
    let news = if has_arrived(before, after) {
        MessageInput::Arrived { number }
    } else if has_failed(named(before), after) {
        not_arrived(messages, service, &next, (number, after))
    } else {
        return next;
    };
    happen::decided(messages, service, &next, news).message
}

/// What has to be written, and counted, where that is what becomes of it, and the message
/// with what is counted no more.
pub(in crate::app) fn changed(
    messages: &Messages,
    service: &Service,
    old: &Versioned<Message>,
    mut next: Message,
) -> (Vec<Change>, Vec<Counting>, Message) {
    if next == old.record {
        return (Vec::new(), Vec::new(), next);
    }
    let now = messages.admission.base.now();
    let additions = count::given_back(&messages.admission, service, (&old.record, &mut next), now);
    (happen::written(&messages.admission.telling, Some(old), &next), additions, next)
}

fn not_arrived(
    messages: &Messages,
    service: &Service,
    message: &Message,
    (number, delivery): (u8, &Delivery),
) -> MessageInput {
    let (admission, code) = (&messages.admission, delivery.error_code());
    let remedy = message.send(number).map_or(Remedy::Stop, |send| {
        let remedy = remedy_of(admission, service, (&message.to, send), delivery);
        alert(admission, service, send, code, remedy);
        remedy
    });
    let reason = match code {
        Some(code) => gateway::in_words(code).0.to_owned(),
        None => match delivery.status() {
            Some(status) => format!("the provider says that it is {}", status.as_str()),
            None => "the provider says that it did not arrive".to_owned(),
        },
    };
    MessageInput::NotArrived { number, code, reason, remedy }
}
