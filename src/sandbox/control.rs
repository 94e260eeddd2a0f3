//! The controls: what tests, scripts and the telephones page do with the
//! sandbox, under `/sandbox/…`.
//!
//! They have no credentials, so they are only for this machine: a request that
//! came by another name (DNS rebinding), or that another site's page wants to
//! change something with, is refused.

use super::address::{Address, in_path};
use super::behaviour::{Behaviour, is_key};
use super::incoming::{Request, complaint, empty, json_reply, not_allowed, typed};
use super::messages::web_url;
use super::outgoing::send;
use super::phone::Phone;
use super::resource::{Call, CallStatus};
use super::views::{call_view, clock_view, phone_view, phones, snapshot};
use super::world::{Control, World};
use super::{Inbound, call, forward, inbound};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use warp::http::Method;
use warp::reply::Response;

/// The longest a long poll waits.
pub(super) const LONGEST_POLL: Duration = Duration::from_secs(300);
/// What there is, for whoever looks for it.
const CONTROLS: [&str; 27] = [
    "GET /sandbox/state",
    "DELETE /sandbox/state",
    "GET /sandbox/events",
    "GET /sandbox/phones",
    "GET /sandbox/phones/{number}",
    "PUT /sandbox/phones/{number}",
    "DELETE /sandbox/phones/{number}",
    "GET /sandbox/phones/{number}/messages?wait=SECONDS&since=SID&status=delivered&all=true",
    "POST /sandbox/phones/{number}/messages {\"to\"?,\"body\"}",
    "GET /sandbox/phones/{number}/calls?wait=SECONDS&since=SID&status=completed&spoken=N",
    "POST /sandbox/phones/{number}/calls {\"to\"?}",
    "GET /sandbox/calls/{sid}",
    "POST /sandbox/calls/{sid}/answer",
    "POST /sandbox/calls/{sid}/decline",
    "POST /sandbox/calls/{sid}/press {\"digits\":\"1\"}",
    "POST /sandbox/calls/{sid}/hang-up",
    "GET, PUT /sandbox/behaviour",
    "GET, PUT /sandbox/inbound {\"sms_url\"?,\"voice_url\"?,\"voice_status_url\"?}",
    "GET /sandbox/clock",
    "POST /sandbox/clock {\"advance_seconds\":N} | {\"stop\":true} | {\"run\":true}",
    "GET /sandbox/alerts",
    "GET /sandbox/exchanges?kind=K&sid=SID&limit=N",
    "GET /sandbox/exchanges/{id}",
    "GET /sandbox/exchanges/{id}/http",
    "POST /sandbox/exchanges/{id}/replay",
    "POST /sandbox/app/verifications, …/{id}/check, …/{id}/resend",
    "GET /sandbox/app/verifications/{id}, /sandbox/app/deliveries/{sid}",
];
/// The most exchanges one list shows.
const LISTED: usize = 1_000;
/// The longest text a phone can write, in characters.
const TEXT: usize = 1_600;

/// Answers a request to `/sandbox/…`; the whole interface on one screen.
pub(super) async fn answer(world: &Arc<World>, request: &Request) -> Response {
    if let Some(refusal) = foreign(world, request) {
        return refusal;
    }
    let segments = request.segments();
    let parts: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let (get, post) = (request.method == Method::GET, request.method == Method::POST);
    let (put, delete) = (request.method == Method::PUT, request.method == Method::DELETE);
    match parts.as_slice() {
        ["state"] if get => json_reply(200, &world.with(|state| snapshot(world, state))),
        ["state"] if delete => start_afresh(world),
        ["state"] => not_allowed("GET, DELETE"),
        ["events"] if get => super::events::stream(world),
        ["phones"] if get => json_reply(200, &world.with(|state| phones(state))),
        ["phones"] | ["events"] | ["alerts"] => match (parts[0], get) {
            ("alerts", true) => alerts(world),
            _ => not_allowed("GET"),
        },
        ["phones", number, rest @ ..] => match in_path(number) {
            Some(number) => phone(world, request, number, rest).await,
            None => complaint(400, "not a phone number", "use E.164, such as +15551234567"),
        },
        ["calls", sid] if get => match world.with(|state| state.calls.get(sid).map(call_view)) {
            Some(view) => json_reply(200, &view),
            None => no_call(),
        },
        ["calls", sid, verb] if post => steer(world, request, sid, verb).await,
        ["calls", ..] => not_allowed(if parts.len() == 2 { "GET" } else { "POST" }),
        ["behaviour"] if get => json_reply(200, &json!(world.with(|state| state.behaviour.clone()))),
        ["behaviour"] if put => wish(request, |behaviour| world.change(|state| state.behaviour = behaviour)),
        ["behaviour"] => not_allowed("GET, PUT"),
        ["inbound"] if get => json_reply(200, &json!(world.with(|state| state.inbound.clone()))),
        ["inbound"] if put => set_inbound(world, request),
        ["inbound"] => not_allowed("GET, PUT"),
        ["clock"] if get => clock(world),
        ["clock"] if post => move_clock(world, request),
        ["clock"] => not_allowed("GET, POST"),
        ["exchanges", rest @ ..] => exchanges(world, request, rest).await,
        ["app", rest @ ..] => forward::answer(world, request, rest).await,
        [] | [""] if get => json_reply(200, &json!(CONTROLS)),
        _ => complaint(404, "no such control", "GET /sandbox lists them"),
    }
}

