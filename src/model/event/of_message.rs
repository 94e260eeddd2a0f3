//! What there is to tell of a message of its own: old and new, side by side.

use super::find::reason_of;
use super::{EventBody, EventType, IsOptOut, Reason};
use crate::model::message::{Message, MessageStatus, Send, SendState};
use jiff::Timestamp;

/// What happened to a message that becomes `new`, at `now`.
pub fn of_message(
    old: Option<&Message>,
    new: &Message,
    is_opt_out: IsOptOut,
    now: Timestamp,
) -> Vec<EventBody> {
    let last = new.arrived.and_then(|number| new.send(number)).or(new.latest());
    let tell = |event_type| EventBody {
        message: Some(new.id.clone()),
        message_type: Some(new.message_type.clone()),
        service: new.service.clone(),
        channel: last.map(|send| send.channel.into()),
        to: Some(new.to.in_full().to_owned()),
        status: Some(new.status.to_string()),
        user: new.user.clone(),
        tags: new.tags.clone(),
        test: new.test,
        ..EventBody::new(event_type, now)
    };
    let mut body = Vec::new();
    let is_again = |old: &Message| old.round != new.round;
    if old.is_none_or(is_again) {
        body.push(tell(EventType::MessageQueued));
    }
    let is_accepted = |send: &&Send| send.state == SendState::Accepted;
    let was = |send: &Send| old.and_then(|old| old.send(send.number)).map(|send| &send.state);
    let is_new = |send: &&Send| was(send) != Some(&send.state);
    for send in new.sends.iter().filter(is_accepted).filter(is_new) {
        body.push(EventBody {
            channel: Some(send.channel.into()),
            delivery: Some(new.delivery_id(send.number)),
            sid: send.sid.clone(),
            status: Some(MessageStatus::Sent.to_string()),
            ..tell(EventType::MessageSent)
        });
    }
    if old.map(|old| old.status) == Some(new.status) {
        return body;
    }
    let of_last = |event_type| EventBody {
        delivery: last.map(|send| new.delivery_id(send.number)),
        sid: last.and_then(|send| send.sid.clone()),
        ..tell(event_type)
    };
    let because = |otherwise, event_type| EventBody {
        reason: Some(reason_of(new.failure.as_ref().and_then(|why| why.code), is_opt_out, otherwise)),
        error_code: new.failure.as_ref().and_then(|why| why.code),
        detail: new.failure.as_ref().map(|why| why.reason.clone()),
        ..of_last(event_type)
    };
    let was_taken = last.is_some_and(|send| send.state == SendState::Accepted);
    body.extend(match new.status {
        // Of a test number nobody takes anything.
        MessageStatus::Sent if new.test => Some(of_last(EventType::MessageSent)),
        MessageStatus::Queued | MessageStatus::Sent => None,
        MessageStatus::Delivered => Some(of_last(EventType::MessageDelivered)),
        MessageStatus::Failed if was_taken => Some(because(Reason::NotDelivered, EventType::MessageFailed)),
        MessageStatus::Failed => Some(because(Reason::SendFailed, EventType::MessageFailed)),
        MessageStatus::Expired => Some(EventBody {
            error_code: new.failure.as_ref().and_then(|why| why.code),
            detail: new.failure.as_ref().map(|why| why.reason.clone()),
            ..tell(EventType::MessageExpired)
        }),
        MessageStatus::Canceled => Some(tell(EventType::MessageCanceled)),
    });
    body
}
