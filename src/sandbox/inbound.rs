//! What people do with their telephones: write to the account's numbers and
//! call them.

use super::address::Address;
use super::call::{self, queued};
use super::callbacks::Params;
use super::cookies::Pair;
use super::fetch::document;
use super::network::{self, Place, Procession, show};
use super::outgoing::bare;
use super::phone::Text;
use super::resource::{CallOrder, Hook, Message, MessageStatus, Turn, segments};
use super::routes;
use super::script::{Reply, Script, Verb};
use super::shown::message_view;
use super::webhook::Webhook;
use super::world::World;
use reqwest::Url;
use serde_json::json;
use std::sync::Arc;

/// The most messages one answer may send.
const REPLIES: usize = 10;
/// The most wishes to be left alone that are remembered.
const OPT_OUTS: usize = 10_000;
/// The name that the phones' owners have on WhatsApp.
const PROFILE: &str = "Sandbox";
/// The words that stop messages from a sender.
const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
/// The words that let them come again.
const START: [&str; 3] = ["START", "YES", "UNSTOP"];

/// A text from a phone to one of the account's numbers. Gives its SID.
pub(super) fn text(world: &Arc<World>, from: Address, to: Address, body: &str) -> String {
    let now = world.clock.now();
    let sid = world.sid("SM");
    let message = Message {
        sid: sid.clone(),
        account: world.owner_of(&to.number),
        to: to.clone(),
        from: Some(from.clone()),
        service: None,
        words: body.to_owned(),
        template: None,
        segments: segments(&to, body),
        body: body.to_owned(),
        media: Vec::new(),
        direction: "inbound",
        status: MessageStatus::Received,
        error: None,
        created: now,
        updated: now,
        sent: Some(now),
        callback: None,
        validity: 0,
        send_at: None,
        turn: Turn::default(),
    };
    world.tell("message", message_view(&message));
    heed_keyword(world, &from, &to, body);
    let route = world.with(|state| routes::of_text(state, &to));
    let told = route.and_then(|route| Some((webhook(world, &message, route.hook)?, route.fallback)));
    world.change(|state| state.receive(message));
    let (from_text, to_text) = (from.to_string(), to.to_string());
    let status = MessageStatus::Received;
    let shown = Text {
        sid: sid.clone(),
        from: from_text,
        to: to_text,
        body: body.to_owned(),
        copy_code: None,
        opened: true,
        received: false,
        status,
        at: now,
    };
    show(world, &from.number, shown);
    if let Some((webhook, fallback)) = told {
        let aside = world.clone();
        world.spawn(async move { converse(&aside, &webhook, fallback, from, to).await });
    }
    sid
}

/// Records opting out and in, for the number written to. On WhatsApp the words
/// are only words: there a person blocks a sender.
fn heed_keyword(world: &World, from: &Address, to: &Address, body: &str) {
    if to.whatsapp {
        return;
    }
    let word = body.trim().to_ascii_uppercase();
    let pair = (to.number.clone(), from.number.clone());
    if STOP.contains(&word.as_str()) {
        world.change(|state| {
            if state.opted_out.len() < OPT_OUTS {
                state.opted_out.insert(pair);
            }
        });
    } else if START.contains(&word.as_str()) {
        world.change(|state| state.opted_out.remove(&pair));
    }
}

fn webhook(world: &World, message: &Message, hook: Hook) -> Option<Webhook> {
    let from = message.from.clone()?;
    let mut params = Params::default();
    if from.whatsapp {
        on_whatsapp(message, &from, &mut params);
    } else {
        by_text(message, &from, &mut params);
    }
    let webhook = Webhook {
        kind: "inbound-message",
        sid: message.sid.clone(),
        account: message.account.clone(),
        pair: Pair::new(from.to_string(), message.to.to_string()),
        hook,
        params: params.0,
        token: world.token(),
        voice: false,
        bad_signature: false,
        port: None,
    };
    Some(webhook.with_faults(&world.behaviour(&from.number).callbacks))
}

/// In the order on the wire; the many places are empty for invented numbers.
fn by_text(message: &Message, from: &Address, params: &mut Params) {
    params.add("ToCountry", "").add("ToState", "").add("SmsMessageSid", &message.sid).add("NumMedia", "0");
    params.add("ToCity", "").add("FromZip", "").add("SmsSid", &message.sid).add("FromState", "");
    params.add("SmsStatus", "received").add("FromCity", "").add("Body", &message.body);
    params.add("FromCountry", "").add("To", message.to.to_string()).add("ToZip", "");
    params.add("NumSegments", message.segments.to_string()).add("ReferralNumMedia", "0");
    params.add("MessageSid", &message.sid).add("AccountSid", &message.account);
    params.add("From", from.to_string()).add("ApiVersion", "2010-04-01");
}

/// WhatsApp knows its people by name and by number without a plus, and no places.
fn on_whatsapp(message: &Message, from: &Address, params: &mut Params) {
    let id = from.number.trim_start_matches('+');
    let context = json!({ "ProfileName": PROFILE, "WaId": id });
    let metadata = json!({ "type": "whatsapp", "data": { "context": context } });
    params.add("SmsMessageSid", &message.sid).add("NumMedia", "0").add("ProfileName", PROFILE);
    params.add("MessageType", "text").add("SmsSid", &message.sid).add("WaId", id);
    params.add("SmsStatus", "received").add("Body", &message.body).add("To", message.to.to_string());
    params.add("NumSegments", message.segments.to_string()).add("ReferralNumMedia", "0");
    params.add("MessageSid", &message.sid).add("AccountSid", &message.account);
    params.add("ChannelMetadata", metadata.to_string());
    params.add("From", from.to_string()).add("ApiVersion", "2010-04-01");
}

