//! Lookups v2: what the plan says of a number, and the fields that were asked for.

use super::overrides::field_of;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::lookups::{Asked, FIELDS};
use crate::sandbox::numbering::lookup::look_up;
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

/// The most numbers of one batch.
const BATCH: usize = 100;

/// `GET PhoneNumbers/{PhoneNumber}`: its validity and writings; a field not named in `Fields` is null.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let fields = fields(query.get("Fields").unwrap_or_default().split(','))?;
    let asked = |name: &str| query.get(name).map(str::to_owned);
    let number = ask.part("PhoneNumber");
    let mut document = describe(ask, number, query.get("CountryCode"), &fields, &asked);
    let shown = document["phone_number"].as_str().unwrap_or(number).to_owned();
    let base = ask.request.base();
    document.insert("url".to_owned(), format!("{base}/v2/PhoneNumbers/{shown}").into());
    Ok(Done::Found(Value::Object(document)))
}

/// `POST batch/query`: the same of many, as JSON.
pub(super) fn batch(ask: &Ask<'_>) -> Outcome {
    let wrong = |why: &str| Refusal::bad(20001, why.to_owned());
    let body: Value = ask.request.json().map_err(|_| wrong("The body is not JSON"))?;
    let rows = body["phone_numbers"].as_array().ok_or_else(|| wrong("phone_numbers is required"))?;
    if rows.len() > BATCH {
        return Err(wrong("Too many phone numbers: 100 at most"));
    }
    let mut answers = Vec::new();
    for row in rows {
        let number = row["phone_number"].as_str().ok_or_else(|| wrong("phone_number is required"))?;
        let names = row["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let fields = fields(names.iter().filter_map(Value::as_str))?;
        let asked = |name: &str| {
            let name = snake(name);
            let found = ["identity_match", "reassigned_number"].iter().find_map(|part| row[*part].get(&name));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let mut answer = describe(ask, number, row["country_code"].as_str(), &fields, &asked);
        answer.insert("correlation_id".to_owned(), row["correlation_id"].clone());
        // Twilio publishes a number here, and no null.
        answer.insert("twilio_error_code".to_owned(), 0.into());
        answers.push(Value::Object(answer));
    }
    Ok(Done::Found(json!({ "phone_numbers": answers })))
}

/// `FirstName` as JSON has it: `first_name`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The fields that were asked for; `validation` is always there and no field.
fn fields<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<&'static str>, Refusal> {
    let mut fields = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty() && *name != "validation") {
        let known = FIELDS.iter().find(|field| **field == name);
        fields.push(
            *known
                .ok_or_else(|| Refusal::bad(20001, format!("Invalid parameter value for Fields: {name}")))?,
        );
    }
    Ok(fields)
}

/// What is told of a number. Of an invalid one nothing is known but why.
fn describe(
    ask: &Ask<'_>,
    number: &str,
    country: Option<&str>,
    fields: &[&str],
    asked: Asked<'_>,
) -> Map<String, Value> {
    let plan = look_up(number, country);
    let said = ask.world.with(|state| state.lookups.valid(&plan.phone_number));
    let valid = said.unwrap_or(plan.is_valid());
    let errors = match (valid, plan.is_valid()) {
        (true, _) => Vec::new(),
        (false, true) => vec!["INVALID_BUT_POSSIBLE"],
        (false, false) => plan.validation_errors,
    };
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    put("calling_country_code", json!(plan.calling_country_code));
    put("country_code", json!(plan.country_code));
    put("phone_number", json!(plan.phone_number));
    put("national_format", json!(plan.national_format));
    put("valid", json!(valid));
    put("validation_errors", json!(errors));
    for name in FIELDS {
        let wanted = valid && fields.contains(&name);
        let field = || field_of(ask, name, &plan.phone_number, asked);
        put(name, if wanted { field() } else { Value::Null });
    }
    document
}
