//! What the controls and the page show of accounts' numbers, as JSON.

use super::address::Address;
use super::number::Number;
use super::numbers::{CallerId, ShortCode};
use super::outgoing;
use super::resource::Hook;
use super::routes;
use super::world::{State, World};
use serde_json::{Value, json};

/// Tells the page which numbers there are.
pub(super) fn tell_numbers(world: &World) {
    world.tell("numbers", world.with(|state| all(state)));
}

/// Every number, for the controls and the page.
pub(super) fn all(state: &State) -> Value {
    let numbers = &state.numbers;
    let validations = numbers.validations.newest_first();
    let validations = validations.filter(|validation| validation.verified.is_none()).map(|validation| {
        json!({
            "number": validation.number,
            "account_sid": validation.account,
            "call_sid": validation.call,
            "code": validation.code,
        })
    });
    json!({
        "numbers": numbers.owned.newest_first().map(|own| view(state, own)).collect::<Vec<_>>(),
        "short_codes": numbers.codes.newest_first().map(|code| code_view(state, code)).collect::<Vec<_>>(),
        "caller_ids": numbers.callers.newest_first().map(caller_view).collect::<Vec<_>>(),
        "validations": validations.collect::<Vec<_>>(),
    })
}

/// One number, or one short code, by its digits.
pub(super) fn one(state: &State, number: &str) -> Option<Value> {
    let numbers = &state.numbers;
    let code = || numbers.code(number).map(|code| code_view(state, code));
    numbers.find(number).map(|own| view(state, own)).or_else(code)
}

fn view(state: &State, own: &Number) -> Value {
    let to = Address { whatsapp: false, number: own.number.clone() };
    json!({
        "number": own.number,
        "sid": own.sid,
        "account_sid": own.account,
        "friendly_name": own.name,
        "type": own.kind.word(),
        "capabilities": own.capabilities,
        "registered": own.registered,
        "unreachable": own.unreachable,
        "not_permitted": own.not_permitted,
        "texts_go_to": routes::of_text(state, &to).map(|route| shown(&route.hook)),
        "calls_go_to": routes::of_call(state, &own.number).map(|route| shown(&route.hook)),
    })
}

fn code_view(state: &State, code: &ShortCode) -> Value {
    let to = Address { whatsapp: false, number: code.code.clone() };
    json!({
        "number": code.code,
        "sid": code.sid,
        "account_sid": code.account,
        "friendly_name": code.name,
        "type": "short-code",
        "texts_go_to": routes::of_text(state, &to).map(|route| shown(&route.hook)),
    })
}

fn caller_view(caller: &CallerId) -> Value {
    json!({
        "number": caller.number,
        "sid": caller.sid,
        "account_sid": caller.account,
        "friendly_name": caller.name,
    })
}

/// Everybody on this machine can read the controls: a password in a URL stays out.
fn shown(hook: &Hook) -> String {
    outgoing::bare(&hook.url).to_string()
}