/// Tells the application and does what it answers.
async fn converse(world: &Arc<World>, webhook: &Webhook, fallback: Option<Hook>, from: Address, to: Address) {
    let (mut webhook, mut replied) = (webhook.clone(), Procession::default());
    for _ in 0..REPLIES {
        let Some((script, base)) = ask(world, &mut webhook, fallback.as_ref()).await else { return };
        for (code, why) in script.warnings {
            world.alert(code, &webhook.sid, Some(base.as_str()), why);
        }
        let replies = script.verbs.iter().filter(|verb| matches!(verb, Verb::Message(_))).count();
        if replies > REPLIES {
            world.alert(14109, &webhook.sid, Some(base.as_str()), "more than 10 messages in one reply");
        }
        let mut onward = None;
        for verb in script.verbs.into_iter().take(REPLIES) {
            match verb {
                Verb::Message(reply) => {
                    answer(world, &webhook, &base, reply, (&from, &to), replied.place());
                }
                Verb::Redirect { url, get } => {
                    onward = Some((url, get));
                    break;
                }
                _ => world.alert(
                    12200,
                    &webhook.sid,
                    Some(base.as_str()),
                    "only <Message> and <Redirect> here",
                ),
            }
        }
        match onward.and_then(|(url, get)| super::fetch::resolve(Some(&base), &url, get).ok()) {
            Some(hook) => webhook.hook = hook,
            None => return,
        }
    }
}

/// Asks for a document; where that cannot be had, the fallback, which is told why.
/// Nothing when both failed, or there is none.
async fn ask(world: &World, webhook: &mut Webhook, fallback: Option<&Hook>) -> Option<(Script, Url)> {
    let fault = match document(world, webhook).await {
        Ok(done) => return Some(done),
        Err(fault) => fault,
    };
    let url = bare(&webhook.hook.url).to_string();
    world.alert(fault.code, &webhook.sid, Some(&url), fault.message);
    webhook.hook = fallback.filter(|fallback| **fallback != webhook.hook)?.clone();
    webhook.token = world.token();
    webhook.params.retain(|(name, _)| !matches!(name.as_str(), "ErrorCode" | "ErrorUrl"));
    webhook.params.push(("ErrorCode".to_owned(), fault.code.to_string()));
    webhook.params.push(("ErrorUrl".to_owned(), url));
    match document(world, webhook).await {
        Ok(done) => Some(done),
        Err(fault) => {
            let url = bare(&webhook.hook.url).to_string();
            world.alert(fault.code, &webhook.sid, Some(&url), fault.message);
            None
        }
    }
}

/// Sends a reply in its place, unless its recipient has opted out; `pair` is who
/// wrote, and to whom.
fn answer(
    world: &Arc<World>,
    webhook: &Webhook,
    base: &Url,
    reply: Reply,
    pair: (&Address, &Address),
    place: Place,
) {
    let ((from, to), about) = (pair, webhook.sid.as_str());
    let recipient = reply.to.as_deref().map_or_else(|| Some(from.clone()), Address::to);
    let sender = reply.from.as_deref().map_or_else(|| Some(to.clone()), Address::from);
    let (Some(recipient), Some(sender)) = (recipient, sender) else {
        return world.alert(14101, about, Some(base.as_str()), "invalid 'to' or 'from' attribute");
    };
    if reply.body.is_empty() && reply.media.is_empty() {
        return world.alert(14103, about, Some(base.as_str()), "a message without words");
    }
    let pair = (sender.number.clone(), recipient.number.clone());
    if !recipient.whatsapp && world.with(|state| state.opted_out.contains(&pair)) {
        return world.alert(21610, about, Some(base.as_str()), "attempt to send to unsubscribed recipient");
    }
    let now = world.clock.now();
    let segments = segments(&recipient, &reply.body);
    let callback = reply.callback.and_then(|url| base.join(&url).ok());
    let message = Message {
        sid: world.sid(if reply.media.is_empty() { "SM" } else { "MM" }),
        account: webhook.account.clone(),
        to: recipient,
        from: Some(sender),
        service: None,
        words: reply.body.clone(),
        template: None,
        segments,
        body: reply.body,
        media: reply.media,
        direction: "outbound-reply",
        status: MessageStatus::Queued,
        error: None,
        created: now,
        updated: now,
        sent: None,
        callback,
        validity: 36_000,
        send_at: None,
        turn: Turn::default(),
    };
    if !network::launch(world, message, place) {
        world.alert(20429, about, None, "too much is on its way already");
    }
}

/// A call from a phone to one of the account's numbers. Gives its SID, or
/// nothing when nobody takes calls to it or too much is going on.
pub(super) fn ring(world: &Arc<World>, from: String, to: String) -> Option<String> {
    let route = world.with(|state| routes::of_call(state, &to))?;
    let order = CallOrder {
        url: Some(route.hook),
        fallback: route.fallback,
        callback: route.callback,
        events: vec!["completed".to_owned()],
        time_limit: 14_400,
        ..CallOrder::default()
    };
    let call = queued(world, world.owner_of(&to), to, from, "inbound", order);
    let sid = call.sid.clone();
    call::launch(world, call).then_some(sid)
}
