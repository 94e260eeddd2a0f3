//! The countries, all of which have prices, and what all their documents have in common.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::countries::{Country, countries, find};
use crate::sandbox::money::{Money, dollars};
use crate::sandbox::prices::Rates;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// What a country is called; its code, where it has no name here.
pub(super) fn name(country: &str) -> &str {
    find(country).map_or(country, |found| found.name)
}

/// The countries as a list; each is fetched below its path.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let rows: Vec<&Country> = countries().iter().collect();
    let url = ask.request.url();
    let document = |row: &Country| {
        let iso = row.iso;
        json!({ "country": name(iso), "iso_country": iso, "url": format!("{url}/{iso}") })
    };
    paging::list(ask.request, "countries", &rows, |row| row.iso.to_owned(), document).map(Done::Found)
}

/// The country that is asked for, and its rates.
///
/// # Errors
/// 20404 for one that is none.
pub(super) fn asked(ask: &Ask<'_>) -> Result<(String, Rates), Refusal> {
    let country = ask.part("IsoCountry").to_ascii_uppercase();
    if find(&country).is_none() {
        return Err(ask.missing());
    }
    let rates = ask.world.with(|state| state.prices.of(&country));
    Ok((country, rates))
}

/// A price as Twilio writes one here: in dollars, as a number in a text.
pub(super) fn price(amount: Money) -> Value {
    let text = dollars(amount);
    let text = text.trim_end_matches('0');
    // An amount is never much: a float has it as exactly as five places go.
    json!(text.parse::<f64>().unwrap_or_default())
}

/// The same of a kind of number.
pub(super) fn by_type(kind: &str, amount: Money) -> Value {
    json!({ "number_type": kind, "base_price": price(amount), "current_price": price(amount) })
}
