//! The Accounts resource: the one account that there is. It can be read and
//! renamed; it is never suspended or closed, and has no subaccounts.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome, Proof};
use crate::sandbox::api::paging::page;
use crate::sandbox::incoming::Form;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use crate::sandbox::world::World;
use serde_json::{Value, json};

/// What the account is called until somebody renames it.
const NAME: &str = "Dialback sandbox";
/// The longest name, in characters.
const NAME_LENGTH: usize = 64;

/// `GET Accounts.json`
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (query, document) = (ask.query(), document(ask.world, ask.caller.proof));
    let same = |name, field: &str| query.get(name).is_none_or(|wanted| document[field] == wanted);
    let is_wanted = same("FriendlyName", "friendly_name") && same("Status", "status");
    let rows: Vec<&Value> = is_wanted.then_some(&document).into_iter().collect();
    let sid = |row: &Value| row["sid"].as_str().unwrap_or_default().to_owned();
    page(ask.request, "accounts", &rows, sid, Value::clone).map(Done::Found)
}

/// `GET Accounts/{sid}.json`
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    Ok(Done::Found(document(ask.world, ask.caller.proof)))
}

/// `POST Accounts/{sid}.json`: a new `FriendlyName`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    match form.get("Status") {
        None | Some("active") => {}
        Some("suspended" | "closed") => {
            let why = "Parameter 'Status' of a main account can only be active: only subaccounts can be suspended or closed";
            return Err(Refusal::bad(20001, why));
        }
        Some(other) => {
            return Err(Refusal::bad(20001, format!("Invalid parameter value for Status: {other}")));
        }
    }
    if let Some(name) = name(&form)? {
        let now = ask.world.clock.now();
        ask.world.change(|state| state.account.renamed = Some((name, now)));
    }
    fetch(ask)
}

/// The `FriendlyName` that was given, if one was.
///
/// # Errors
/// 20001 when it is too long.
pub(super) fn name(form: &Form) -> Result<Option<String>, Refusal> {
    match form.get("FriendlyName") {
        Some(name) if name.chars().count() > NAME_LENGTH => {
            let why = format!("Parameter 'FriendlyName' has {NAME_LENGTH} characters at most");
            Err(Refusal::bad(20001, why))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// The account's document. Its token is shown to who has it already, and not to
/// who came with a key.
fn document(world: &World, proof: Proof) -> Value {
    let sid = &world.settings.account_sid;
    let renamed = world.with(|state| state.account.renamed.clone());
    let (name, updated) = renamed.unwrap_or_else(|| (NAME.to_owned(), world.born));
    let base = format!("/2010-04-01/Accounts/{sid}");
    json!({
        "auth_token": (proof == Proof::Token).then(|| world.settings.auth_token.expose()),
        "date_created": rfc2822(world.born),
        "date_updated": rfc2822(updated),
        "friendly_name": name,
        "owner_account_sid": sid,
        "sid": sid,
        "status": "active",
        // Twilio names two dozen; these are here.
        "subresource_uris": {
            "calls": format!("{base}/Calls.json"),
            "keys": format!("{base}/Keys.json"),
            "messages": format!("{base}/Messages.json"),
        },
        "type": "Full",
        "uri": format!("{base}.json"),
    })
}
