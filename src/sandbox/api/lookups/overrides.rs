//! The Overrides of Lookups v2: an account's word on the type of a line, which its
//! look-ups tell from then on.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::line_types::{LINE_TYPES, Override};
use crate::sandbox::lookups::Asked;
use crate::sandbox::numbering::lookup::look_up;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use serde_json::{Value, json};

/// The one field that has an override.
const FIELD: &str = "line_type_intelligence";
/// The longest reason, in characters.
const REASON: usize = 1_000;

/// `GET PhoneNumbers/{PhoneNumber}/Overrides/{Field}`: what the account says; 20404 when it says nothing.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let number = number(ask)?;
    let found = ask.world.with(|state| state.lookups.line_types.get(ask.account, &number).cloned());
    found.map(|said| Done::Found(document(ask, &number, &said))).ok_or_else(|| ask.missing())
}

/// `POST PhoneNumbers/{PhoneNumber}/Overrides/{Field}`: the account says it, in place of what it said before.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let number = number(ask)?;
    let said = said(ask, &number)?;
    let document = document(ask, &number, &said);
    ask.world.change(|state| state.lookups.line_types.set(ask.account, &number, said));
    Ok(Done::Created(document))
}

/// `PUT PhoneNumbers/{PhoneNumber}/Overrides/{Field}`: says it anew; 20404 when nothing was said.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let number = number(ask)?;
    let old = ask.world.with(|state| state.lookups.line_types.get(ask.account, &number).cloned());
    let old = old.ok_or_else(|| ask.missing())?;
    let said = Override { original: old.original, ..said(ask, &number)? };
    let document = document(ask, &number, &said);
    ask.world.change(|state| state.lookups.line_types.set(ask.account, &number, said));
    Ok(Done::Found(document))
}

/// `DELETE PhoneNumbers/{PhoneNumber}/Overrides/{Field}`: look-ups go by the account's word no more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let number = number(ask)?;
    let gone = ask.world.change(|state| state.lookups.line_types.remove(ask.account, &number));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// The number that is meant, of a field that has overrides.
fn number(ask: &Ask<'_>) -> Result<String, Refusal> {
    let field = ask.part("Field");
    if field != FIELD {
        return Err(Refusal::bad(20001, format!("Invalid parameter value for Field: {field}")));
    }
    let plan = look_up(ask.part("PhoneNumber"), None);
    let said = ask.world.with(|state| state.lookups.valid(&plan.phone_number));
    match said.unwrap_or(plan.is_valid()) {
        true => Ok(plan.phone_number),
        false => Err(Refusal::bad(20001, "Invalid parameter value for PhoneNumber")),
    }
}

fn said(ask: &Ask<'_>, number: &str) -> Result<Override, Refusal> {
    let body: Value = ask.request.json().map_err(|_| Refusal::bad(20001, "The body is not JSON"))?;
    let missing =
        |name: &str| Refusal::bad(20001, format!("Missing required parameter {name} in the post body"));
    let word = body["line_type"].as_str().ok_or_else(|| missing("line_type"))?;
    let line_type = LINE_TYPES.iter().find(|known| **known == word).copied();
    let line_type = line_type
        .ok_or_else(|| Refusal::bad(20001, format!("Invalid parameter value for line_type: {word}")))?;
    let reason = body["reason"].as_str().ok_or_else(|| missing("reason"))?;
    if reason.chars().count() > REASON {
        return Err(Refusal::bad(
            20001,
            format!("Invalid parameter value for reason: {REASON} characters at most"),
        ));
    }
    let none = |_: &str| None;
    let field = ask.world.with(|state| state.lookups.field(FIELD, number, &none));
    let original = field["type"].as_str().unwrap_or("unknown").to_owned();
    Ok(Override { original, line_type, reason: reason.to_owned(), at: ask.world.clock.now() })
}

fn document(ask: &Ask<'_>, number: &str, said: &Override) -> Value {
    json!({
        "phone_number": number,
        "original_line_type": said.original,
        "overridden_line_type": said.line_type,
        "override_reason": said.reason,
        "override_timestamp": iso8601(said.at),
        "overridden_by_account_sid": ask.account,
    })
}

/// A field of a number's, with what the account itself says of the line.
pub(super) fn field_of(ask: &Ask<'_>, name: &str, number: &str, asked: Asked<'_>) -> Value {
    ask.world.with(|state| {
        let mut field = state.lookups.field(name, number, asked);
        if name == FIELD
            && let Some(said) = state.lookups.line_types.get(ask.account, number)
            && let Value::Object(line) = &mut field
        {
            line.insert("type".to_owned(), said.line_type.into());
        }
        field
    })
}
