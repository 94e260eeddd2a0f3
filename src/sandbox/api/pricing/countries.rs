//! The countries that have prices, and what all their documents have in common.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging;
use crate::sandbox::money::{Money, dollars};
use crate::sandbox::prices::{Prices, Rates};
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// The names of the countries of the table.
const NAMES: &str = "US United States,CA Canada,GB United Kingdom,IE Ireland,DE Germany,AT Austria,\
CH Switzerland,FR France,ES Spain,PT Portugal,IT Italy,NL Netherlands,BE Belgium,DK Denmark,SE Sweden,\
NO Norway,FI Finland,PL Poland,CZ Czech Republic,RO Romania,HU Hungary,GR Greece,TR Turkey,UA Ukraine,\
RU Russia,KZ Kazakhstan,IL Israel,AE United Arab Emirates,SA Saudi Arabia,EG Egypt,ZA South Africa,\
NG Nigeria,KE Kenya,IN India,PK Pakistan,BD Bangladesh,ID Indonesia,MY Malaysia,PH Philippines,\
SG Singapore,TH Thailand,VN Vietnam,HK Hong Kong,CN China,TW Taiwan,JP Japan,KR South Korea,AU Australia,\
NZ New Zealand,BR Brazil,MX Mexico,AR Argentina,CL Chile,CO Colombia,PE Peru";

/// What a country is called; its code, where it has no name here.
pub(super) fn name(country: &str) -> &str {
    let row = NAMES.split(',').find_map(|row| row.strip_prefix(country)?.strip_prefix(' '));
    row.unwrap_or(country)
}

/// The countries as a list; each is fetched below its path.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let all = Prices::countries();
    let rows: Vec<&&str> = all.iter().collect();
    let url = ask.request.url();
    let document = |country: &&str| json!({ "country": name(country), "iso_country": country, "url": format!("{url}/{country}") });
    paging::list(ask.request, "countries", &rows, |country| (*country).to_owned(), document).map(Done::Found)
}

/// The country that is asked for, and its rates.
///
/// # Errors
/// 20404 for one that is not in the table.
pub(super) fn asked(ask: &Ask<'_>) -> Result<(String, Rates), Refusal> {
    let country = ask.part("IsoCountry").to_ascii_uppercase();
    if !Prices::countries().contains(&country.as_str()) {
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
