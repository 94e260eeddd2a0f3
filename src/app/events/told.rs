//! Which events are written beside a change.
//!
//! An event is written in the commit of the change it tells of, with a dispatch
//! for each endpoint that wants it. So nothing is told that did not happen, and
//! nothing that happened goes untold, whenever the process dies.

use crate::app::base::Base;
use crate::app::events::Telling;
use crate::app::events::telling::after;
use crate::app::fault::Fault;
use crate::gateway::is_opt_out;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::dispatch::Dispatch;
use crate::model::endpoint::Endpoint;
use crate::model::event::{self, Event, EventBody, EventType};
use crate::model::id::EventId;
use crate::model::message::Message;
use crate::model::session::Session;
use crate::model::status::Status;
use crate::model::verification::Verification;
use crate::store::Change;
use crate::store::records::{self, Versioned};

/// What is written beside a verification that changes.
pub(in crate::app) fn told_of(
    telling: &Telling,
    old: Option<&Versioned<Verification>>,
    new: &Verification,
) -> Vec<Change> {
    let mut body = event::of_verification(old.map(|old| &old.record), new, is_opt_out, telling.base.now());
    for body in &mut body {
        body.service.get_or_insert_with(|| telling.directory.services.default_service().id.clone());
    }
    told(telling, body)
}

/// What is written beside a message of its own that changes.
pub(in crate::app) fn told_of_message(
    telling: &Telling,
    old: Option<&Versioned<Message>>,
    new: &Message,
) -> Vec<Change> {
    let mut body = event::of_message(old.map(|old| &old.record), new, is_opt_out, telling.base.now());
    for body in &mut body {
        body.service.get_or_insert_with(|| telling.directory.services.default_service().id.clone());
    }
    told(telling, body)
}

/// What is written beside a session that changes.
pub(in crate::app) fn told_of_session(telling: &Telling, old: &Session, new: &Session) -> Vec<Change> {
    let mut body = event::of_session(Some(old), new, telling.base.now());
    if let Some(body) = &mut body {
        body.service.get_or_insert_with(|| telling.directory.services.default_service().id.clone());
    }
    told(telling, body.into_iter().collect())
}

/// Whether a delivery's change may be told to anybody: one of ours always,
/// anybody else's when every delivery is asked for.
pub(in crate::app) fn tells_of(telling: &Telling, delivery: &Delivery) -> bool {
    let events = &telling.events;
    delivery.id.is_some() || events.is_told(EventType::DeliveryUpdated, &events.known())
}

/// What is written beside a delivery that changes. Which service it belongs
/// to stands with its verification, which is read only when there is
/// something to tell; of one that is gone nobody says whose it was.
pub(in crate::app) async fn told_of_delivery(
    telling: &Telling,
    old: Option<&Versioned<Delivery>>,
    new: &Delivery,
) -> Result<Vec<Change>, Fault> {
    let events = &telling.events;
    let mut body = event::of_delivery(old.map(|old| &old.record), new, is_opt_out, telling.base.now());
    let endpoints = events.known();
    body.retain(|body| events.is_told(body.event_type, &endpoints));
    if let Some(id) = body.first().and_then(|body| body.verification.clone())
        && let Some(found) = records::get::<Verification>(telling.base.store(), id.as_str()).await?
    {
        let verification = found.record;
        let number = new.id.as_ref().map(|id| id.parts().1);
        let send = number.and_then(|number| verification.send(number));
        // Of what never left nobody is told that it arrived.
        if send.is_some_and(|send| send.shadow) {
            body.retain(|body| !claims_arrival(body));
        }
        for body in &mut body {
            let default = || telling.directory.services.default_service().id.clone();
            body.service = Some(verification.service.clone().unwrap_or_else(default));
            body.test = verification.test;
            *body = body.clone().said_of(&verification);
            // What is known of a message may name no address yet.
            if body.channel == Some(DeliveryChannel::Sms) {
                body.channel = send.map(|send| send.channel.into()).or(body.channel);
            }
            body.to.get_or_insert_with(|| verification.to.in_full().to_owned());
        }
    }
    if let Some(id) = body.first().and_then(|body| body.message.clone())
        && let Some(found) = records::get::<Message>(telling.base.store(), id.as_str()).await?
    {
        let message = found.record;
        for body in &mut body {
            let default = || telling.directory.services.default_service().id.clone();
            body.service = Some(message.service.clone().unwrap_or_else(default));
            body.message_type = Some(message.message_type.clone());
            body.user.clone_from(&message.user);
            body.tags.clone_from(&message.tags);
            body.to.get_or_insert_with(|| message.to.in_full().to_owned());
        }
    }
    Ok(told(telling, body))
}

/// Whether an event says that something reached a person.
fn claims_arrival(body: &EventBody) -> bool {
    let arrived = [Status::Delivered, Status::Read].map(Status::as_str);
    body.event_type == EventType::Delivered || body.status.as_deref().is_some_and(|it| arrived.contains(&it))
}

/// What has to be written for an event to be told: the records that somebody
/// wants, and a dispatch to each endpoint that does.
pub(in crate::app) fn told(telling: &Telling, body: Vec<EventBody>) -> Vec<Change> {
    let events = &telling.events;
    let endpoints = events.known();
    let mut changes = Vec::new();
    for body in body {
        if !events.is_told(body.event_type, &endpoints) {
            continue;
        }
        let event = named(telling, body);
        // An endpoint is not told about itself.
        let takes = |endpoint: &&Endpoint| {
            endpoint.takes(event.body.event_type)
                && event.body.endpoint.as_deref() != Some(endpoint.id.as_str())
        };
        changes.push(records::put(None, &event));
        changes.extend(
            endpoints
                .iter()
                .filter(takes)
                .map(|endpoint| records::put(None, &dispatch(&telling.base, &event, endpoint))),
        );
    }
    changes
}

pub(in crate::app) fn named(telling: &Telling, body: EventBody) -> Event {
    let id = next_id(telling);
    let expires_at = after(telling.base.now(), telling.events.settings.retention);
    Event { id, body, expires_at }
}

pub(in crate::app) fn dispatch(base: &Base, event: &Event, endpoint: &Endpoint) -> Dispatch {
    Dispatch::new(event.id.clone(), endpoint.id.clone(), base.now(), event.expires_at)
}

fn next_id(telling: &Telling) -> EventId {
    let random: [u8; 16] = telling.base.aside.bytes();
    telling.events.shared.watermarks.next(telling.base.now(), u128::from_be_bytes(random))
}

/// What has to be written for a delivery to become another: it, and what others are told
/// of it.
pub(in crate::app) async fn written_delivery(
    telling: &Telling,
    old: Option<&Versioned<Delivery>>,
    new: &Delivery,
) -> Result<Vec<Change>, Fault> {
    let mut changes = vec![records::put(old, new)];
    // Most callbacks are told to nobody. Those that are have a future of
    // their own, so that the others carry no place for it.
    if tells_of(telling, new) {
        // What was unproved was told to nobody.
        let old = old.filter(|old| !old.record.unproved);
        changes.extend(Box::pin(told_of_delivery(telling, old, new)).await?);
    }
    Ok(changes)
}
