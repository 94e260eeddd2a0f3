//! `<Sms>` in a call: a text beside the conversation.

use super::address::Address;
use super::fetch::Fault;
use super::network::{self, Place};
use super::replies;
use super::resource::Call;
use super::verb::Reply;
use super::world::World;
use reqwest::Url;
use std::sync::Arc;

/// Sends it: to the telephone of the call, and from the number at its other end,
/// unless it says otherwise. `base` is the document's URL.
///
/// # Errors
/// 14101 for a number that is none, 14103 without words, 21606 for a sender that is
/// not the account's, 21610 for somebody who wants no texts from it.
pub(super) fn send(world: &Arc<World>, call: &Call, base: Option<&Url>, reply: Reply) -> Result<(), Fault> {
    let own = if call.direction == "inbound" { &call.to } else { &call.from };
    let to = Address::to(reply.to.as_deref().unwrap_or_else(|| call.phone()));
    let from = Address::from(reply.from.as_deref().unwrap_or(own));
    let (Some(to), Some(from)) = (to, from) else {
        return Err(Fault::new(14101, "<Sms> with an invalid 'to' or 'from'"));
    };
    if reply.body.is_empty() && reply.media.is_empty() {
        return Err(Fault::new(14103, "<Sms> without words"));
    }
    if !world.owns(&call.account, &from.number) {
        return Err(Fault::new(21606, "<Sms> from a number that is not the account's"));
    }
    let pair = (from.number.clone(), to.number.clone());
    if world.with(|state| state.opted_out.contains(&pair)) {
        return Err(Fault::new(21610, "attempt to send to unsubscribed recipient"));
    }
    let callback = reply.callback.as_ref().and_then(|url| match base {
        Some(base) => base.join(url).ok(),
        None => Url::parse(url).ok(),
    });
    let message = replies::message(world, &call.account, (from, to), reply, callback, "outbound-call");
    match network::launch(world, message, Place::default()) {
        true => Ok(()),
        false => Err(Fault::new(20429, "too much is on its way already")),
    }
}
