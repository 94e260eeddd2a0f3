//! The controls of telephones: what reached them, what is done with them, how
//! they behave.

use super::address::{Address, in_path};
use super::behaviour::{Behaviour, is_key};
use super::callbacks::{Courier, of_message};
use super::incoming::{Request, complaint, empty, json_reply, not_allowed};
use super::phone::{Phone, Text};
use super::resource::{Call, CallStatus};
use super::shown::call_view;
use super::views::phone_view;
use super::world::{Control, World};
use super::{call, inbound, media, number_rules, routes, streams, whatsapp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use warp::http::Method;
use warp::reply::Response;

/// The longest a long poll waits.
pub(super) const LONGEST_POLL: Duration = Duration::from_secs(300);
/// The longest text a phone can write, in characters.
const TEXT: usize = 1_600;
/// The most media of one text.
const MEDIA: usize = 10;
/// What to do about a number that cannot do it.
const NO_CAPABILITY: &str = "set its capabilities with PUT /sandbox/numbers/{number}";

/// Answers `/sandbox/phones/{number}` and below.
pub(super) async fn answer(world: &Arc<World>, request: &Request, number: String, rest: &[&str]) -> Response {
    let (get, post) = (request.method == Method::GET, request.method == Method::POST);
    let seed = world.settings.seed;
    match rest {
        [] if get => json_reply(
            200,
            &world.with(|state| {
                let view = state.phones.get(&number).map(|phone| phone_view(state, phone));
                view.unwrap_or_else(|| phone_view(state, &Phone::new(&number, seed)))
            }),
        ),
        [] if request.method == Method::PUT => wish(request, |behaviour| {
            world.change(|state| {
                let phone = state.phone(&number, seed);
                phone.behaviour = behaviour;
                phone.api_faults = 0;
            });
            world.tell("phone", json!({ "number": number }));
        }),
        [] if request.method == Method::DELETE => {
            world.change(|state| {
                state.phones.remove(&number);
                state.opted_out.forget(&number);
                state.cookies.forget(&number);
            });
            world.tell("phone", json!({ "number": number }));
            empty(204)
        }
        [] => not_allowed("GET, PUT, DELETE"),
        ["messages"] if get => received(world, request, &number).await,
        ["messages"] if post => write(world, request, &number),
        ["calls"] if get => called(world, request, &number).await,
        ["calls"] if post => dial(world, request, number),
        ["messages" | "calls"] => not_allowed("GET, POST"),
        ["read"] if post => read(world, request, &number),
        ["read"] => not_allowed("POST"),
        _ => complaint(404, "no such control", "a phone has messages, calls and read"),
    }
}

/// The texts that reached a phone, oldest first: at once when there are some
/// (after `since`, if that is given), else as soon as one comes. With `status`
/// it waits until the newest of them has that status; with `channel` (`sms` or
/// `whatsapp`) only those that came over it count.
async fn received(world: &World, request: &Request, number: &str) -> Response {
    let query = request.query();
    let since = query.get("since").map(str::to_owned);
    let all = query.is_true("all");
    let status = query.get("status").map(str::to_owned);
    let channel = query.get("channel").map(str::to_owned);
    if channel.as_ref().is_some_and(|channel| !matches!(channel.as_str(), "sms" | "whatsapp")) {
        return complaint(400, "no such channel", "channel is sms or whatsapp");
    }
    let wanted = |text: &&Text| {
        (all || text.received) && channel.as_ref().is_none_or(|channel| text.channel() == channel)
    };
    let answer = world.wait_for(patience(request), |state| {
        let Some(phone) = state.phones.get(number) else { return (false, Vec::new()) };
        let from = since.as_ref().and_then(|sid| phone.texts.iter().position(|text| text.sid == *sid));
        let texts = phone.texts.iter().skip(from.map_or(0, |at| at + 1));
        let texts: Vec<_> = texts.filter(&wanted).collect();
        let found = texts
            .last()
            .is_some_and(|text| status.as_ref().is_none_or(|status| text.status.word() == status));
        (found, texts.into_iter().map(|text| text.document()).collect())
    });
    json_reply(200, &Value::Array(answer.await))
}

/// A phone's calls, oldest first: at once when there are some (after `since`),
/// else as soon as one comes. With `status` or `spoken` it waits until the
/// newest of them has that status, or has said that much.
async fn called(world: &World, request: &Request, number: &str) -> Response {
    let query = request.query();
    let since = query.get("since").map(str::to_owned);
    let status = query.get("status").map(str::to_owned);
    let spoken: usize = query.get("spoken").and_then(|text| text.parse().ok()).unwrap_or(0);
    let answer = world.wait_for(patience(request), |state| {
        let Some(phone) = state.phones.get(number) else { return (false, Vec::new()) };
        let from = since.as_ref().and_then(|sid| phone.calls.iter().position(|call| call == sid));
        let calls = phone.calls.iter().skip(from.map_or(0, |at| at + 1));
        let calls: Vec<_> = calls.filter_map(|sid| state.calls.get(sid)).collect();
        let found = calls.last().is_some_and(|call| {
            let over = call.status.is_over();
            let as_wished = status.as_ref().is_none_or(|status| call.status.word() == status);
            as_wished && (call.captions.len() >= spoken || over)
        });
        (found, calls.into_iter().map(call_view).collect())
    });
    json_reply(200, &Value::Array(answer.await))
}

fn patience(request: &Request) -> Duration {
    let wait = request.query().get("wait").and_then(|text| text.parse::<f64>().ok());
    Duration::from_secs_f64(
        wait.filter(|wait| wait.is_finite()).unwrap_or(0.0).clamp(0.0, LONGEST_POLL.as_secs_f64()),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    to: Option<String>,
    from: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    media: Vec<Attached>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    content_type: String,
    base64: String,
}

/// The pictures of a text, or what is wrong with them.
fn pictures(attached: &[Attached]) -> Result<Vec<inbound::Picture>, &'static str> {
    if attached.len() > MEDIA {
        return Err("more than 10 media");
    }
    let one = |one: &Attached| {
        let bytes = STANDARD.decode(&one.base64).map_err(|_| "base64 is not base64")?;
        match media::is_carried(&one.content_type) {
            false => Err("media of this content_type is not carried"),
            true if bytes.len() > media::LARGEST => Err("media of more than 5 MiB"),
            true => Ok((one.content_type.clone(), bytes.into())),
        }
    };
    attached.iter().map(one).collect()
}

/// Somebody writes a text on this phone.
fn write(world: &Arc<World>, request: &Request, number: &str) -> Response {
    let written: Written = match request.json() {
        Ok(written) => written,
        Err(error) => {
            return complaint(
                400,
                &error.to_string(),
                "send {\"to\"?, \"body\"?, \"media\"?:[{\"content_type\",\"base64\"}]}",
            );
        }
    };
    if written.body.chars().count() > TEXT {
        return complaint(400, "the text is too long", "1600 characters at most");
    }
    let to = written.to.unwrap_or_else(|| peer(world, number));
    // A phone writes over WhatsApp when the number it writes to is one there.
    let Some(to) = Address::from(&to) else {
        return complaint(400, "'to' is not a number", "use E.164, such as +15551234567");
    };
    if written.from.as_deref().is_some_and(|from| in_path(from).as_deref() != Some(number)) {
        return complaint(400, "'from' is another phone", "leave it out: the path says who writes");
    }
    let from = Address { whatsapp: to.whatsapp, number: number.to_owned() };
    let takes = |media: bool| world.with(|state| number_rules::takes_in(&state.numbers, &to, media));
    match () {
        () if !takes(false) => return complaint(409, "the number takes no texts", NO_CAPABILITY),
        () if !takes(!written.media.is_empty()) => {
            return complaint(409, "the number takes no media", NO_CAPABILITY);
        }
        () => {}
    }
    let told = world.with(|state| routes::of_text(state, &to).is_some());
    let pictures = match pictures(&written.media) {
        Ok(pictures) if pictures.is_empty() && written.body.is_empty() => {
            return complaint(400, "a text without words and pictures", "send body or media");
        }
        Ok(pictures) => pictures,
        Err(why) => return complaint(400, why, "images, audio, video, PDF and cards, of 5 MiB at most"),
    };
    let sid = inbound::text(world, (from, to), &written.body, pictures, &request.base());
    json_reply(201, &json!({ "sid": sid, "status": "received", "told": told }))
}

/// The phone's owner opens the WhatsApp chats, or one message of them.
fn read(world: &Arc<World>, request: &Request, number: &str) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Opened {
        sid: Option<String>,
    }
    match request.json::<Opened>() {
        Ok(Opened { sid }) => json_reply(200, &json!({ "opened": open(world, number, sid.as_deref()) })),
        Err(error) => complaint(400, &error.to_string(), "send {\"sid\"?}"),
    }
}

