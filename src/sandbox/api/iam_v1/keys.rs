//! The Keys resource of `iam.twilio.com`: the same keys as the 2010 API's, with a
//! policy, which no key here has: every key may do everything of its account.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::core::keys::{changed, dates, made, removed};
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::list as newer;
use crate::sandbox::key::Key;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// `GET /v1/Keys?AccountSid=`: that account's keys, youngest first, without their secrets.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let account = account(ask, query.get("AccountSid"))?;
    ask.world.with(|state| {
        let rows: Vec<&Key> = state.keys.of(account).collect();
        newer(ask.request, "keys", &rows, |row| row.sid.clone(), listed).map(Done::Found)
    })
}

/// `POST /v1/Keys`. This answer alone has the secret.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let account = account(ask, form.get("AccountSid"))?;
    if form.get("KeyType").is_some() || form.get("Policy").is_some() {
        return Err(Refusal::bad(20001, "Restricted keys are not played here: leave out KeyType and Policy"));
    }
    let key = made(ask, account)?;
    let mut document = document(&key);
    document["secret"] = json!(key.secret.expose());
    ask.world.change(|state| state.keys.push(key.sid.clone(), key));
    Ok(Done::Created(document))
}

/// `GET /v1/Keys/{sid}`: a key of any account that the caller sees, without its secret.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let holder = holder(ask)?;
    let found = ask.world.with(|state| state.keys.its(&holder, ask.sid()).map(document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST /v1/Keys/{sid}`: a new `FriendlyName`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    changed(ask, &holder(ask)?, document)
}

/// `DELETE /v1/Keys/{sid}`: the key opens nothing any more, and the 2010 API has it no more either.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    removed(ask, &holder(ask)?)
}

/// The account that is named: the caller's, or one of its sub-accounts.
fn account<'a>(ask: &'a Ask<'_>, named: Option<&'a str>) -> Result<&'a str, Refusal> {
    let sid = named.ok_or_else(|| Refusal::bad(20001, "Parameter 'AccountSid' is required"))?;
    let seen = ask.world.with(|state| state.accounts.seen(ask.account, sid).is_some());
    if seen { Ok(sid) } else { Err(Refusal::unauthorized("Authenticate")) }
}

/// The account that a key is of, if the caller sees that account.
fn holder(ask: &Ask<'_>) -> Result<String, Refusal> {
    let holder = ask.world.with(|state| {
        let key = state.keys.get(ask.sid())?;
        let seen = state.accounts.seen(ask.account, &key.account).is_some();
        seen.then(|| key.account.clone())
    });
    holder.ok_or_else(|| ask.missing())
}

fn listed(key: &Key) -> Value {
    let mut document = dates(key);
    document["flags"] = json!(["rest_api", "signing"]);
    document
}

fn document(key: &Key) -> Value {
    let mut document = dates(key);
    document["policy"] = Value::Null;
    document
}
