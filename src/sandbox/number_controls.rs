//! `/sandbox/numbers`: which numbers accounts have, and what a tester makes of them.
//!
//! It refuses to know Twilio's rules: here every number can be had, and be anything.

use super::address::{in_path, is_short_code};
use super::call;
use super::incoming::{Request, complaint, empty, json_reply, not_allowed};
use super::number::{Capabilities, Number};
use super::number_views::{all, one, tell_numbers};
use super::validation;
use super::world::{Control, State, World};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use warp::http::Method;
use warp::reply::Response;

/// What can be sent.
const HINT: &str = "send {\"account_sid\"?, \"friendly_name\"?, \"capabilities\"?: {\"voice\", \"sms\", \
                    \"mms\"}, \"registered\"?, \"unreachable\"?: [\"+44\"], \"not_permitted\"?: [\"+44\"]}";
/// The most beginnings of numbers that one number cannot reach, or may not.
const BEGINNINGS: usize = 300;

/// Answers `/sandbox/numbers` and below.
pub(super) fn answer(world: &Arc<World>, request: &Request, rest: &[&str]) -> Response {
    let (number, rest) = match rest {
        [] if request.method == Method::GET => return json_reply(200, &world.with(|state| all(state))),
        [] => return not_allowed("GET"),
        [number, rest @ ..] => (named(number), rest),
    };
    let Some(number) = number else {
        return complaint(400, "not a number", "use E.164, such as +15551234567, or a short code");
    };
    match (&request.method, rest) {
        (&Method::GET, []) => match world.with(|state| one(state, &number)) {
            Some(view) => json_reply(200, &view),
            None => complaint(404, "nobody owns this number", "PUT makes it the account's"),
        },
        (&Method::PUT, []) => set(world, request, &number),
        (&Method::DELETE, []) => release(world, &number),
        (_, []) => not_allowed("GET, PUT, DELETE"),
        (&Method::POST, ["validate"]) => validate(world, request, &number),
        (_, ["validate"]) => not_allowed("POST"),
        _ => complaint(404, "no such control", "a number has validate"),
    }
}

