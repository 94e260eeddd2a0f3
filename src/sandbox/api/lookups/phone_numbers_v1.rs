//! Lookups v1, which older applications ask: a number's writings, and by `Type` its
//! carrier and caller. What nobody can have is not found.

use super::overrides::field_of;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::numbering::lookup::look_up;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// `GET PhoneNumbers/{PhoneNumber}`: its writings, and by `Type` its carrier and caller; 20404 if invalid.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let plan = look_up(ask.part("PhoneNumber"), query.get("CountryCode"));
    let number = plan.phone_number.as_str();
    let types = query.all("Type");
    let types: Vec<&str> = types.iter().flat_map(|types| types.split(',')).map(str::trim).collect();
    if let Some(wrong) = types.iter().find(|kind| !matches!(**kind, "carrier" | "caller-name")) {
        return Err(Refusal::bad(20001, format!("Invalid parameter value for Type: {wrong}")));
    }
    let said = ask.world.with(|state| state.lookups.valid(number));
    if !said.unwrap_or(plan.is_valid()) {
        return Err(ask.missing());
    }
    let field = |kind: &str, name: &str| {
        let none = |_: &str| None;
        let wanted = types.contains(&kind);
        wanted.then(|| field_of(ask, name, number, &none))
    };
    Ok(Done::Found(json!({
        "caller_name": field("caller-name", "caller_name"),
        "carrier": field("carrier", "line_type_intelligence").map(|line| carrier(&line)),
        "add_ons": null,
        "country_code": plan.country_code,
        "national_format": plan.national_format,
        "phone_number": number,
        "url": format!("{}/v1/PhoneNumbers/{number}", ask.request.base()),
    })))
}

/// A line as v1 tells of it, which knows three types.
fn carrier(line: &Value) -> Value {
    let kind = match line["type"].as_str() {
        Some("mobile") => json!("mobile"),
        Some("fixedVoip" | "nonFixedVoip") => json!("voip"),
        Some("unknown") | None => Value::Null,
        Some(_) => json!("landline"),
    };
    json!({
        "mobile_country_code": line["mobile_country_code"],
        "mobile_network_code": line["mobile_network_code"],
        "name": line["carrier_name"],
        "type": kind,
        "error_code": line["error_code"],
    })
}
