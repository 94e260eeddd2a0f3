//! The Messages resource: validation, creation, reading, redaction.

use super::address::Address;
use super::fields::{is_sid, web_url};
use super::incoming::{Form, Request};
use super::network;
use super::outcome::{Done, Outcome, befall, listed_until};
use super::paging::{Span, page};
use super::refusal::Refusal;
use super::resource::{Message, MessageStatus, Turn, rfc2822};
use super::templates::{Content, Filled};
use super::world::World;
use crate::twilio::segments::{count, smart_encoded};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;
use std::sync::Arc;

/// The longest a message may wait in the queue, in seconds.
const VALIDITY: u32 = 36_000;
/// The longest body, in characters.
const BODY: usize = 1_600;
/// The most media of one message.
const MEDIA: usize = 10;

/// `POST Messages.json`
pub(super) fn create(world: &Arc<World>, form: &Form) -> Outcome {
    let message = read(world, form)?;
    let number = message.to.number.clone();
    befall(world, &number, || {
        let document = message.document(&world.settings.account_sid);
        if network::launch(world, message, network::Place::default()) {
            Ok(Done::Created(document))
        } else {
            Err(Refusal::new(429, 20429, "Too Many Requests"))
        }
    })
}

/// `GET Messages.json`
pub(super) fn list(world: &World, request: &Request) -> Outcome {
    let query = request.query();
    let sent = Span::read(&query, "DateSent")?;
    let (to, from) = (query.get("To").and_then(Address::to), query.get("From").and_then(Address::from));
    let until = to.as_ref().map_or(Timestamp::MAX, |to| listed_until(world, &to.number));
    let wanted = |message: &&Message| {
        message.created <= until
            && (query.get("To").is_none() || to.as_ref() == Some(&message.to))
            && (query.get("From").is_none() || (from.is_some() && from == message.from))
            // What has not left yet is looked for by when it was created, so
            // that a sender in doubt finds it.
            && sent.holds(message.sent.or(Some(message.created)))
    };
    world.with(|state| {
        let rows: Vec<&Message> = state.messages.newest_first().filter(wanted).collect();
        let account = &world.settings.account_sid;
        page(request, "messages", &rows, |row| row.sid.clone(), |row| row.document(account)).map(Done::Found)
    })
}

/// `GET Messages/{sid}.json`; nothing when there is no such message.
pub(super) fn fetch(world: &World, sid: &str) -> Option<Done> {
    world.with(|state| Some(Done::Found(state.messages.get(sid)?.document(&world.settings.account_sid))))
}

/// `POST Messages/{sid}.json`: an empty `Body` redacts what has left,
/// `Status=canceled` cancels what has not.
pub(super) fn update(world: &Arc<World>, sid: &str, form: &Form) -> Result<Option<Done>, Refusal> {
    let Some(message) = world.with(|state| state.messages.get(sid).cloned()) else { return Ok(None) };
    match (form.raw("Body"), form.get("Status")) {
        (Some(""), _) if message.status.is_in_flight() => Err(not_complete("modify")),
        (Some(""), _) => Ok(changed(world, sid, |message| message.body.clear())),
        (Some(_), _) => Err(Refusal::bad(20001, "Parameter 'Body' can only be updated to an empty string")),
        (None, Some("canceled")) if message.status.is_waiting() => {
            let done = changed(world, sid, |message| message.status = MessageStatus::Canceled);
            let message = world.with(|state| state.messages.get(sid).cloned());
            message.iter().for_each(|message| network::tell_canceled(world, message));
            Ok(done)
        }
        (None, Some("canceled")) => Err(Refusal::new(409, 20409, "Message cannot be canceled: it has left")),
        _ => Err(Refusal::bad(20001, "Parameter 'Body' or 'Status' is required")),
    }
}

fn changed(world: &World, sid: &str, change: impl FnOnce(&mut Message)) -> Option<Done> {
    let message = world.change_message(sid, change)?;
    Some(Done::Found(message.document(&world.settings.account_sid)))
}

/// `DELETE Messages/{sid}.json`, once it has left.
pub(super) fn delete(world: &World, sid: &str) -> Result<Option<Done>, Refusal> {
    let in_flight =
        world.with(|state| state.messages.get(sid).is_some_and(|message| message.status.is_in_flight()));
    if in_flight {
        return Err(not_complete("delete"));
    }
    Ok(world.change(|state| state.messages.remove(sid)).map(|_| Done::Gone))
}

fn not_complete(verb: &str) -> Refusal {
    Refusal::new(409, 20009, format!("Cannot {verb} this resource before it is complete"))
}

