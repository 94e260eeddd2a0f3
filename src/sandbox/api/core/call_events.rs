//! The Events of a call: the requests that were made for it, and their answers.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::exchanges::Exchange;
use crate::sandbox::resource::rfc2822;
use serde_json::{Map, Value, json};

/// `GET Calls/{CallSid}/Events.json`: the webhooks of one call with their answers, newest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let call = ask.part("CallSid");
    ask.world.with(|state| {
        if state.calls.its(ask.account, call).is_none() {
            return Err(ask.missing());
        }
        let made = |one: &&Exchange| one.sid.as_deref() == Some(call) && one.webhook.is_some();
        let rows: Vec<&Exchange> = state.exchanges.newest_first().filter(made).collect();
        page(ask.request, "events", &rows, |one| one.id.to_string(), document).map(Done::Found)
    })
}

fn document(one: &Exchange) -> Value {
    let params = one.webhook.iter().flat_map(|webhook| &webhook.params);
    let params: Map<String, Value> =
        params.map(|(name, value)| (name.clone(), value.clone().into())).collect();
    json!({
        "request": { "method": one.method, "url": one.url, "parameters": params },
        "response": {
            "response_code": one.status,
            "request_duration": one.ms,
            "response_body": one.answer,
            "date_created": rfc2822(one.at),
        },
    })
}
