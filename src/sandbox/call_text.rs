//! `<Sms>` in a call: a text beside the conversation.

use super::address::Address;
use super::fetch::Fault;
use super::network::Place;
use super::replies::{self, Occasion};
use super::resource::Call;
use super::verb::Reply;
use super::world::World;
use reqwest::Url;
use std::sync::Arc;

/// Sends it: to the telephone of the call, and from the number at its other end,
/// unless it says otherwise. `base` is the document's URL.
///
/// # Errors
/// Those of [`replies::send`].
pub(super) fn send(world: &Arc<World>, call: &Call, base: Option<&Url>, reply: Reply) -> Result<(), Fault> {
    let text = |number: &str| Address { whatsapp: false, number: number.to_owned() };
    let own = text(if call.direction == "inbound" { &call.to } else { &call.from });
    let ends = (&own, &text(call.phone()));
    let occasion = Occasion { account: &call.account, ends, base, direction: "outbound-call" };
    replies::send(world, &occasion, reply, Place::default())
}
