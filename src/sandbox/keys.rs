//! The Keys resource: API keys that are made here and then open the REST API
//! like the account's token, until they are deleted.

use super::accounts::name;
use super::incoming::{Form, Request};
use super::key::Key;
use super::outcome::{Done, Outcome};
use super::paging::page;
use super::refusal::Refusal;
use super::resource::rfc2822;
use super::world::World;
use crate::secret::Secret;
use serde_json::{Value, json};

/// Whether this is a key that was made here, with its secret.
pub(super) fn opens(world: &World, user: &str, password: &Secret) -> bool {
    world.with(|state| state.keys.get(user).is_some_and(|key| key.secret == *password))
}

/// `POST Keys.json`. This answer alone has the secret.
pub(super) fn create(world: &World, form: &Form) -> Outcome {
    let now = world.clock.now();
    let key = Key {
        sid: world.sid("SK"),
        secret: Secret::new(world.entropy.hex::<16>()),
        name: name(form)?.unwrap_or_default(),
        created: now,
        updated: now,
    };
    let mut document = key.document();
    document["secret"] = json!(key.secret.expose());
    world.change(|state| state.keys.push(key.sid.clone(), key));
    Ok(Done::Created(document))
}

/// `GET Keys.json`
pub(super) fn list(world: &World, request: &Request) -> Outcome {
    world.with(|state| {
        let rows: Vec<&Key> = state.keys.newest_first().collect();
        page(request, "keys", &rows, |row| row.sid.clone(), Key::document).map(Done::Found)
    })
}

/// `GET Keys/{sid}.json`; nothing when there is no such key.
pub(super) fn fetch(world: &World, sid: &str) -> Option<Done> {
    world.with(|state| Some(Done::Found(state.keys.get(sid)?.document())))
}

/// `POST Keys/{sid}.json`: a new `FriendlyName`.
pub(super) fn update(world: &World, sid: &str, form: &Form) -> Result<Option<Done>, Refusal> {
    let (name, now) = (name(form)?, world.clock.now());
    Ok(world.change(|state| {
        let key = state.keys.get_mut(sid)?;
        if let Some(name) = name {
            (key.name, key.updated) = (name, now);
        }
        Some(Done::Found(key.document()))
    }))
}

/// `DELETE Keys/{sid}.json`: it opens nothing any more.
pub(super) fn delete(world: &World, sid: &str) -> Option<Done> {
    world.change(|state| state.keys.remove(sid)).map(|_| Done::Gone)
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
