//! The message that a document asks for, in a conversation or beside a call. It refuses to
//! know who may send it to whom.

use super::address::Address;
use super::resource::{Bill, Message, MessageStatus, Passage, Turn, VALIDITY, segments};
use super::verb::Reply;
use super::world::World;
use reqwest::Url;

/// A message of an account's that waits to be sent; `direction` is `outbound-reply` or
/// `outbound-call`.
pub(super) fn message(
    world: &World,
    account: &str,
    (from, to): (Address, Address),
    reply: Reply,
    callback: Option<Url>,
    direction: &'static str,
) -> Message {
    let now = world.clock.now();
    Message {
        sid: world.sid(if reply.media.is_empty() { "SM" } else { "MM" }),
        account: account.to_owned(),
        segments: segments(&to, &reply.body),
        to,
        from: Some(from),
        service: None,
        words: reply.body.clone(),
        template: None,
        body: reply.body,
        media: reply.media,
        direction,
        status: MessageStatus::Queued,
        error: None,
        created: now,
        updated: now,
        sent: None,
        callback,
        validity: VALIDITY,
        send_at: None,
        turn: Turn::default(),
        bill: Bill::default(),
        passage: Passage::default(),
    }
}
