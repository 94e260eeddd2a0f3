//! The Messages resource: validation, creation, reading, redaction.

use crate::sandbox::address::Address;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome, befall, listed_until};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::fields::{is_sid, web_url};
use crate::sandbox::grounds;
use crate::sandbox::incoming::Form;
use crate::sandbox::network;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{Message, MessageStatus, VALIDITY, rfc2822};
use crate::sandbox::sending::{self, Draft, Permit};
use crate::sandbox::service::Options;
use crate::sandbox::settings::Senders;
use crate::sandbox::templates::{Content, Filled};
use crate::twilio::segments::smart_encoded;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;

/// `POST Messages.json`: the new message, `queued`, `accepted` (by a service) or `scheduled`.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let world = ask.world;
    let (message, permit) = read(ask, &ask.form())?;
    let number = message.to.number.clone();
    befall(world, &number, || {
        let document = message.document();
        if network::launch(world, message, &permit, network::Place::default()) {
            Ok(Done::Created(document))
        } else {
            Err(grounds::too_much())
        }
    })
}

/// `GET Messages.json`: the account's, youngest first, filtered by `To`, `From` and `DateSent`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (world, query) = (ask.world, ask.query());
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
        let rows: Vec<&Message> = state.messages.of(ask.account).filter(wanted).collect();
        page(ask.request, "messages", &rows, |row| row.sid.clone(), Message::document).map(Done::Found)
    })
}

/// `GET Messages/{sid}.json`: one message of the account's, as it stands now.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.messages.its(ask.account, ask.sid()).map(Message::document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Messages/{sid}.json`: an empty `Body` redacts what has left,
/// `Status=canceled` cancels what has not.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (world, sid, form) = (ask.world, ask.sid(), ask.form());
    let found = world.with(|state| state.messages.its(ask.account, sid).cloned());
    let message = found.ok_or_else(|| ask.missing())?;
    match (form.raw("Body"), form.get("Status")) {
        (Some(""), _) if message.status.is_in_flight() => Err(not_complete("modify")),
        (Some(""), _) => changed(ask, |message| message.body.clear()),
        (Some(_), _) => Err(Refusal::bad(20001, "Parameter 'Body' can only be updated to an empty string")),
        (None, Some("canceled")) if message.status.is_waiting() => {
            let done = changed(ask, |message| message.status = MessageStatus::Canceled)?;
            let message = world.with(|state| state.messages.get(sid).cloned());
            message.iter().for_each(|message| network::tell_canceled(world, message));
            Ok(done)
        }
        (None, Some("canceled")) => Err(Refusal::new(409, 20409, "Message cannot be canceled: it has left")),
        _ => Err(Refusal::bad(20001, "Parameter 'Body' or 'Status' is required")),
    }
}

fn changed(ask: &Ask<'_>, change: impl FnOnce(&mut Message)) -> Outcome {
    let message = ask.world.change_message(ask.sid(), change).ok_or_else(|| ask.missing())?;
    Ok(Done::Found(message.document()))
}

/// `DELETE Messages/{sid}.json`, once it has left.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let (world, sid) = (ask.world, ask.sid());
    let in_flight = world.with(|state| {
        state.messages.its(ask.account, sid).is_some_and(|message| message.status.is_in_flight())
    });
    if in_flight {
        return Err(not_complete("delete"));
    }
    let gone = world.change(|state| state.messages.remove_its(ask.account, sid));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

fn not_complete(verb: &str) -> Refusal {
    Refusal::new(409, 20009, format!("Cannot {verb} this resource before it is complete"))
}

/// `POST Messages/{sid}/Feedback.json`, which Twilio answers by 200
pub(super) fn feedback(ask: &Ask<'_>) -> Outcome {
    let (world, sid, form) = (ask.world, ask.part("MessageSid"), ask.form());
    let outcome = match form.get("Outcome").unwrap_or("unconfirmed") {
        outcome @ ("confirmed" | "unconfirmed") => outcome,
        other => return Err(Refusal::bad(20001, format!("Invalid parameter value for Outcome: {other}"))),
    };
    let account = ask.account;
    let now = rfc2822(world.clock.now());
    if world.with(|state| state.messages.its(account, sid).is_none()) {
        return Err(ask.missing());
    }
    Ok(Done::Found(json!({
        "account_sid": account,
        "date_created": now,
        "date_updated": now,
        "message_sid": sid,
        "outcome": outcome,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{sid}/Feedback.json"),
    })))
}

