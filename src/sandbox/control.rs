//! The controls: what tests, scripts and the telephones page do with the
//! sandbox, under `/sandbox/…`.
//!
//! They have no credentials, so they are only for this machine: a request that
//! came by another name (DNS rebinding), or that another site's page wants to
//! change something with, is refused.

use super::address::in_path;
use super::fields::web_url;
use super::incoming::{Request, complaint, content, empty, json_reply, not_allowed, typed};
use super::outgoing::send;
use super::settings::Inbound;
use super::shown::call_view;
use super::views::{clock_view, phones, snapshot};
use super::world::World;
use super::{
    beside, forward, limit_controls, number_controls, record_controls, telephones, template_controls,
};
use crate::server::{Stranger, stranger};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use warp::http::Method;
use warp::reply::Response;

/// What there is, for whoever looks for it.
const CONTROLS: &[&str] = &[
    "GET /sandbox/state",
    "DELETE /sandbox/state",
    "GET /sandbox/events",
    "GET /sandbox/phones",
    "GET /sandbox/phones/{number}",
    "PUT /sandbox/phones/{number}",
    "DELETE /sandbox/phones/{number}",
    "GET /sandbox/phones/{number}/messages?wait=SECONDS&since=SID&status=delivered&all=true&channel=whatsapp",
    "POST /sandbox/phones/{number}/messages {\"to\"?,\"body\"?,\"media\"?:[{\"content_type\",\"base64\"}]}",
    "POST /sandbox/phones/{number}/read {\"sid\"?}",
    "GET /sandbox/phones/{number}/calls?wait=SECONDS&since=SID&status=completed&spoken=N",
    "POST /sandbox/phones/{number}/calls {\"to\"?}",
    "GET /sandbox/expect?to=NUMBER&from=SENDER&body~=REGEX&channel=sms|whatsapp|call&said~=REGEX&since=SID&within=SECONDS",
    "GET /sandbox/calls/{sid}",
    "POST /sandbox/calls/{sid}/answer",
    "POST /sandbox/calls/{sid}/decline",
    "POST /sandbox/calls/{sid}/press {\"digits\":\"1\"}",
    "POST /sandbox/calls/{sid}/hang-up",
    "GET /sandbox/numbers",
    "GET, PUT, DELETE /sandbox/numbers/{number} {\"account_sid\"?,\"friendly_name\"?,\"capabilities\"?,\"registered\"?,\"unreachable\"?,\"not_permitted\"?}",
    "POST /sandbox/numbers/{number}/validate {\"account_sid\"?,\"code\"?}",
    "GET /sandbox/templates",
    "PUT /sandbox/templates/{sid} {\"status\"?,\"body\"?,\"copy_code\"?}",
    "GET, PUT /sandbox/approvals {\"de\":\"rejected\"}",
    "GET, PUT /sandbox/limits {\"profile\"?:\"trial\",\"verified\"?}",
    "GET, PUT /sandbox/pumping {\"enabled\":true,\"burst\"?,\"window_seconds\"?,\"block_seconds\"?}",
    "GET, PUT /sandbox/permissions/{country} {\"messages\"?,\"calls\"?,\"names\"?}",
    "GET /sandbox/media/{sid}",
    "GET, PUT /sandbox/behaviour",
    "GET, PUT, DELETE /sandbox/lookups, /sandbox/lookups/{number} {\"valid\"?,\"sim_swap\"?,…}",
    "GET /sandbox/prices",
    "GET, PUT, DELETE /sandbox/prices/{country} {\"sms\"?:[\"OUT\",\"IN\"],\"mms\"?,\"whatsapp\"?,\"voice\"?}",
    "GET, PUT /sandbox/inbound {\"sms_url\"?,\"voice_url\"?,\"voice_status_url\"?}",
    "GET /sandbox/clock",
    "POST /sandbox/clock {\"advance_seconds\":N} | {\"stop\":true} | {\"run\":true}",
    "GET /sandbox/operations",
    "GET /sandbox/alerts",
    "GET /sandbox/exchanges?kind=K&sid=SID&limit=N",
    "GET /sandbox/exchanges/{id}",
    "GET /sandbox/exchanges/{id}/http",
    "POST /sandbox/exchanges/{id}/replay",
    "POST /sandbox/app/verifications, …/{id}/check, …/{id}/resend",
    "GET /sandbox/app/verifications/{id}, /sandbox/app/deliveries/{sid}",
];

