//! The Subscriptions resource: which types of events a sink is sent.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::sandbox::sinks::Subscription;
use crate::sandbox::streams::TYPES;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `POST Subscriptions`: a new subscription of a sink to `Types`, each an object in JSON.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, form) = (ask.world, ask.form());
    let needed = |name: &str| {
        form.get(name).ok_or_else(|| Refusal::bad(20001, format!("Missing required parameter {name}")))
    };
    let (description, sink) = (needed("Description")?, needed("SinkSid")?);
    let mut types = BTreeMap::new();
    for text in form.all("Types") {
        let wrong = || Refusal::bad(20001, format!("Invalid parameter value for Types: {text}"));
        let one: Value = serde_json::from_str(&text).map_err(|_| wrong())?;
        let kind = one["type"].as_str().ok_or_else(wrong)?;
        types.insert(known(kind)?, one["schema_version"].as_u64().unwrap_or(1));
    }
    if types.is_empty() {
        return Err(Refusal::bad(20001, "Missing required parameter Types"));
    }
    if world.with(|state| state.streams.sinks.its(ask.account, sink).is_none()) {
        return Err(Refusal::bad(20001, format!("Invalid parameter value for SinkSid: {sink}")));
    }
    let now = world.clock.now();
    let subscription = Subscription {
        sid: world.sid("DF"),
        account: ask.account.to_owned(),
        description: description.to_owned(),
        sink: sink.to_owned(),
        types,
        created: now,
        updated: now,
    };
    let shown = document(ask, &subscription);
    world.change(|state| state.streams.subscriptions.push(subscription.sid.clone(), subscription));
    Ok(Done::Created(shown))
}

/// A type of event that is sent here.
///
/// # Errors
/// 20001 for another.
pub(super) fn known(kind: &str) -> Result<String, Refusal> {
    let known = TYPES.contains(&kind).then(|| kind.to_owned());
    known.ok_or_else(|| Refusal::bad(20001, format!("Invalid event type: {kind}: GET /v1/Types lists them")))
}

/// `GET Subscriptions`: the account's, youngest first, all or those of one `SinkSid`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let sink = query.get("SinkSid");
    ask.world.with(|state| {
        let wanted = |one: &&Subscription| sink.is_none_or(|sink| sink == one.sink);
        let rows: Vec<&Subscription> = state.streams.subscriptions.of(ask.account).filter(wanted).collect();
        paging::list(ask.request, "subscriptions", &rows, |one| one.sid.clone(), |one| document(ask, one))
            .map(Done::Found)
    })
}

/// `GET Subscriptions/{Sid}`: one subscription; its types are behind a link.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask
        .world
        .with(|state| state.streams.subscriptions.its(ask.account, ask.sid()).map(|one| document(ask, one)));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Subscriptions/{Sid}`: a new `Description`; its sink and types stay.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (form, now) = (ask.form(), ask.world.clock.now());
    ask.world.change(|state| {
        let one = state.streams.subscriptions.its_mut(ask.account, ask.sid());
        if let Some((one, description)) = one.zip(form.get("Description")) {
            (one.description, one.updated) = (description.to_owned(), now);
        }
    });
    fetch(ask)
}

/// `DELETE Subscriptions/{Sid}`: takes it away; its sink stays.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = ask.world.change(|state| state.streams.subscriptions.remove_its(ask.account, ask.sid()));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

fn document(ask: &Ask<'_>, one: &Subscription) -> Value {
    let url = format!("{}/v1/Subscriptions/{}", ask.request.base(), one.sid);
    json!({
        "account_sid": one.account,
        "sid": one.sid,
        "date_created": iso8601(one.created),
        "date_updated": iso8601(one.updated),
        "description": one.description,
        "sink_sid": one.sink,
        "url": url,
        "links": { "subscribed_events": format!("{url}/SubscribedEvents") },
    })
}