/// Reads a message from a create request, in the order in which Twilio finds
/// fault with it, and its permit to leave.
fn read(ask: &Ask<'_>, form: &Form) -> Result<(Message, Permit), Refusal> {
    let world = ask.world;
    let to = recipient(form)?;
    let service = service(ask, form)?;
    let from = sender(form, &to, service)?;
    let media = form.all("MediaUrl");
    let draft =
        Draft { account: ask.account, from: from.as_ref(), service, to: &to, media: !media.is_empty() };
    let permit = sending::judge(world, &draft)?.unchecked(without_check(form));
    let options = options(ask, service);
    let template = Content::read(form)?.map(|content| filled(ask, &content)).transpose()?;
    let body = permit.words(words(form, template.as_ref(), &media)?);
    let smart = options.as_ref().is_some_and(|options| options.smart_encoding && !to.whatsapp);
    let smart = form.get("SmartEncoded").map_or(smart, |_| form.is_true("SmartEncoded"));
    let body = if smart { smart_encoded(&body) } else { body };
    // What the message does not say, its service does.
    let own = options.as_ref().and_then(|options| web_url(options.status_callback.as_deref()?));
    let of_channel = || web_url(ask.world.channel(&from.as_ref()?.number)?.url("status_callback_url")?);
    let of_channel = || of_channel().filter(|_| to.whatsapp);
    let callback = status_callback(form)?.or_else(|| of_application(ask, form)).or(own).or_else(of_channel);
    let validity = validity(form, options.map_or(VALIDITY, |options| options.validity))?;
    let now = world.clock.now();
    let send_at = send_at(form, service, now)?;
    let status = match (send_at, service) {
        (Some(_), _) => MessageStatus::Scheduled,
        (None, Some(_)) => MessageStatus::Accepted,
        (None, None) => MessageStatus::Queued,
    };
    let sid = world.sid(if media.is_empty() { "SM" } else { "MM" });
    let message = Message {
        service: service.map(str::to_owned),
        template,
        media,
        status,
        callback,
        validity,
        send_at,
        ..Message::new(sid, ask.account.to_owned(), (from, to), body, now)
    };
    Ok((message, permit))
}

/// What can be said about a message's service, if it has one that was made here.
fn options(ask: &Ask<'_>, service: Option<&str>) -> Option<Options> {
    let sid = service?;
    ask.world.with(|state| state.services.its(ask.account, sid).map(|service| service.options.clone()))
}

/// Whether the request says that no risk is to be checked.
fn without_check(form: &Form) -> bool {
    form.get("RiskCheck").is_some_and(|word| word.eq_ignore_ascii_case("disable"))
}

/// The words of a content, if there is such a template.
fn filled(ask: &Ask<'_>, content: &Content) -> Result<Filled, Refusal> {
    let all = ask.world.settings.senders == Senders::Any;
    ask.world.with(|state| match state.templates.names(&content.sid, all) {
        true => Ok(state.templates.fill(content)),
        false => Err(Refusal::bad(21655, "The ContentSid is Invalid")),
    })
}

fn recipient(form: &Form) -> Result<Address, Refusal> {
    let text = form.get("To").ok_or_else(|| Refusal::bad(21604, "A 'To' phone number is required."))?;
    Address::to(text).ok_or_else(|| grounds::no_such_recipient(text))
}

/// The messaging service that sends it. Many applications have one field for
/// their sender and put the service's SID into `From`; Twilio takes that.
fn service<'a>(ask: &Ask<'_>, form: &'a Form) -> Result<Option<&'a str>, Refusal> {
    let in_from = || form.get("From").filter(|from| is_sid(from, "MG"));
    match form.get("MessagingServiceSid").or_else(in_from) {
        Some(sid) if !is_sid(sid, "MG") => Err(Refusal::bad(21705, "The Messaging Service Sid is invalid")),
        Some(sid) if ask.world.has_service(ask.account, sid) => Ok(Some(sid)),
        Some(sid) if ask.world.settings.senders == Senders::Owned => {
            Err(Refusal::bad(21705, format!("The Messaging Service Sid {sid} is invalid.")))
        }
        Some(sid) => Err(Refusal::new(404, 21701, format!("The Messaging Service {sid} does not exist"))),
        None => Ok(None),
    }
}

fn sender(form: &Form, to: &Address, service: Option<&str>) -> Result<Option<Address>, Refusal> {
    let text = match form.get("From") {
        Some(text) if service.is_some_and(|service| text == service) => return Ok(None),
        Some(text) => text,
        None if service.is_some() => return Ok(None),
        None => return Err(Refusal::bad(21603, "A 'From' phone number is required.")),
    };
    // The channels are compared before anything else, also of what is no number.
    match Address::from(text) {
        _ if text.trim().starts_with("whatsapp:") != to.whatsapp => Err(grounds::two_channels()),
        None if to.whatsapp => Err(grounds::no_channel()),
        None => Err(grounds::no_such_sender(text)),
        from => Ok(from),
    }
}

/// The words of a message: its template's before those of its body.
fn words(form: &Form, template: Option<&Filled>, media: &[String]) -> Result<String, Refusal> {
    let body = form.get("Body");
    sending::fits(body.filter(|_| template.is_none()).unwrap_or_default(), media)?;
    match (body, template) {
        (_, Some(template)) => Ok(template.words.clone()),
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

/// Where the application that a message names is told of it. One that is not there
/// tells nobody, as no callback does.
fn of_application(ask: &Ask<'_>, form: &Form) -> Option<Url> {
    let sid = form.get("ApplicationSid")?;
    ask.world.with(|state| web_url(state.applications.its(ask.account, sid)?.message_status.as_deref()?))
}

fn validity(form: &Form, usual: u32) -> Result<u32, Refusal> {
    let Some(text) = form.get("ValidityPeriod") else { return Ok(usual) };
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