/// `POST Messages/{sid}/Feedback.json`, which Twilio answers by 200
pub(super) fn feedback(world: &World, sid: &str, form: &Form) -> Result<Option<Done>, Refusal> {
    let outcome = match form.get("Outcome").unwrap_or("unconfirmed") {
        outcome @ ("confirmed" | "unconfirmed") => outcome,
        other => return Err(Refusal::bad(20001, format!("Invalid parameter value for Outcome: {other}"))),
    };
    let account = &world.settings.account_sid;
    let now = rfc2822(world.clock.now());
    let known = world.with(|state| state.messages.get(sid).is_some());
    Ok(known.then(|| {
        Done::Found(json!({
            "account_sid": account,
            "date_created": now,
            "date_updated": now,
            "message_sid": sid,
            "outcome": outcome,
            "uri": format!("/2010-04-01/Accounts/{account}/Messages/{sid}/Feedback.json"),
        }))
    }))
}

/// Reads a message from a create request, in the order in which Twilio finds
/// fault with it.
fn read(world: &World, form: &Form) -> Result<Message, Refusal> {
    let to = recipient(form)?;
    let service = service(world, form)?;
    let from = sender(world, form, &to, service)?;
    let media = form.all("MediaUrl");
    let template = Content::read(form)?.map(|content| world.with(|state| state.templates.fill(&content)));
    let body = words(form, template.as_ref(), &media)?;
    let body = if form.is_true("SmartEncoded") { smart_encoded(&body) } else { body };
    let callback = status_callback(form)?;
    let validity = validity(form)?;
    let now = world.clock.now();
    let send_at = send_at(form, service, now)?;
    opted_out(world, from.as_ref(), service, &to)?;
    let status = match (send_at, service) {
        (Some(_), _) => MessageStatus::Scheduled,
        (None, Some(_)) => MessageStatus::Accepted,
        (None, None) => MessageStatus::Queued,
    };
    Ok(Message {
        sid: world.sid(if media.is_empty() { "SM" } else { "MM" }),
        segments: segments(&to, &body),
        to,
        from,
        service: service.map(str::to_owned),
        words: body.clone(),
        template,
        body,
        media,
        direction: "outbound-api",
        status,
        error: None,
        created: now,
        updated: now,
        sent: None,
        callback,
        validity,
        send_at,
        turn: Turn::default(),
    })
}

fn recipient(form: &Form) -> Result<Address, Refusal> {
    let text = form.get("To").ok_or_else(|| Refusal::bad(21604, "A 'To' phone number is required."))?;
    let to = Address::to(text)
        .ok_or_else(|| Refusal::bad(21211, format!("The 'To' number {text} is not a valid phone number.")))?;
    let (code, why) = match to.number.as_str() {
        number if to.whatsapp && number != "+15005550001" => return Ok(to),
        "+15005550001" => (21211, format!("The 'To' number {to} is not a valid phone number.")),
        "+15005550002" => (21612, format!("The 'To' phone number {to} is not currently reachable via SMS")),
        "+15005550003" => (
            21408,
            format!(
                "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {to}"
            ),
        ),
        "+15005550004" => (21610, "Attempt to send to unsubscribed recipient".to_owned()),
        "+15005550009" => (21614, format!("'To' number is not a valid mobile number: {to}")),
        _ => return Ok(to),
    };
    Err(Refusal::bad(code, why))
}

/// The messaging service that sends it. Many applications have one field for
/// their sender and put the service's SID into `From`; Twilio takes that.
fn service<'a>(world: &World, form: &'a Form) -> Result<Option<&'a str>, Refusal> {
    let in_from = || form.get("From").filter(|from| is_sid(from, "MG"));
    match form.get("MessagingServiceSid").or_else(in_from) {
        Some(sid) if !is_sid(sid, "MG") => Err(Refusal::bad(21705, "The Messaging Service Sid is invalid")),
        Some(sid) if !world.settings.has_service(sid) => {
            Err(Refusal::new(404, 21701, format!("The Messaging Service {sid} does not exist")))
        }
        service => Ok(service),
    }
}

fn sender(
    world: &World,
    form: &Form,
    to: &Address,
    service: Option<&str>,
) -> Result<Option<Address>, Refusal> {
    let text = match form.get("From") {
        Some(text) if service.is_some_and(|service| text == service) => return Ok(None),
        Some(text) => text,
        None if service.is_some() => return Ok(None),
        None => return Err(Refusal::bad(21603, "A 'From' phone number is required.")),
    };
    // The channels are compared before anything else, also of what is no number.
    if text.trim().starts_with("whatsapp:") != to.whatsapp {
        let why = "Invalid From and To pair. From and To should be of the same channel";
        return Err(Refusal::bad(21910, why));
    }
    if to.whatsapp {
        return on_whatsapp(world, text, to).map(Some);
    }
    let from = Address::from(text).filter(|from| from.number != "+15005550001").ok_or_else(|| {
        let why = "is not a valid phone number, shortcode, or alphanumeric sender ID.";
        Refusal::bad(21212, format!("The 'From' number {text} {why}"))
    })?;
    if from.number == to.number {
        return Err(Refusal::bad(21266, format!("'To' and 'From' number cannot be the same: {to}")));
    }
    match from.number.as_str() {
        "+15005550008" => {
            Err(Refusal::bad(21611, "This 'From' number has exceeded the maximum number of queued messages"))
        }
        number if number == "+15005550007" || !world.settings.owns(number) => {
            let why = "is not a valid message-capable Twilio phone number for this destination.";
            Err(Refusal::bad(21606, format!("The 'From' phone number provided ({from}) {why}")))
        }
        _ => Ok(Some(from)),
    }
}

