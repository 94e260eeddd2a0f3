//! Why a message or a call is refused, in Twilio's words: each ground stands here once,
//! whoever finds it.
//!
//! It refuses to know when a ground is given.

use super::address::Address;
use super::refusal::Refusal;
use std::fmt::Display;

/// 21211: there is no such number to write to or to call.
pub(super) fn no_such_recipient(to: impl Display) -> Refusal {
    Refusal::bad(21211, format!("The 'To' number {to} is not a valid phone number."))
}

/// 21212: a message cannot be from there.
pub(super) fn no_such_sender(from: impl Display) -> Refusal {
    let why = "is not a valid phone number, shortcode, or alphanumeric sender ID.";
    Refusal::bad(21212, format!("The 'From' number {from} {why}"))
}

/// 21266: a number writes to itself.
pub(super) fn to_itself(to: &Address) -> Refusal {
    Refusal::bad(21266, format!("'To' and 'From' number cannot be the same: {to}"))
}

/// 21267: a trial's texts come from numbers.
pub(super) fn no_name_on_trial() -> Refusal {
    let why = "Alphanumeric Sender ID cannot be used as the 'From' number on trial accounts";
    Refusal::bad(21267, why)
}

/// 21606: the account cannot send texts, or such texts, from there.
pub(super) fn no_sender(from: &Address) -> Refusal {
    let why = "is not a valid message-capable Twilio phone number for this destination.";
    Refusal::bad(21606, format!("The 'From' phone number provided ({from}) {why}"))
}

/// 21408: the account may not write to the country.
pub(super) fn may_not_write(to: &Address) -> Refusal {
    let why = "Permission to send an SMS has not been enabled for the region indicated by the 'To' number";
    Refusal::bad(21408, format!("{why}: {to}"))
}

/// 21610: the person has said STOP.
pub(super) fn opted_out() -> Refusal {
    Refusal::bad(21610, "Attempt to send to unsubscribed recipient")
}

/// 21611: the sender has too much to do.
pub(super) fn queue_full(from: &Address) -> Refusal {
    let why = "has exceeded the maximum number of queued messages";
    Refusal::bad(21611, format!("This 'From' number {from} {why}"))
}

/// 21612: no text comes from this sender to this number.
pub(super) fn not_reached_by_text(to: &Address, from: Option<&Address>) -> Refusal {
    let from = from.map(|from| format!(" ({from})")).unwrap_or_default();
    let why = "Message cannot be sent with the current combination of 'To'";
    Refusal::bad(21612, format!("{why} ({to}) and/or 'From'{from} parameters"))
}

/// 21910: a text and WhatsApp do not go together.
pub(super) fn two_channels() -> Refusal {
    Refusal::bad(21910, "Invalid From and To pair. From and To should be of the same channel")
}

/// 63007: the sender is not on WhatsApp, or not the account's.
pub(super) fn no_channel() -> Refusal {
    Refusal::bad(63007, "Twilio could not find a Channel with the specified From address")
}

/// 21214: no call comes to this number.
pub(super) fn not_reached_by_call(to: &str) -> Refusal {
    Refusal::bad(21214, format!("The 'To' number {to} cannot be reached."))
}

/// 21215: the account may not call the country.
pub(super) fn may_not_call(to: &str) -> Refusal {
    let how = "Perhaps you need to enable some international permissions";
    Refusal::bad(21215, format!("Account not authorized to call {to}. {how}"))
}

/// 20005: the account can do nothing at the moment, or any more.
pub(super) fn inactive() -> Refusal {
    Refusal::new(401, 20005, "Account not active")
}

/// 20429: too much is going on already.
pub(super) fn too_much() -> Refusal {
    Refusal::new(429, 20429, "Too Many Requests")
}
