//! What the controls and the page show of things, as JSON.

use super::account::Account;
use super::number_views;
use super::phone::Phone;
use super::service::Service;
use super::shown::{call_view, message_view};
use super::world::{State, World};
use serde_json::{Value, json};

/// Every phone in brief.
pub(super) fn phones(state: &State) -> Value {
    let brief = state.phones.values().map(|phone| {
        let calls = phone.calls.iter().filter_map(|sid| state.calls.get(sid));
        json!({
            "number": phone.number,
            "messages": phone.texts.len(),
            "unread": phone.unread(),
            "calls": phone.calls.len(),
            "live_call": calls.rev().find(|call| !call.status.is_over()).map(|call| &call.sid),
            "behaviour": phone.behaviour,
        })
    });
    brief.collect()
}

/// A phone with its conversation and its calls.
pub(super) fn phone_view(state: &State, phone: &Phone) -> Value {
    let texts: Vec<Value> = phone.texts.iter().map(|text| text.document()).collect();
    let calls: Vec<Value> =
        phone.calls.iter().filter_map(|sid| state.calls.get(sid)).map(call_view).collect();
    let opted: Vec<&String> = state.opted_out.of(&phone.number).collect();
    json!({
        "number": phone.number,
        "behaviour": phone.behaviour,
        "effective_behaviour": phone.behaviour.over(&state.behaviour),
        "opted_out_of": opted,
        "peer": phone.peer,
        "unread": phone.unread(),
        "messages": texts,
        "calls": calls,
    })
}

/// Everything the page needs to draw itself, before it listens to events.
pub(super) fn snapshot(world: &World, state: &State) -> Value {
    let settings = &world.settings;
    json!({
        "account_sid": settings.account_sid,
        "accounts": state.accounts.newest_first().map(account_view).collect::<Vec<_>>(),
        "own_numbers": settings.own_numbers,
        "senders": settings.senders,
        "limits": state.limits.wishes,
        "pumping": state.pumping.protection,
        "services": state.services.newest_first().map(service_view).collect::<Vec<_>>(),
        "sender": world.sender(&settings.account_sid, false).number,
        "numbers": number_views::all(state),
        "app": state.app.is_some(),
        "verify": state.verify.is_some(),
        "inbound": state.inbound,
        "behaviour": state.behaviour,
        "templates": state.templates.document(),
        "clock": clock_view(world),
        "phones": state.phones.values().map(|phone| phone_view(state, phone)).collect::<Vec<_>>(),
        "messages": state.messages.newest_first().take(200).map(message_view).collect::<Vec<_>>(),
        "alerts": state.alerts.iter().rev().take(50).map(|alert| alert.document()).collect::<Vec<_>>(),
    })
}

/// An account, without its tokens.
fn account_view(account: &Account) -> Value {
    json!({ "sid": account.sid, "friendly_name": account.name, "status": account.status.word() })
}

/// A messaging service and its senders.
fn service_view(service: &Service) -> Value {
    let senders: Vec<&String> = service.pool.iter().map(|sender| &sender.address).collect();
    json!({
        "sid": service.sid,
        "account_sid": service.account,
        "friendly_name": service.options.name,
        "senders": senders,
    })
}

/// The clock's time, and whether it is stopped.
pub(super) fn clock_view(world: &World) -> Value {
    json!({ "now": world.clock.now().to_string(), "stopped": world.clock.is_stopped() })
}
