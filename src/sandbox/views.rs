//! What the controls and the page show of things, as JSON.

use super::phone::Phone;
use super::resource::{Call, CallStatus, Message, MessageStatus};
use super::whatsapp;
use super::world::{State, World};
use serde_json::{Value, json};

/// Every phone in brief.
pub(super) fn phones(state: &State) -> Value {
    let brief = state.phones.values().map(|phone| {
        let calls = phone.calls.iter().filter_map(|sid| state.calls.get(sid));
        json!({
            "number": phone.number,
            "messages": phone.texts.len(),
            "unread": phone.unread(),
            "calls": phone.calls.len(),
            "live_call": calls.rev().find(|call| !call.status.is_over()).map(|call| &call.sid),
            "behaviour": phone.behaviour,
        })
    });
    brief.collect()
}

/// A phone with its conversation and its calls.
pub(super) fn phone_view(state: &State, phone: &Phone) -> Value {
    let texts: Vec<Value> = phone.texts.iter().map(|text| text.document()).collect();
    let calls: Vec<Value> =
        phone.calls.iter().filter_map(|sid| state.calls.get(sid)).map(call_view).collect();
    let opted: Vec<&String> = state
        .opted_out
        .iter()
        .filter(|(_, number)| *number == phone.number)
        .map(|(sender, _)| sender)
        .collect();
    json!({
        "number": phone.number,
        "behaviour": phone.behaviour,
        "effective_behaviour": phone.behaviour.over(&state.behaviour),
        "opted_out_of": opted,
        "peer": phone.peer,
        "unread": phone.unread(),
        "messages": texts,
        "calls": calls,
    })
}

/// Everything the page needs to draw itself, before it listens to events.
pub(super) fn snapshot(world: &World, state: &State) -> Value {
    let settings = &world.settings;
    json!({
        "account_sid": settings.account_sid,
        "own_numbers": settings.own_numbers,
        "sender": settings.sender(false).number,
        "app": state.app.is_some(),
        "inbound": state.inbound,
        "behaviour": state.behaviour,
        "templates": state.templates.document(),
        "clock": clock_view(world),
        "phones": state.phones.values().map(|phone| phone_view(state, phone)).collect::<Vec<_>>(),
        "messages": state.messages.newest_first().take(200).map(message_view).collect::<Vec<_>>(),
        "alerts": state.alerts.iter().rev().take(50).map(|alert| alert.document()).collect::<Vec<_>>(),
    })
}

/// The clock.
pub(super) fn clock_view(world: &World) -> Value {
    json!({ "now": world.clock.now().to_string(), "stopped": world.clock.is_stopped() })
}

/// A call as the controls show it.
pub(super) fn call_view(call: &Call) -> Value {
    let captions = call.captions.iter().map(|caption| {
        json!({
            "text": caption.text,
            "language": caption.language,
            "voice": caption.voice,
            "at": caption.at.to_string(),
        })
    });
    json!({
        "sid": call.sid,
        "from": call.from,
        "to": call.to,
        "number": call.phone(),
        "direction": call.direction,
        "status": call.status.word(),
        "answered_by": call.answered_by,
        "error_code": call.error,
        "spoken": call.captions.iter().map(|caption| &caption.text).collect::<Vec<_>>(),
        "captions": captions.collect::<Vec<_>>(),
        "live": !call.status.is_over(),
        "waits_for_answer": call.status == CallStatus::Ringing,
        "started_at": call.created.to_string(),
        "answered_at": call.start.map(|at| at.to_string()),
        "ended_at": call.end.map(|at| at.to_string()),
    })
}

/// A message as the page is told of it.
pub(super) fn message_view(message: &Message) -> Value {
    json!({
        "sid": message.sid,
        "channel": whatsapp::channel(&message.to),
        "from": message.from.as_ref().map(|from| from.to_string()),
        "to": message.to.to_string(),
        "body": message.body,
        "content_sid": message.template.as_ref().map(|template| &template.sid),
        "direction": message.direction,
        "status": message.status.word(),
        "error_code": message.error.as_ref().map(|(code, _)| code),
        "error_message": message.error.as_ref().map(|(_, text)| text),
        "created_at": message.created.to_string(),
        "final": !message.status.is_waiting()
            && !matches!(message.status, MessageStatus::Sending | MessageStatus::Sent),
    })
}
