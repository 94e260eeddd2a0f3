//! `[prices]`: what an operator's own contract says that messages and calls cost.
//!
//! It refuses to know what is counted by them; the model has the table for the rest.

use super::file::join;
use super::reader::Reader;
use crate::model::price::{OTHERS, OwnRates, Prices, micros};
use crate::model::region;
use jiff::civil::Date;
use toml::Value;

const COUNTRIES: &str = "prices.countries";
const TABLE: &str = "write a table, such as [prices.countries.DE] with sms = \"0.0750\"";
const AMOUNT: &str = "write dollars as a text, such as \"0.0750\", with six places at most";
const DAY: &str = "write the day from which on the prices hold, such as \"2026-11-27\"";

/// The prices of the configuration.
pub(super) fn read(r: &mut Reader<'_>) -> Prices {
    let date = r.text("prices.date").filter(|date| date.parse::<Date>().is_ok());
    if date.is_none() {
        r.note("prices.date", "is no day", DAY);
    }
    let mut prices = Prices { date: date.unwrap_or_default(), ..Prices::default() };
    for (country, table) in r.table(COUNTRIES) {
        let path = join(COUNTRIES, &country);
        if country != OTHERS
            && let Err(mend) = region::check(&country)
        {
            r.note_key(&path, "is no country", mend);
        }
        let Some(table) = table.as_table() else {
            r.note(&path, "is no table", TABLE);
            continue;
        };
        r.only(&path, table, &["sms", "call", "whatsapp"]);
        let mut of = |channel: &str| {
            let value = table.get(channel)?;
            let amount = amount(value);
            if amount.is_none() {
                r.note(&join(&path, channel), "is no amount", AMOUNT);
            }
            amount
        };
        let own = OwnRates { sms: of("sms"), call: of("call"), whatsapp: of("whatsapp") };
        prices.own.insert(country, own);
    }
    if !prices.own.is_empty() && r.is_default("prices.date") {
        r.note_by("prices.date", &[COUNTRIES], "is missing beside prices of your own", DAY);
    }
    prices
}

/// An amount, as a text or a number.
fn amount(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => micros(text),
        Value::Float(number) => micros(&number.to_string()),
        Value::Integer(number) => micros(&number.to_string()),
        _ => None,
    }
}
