//! The SubscribedEvents resource: one type of event of a subscription.

use super::subscriptions::known;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::sinks::Subscription;
use serde_json::{Value, json};

/// `GET Subscriptions/{SubscriptionSid}/SubscribedEvents`: its types, each with the version of its schema.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let types = change(ask, |one| one.types.clone())?;
    let rows: Vec<(String, u64)> = types.into_iter().collect();
    let rows: Vec<&(String, u64)> = rows.iter().collect();
    let shown = |row: &(String, u64)| document(ask, &row.0, row.1);
    paging::list(ask.request, "types", &rows, |row| row.0.clone(), shown).map(Done::Found)
}

/// `POST Subscriptions/{SubscriptionSid}/SubscribedEvents`: one `Type` more, of version 1 unless it says.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let kind = form.get("Type").ok_or_else(|| Refusal::bad(20001, "Missing required parameter Type"))?;
    let (kind, version) = (known(kind)?, version(ask));
    change(ask, |one| one.types.insert(kind.clone(), version))?;
    Ok(Done::Created(document(ask, &kind, version)))
}

/// `GET Subscriptions/{SubscriptionSid}/SubscribedEvents/{Type}`: one type with its version.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let kind = ask.part("Type");
    let version = change(ask, |one| one.types.get(kind).copied())?.ok_or_else(|| ask.missing())?;
    Ok(Done::Found(document(ask, kind, version)))
}

/// `POST Subscriptions/{SubscriptionSid}/SubscribedEvents/{Type}`: another `SchemaVersion`; unsaid, it is 1.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (kind, version) = (ask.part("Type"), version(ask));
    change(ask, |one| one.types.get_mut(kind).map(|held| *held = version))?.ok_or_else(|| ask.missing())?;
    Ok(Done::Found(document(ask, kind, version)))
}

/// `DELETE Subscriptions/{SubscriptionSid}/SubscribedEvents/{Type}`: takes one type out.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = change(ask, |one| one.types.remove(ask.part("Type")))?;
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

fn version(ask: &Ask<'_>) -> u64 {
    ask.form().get("SchemaVersion").and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn change<R>(ask: &Ask<'_>, change: impl FnOnce(&mut Subscription) -> R) -> Result<R, Refusal> {
    let sid = ask.part("SubscriptionSid");
    let done = ask.world.with(|state| state.streams.subscriptions.its_mut(ask.account, sid).map(change));
    done.ok_or_else(|| ask.missing())
}

fn document(ask: &Ask<'_>, kind: &str, version: u64) -> Value {
    let sid = ask.part("SubscriptionSid");
    json!({
        "account_sid": ask.account,
        "type": kind,
        "schema_version": version,
        "subscription_sid": sid,
        "url": format!("{}/v1/Subscriptions/{sid}/SubscribedEvents/{kind}", ask.request.base()),
    })
}
