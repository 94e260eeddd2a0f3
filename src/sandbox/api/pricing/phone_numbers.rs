//! What numbers cost in a month: the same everywhere.

use super::countries::{asked, by_type, name};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use serde_json::json;

/// `GET PhoneNumbers/Countries`: every country, without its prices.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    super::countries::list(ask)
}

/// `GET PhoneNumbers/Countries/{IsoCountry}`: what a local and a toll-free number cost in a month.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let (country, _) = asked(ask)?;
    Ok(Done::Found(json!({
        "country": name(&country),
        "iso_country": country,
        "phone_number_prices": [by_type("local", 115_000), by_type("toll free", 215_000)],
        "price_unit": "USD",
        "url": ask.request.url(),
    })))
}
