//! What people do with their telephones: write to the account's numbers and
//! call them.

use super::address::Address;
use super::call::{self, queued};
use super::callbacks::Params;
use super::cookies::Pair;
use super::fetch::document;
use super::fields::web_url;
use super::geography::Locality;
use super::media::Media;
use super::network::{Procession, show};
use super::outgoing::bare;
use super::phone::Text;
use super::replies::{self, Occasion};
use super::resource::{CallOrder, Hook, Message, MessageStatus};
use super::routes;
use super::script::Script;
use super::service::{Options, RequestUrl, Service};
use super::shown::message_view;
use super::streams;
use super::verb::Verb;
use super::webhook::Webhook;
use super::world::World;
use bytes::Bytes;
use reqwest::Url;
use serde_json::json;
use std::sync::Arc;

/// The most messages one answer may send.
const REPLIES: usize = 10;
/// The name that the phones' owners have on WhatsApp.
const PROFILE: &str = "Sandbox";
/// The words that stop messages from a sender.
const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
/// The words that let them come again.
const START: [&str; 3] = ["START", "YES", "UNSTOP"];

/// A picture that a phone sends: what it is, and its content.
pub(super) type Picture = (String, Bytes);

/// A text from a phone to one of the account's numbers, with pictures whose URLs
/// begin with `base`. Gives its SID.
pub(super) fn text(
    world: &Arc<World>,
    (from, to): (Address, Address),
    body: &str,
    pictures: Vec<Picture>,
    base: &str,
) -> String {
    let now = world.clock.now();
    let sid = world.sid(if pictures.is_empty() { "SM" } else { "MM" });
    let account = world.owner_of(&to.number);
    let media: Vec<Media> = pictures
        .into_iter()
        .map(|(content_type, bytes)| {
            let (account, message) = (account.clone(), sid.clone());
            Media { sid: world.sid("ME"), account, message, content_type, bytes, created: now }
        })
        .collect();
    let path = format!("{base}/2010-04-01/Accounts/{account}/Messages/{sid}/Media");
    let message = Message {
        service: world.in_service(&account, &to.number, |service| service.sid.clone()),
        media: media.iter().map(|media| format!("{path}/{}", media.sid)).collect(),
        ..Message::new(sid.clone(), account, (Some(from.clone()), to.clone()), body.to_owned(), now)
            .received()
    };
    world.tell("message", message_view(&message));
    heed_keyword(world, &from, &to, body);
    let told = told_at(world, &message);
    let told = told.and_then(|(hook, fallback)| Some((webhook(world, &message, &media, hook)?, fallback)));
    streams::of_message(world, &message);
    let pictures = media.iter().map(Media::view).collect();
    world.change(|state| {
        media.into_iter().for_each(|media| state.album.push(media));
        state.receive(message);
    });
    let (from_text, to_text) = (from.to_string(), to.to_string());
    let status = MessageStatus::Received;
    let shown = Text {
        sid: sid.clone(),
        from: from_text,
        to: to_text,
        body: body.to_owned(),
        media: pictures,
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
    let pair = |sender: &str| (sender.to_owned(), from.number.clone());
    if STOP.contains(&word.as_str()) {
        world.change(|state| state.opted_out.insert(pair(&to.number)));
    } else if START.contains(&word.as_str()) {
        // What one sender of a service was told holds for all of them, and so does this.
        let account = world.owner_of(&to.number);
        let addresses = |service: &Service| service.pool.iter().map(|one| one.address.clone()).collect();
        let pool: Vec<String> = world.in_service(&account, &to.number, addresses).unwrap_or_default();
        world.change(|state| {
            pool.iter().chain([&to.number]).for_each(|sender| state.opted_out.remove(&pair(sender)));
        });
    }
}

/// Where a service wants to be told of a message to its pool, unless it leaves that
/// to the number. A service without a URL wants to hear nothing.
fn service_place(
    world: &World,
    message: &Message,
    which: fn(&Options) -> &RequestUrl,
) -> Option<Option<Hook>> {
    let options =
        world.in_service(&message.account, &message.to.number, |service| service.options.clone())?;
    let place = which(&options);
    let hook = || Some(Hook { url: web_url(place.url.as_deref()?)?, get: place.get });
    (!options.number_webhook).then(hook)
}

/// Where an inbound message is told, and where when that fails.
fn told_at(world: &World, message: &Message) -> Option<(Hook, Option<Hook>)> {
    match service_place(world, message, |options| &options.inbound) {
        Some(hook) => Some((hook?, service_place(world, message, |options| &options.fallback).flatten())),
        None => {
            if let Some(told) = by_channel(world, &message.to) {
                return Some(told);
            }
            let route = world.with(|state| routes::of_text(state, &message.to))?;
            Some((route.hook, route.fallback))
        }
    }
}

/// Where the WhatsApp channel of a number wants to be told, if something was said.
fn by_channel(world: &World, to: &Address) -> Option<(Hook, Option<Hook>)> {
    let channel = world.channel(&to.number).filter(|_| to.whatsapp)?;
    let hook = |name| Some(Hook { url: web_url(channel.url(name)?)?, get: false });
    Some((hook("callback_url")?, hook("fallback_url")))
}

fn webhook(world: &World, message: &Message, media: &[Media], hook: Hook) -> Option<Webhook> {
    let from = message.from.clone()?;
    let mut params = Params::default();
    if from.whatsapp {
        on_whatsapp(message, &from, &mut params);
    } else {
        by_text(message, &from, &mut params);
    }
    for (at, (media, url)) in media.iter().zip(&message.media).enumerate() {
        params.add(&format!("MediaContentType{at}"), &media.content_type).add(&format!("MediaUrl{at}"), url);
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

/// In the order on the wire.
fn by_text(message: &Message, from: &Address, params: &mut Params) {
    let (own, other) = (Locality::of(&message.to.number), Locality::of(&from.number));
    params.add("ToCountry", own.country).add("ToState", own.state).add("SmsMessageSid", &message.sid);
    params.add("NumMedia", message.media.len().to_string()).add("ToCity", own.city).add("FromZip", other.zip);
    params.add("SmsSid", &message.sid).add("FromState", other.state).add("SmsStatus", "received");
    params.add("FromCity", other.city).add("Body", &message.body).add("FromCountry", other.country);
    params.add("To", message.to.to_string()).add("ToZip", own.zip);
    if let Some(service) = &message.service {
        params.add("MessagingServiceSid", service);
    }
    params.add("NumSegments", message.segments.to_string()).add("ReferralNumMedia", "0");
    params.add("MessageSid", &message.sid).add("AccountSid", &message.account);
    params.add("From", from.to_string()).add("ApiVersion", "2010-04-01");
}

/// WhatsApp knows its people by name and by number without a plus, and no places.
fn on_whatsapp(message: &Message, from: &Address, params: &mut Params) {
    let id = from.number.trim_start_matches('+');
    let context = json!({ "ProfileName": PROFILE, "WaId": id });
    let metadata = json!({ "type": "whatsapp", "data": { "context": context } });
    params.add("SmsMessageSid", &message.sid).add("NumMedia", message.media.len().to_string());
    let kind = if message.media.is_empty() { "text" } else { "image" };
    params.add("ProfileName", PROFILE).add("MessageType", kind).add("SmsSid", &message.sid).add("WaId", id);
    params.add("SmsStatus", "received").add("Body", &message.body).add("To", message.to.to_string());
    if let Some(service) = &message.service {
        params.add("MessagingServiceSid", service);
    }
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
        let replies =
            script.verbs.iter().filter(|verb| matches!(verb, Verb::Message(_) | Verb::Sms(_))).count();
        if replies > REPLIES {
            world.alert(14109, &webhook.sid, Some(base.as_str()), "more than 10 messages in one reply");
        }
        let mut onward = None;
        for verb in script.verbs.into_iter().take(REPLIES) {
            match verb {
                Verb::Message(reply) | Verb::Sms(reply) => {
                    let occasion = Occasion {
                        account: &webhook.account,
                        ends: (&to, &from),
                        base: Some(&base),
                        direction: "outbound-reply",
                    };
                    if let Err(fault) = replies::send(world, &occasion, reply, replied.place()) {
                        world.alert(fault.code, &webhook.sid, Some(base.as_str()), fault.message);
                    }
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

/// A call from a phone to one of the account's numbers. Gives its SID, or
/// nothing when nobody takes calls to it or too much is going on.
pub(super) fn ring(world: &Arc<World>, from: String, to: String, base: String) -> Option<String> {
    let route = world.with(|state| routes::of_call(state, &to))?;
    let order = CallOrder {
        url: Some(route.hook),
        fallback: route.fallback,
        callback: route.callback,
        events: vec!["completed".to_owned()],
        time_limit: 14_400,
        base,
        ..CallOrder::default()
    };
    let call = queued(world, world.owner_of(&to), to, from, "inbound", order);
    let sid = call.sid.clone();
    call::launch(world, call).then_some(sid)
}
