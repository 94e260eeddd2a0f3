//! The Keys resource: API keys that are made here and then open the REST API
//! like the account's token, until they are deleted.

use super::accounts::name;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::key::Key;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use crate::secret::Secret;
use serde_json::{Value, json};

/// `POST Keys.json`. This answer alone has the secret.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let key = made(ask, ask.account)?;
    let mut document = dates(&key);
    document["secret"] = json!(key.secret.expose());
    ask.world.change(|state| state.keys.push(key.sid.clone(), key));
    Ok(Done::Created(document))
}

/// A new key of an account, not kept yet.
pub(in crate::sandbox::api) fn made(ask: &Ask<'_>, account: &str) -> Result<Key, Refusal> {
    let (world, now) = (ask.world, ask.world.clock.now());
    Ok(Key {
        sid: world.sid("SK"),
        account: account.to_owned(),
        secret: Secret::new(world.entropy.hex::<16>()),
        name: name(&ask.form())?.unwrap_or_default(),
        created: now,
        updated: now,
    })
}

/// `GET Keys.json`: the account's keys, youngest first, without their secrets.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    ask.world.with(|state| {
        let rows: Vec<&Key> = state.keys.of(ask.account).collect();
        page(ask.request, "keys", &rows, |row| row.sid.clone(), dates).map(Done::Found)
    })
}

/// `GET Keys/{sid}.json`: one key's name and dates, without its secret.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.keys.its(ask.account, ask.sid()).map(dates));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Keys/{sid}.json`: a new `FriendlyName`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    changed(ask, ask.account, dates)
}

/// Gives a key of an account another name.
pub(in crate::sandbox::api) fn changed(
    ask: &Ask<'_>,
    account: &str,
    document: impl Fn(&Key) -> Value,
) -> Outcome {
    let (name, now) = (name(&ask.form())?, ask.world.clock.now());
    let changed = ask.world.change(|state| {
        let key = state.keys.its_mut(account, ask.sid())?;
        if let Some(name) = name {
            (key.name, key.updated) = (name, now);
        }
        Some(Done::Found(document(key)))
    });
    changed.ok_or_else(|| ask.missing())
}

/// `DELETE Keys/{sid}.json`: it opens nothing any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    removed(ask, ask.account)
}

/// Takes a key of an account away.
pub(in crate::sandbox::api) fn removed(ask: &Ask<'_>, account: &str) -> Outcome {
    let gone = ask.world.change(|state| state.keys.remove_its(account, ask.sid()));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// What every document of a key says.
pub(in crate::sandbox::api) fn dates(key: &Key) -> Value {
    json!({
        "date_created": rfc2822(key.created),
        "date_updated": rfc2822(key.updated),
        "friendly_name": key.name,
        "sid": key.sid,
    })
}
