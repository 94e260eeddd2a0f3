//! `/sandbox/limits`, `/sandbox/pumping` and `/sandbox/permissions`: how much an account
//! may do, and where.

use super::address::e164;
use super::countries::{Country, find};
use super::incoming::{Request, complaint, json_reply, not_allowed};
use super::limits::Wishes;
use super::permissions::Dialing;
use super::pumping::Protection;
use super::world::{State, World};
use serde::Deserialize;
use serde_json::{Value, json};
use warp::http::Method;
use warp::reply::Response;

/// The most texts to a prefix that may pass within the window.
const BURST: u32 = 10_000;

/// `GET, PUT /sandbox/limits`
pub(super) fn limits(world: &World, request: &Request) -> Response {
    let hint = "send {\"profile\"?: \"unlimited\", \"paid\" or \"trial\", \"message_rates\"?, \"kinds\"?, \
                \"message_queue_seconds\"?, \"calls_per_second\"?, \"call_queue_seconds\"?, \
                \"api_concurrency\"?, \"verified\"?: [\"+15551234567\"]}";
    match request.method {
        Method::GET => {}
        Method::PUT => {
            let mut wishes: Wishes = match request.json() {
                Ok(wishes) => wishes,
                Err(error) => return complaint(400, &error.to_string(), hint),
            };
            if let Some(problem) = wishes.problem() {
                return complaint(400, problem, hint);
            }
            let verified: Option<_> = wishes.verified.iter().map(|number| e164(number)).collect();
            let Some(verified) = verified else {
                return complaint(400, "verified has what is no number", hint);
            };
            wishes.verified = verified;
            world.change(|state| state.limits.wishes = wishes);
        }
        _ => return not_allowed("GET, PUT"),
    }
    json_reply(200, &world.with(|state| json!(state.limits.wishes)))
}

/// `GET, PUT /sandbox/pumping`
pub(super) fn pumping(world: &World, request: &Request) -> Response {
    let hint = "send {\"enabled\": true, \"burst\"?, \"window_seconds\"?, \"block_seconds\"?}";
    match request.method {
        Method::GET => {}
        Method::PUT => {
            let protection: Protection = match request.json() {
                Ok(protection) => protection,
                Err(error) => return complaint(400, &error.to_string(), hint),
            };
            if protection.burst > BURST {
                return complaint(400, "burst is 10000 at most", hint);
            }
            world.change(|state| state.pumping.protection = protection);
        }
        _ => return not_allowed("GET, PUT"),
    }
    json_reply(200, &world.with(|state| json!(state.pumping.protection)))
}

/// What is permitted of a country; what is left out stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permitted {
    messages: Option<bool>,
    calls: Option<bool>,
    special_calls: Option<bool>,
    tollfraud_calls: Option<bool>,
    names: Option<bool>,
}

/// `GET, PUT /sandbox/permissions/{country}`: the main account's.
pub(super) fn permissions(world: &World, request: &Request, iso: &str) -> Response {
    let hint = "PUT /sandbox/permissions/DE {\"messages\"?, \"calls\"?, \"special_calls\"?, \
                \"tollfraud_calls\"?, \"names\"?: true or false}";
    let Some(country) = find(iso) else { return complaint(404, "no such country", hint) };
    match request.method {
        Method::GET => {}
        Method::PUT => match request.json() {
            Ok(permitted) => world.change(|state| permit(world, state, country, &permitted)),
            Err(error) => return complaint(400, &error.to_string(), hint),
        },
        _ => return not_allowed("GET, PUT"),
    }
    json_reply(200, &world.with(|state| shown(world, state, country)))
}

fn permit(world: &World, state: &mut State, country: &Country, permitted: &Permitted) {
    let (account, permissions) = (&world.settings.account_sid, &mut state.permissions);
    if let Some(may) = permitted.messages {
        permissions.set_writing(account, country, may);
    }
    if let Some(takes) = permitted.names {
        permissions.set_names(country, takes);
    }
    let old = permissions.dialing(account, account, country);
    let new = Dialing {
        low_risk: permitted.calls.unwrap_or(old.low_risk),
        special: permitted.special_calls.unwrap_or(old.special),
        tollfraud: permitted.tollfraud_calls.unwrap_or(old.tollfraud),
    };
    permissions.set_dialing(account, country, new);
}

fn shown(world: &World, state: &State, country: &Country) -> Value {
    let account = &world.settings.account_sid;
    let dialing = state.permissions.dialing(account, account, country);
    json!({
        "country": country.iso,
        "name": country.name,
        "messages": state.permissions.writes_to(account, country),
        "calls": dialing.low_risk,
        "special_calls": dialing.special,
        "tollfraud_calls": dialing.tollfraud,
        "names": state.permissions.takes_names(country),
    })
}