/// Refuses what did not come from this machine's own pages and programs.
fn foreign(world: &World, request: &Request) -> Option<Response> {
    let host = request.header("host").unwrap_or_default();
    if !is_local(host, &world.settings.hosts) {
        let hint = "call it by 127.0.0.1, localhost or the address it listens on";
        return Some(complaint(403, "the sandbox does not answer to this name", hint));
    }
    let safe = matches!(request.method, Method::GET | Method::HEAD);
    match request.headers.get("origin").map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) if !safe && origin.split_once("://").map(|(_, host)| host) != Some(host) => {
            let hint = "use the sandbox's own page";
            Some(complaint(403, "another site's page may not steer the sandbox", hint))
        }
        _ => None,
    }
}

/// True for loopback by name or number, and for the names that were allowed.
pub(super) fn is_local(host: &str, allowed: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_matches(['[', ']']);
    let loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback
        || bare.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|host| host.eq_ignore_ascii_case(bare))
}

async fn phone(world: &Arc<World>, request: &Request, number: String, rest: &[&str]) -> Response {
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
                state.opted_out.retain(|(_, phone)| *phone != number);
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
        _ => complaint(404, "no such control", "a phone has messages and calls"),
    }
}

/// The texts that reached a phone, oldest first: at once when there are some
/// (after `since`, if that is given), else as soon as one comes. With `status`
/// it waits until the newest of them has that status.
async fn received(world: &World, request: &Request, number: &str) -> Response {
    let query = request.query();
    let since = query.get("since").map(str::to_owned);
    let all = query.is_true("all");
    let status = query.get("status").map(str::to_owned);
    let answer = world.wait_for(patience(request), |state| {
        let Some(phone) = state.phones.get(number) else { return (false, Vec::new()) };
        let from = since.as_ref().and_then(|sid| phone.texts.iter().position(|text| text.sid == *sid));
        let texts = phone.texts.iter().skip(from.map_or(0, |at| at + 1)).filter(|text| all || text.received);
        let texts: Vec<_> = texts.collect();
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
    body: String,
}

/// Somebody writes a text on this phone.
fn write(world: &Arc<World>, request: &Request, number: &str) -> Response {
    let written: Written = match request.json() {
        Ok(written) => written,
        Err(error) => return complaint(400, &error.to_string(), "send {\"to\"?, \"body\"}"),
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
    let sid = inbound::text(world, from, to, &written.body);
    let told = world.with(|state| state.inbound.sms_url.is_some());
    json_reply(201, &json!({ "sid": sid, "status": "received", "told": told }))
}

/// Whom a phone writes to or calls when nobody said: who wrote or called last.
fn peer(world: &World, number: &str) -> String {
    let peer = world.with(|state| state.phones.get(number).and_then(|phone| phone.peer.clone()));
    peer.unwrap_or_else(|| world.settings.sender().number)
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
    match inbound::ring(world, number, to) {
        Some(sid) => json_reply(201, &json!({ "sid": sid, "status": "ringing" })),
        None => complaint(409, "nobody takes inbound calls", "set voice_url with PUT /sandbox/inbound"),
    }
}

/// Answers, declines, presses keys on, or ends a call. A call that does not
/// ring yet is waited for, and what was done is in the answer.
async fn steer(world: &World, request: &Request, sid: &str, verb: &str) -> Response {
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

fn no_call() -> Response {
    complaint(404, "no such call", "GET /sandbox/phones/{number}/calls has the SIDs")
}

fn wish(request: &Request, set: impl FnOnce(Behaviour)) -> Response {
    let behaviour: Behaviour = match request.json() {
        Ok(behaviour) => behaviour,
        Err(error) => return complaint(400, &error.to_string(), "see the README for how a phone behaves"),
    };
    if let Some(problem) = behaviour.problem() {
        return complaint(400, problem, "see the README for how a phone behaves");
    }
    let shown = json!(behaviour);
    set(behaviour);
    json_reply(200, &shown)
}

fn set_inbound(world: &World, request: &Request) -> Response {
    let inbound: Inbound = match request.json() {
        Ok(inbound) => inbound,
        Err(error) => {
            return complaint(
                400,
                &error.to_string(),
                "send {\"sms_url\"?, \"voice_url\"?, \"voice_status_url\"?}",
            );
        }
    };
    let urls = [&inbound.sms_url, &inbound.voice_url, &inbound.voice_status_url];
    if urls.into_iter().flatten().any(|url| web_url(url).is_none()) {
        return complaint(400, "not a URL", "use an absolute http or https URL");
    }
    let shown = json!(inbound);
    world.change(|state| state.inbound = inbound);
    json_reply(200, &shown)
}

fn clock(world: &World) -> Response {
    json_reply(200, &clock_view(world))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Moved {
    advance_seconds: Option<f64>,
    stop: bool,
    run: bool,
}

fn move_clock(world: &World, request: &Request) -> Response {
    let hint = "send {\"advance_seconds\": 600}, {\"stop\": true} or {\"run\": true}";
    let moved: Moved = match request.json() {
        Ok(moved) => moved,
        Err(error) => return complaint(400, &error.to_string(), hint),
    };
    let by = moved.advance_seconds.map(Duration::try_from_secs_f64).transpose();
    let Ok(by) = by else { return complaint(400, "the clock never goes back", hint) };
    if moved.stop && moved.run {
        return complaint(400, "stop and run at once", hint);
    }
    if moved.stop {
        world.clock.stop();
    }
    by.into_iter().for_each(|by| world.clock.advance(by));
    if moved.run {
        world.clock.run();
    }
    world.tell("clock", clock_view(world));
    clock(world)
}

async fn exchanges(world: &World, request: &Request, rest: &[&str]) -> Response {
    let (get, post) = (request.method == Method::GET, request.method == Method::POST);
    match rest {
        [] if get => {
            let query = request.query();
            let limit: usize = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(100);
            let same = |name, value: Option<&str>| query.get(name).is_none_or(|wanted| value == Some(wanted));
            let list: Vec<Value> = world.with(|state| {
                let all = state.exchanges.newest_first();
                let wanted = all.filter(|it| same("kind", Some(it.kind)) && same("sid", it.sid.as_deref()));
                wanted.take(limit.min(LISTED)).map(|exchange| exchange.document()).collect()
            });
            json_reply(200, &Value::Array(list))
        }
        [] => not_allowed("GET"),
        [id, rest @ ..] => {
            let found = id.parse().ok().and_then(|id| world.with(|state| state.exchanges.get(id).cloned()));
            let Some(exchange) = found else {
                return complaint(404, "no such exchange", "GET /sandbox/exchanges has the ids");
            };
            match rest {
                [] if get => json_reply(200, &exchange.document()),
                ["http"] if get => typed(200, "text/plain;charset=utf-8", exchange.http_file()),
                ["replay"] if post => match exchange.webhook {
                    Some(webhook) => match send(world, &webhook).await {
                        Ok(answer) => json_reply(200, &json!({ "status": answer.status })),
                        Err(trouble) => json_reply(200, &json!({ "status": null, "error": trouble.words() })),
                    },
                    None => {
                        complaint(409, "only webhooks can be sent again", "take one whose kind is not api")
                    }
                },
                [] | ["http"] => not_allowed("GET"),
                ["replay"] => not_allowed("POST"),
                _ => complaint(404, "no such control", "an exchange has http and replay"),
            }
        }
    }
}

fn alerts(world: &World) -> Response {
    let list: Vec<Value> =
        world.with(|state| state.alerts.iter().rev().map(|alert| alert.document()).collect());
    json_reply(200, &Value::Array(list))
}

fn start_afresh(world: &World) -> Response {
    world.abort_all();
    world.change(|state| state.start_afresh(&world.settings));
    world.tell("reset", json!({}));
    empty(204)
}
