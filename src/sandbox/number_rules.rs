//! What a number may do: which messages and calls Twilio refuses of it, and which the
//! carriers do not deliver. What is not owned is judged by who may send at all.

use super::address::Address;
use super::geography::Locality;
use super::number::Number;
use super::numbering::available::Kind;
use super::refusal::Refusal;
use super::resource::Message;
use super::world::State;

/// Why a message cannot be sent from a number of the account's; `media` is whether it
/// brings any.
pub(super) fn message(state: &State, from: &Address, to: &Address, media: bool) -> Result<(), Refusal> {
    let Some(own) = state.numbers.find(&from.number) else { return Ok(()) };
    let able = own.capabilities.sms && (!media || own.capabilities.mms);
    if !able {
        let why = "is not a valid message-capable Twilio phone number for this destination.";
        return Err(Refusal::bad(21606, format!("The 'From' phone number provided ({from}) {why}")));
    }
    if begins(&to.number, &own.not_permitted) {
        let why =
            "Permission to send an SMS has not been enabled for the region indicated by the 'To' number";
        return Err(Refusal::bad(21408, format!("{why}: {to}")));
    }
    if begins(&to.number, &own.unreachable) {
        let why = "is not currently reachable via SMS";
        return Err(Refusal::bad(21612, format!("The 'To' phone number {to} {why} from {from}")));
    }
    Ok(())
}

/// Why a number cannot be called from a number of the account's.
pub(super) fn call(state: &State, from: &str, to: &str) -> Result<(), Refusal> {
    let Some(own) = state.numbers.find(from) else { return Ok(()) };
    if begins(to, &own.not_permitted) {
        let why = "is in a region that the account's geo permissions do not allow to call.";
        return Err(Refusal::bad(21215, format!("The 'To' number {to} {why}")));
    }
    if begins(to, &own.unreachable) {
        return Err(Refusal::bad(21214, format!("The 'To' number {to} cannot be reached.")));
    }
    Ok(())
}

/// Why the carriers do not deliver a text: nobody told them who sends from its number.
pub(super) fn undelivered(state: &State, message: &Message) -> Option<u32> {
    let from = message.from.as_ref().filter(|from| !from.whatsapp)?;
    let own = state.numbers.find(&from.number).filter(|own| !own.registered)?;
    unregistered(own, &Locality::of(&message.to.number).country)
}

fn unregistered(own: &Number, country: &str) -> Option<u32> {
    match (own.kind, country) {
        (Kind::TollFree, "US" | "CA" | "PR") => Some(30032),
        (Kind::Local, "US" | "PR") if own.number.starts_with("+1") => Some(30034),
        _ => None,
    }
}

fn begins(number: &str, with: &[String]) -> bool {
    with.iter().any(|start| number.starts_with(start.as_str()))
}
