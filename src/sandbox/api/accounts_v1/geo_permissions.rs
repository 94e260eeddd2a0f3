//! The geo permissions of messages: to which countries an account may write.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::countries::{Country, countries, find};
use crate::sandbox::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

/// A permission as it shall be.
#[derive(Deserialize)]
struct Wanted {
    country_code: String,
    enabled: bool,
}

/// `GET /v1/Messaging/GeoPermissions?CountryCode=IN,PK`: which the account may write to; without codes, all.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let named = query.get("CountryCode").map(|list| {
        let codes = list.split(',').map(str::trim);
        codes.map(|code| find(code).ok_or_else(|| unknown(code))).collect::<Result<Vec<&Country>, _>>()
    });
    let wanted = named.unwrap_or_else(|| Ok(countries().iter().collect()))?;
    let permissions: Vec<Value> = ask.world.with(|state| {
        let shown = wanted.iter().map(|country| {
            json!({
                "country_code": country.iso,
                "enabled": state.permissions.writes_to(ask.account, country),
                "message": "",
                "prefix": format!("+{}", country.calling_code),
                "type": "country",
            })
        });
        shown.collect()
    });
    Ok(Done::Found(json!({ "permissions": permissions })))
}

/// `PATCH /v1/Messaging/GeoPermissions`: a `Permissions` for each country, in JSON.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let given = ask.form().all("Permissions");
    if given.is_empty() {
        return Err(Refusal::bad(20001, "Missing required parameter Permissions"));
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    for text in &given {
        // One object each, or all of them as one array.
        let one = serde_json::from_str::<Wanted>(text).map(|one| vec![one]);
        let some = one.or_else(|_| serde_json::from_str::<Vec<Wanted>>(text));
        wanted.extend(some.map_err(|error| {
            Refusal::bad(20001, format!("Invalid parameter value for Permissions: {error}"))
        })?);
    }
    let done: Vec<Value> = ask.world.change(|state| {
        let each = wanted.iter().map(|one| {
            let country = find(&one.country_code);
            if let Some(country) = country {
                state.permissions.set_writing(ask.account, country, one.enabled);
            }
            let errors: &[&str] = if country.is_some() { &[] } else { &["Invalid country code"] };
            json!({
                "country_code": country.map_or(one.country_code.as_str(), |country| country.iso),
                "enabled": one.enabled,
                "error_code": if country.is_some() { 0 } else { 20001 },
                "error_messages": errors,
                "type": "country",
            })
        });
        each.collect()
    });
    Ok(Done::Found(json!({ "permissions": done })))
}

fn unknown(code: &str) -> Refusal {
    let shown: String = code.chars().take(10).collect();
    Refusal::bad(20001, format!("Invalid parameter value for CountryCode: {shown}"))
}
