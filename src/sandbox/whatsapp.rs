//! What WhatsApp does differently from text messages: the window for free
//! text, approved templates, telephones that are not there, and receipts of
//! reading.
//!
//! This module refuses to know how a message travels; it says what may travel,
//! and brings a delivered message to `read`.

use super::resource::{Message, MessageStatus};
use super::templates::Approval;
use super::world::{State, World};
use crate::twilio::errors;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// How long after a person's last message free text may be sent.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The error code with which WhatsApp refuses a message, if it does: 63028 for
/// a template whose variables are not all given, 63027 for one that is not there in
/// its language, 63041 and 63042 for one that was paused or disabled, 63016 for free
/// text, or a template that was not approved, outside the window.
pub(super) fn refusal(state: &State, message: &Message, now: Timestamp) -> Option<u32> {
    let outside = || (!window_is_open(state, message, now)).then_some(63016);
    let Some(template) = &message.template else { return outside() };
    match state.templates.approval(&template.sid) {
        _ if !template.complete => Some(63028),
        Approval::Approved => None,
        Approval::Unapproved | Approval::Pending | Approval::Rejected => outside(),
        Approval::Missing => Some(63027),
        Approval::Paused => Some(63041),
        Approval::Disabled => Some(63042),
    }
}

/// Whether the person wrote to this sender within the window.
fn window_is_open(state: &State, message: &Message, now: Timestamp) -> bool {
    let (Some(phone), Some(from)) = (state.phones.get(&message.to.number), &message.from) else {
        return false;
    };
    let sender = from.to_string();
    phone.texts.iter().any(|text| !text.received && text.to == sender && now.duration_since(text.at) < WINDOW)
}

/// The words of WhatsApp itself about an error, as they come in
/// `ChannelStatusMessage`.
pub(super) fn words(code: u32) -> &'static str {
    match code {
        63003 | 63024 => "Receiver is incapable of receiving this message; it's not on WhatsApp",
        63016 => {
            "Message failed to send because more than 24 hours have passed since the customer last replied to \
             this number."
        }
        code => errors::lookup(code).name,
    }
}

/// Marks what had not been opened, tells the page, and gives the SIDs.
pub(super) fn mark(world: &World, number: &str, only: Option<&str>) -> Vec<String> {
    let opened: Vec<String> = world.change(|state| {
        let Some(phone) = state.phones.get_mut(number) else { return Vec::new() };
        let wanted = |sid: &str| only.is_none_or(|only| sid == only);
        let unread = phone.texts.iter_mut().filter(|text| text.is_unread() && wanted(&text.sid));
        unread
            .map(|text| {
                text.opened = true;
                text.sid.clone()
            })
            .collect()
    });
    if !opened.is_empty() {
        world.tell("opened", json!({ "number": number, "sids": opened }));
    }
    opened
}

/// Brings a delivered message to `read`, unless its owner gives no receipts;
/// gives it when it was this that moved it.
pub(super) fn receipt(world: &World, sid: &str) -> Option<Message> {
    let number = world.with(|state| state.messages.get(sid).map(|message| message.to.number.clone()))?;
    if world.behaviour(&number).whatsapp.read_receipts == Some(false) {
        return None;
    }
    let mut moved = false;
    let message = world.change_message(sid, |message| {
        moved = message.status == MessageStatus::Delivered && message.to.whatsapp;
        if moved {
            message.status = MessageStatus::Read;
        }
    })?;
    moved.then_some(message)
}

/// Whether a message was opened on its phone.
pub(super) fn is_opened(state: &State, message: &Message) -> bool {
    let phone = state.phones.get(&message.to.number);
    phone.is_some_and(|phone| phone.texts.iter().any(|text| text.sid == message.sid && text.opened))
}
