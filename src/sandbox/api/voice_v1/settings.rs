//! Whether a sub-account has the voice permissions of the account it belongs to.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// `GET /v1/Settings`: whether the account has the permissions of the one it belongs to.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    Ok(Done::Found(document(ask)))
}

/// `POST /v1/Settings`, which is accepted rather than done.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let inherits = match form.get("DialingPermissionsInheritance") {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("true") => Some(true),
        Some(word) if word.eq_ignore_ascii_case("false") => Some(false),
        Some(word) => {
            let why = format!("Invalid parameter value for DialingPermissionsInheritance: {word}");
            return Err(Refusal::bad(20001, why));
        }
    };
    if let Some(inherits) = inherits {
        ask.world.change(|state| state.permissions.set_inherits(ask.account, inherits));
    }
    Ok(Done::Accepted(document(ask)))
}

fn document(ask: &Ask<'_>) -> Value {
    let inherits = ask.world.with(|state| {
        let owner = state.accounts.get(ask.account).map_or(ask.account, |account| account.owner.as_str());
        state.permissions.inherits(ask.account, owner)
    });
    json!({ "dialing_permissions_inheritance": inherits, "url": format!("{}/v1/Settings", ask.request.base()) })
}
