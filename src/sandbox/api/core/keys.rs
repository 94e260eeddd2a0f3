//! The Keys resource: API keys that are made here and then open the REST API
//! like the account's token, until they are deleted.

use super::accounts::name;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::key::Key;
use crate::sandbox::resource::rfc2822;
use crate::secret::Secret;
use serde_json::{Value, json};

/// `POST Keys.json`. This answer alone has the secret.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let world = ask.world;
    let now = world.clock.now();
    let key = Key {
        sid: world.sid("SK"),
        secret: Secret::new(world.entropy.hex::<16>()),
        name: name(&ask.form())?.unwrap_or_default(),
        created: now,
        updated: now,
    };
    let mut document = key.document();
    document["secret"] = json!(key.secret.expose());
    world.change(|state| state.keys.push(key.sid.clone(), key));
    Ok(Done::Created(document))
}

/// `GET Keys.json`
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    ask.world.with(|state| {
        let rows: Vec<&Key> = state.keys.newest_first().collect();
        page(ask.request, "keys", &rows, |row| row.sid.clone(), Key::document).map(Done::Found)
    })
}

/// `GET Keys/{sid}.json`
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| Some(Done::Found(state.keys.get(ask.sid())?.document())));
    found.ok_or_else(|| ask.missing())
}

/// `POST Keys/{sid}.json`: a new `FriendlyName`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (name, now) = (name(&ask.form())?, ask.world.clock.now());
    let changed = ask.world.change(|state| {
        let key = state.keys.get_mut(ask.sid())?;
        if let Some(name) = name {
            (key.name, key.updated) = (name, now);
        }
        Some(Done::Found(key.document()))
    });
    changed.ok_or_else(|| ask.missing())
}

/// `DELETE Keys/{sid}.json`: it opens nothing any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = ask.world.change(|state| state.keys.remove(ask.sid()));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

impl Key {
    fn document(&self) -> Value {
        json!({
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "friendly_name": self.name,
            "sid": self.sid,
        })
    }
}
