//! The controls of what the account's records say: look-ups and prices.

use super::address::in_path;
use super::incoming::{Request, complaint, empty, json_reply, not_allowed};
use super::prices::Tariff;
use super::world::World;
use serde_json::Value;
use warp::http::Method;
use warp::reply::Response;

/// Answers `/sandbox/lookups`, of all numbers, and `/sandbox/lookups/{number}`.
pub(super) fn lookups(world: &World, request: &Request, rest: &[&str]) -> Response {
    let number = match rest {
        [] => None,
        [number] => match in_path(number) {
            Some(number) => Some(number),
            None => return complaint(400, "not a phone number", "use E.164, such as +15551234567"),
        },
        _ => return complaint(404, "no such control", "GET /sandbox lists them"),
    };
    let number = number.as_deref();
    match request.method {
        Method::GET => json_reply(200, &world.with(|state| state.lookups.document(number))),
        Method::PUT => {
            let said: Value = match request.json() {
                Ok(said) => said,
                Err(error) => return complaint(400, &error.to_string(), "send a JSON object of fields"),
            };
            match world.change(|state| state.lookups.set(number, &said)) {
                Ok(()) => json_reply(200, &said),
                Err(why) => complaint(400, why, "send fields such as {\"sim_swap\":{…}, \"valid\":true}"),
            }
        }
        Method::DELETE => {
            world.change(|state| state.lookups.forget(number));
            empty(204)
        }
        _ => not_allowed("GET, PUT, DELETE"),
    }
}

/// Answers `/sandbox/prices` and `/sandbox/prices/{country}`, `*` being all that
/// have no prices of their own.
pub(super) fn prices(world: &World, request: &Request, rest: &[&str]) -> Response {
    let country = match rest {
        [] if request.method == Method::GET => {
            return json_reply(200, &world.with(|state| state.prices.document()));
        }
        [] => return not_allowed("GET"),
        [country] => country.to_ascii_uppercase(),
        _ => return complaint(404, "no such control", "GET /sandbox lists them"),
    };
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_country && country != "*" {
        return complaint(400, "not a country", "use an ISO 3166 code, such as DE, or * for all");
    }
    let shown = || json_reply(200, &world.with(|state| state.prices.of(&country).document()));
    let hint = "send {\"sms\"?:[\"OUT\",\"IN\"], \"mms\"?, \"whatsapp\"?, \"voice\"?} in dollars, as texts";
    match request.method {
        Method::GET => shown(),
        Method::PUT => match request.json::<Tariff>() {
            Err(error) => complaint(400, &error.to_string(), hint),
            Ok(tariff) if world.change(|state| state.prices.set(&country, &tariff)) => shown(),
            Ok(_) => complaint(400, "not an amount", hint),
        },
        Method::DELETE => {
            world.change(|state| state.prices.forget(&country));
            empty(204)
        }
        _ => not_allowed("GET, PUT, DELETE"),
    }
}
