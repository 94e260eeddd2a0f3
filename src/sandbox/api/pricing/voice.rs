//! What calls cost by country, and to one number.

use super::countries::{asked, by_type, name, price};
use crate::sandbox::address::in_path;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::geography::Locality;
use crate::sandbox::prices::Rates;
use crate::sandbox::refusal::Refusal;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use serde_json::{Value, json};

/// `GET Voice/Countries`: every country, without its prices, in both versions alike.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    super::countries::list(ask)
}

/// `GET v1 Voice/Countries/{IsoCountry}`
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    country(ask, |prefixes| json!({ "prefixes": prefixes }))
}

/// `GET v2 Voice/Countries/{IsoCountry}`
pub(super) fn fetch_v2(ask: &Ask<'_>) -> Outcome {
    country(ask, |prefixes| json!({ "origination_prefixes": ["ALL"], "destination_prefixes": prefixes }))
}

fn country(ask: &Ask<'_>, places: impl Fn(Vec<String>) -> Value) -> Outcome {
    let (country, rates) = asked(ask)?;
    let code = country.parse().ok().and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
    let [out, back] = rates.voice;
    let mut prefix = places(code.into_iter().map(|code| code.to_string()).collect());
    prefix["base_price"] = price(out);
    prefix["current_price"] = price(out);
    prefix["friendly_name"] = format!("Programmable Outbound Minute - {}", name(&country)).into();
    Ok(Done::Found(json!({
        "country": name(&country),
        "iso_country": country,
        "outbound_prefix_prices": [prefix],
        "inbound_call_prices": [by_type("local", back), by_type("toll free", back)],
        "price_unit": "USD",
        "url": ask.request.url(),
    })))
}

/// `GET v1 Voice/Numbers/{Number}`
pub(super) fn number(ask: &Ask<'_>) -> Outcome {
    let (number, country, rates) = called(ask, "Number")?;
    let [out, back] = rates.voice;
    Ok(Done::Found(json!({
        "number": number,
        "country": name(&country),
        "iso_country": country,
        "outbound_call_price": { "base_price": price(out), "current_price": price(out) },
        "inbound_call_price": by_type("local", back),
        "price_unit": "USD",
        "url": ask.request.url(),
    })))
}

/// `GET v2 Voice/Numbers/{DestinationNumber}`
pub(super) fn number_v2(ask: &Ask<'_>) -> Outcome {
    let (number, country, rates) = called(ask, "DestinationNumber")?;
    let [out, back] = rates.voice;
    let outbound = json!({
        "base_price": price(out),
        "current_price": price(out),
        "origination_prefixes": ["ALL"],
    });
    Ok(Done::Found(json!({
        "destination_number": number,
        "origination_number": ask.query().get("OriginationNumber"),
        "country": name(&country),
        "iso_country": country,
        "outbound_call_prices": [outbound],
        "inbound_call_price": by_type("local", back),
        "price_unit": "USD",
        "url": ask.request.url(),
    })))
}

fn called(ask: &Ask<'_>, part: &str) -> Result<(String, String, Rates), Refusal> {
    let number = in_path(ask.part(part)).ok_or_else(|| ask.missing())?;
    let country = Locality::of(&number).country;
    let rates = ask.world.with(|state| state.prices.of(&country));
    Ok((number, country, rates))
}
