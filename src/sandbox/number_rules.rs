//! What an owned number may do: which messages and calls Twilio refuses of it, which the
//! carriers do not deliver, and what does not come in at it. Who owns it is asked elsewhere.

use super::address::Address;
use super::geography::Locality;
use super::grounds;
use super::number::Number;
use super::numbering::available::Kind;
use super::numbers::Numbers;
use super::refusal::Refusal;
use super::resource::Message;

/// Why a text cannot be sent from a number; `media` is whether it brings any. On WhatsApp
/// these rules are not a number's.
///
/// # Errors
/// 21606 where the number sends no such texts, 21408 where it may not write there, 21612
/// where no route leads.
pub(super) fn message(numbers: &Numbers, from: &Address, to: &Address, media: bool) -> Result<(), Refusal> {
    let Some(own) = numbers.find(&from.number).filter(|_| !to.whatsapp) else { return Ok(()) };
    match () {
        () if !takes(own, media) => Err(grounds::no_sender(from)),
        () if begins(&to.number, &own.not_permitted) => Err(grounds::may_not_write(to)),
        () if begins(&to.number, &own.unreachable) => Err(grounds::not_reached_by_text(to, Some(from))),
        () => Ok(()),
    }
}

/// Why a number cannot be called from a number.
///
/// # Errors
/// 21215 where it may not call, 21214 where no route leads.
pub(super) fn call(numbers: &Numbers, from: &str, to: &str) -> Result<(), Refusal> {
    let Some(own) = numbers.find(from) else { return Ok(()) };
    match () {
        () if begins(to, &own.not_permitted) => Err(grounds::may_not_call(to)),
        () if begins(to, &own.unreachable) => Err(grounds::not_reached_by_call(to)),
        () => Ok(()),
    }
}

/// Whether a text comes in at an address, with its media if it brings some: what is
/// nobody's takes all, and so does WhatsApp.
pub(super) fn takes_in(numbers: &Numbers, to: &Address, media: bool) -> bool {
    to.whatsapp || numbers.find(&to.number).is_none_or(|own| takes(own, media))
}

/// Why the carriers do not deliver a text: nobody told them who sends from its number.
pub(super) fn undelivered(numbers: &Numbers, message: &Message) -> Option<u32> {
    let from = message.from.as_ref().filter(|from| !from.whatsapp)?;
    let own = numbers.find(&from.number).filter(|own| !own.registered)?;
    unregistered(own, &Locality::of(&message.to.number).country)
}

fn unregistered(own: &Number, country: &str) -> Option<u32> {
    match (own.kind, country) {
        (Kind::TollFree, "US" | "CA" | "PR") => Some(30032),
        (Kind::Local, "US" | "PR") if own.number.starts_with("+1") => Some(30034),
        _ => None,
    }
}

fn takes(own: &Number, media: bool) -> bool {
    own.capabilities.sms && (!media || own.capabilities.mms)
}

fn begins(number: &str, with: &[String]) -> bool {
    with.iter().any(|start| number.starts_with(start.as_str()))
}