/// Whom a phone writes to or calls when nobody said: who wrote or called last.
fn peer(world: &World, number: &str) -> String {
    let peer = world.with(|state| state.phones.get(number).and_then(|phone| phone.peer.clone()));
    peer.unwrap_or_else(|| world.sender(&world.settings.account_sid, false).number)
}

/// Somebody calls one of the account's numbers from this phone.
fn dial(world: &Arc<World>, request: &Request, number: String) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Dialled {
        to: Option<String>,
    }
    let to = match request.json::<Dialled>() {
        Ok(dialled) => dialled.to.unwrap_or_else(|| peer(world, &number)),
        Err(error) => return complaint(400, &error.to_string(), "send {\"to\"?}"),
    };
    let Some(to) = in_path(&to) else {
        return complaint(400, "'to' is not a number", "use E.164, such as +15551234567");
    };
    if world.with(|state| state.numbers.find(&to).is_some_and(|own| !own.capabilities.voice)) {
        return complaint(409, "the number takes no calls", NO_CAPABILITY);
    }
    match inbound::ring(world, number, to, request.base()) {
        Some(sid) => json_reply(201, &json!({ "sid": sid, "status": "ringing" })),
        None => complaint(
            409,
            "nobody takes inbound calls",
            "set voice_url with PUT /sandbox/inbound, or VoiceUrl of the number",
        ),
    }
}

