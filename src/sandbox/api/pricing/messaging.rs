//! What messages cost by country.

use super::countries::{asked, by_type, name};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use serde_json::json;

/// `GET Messaging/Countries`: every country, without its prices.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    super::countries::list(ask)
}

/// `GET Messaging/Countries/{IsoCountry}`: what a segment costs each way; its carrier is invented.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let (country, rates) = asked(ask)?;
    let [out, back] = rates.sms;
    let carrier = json!({
        "carrier": "Sandbox Mobile",
        "mcc": "001",
        "mnc": "01",
        "prices": [by_type("local", out), by_type("mobile", out), by_type("toll-free", out)],
    });
    Ok(Done::Found(json!({
        "country": name(&country),
        "iso_country": country,
        "outbound_sms_prices": [carrier],
        "inbound_sms_prices": [by_type("local", back), by_type("mobile", back), by_type("toll-free", back)],
        "price_unit": "USD",
        "url": ask.request.url(),
    })))
}
