//! The messages that a document asks for, in a conversation or beside a call. It refuses to
//! know who may send one to whom, and what else a document says.

use super::address::Address;
use super::fetch::Fault;
use super::grounds;
use super::network::{self, Place};
use super::resource::Message;
use super::sending::{self, Draft};
use super::verb::Reply;
use super::world::World;
use reqwest::Url;
use std::sync::Arc;

/// What a document belongs to.
pub(super) struct Occasion<'a> {
    /// The account that speaks.
    pub account: &'a str,
    /// Its end of the conversation or call, and the person's.
    pub ends: (&'a Address, &'a Address),
    /// The document's URL, against which others in it are read.
    pub base: Option<&'a Url>,
    /// `outbound-reply` or `outbound-call`.
    pub direction: &'static str,
}

/// Sends one: to the person and from the number they speak with, on the recipient's
/// channel, unless it says otherwise.
///
/// # Errors
/// 14101 and 14102 for ends that are none, 14103 without words and media, every ground of
/// [`sending::judge`] and [`sending::fits`], 20429 when too much is on its way.
pub(super) fn send(
    world: &Arc<World>,
    occasion: &Occasion<'_>,
    reply: Reply,
    place: Place,
) -> Result<(), Fault> {
    let (own, person) = occasion.ends;
    let to = reply.to.as_deref().map_or_else(|| Some(person.clone()), Address::to);
    let to = to.ok_or_else(|| Fault::new(14101, "a message with an invalid 'to'"))?;
    let usual = || Some(Address { whatsapp: to.whatsapp, number: own.number.clone() });
    let from = reply.from.as_deref().map_or_else(usual, Address::from);
    let from = from.ok_or_else(|| Fault::new(14102, "a message with an invalid 'from'"))?;
    if reply.body.is_empty() && reply.media.is_empty() {
        return Err(Fault::new(14103, "a message without words"));
    }
    let draft = Draft {
        account: occasion.account,
        from: Some(&from),
        service: None,
        to: &to,
        media: !reply.media.is_empty(),
    };
    let permit = sending::judge(world, &draft)
        .and_then(|permit| sending::fits(&reply.body, &reply.media).map(|()| permit))
        .map_err(|ground| Fault::new(ground.code, ground.message))?;
    let body = permit.words(reply.body);
    let callback = reply.callback.as_ref().and_then(|url| match occasion.base {
        Some(base) => base.join(url).ok(),
        None => Url::parse(url).ok(),
    });
    let sid = world.sid(if reply.media.is_empty() { "SM" } else { "MM" });
    let message = Message {
        media: reply.media,
        direction: occasion.direction,
        callback,
        ..Message::new(sid, occasion.account.to_owned(), (Some(from), to), body, world.clock.now())
    };
    match network::launch(world, message, &permit, place) {
        true => Ok(()),
        false => Err(Fault::new(grounds::too_much().code, "too much is on its way already")),
    }
}