/// The furthest that the clock is moved at once, in seconds.
const LONGEST_MOVE: f64 = 10.0 * 366.0 * 86_400.0;

/// The most exchanges one list shows.
const LISTED: usize = 1_000;

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
        ["state"] if delete => start_afresh(world).await,
        ["state"] => not_allowed("GET, DELETE"),
        ["events"] if get => super::events::stream(world),
        ["phones"] if get => json_reply(200, &world.with(|state| phones(state))),
        ["alerts"] if get => alerts(world),
        ["operations"] if get => json_reply(200, &super::api::operations()),
        ["expect"] if get => super::expect::answer(world, request).await,
        ["phones" | "events" | "alerts" | "operations" | "expect"] => not_allowed("GET"),
        ["phones", number, rest @ ..] => match in_path(number) {
            Some(number) => telephones::answer(world, request, number, rest).await,
            None => complaint(400, "not a phone number", "use E.164, such as +15551234567"),
        },
        ["calls", sid] if get => match world.with(|state| state.calls.get(sid).map(call_view)) {
            Some(view) => json_reply(200, &view),
            None => telephones::no_call(),
        },
        ["calls", sid, verb] if post => telephones::steer(world, request, sid, verb).await,
        ["calls", ..] => not_allowed(if parts.len() == 2 { "GET" } else { "POST" }),
        ["numbers", rest @ ..] => number_controls::answer(world, request, rest),
        ["templates", rest @ ..] => template_controls::answer(world, request, rest),
        ["approvals"] => template_controls::approvals(world, request),
        ["limits"] => limit_controls::limits(world, request),
        ["pumping"] => limit_controls::pumping(world, request),
        ["permissions", iso] => limit_controls::permissions(world, request, iso),
        ["media", sid] if get => match world.with(|state| state.album.get(sid).cloned()) {
            Some(media) => content(&media.content_type, media.bytes),
            None => complaint(404, "no such media", "they are kept within a bound of bytes, oldest first"),
        },
        ["media", ..] => not_allowed("GET"),
        ["lookups", rest @ ..] => record_controls::lookups(world, request, rest),
        ["prices", rest @ ..] => record_controls::prices(world, request, rest),
        ["behaviour"] if get => json_reply(200, &json!(world.with(|state| state.behaviour.clone()))),
        ["behaviour"] if put => {
            telephones::wish(request, |behaviour| world.change(|state| state.behaviour = behaviour))
        }
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
    match stranger(&request.method, &request.headers, &world.settings.hosts)? {
        Stranger::Name => {
            let hint = "call it by 127.0.0.1, localhost or the address it listens on";
            Some(complaint(403, "the sandbox does not answer to this name", hint))
        }
        Stranger::Page => {
            let hint = "use the sandbox's own page";
            Some(complaint(403, "another site's page may not steer the sandbox", hint))
        }
    }
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
    let by = match moved.advance_seconds {
        None => None,
        Some(by) if (0.0..=LONGEST_MOVE).contains(&by) => Some(Duration::from_secs_f64(by)),
        Some(by) if by < 0.0 => return complaint(400, "the clock never goes back", hint),
        Some(_) => return complaint(400, "the clock moves by 10 years at most", hint),
    };
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

async fn start_afresh(world: &World) -> Response {
    world.abort_all();
    world.clock.reset();
    // First, for what it is about to send belongs to what was before.
    let is_new = beside::begin_afresh(world).await;
    world.change(|state| state.start_afresh(&world.settings, world.born));
    world.tell("reset", json!({}));
    world.tell("clock", clock_view(world));
    if !is_new {
        let hint = "start it again: what Verify had is still there";
        return complaint(503, "the service beside the sandbox did not begin afresh", hint);
    }
    forward::forget_limits(world).await;
    empty(204)
}
