//! A call and a message as the page is told of them, whenever one changes.

use super::address::Address;
use super::resource::{Call, CallStatus, Message, MessageStatus};
use serde_json::{Value, json};

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
        "account_sid": call.account,
        "from": call.from,
        "to": call.to,
        "number": call.phone(),
        "direction": call.direction,
        "status": call.status.word(),
        "answered_by": call.answered_by,
        "error_code": call.error,
        "spoken": call.captions.iter().map(|caption| &caption.text).collect::<Vec<_>>(),
        "captions": captions.collect::<Vec<_>>(),
        "recording": recording(call),
        "live": !call.status.is_over(),
        "waits_for_answer": call.status == CallStatus::Ringing,
        "started_at": call.created.to_string(),
        "answered_at": call.start.map(|at| at.to_string()),
        "ended_at": call.end.map(|at| at.to_string()),
    })
}

/// `in-progress` while a call is recorded, `paused` while that is held.
fn recording(call: &Call) -> Option<&'static str> {
    let is_recorded = call.recording.iter().any(|one| !one.paused);
    match is_recorded {
        true => Some("in-progress"),
        false => (!call.recording.is_empty()).then_some("paused"),
    }
}

/// A message as the page is told of it.
pub(super) fn message_view(message: &Message) -> Value {
    json!({
        "sid": message.sid,
        "account_sid": message.account,
        "channel": channel(&message.to),
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

/// The name of an address's channel, as the controls say it.
fn channel(address: &Address) -> &'static str {
    if address.whatsapp { "whatsapp" } else { "sms" }
}