fn named(text: &str) -> Option<String> {
    if is_short_code(text) { Some(text.to_owned()) } else { in_path(text) }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NumberChange {
    account_sid: Option<String>,
    friendly_name: Option<String>,
    capabilities: Option<Capabilities>,
    registered: Option<bool>,
    unreachable: Option<Vec<String>>,
    not_permitted: Option<Vec<String>>,
}

impl NumberChange {
    fn problem(&self, state: &State, is_code: bool) -> Option<&'static str> {
        let lists = [&self.unreachable, &self.not_permitted];
        let mut starts = lists.into_iter().flatten().flatten();
        let is_start = |text: &String| {
            text.strip_prefix('+').is_some_and(|rest| {
                (1..=15).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let about_code = is_code
            && (self.capabilities.is_some()
                || self.registered.is_some()
                || lists.into_iter().any(Option::is_some));
        if about_code {
            return Some("a short code has an account_sid and a friendly_name only");
        }
        if lists.into_iter().flatten().any(|list| list.len() > BEGINNINGS) || !starts.all(is_start) {
            return Some("unreachable and not_permitted are up to 300 beginnings of numbers, such as +44");
        }
        if self.friendly_name.as_ref().is_some_and(|name| name.chars().count() > 64) {
            return Some("friendly_name has 64 characters at most");
        }
        let unknown = self.account_sid.as_ref().is_some_and(|sid| state.accounts.get(sid).is_none());
        unknown.then_some("there is no such account")
    }

    fn apply(self, own: &mut Number, now: Timestamp) {
        own.account = self.account_sid.unwrap_or_else(|| own.account.clone());
        own.name = self.friendly_name.unwrap_or_else(|| own.name.clone());
        own.capabilities = self.capabilities.unwrap_or(own.capabilities);
        own.registered = self.registered.unwrap_or(own.registered);
        own.unreachable = self.unreachable.unwrap_or_else(|| own.unreachable.clone());
        own.not_permitted = self.not_permitted.unwrap_or_else(|| own.not_permitted.clone());
        own.updated = now;
    }
}

/// Changes what the request names, of a number that is made the account's if need be.
fn set(world: &World, request: &Request, number: &str) -> Response {
    let wish: NumberChange = match request.json() {
        Ok(wish) => wish,
        Err(error) => return complaint(400, &error.to_string(), HINT),
    };
    let is_code = is_short_code(number);
    if let Some(problem) = world.with(|state| wish.problem(state, is_code)) {
        return complaint(400, problem, HINT);
    }
    let sid = world.sid(if is_code { "SC" } else { "PN" });
    let (now, main) = (world.clock.now(), world.settings.account_sid.clone());
    let view = world.change(|state| {
        if is_code {
            set_code(state, sid, main, number, wish, now)
        } else {
            set_number(state, sid, main, number, wish, now)
        }
        one(state, number)
    });
    tell_numbers(world);
    json_reply(200, &json!(view))
}

fn set_code(state: &mut State, sid: String, main: String, code: &str, wish: NumberChange, now: Timestamp) {
    let numbers = &mut state.numbers;
    if numbers.code(code).is_none() {
        numbers.add_code(sid, main, code.to_owned(), now);
    }
    if let Some(code) = numbers.codes.find_mut(code) {
        code.account = wish.account_sid.unwrap_or_else(|| code.account.clone());
        code.name = wish.friendly_name.unwrap_or_else(|| code.name.clone());
        code.updated = now;
    }
}

fn set_number(
    state: &mut State,
    sid: String,
    main: String,
    number: &str,
    wish: NumberChange,
    now: Timestamp,
) {
    let numbers = &mut state.numbers;
    if numbers.find(number).is_none() {
        numbers.owned.push(Number::new(sid, main, number.to_owned(), now));
    }
    if let Some(own) = numbers.owned.find_mut(number) {
        wish.apply(own, now);
    }
}

fn release(world: &World, number: &str) -> Response {
    let gone = world.change(|state| {
        let numbers = &mut state.numbers;
        numbers.owned.remove_named(number).is_some() || numbers.codes.remove_named(number).is_some()
    });
    if !gone {
        return complaint(404, "nobody owns this number", "GET /sandbox/numbers lists those that are owned");
    }
    tell_numbers(world);
    empty(204)
}

/// Proves a number without its telephone: the account may call from it.
fn validate(world: &World, request: &Request, number: &str) -> Response {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Proof {
        account_sid: Option<String>,
        code: Option<String>,
    }
    let hint = "send {\"account_sid\"?, \"code\"?}; without a code it is taken for typed";
    let proof: Proof = match request.json() {
        Ok(proof) => proof,
        Err(error) => return complaint(400, &error.to_string(), hint),
    };
    if is_short_code(number) {
        return complaint(400, "a short code cannot be called from", hint);
    }
    let account = proof.account_sid.unwrap_or_else(|| world.settings.account_sid.clone());
    let pending = world.with(|state| {
        state.accounts.get(&account)?;
        let mut open = state.numbers.validations.of(&account);
        Some(open.find(|open| open.number == number).map(|open| open.call.clone()))
    });
    let sid = match (pending, proof.code) {
        (None, _) => return complaint(404, "there is no such account", hint),
        (Some(Some(call)), code) => {
            let sid = validation::accept(world, &call, code.as_deref());
            if sid.is_some() {
                // Who was asked has answered.
                call::control(world, &call, Control::Complete);
            }
            sid
        }
        (Some(None), Some(_)) => return complaint(409, "nobody asks for a code of this number", hint),
        (Some(None), None) => {
            let (sid, now) = (world.sid("PN"), world.clock.now());
            let number = number.to_owned();
            let sid = world.change(|state| validation::verify(state, sid, account, number, None, now));
            tell_numbers(world);
            Some(sid)
        }
    };
    match sid {
        Some(sid) => json_reply(200, &json!({ "number": number, "sid": sid, "validated": true })),
        None => complaint(409, "the code is another one", "GET /sandbox/numbers shows it"),
    }
}
