//! The Global Safe List: numbers, or the first digits of a thousand, that fraud
//! checks let through.

use crate::sandbox::address::e164;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::safe::{Safe, find, remove};
use serde_json::{Value, json};

/// `POST /v1/SafeList/Numbers`. A number that is there already stays once.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let number = number(ask.form().get("PhoneNumber"))?;
    let known = ask.world.with(|state| find(&state.safe, ask.account, &number).map(document));
    if let Some(known) = known {
        return Ok(Done::Created(known));
    }
    let safe = Safe { sid: ask.world.sid("GN"), account: ask.account.to_owned(), number };
    let document = document(&safe);
    ask.world.change(|state| state.safe.push(safe));
    Ok(Done::Created(document))
}

/// `GET /v1/SafeList/Numbers?PhoneNumber=`: the number with its `GN…` when it is on the list, else 20404.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let number = number(ask.query().get("PhoneNumber"))?;
    let found = ask.world.with(|state| find(&state.safe, ask.account, &number).map(document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `DELETE /v1/SafeList/Numbers?PhoneNumber=`: takes the number off the list; 20404 when it is not on it.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let number = number(ask.query().get("PhoneNumber"))?;
    let gone = ask.world.change(|state| remove(&mut state.safe, ask.account, &number));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

fn number(given: Option<&str>) -> Result<String, Refusal> {
    let text = given.ok_or_else(|| Refusal::bad(20001, "Missing required parameter PhoneNumber"))?;
    // The plus of a query that was not encoded has become a space.
    let plus = text.trim().trim_start_matches('+');
    // Of a thousand numbers the first digits are shorter than a number may be.
    let digits = plus.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = (digits && (4..=15).contains(&plus.len())).then(|| format!("+{plus}"));
    e164(text).or(prefix).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        Refusal::bad(20001, format!("Invalid parameter value for PhoneNumber: {shown}"))
    })
}

fn document(safe: &Safe) -> Value {
    json!({ "phone_number": safe.number, "sid": safe.sid })
}