/// Answers, declines, presses keys on, or ends a call. A call that does not
/// ring yet is waited for, and what was done is in the answer.
pub(super) async fn steer(world: &World, request: &Request, sid: &str, verb: &str) -> Response {
    #[derive(Deserialize)]
    struct Pressed {
        digits: String,
    }
    let control = match verb {
        "answer" => Control::Answer,
        "decline" => Control::Decline,
        "hang-up" => Control::HangUp,
        "press" => match request.json::<Pressed>() {
            Ok(pressed) if !pressed.digits.is_empty() && pressed.digits.chars().all(is_key) => {
                Control::Press(pressed.digits)
            }
            _ => return complaint(400, "no keys", "send {\"digits\":\"1\"} with 0-9, * and #"),
        },
        _ => return complaint(404, "no such control", "a call has answer, decline, press and hang-up"),
    };
    let picks_up = matches!(control, Control::Answer | Control::Decline);
    let rings = |call: Option<&Call>| call.is_none_or(|call| call.status != CallStatus::Queued);
    let call = world.wait_for(Duration::from_secs(5), |state| {
        let call = state.calls.get(sid);
        (!picks_up || rings(call), call.cloned())
    });
    let Some(call) = call.await else { return no_call() };
    if picks_up && call.start.is_some() {
        return complaint(409, "the call was answered already", "press keys or hang up");
    }
    let keys = matches!(control, Control::Press(_));
    if !call::control(world, sid, control) {
        return complaint(409, "the call is over", "start another one");
    }
    let after = world.wait_for(Duration::from_secs(1), |state| {
        let now = state.calls.get(sid);
        (keys || now.is_none_or(|now| now.status != call.status), now.map(call_view))
    });
    after.await.map_or_else(no_call, |view| json_reply(200, &view))
}

/// There is no such call.
pub(super) fn no_call() -> Response {
    complaint(404, "no such call", "GET /sandbox/phones/{number}/calls has the SIDs")
}

/// Reads wishes and hands them on, or says what is wrong with them.
pub(super) fn wish(request: &Request, set: impl FnOnce(Behaviour)) -> Response {
    let behaviour: Behaviour = match request.json() {
        Ok(behaviour) => behaviour,
        Err(error) => return complaint(400, &error.to_string(), "docs/telephones.md says how phones behave"),
    };
    if let Some(problem) = behaviour.problem() {
        return complaint(400, problem, "docs/telephones.md says how phones behave");
    }
    let shown = json!(behaviour);
    set(behaviour);
    json_reply(200, &shown)
}

/// The person opens the chats on a phone, or only one message. Gives the SIDs
/// of what had not been opened; each that was delivered is `read` from now on,
/// and one still on its way will be.
fn open(world: &Arc<World>, number: &str, only: Option<&str>) -> Vec<String> {
    let opened = whatsapp::mark(world, number, only);
    for sid in &opened {
        let Some(message) = whatsapp::receipt(world, sid) else { continue };
        streams::of_message(world, &message);
        let Some(webhook) = of_message(world, &message) else { continue };
        let seed = world.settings.seed;
        let chance = world.with(|state| state.phone(number, seed).fork());
        let faults = world.behaviour(number).callbacks;
        // After what the message's own life still has to tell.
        Courier::in_turn(world, faults, chance, &message.turn).post(webhook);
    }
    opened
}