/// A sender on WhatsApp: a number of the account's that has a channel there.
fn on_whatsapp(world: &World, text: &str, to: &Address) -> Result<Address, Refusal> {
    let own = |from: &Address| from.number != "+15005550007" && world.settings.owns(&from.number);
    let Some(from) = Address::from(text).filter(own) else {
        let why = "Twilio could not find a Channel with the specified From address";
        return Err(Refusal::bad(63007, why));
    };
    if from.number == to.number {
        return Err(Refusal::bad(63031, "Channels message cannot have same From and To"));
    }
    Ok(from)
}

/// The words of a message: its template's before those of its body.
fn words(form: &Form, template: Option<&Filled>, media: &[String]) -> Result<String, Refusal> {
    if media.len() > MEDIA {
        return Err(Refusal::bad(21623, "Number of media files exceeds allowed limit"));
    }
    if let Some(wrong) = media.iter().find(|url| web_url(url).is_none()) {
        return Err(Refusal::bad(21620, format!("Invalid media URL(s): {wrong}")));
    }
    match (form.get("Body"), template) {
        (_, Some(template)) => Ok(template.words.clone()),
        (Some(body), _) if body.chars().count() > BODY => {
            Err(Refusal::bad(21617, "The concatenated message body exceeds the 1600 character limit"))
        }
        (Some(body), _) => Ok(body.to_owned()),
        (None, None) if !media.is_empty() => Ok(String::new()),
        (None, None) => Err(Refusal::bad(21602, "Message body is required.")),
    }
}

fn status_callback(form: &Form) -> Result<Option<Url>, Refusal> {
    form.get("StatusCallback").map_or(Ok(None), |text| match web_url(text) {
        Some(url) => Ok(Some(url)),
        None => Err(Refusal::bad(21609, format!("The 'StatusCallback' URL {text} is not a valid URL."))),
    })
}

fn validity(form: &Form) -> Result<u32, Refusal> {
    let Some(text) = form.get("ValidityPeriod") else { return Ok(VALIDITY) };
    match text.parse() {
        Ok(seconds @ 1..=VALIDITY) => Ok(seconds),
        _ => Err(Refusal::bad(
            90007,
            format!("Invalid validity period value {text}: it is 1 to {VALIDITY} seconds"),
        )),
    }
}

fn send_at(form: &Form, service: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let wrong = |why: &str| Err(Refusal::bad(20001, why));
    match (form.get("ScheduleType"), form.get("SendAt")) {
        (None, None) => Ok(None),
        (Some("fixed"), Some(_)) if service.is_none() => {
            wrong("MessagingServiceSid is required to schedule a message")
        }
        (Some("fixed"), Some(text)) => match text.parse::<Timestamp>() {
            Ok(at) if (900..=35 * 86_400).contains(&at.duration_since(now).as_secs()) => Ok(Some(at)),
            Ok(_) => wrong("SendAt must be 15 minutes to 35 days ahead"),
            Err(_) => wrong("SendAt must be an ISO 8601 time"),
        },
        _ => wrong("ScheduleType=fixed and SendAt belong together"),
    }
}

fn opted_out(
    world: &World,
    from: Option<&Address>,
    service: Option<&str>,
    to: &Address,
) -> Result<(), Refusal> {
    // What somebody told one sender of a service holds for the service, and
    // nothing that was told by text holds on WhatsApp.
    if to.whatsapp {
        return Ok(());
    }
    let sender = from.map_or_else(|| world.settings.sender(false).number, |from| from.number.clone());
    let senders = [Some(sender), service.map(str::to_owned)];
    let silent = world.with(|state| {
        senders.into_iter().flatten().any(|sender| state.opted_out.contains(&(sender, to.number.clone())))
    });
    if silent { Err(Refusal::bad(21610, "Attempt to send to unsubscribed recipient")) } else { Ok(()) }
}

/// How many segments a text takes; WhatsApp knows no segments and counts one.
pub(super) fn segments(to: &Address, body: &str) -> u32 {
    if to.whatsapp {
        return 1;
    }
    u32::try_from(count(body).segments).unwrap_or(u32::MAX)
}
