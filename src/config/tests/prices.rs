//! Prices of an operator's own, and limits of money.

use super::{good, problems};
use crate::model::channel::Channel;
use crate::model::limits::Allowance;

#[test]
fn an_operators_prices_have_a_date_and_go_before_the_table() {
    let config = good(
        "[prices]\ndate = \"2026-12-01\"\n[prices.countries.DE]\nsms = \"0.07\"\ncall = 0.02\n[prices.countries.\"*\"]\nwhatsapp = 1\n",
        &[],
    );
    let price = |country: &str, channel| config.prices.price(country, channel, 1);
    assert_eq!(config.prices.date, "2026-12-01");
    assert_eq!((price("DE", Channel::Sms), price("DE", Channel::Call)), (70_000, 20_000));
    assert_eq!((price("FR", Channel::Whatsapp), price("US", Channel::Sms)), (1_000_000, 7_900));
}

#[test]
fn a_price_that_cannot_be_is_named_where_it_stands() {
    for (text, key, what) in [
        ("[prices]\ndate = \"soon\"", "prices.date", "is no day"),
        ("[prices.countries.DE]\nsms = \"0.07\"", "prices.date", "is missing beside prices of your own"),
        ("[prices]\ndate = \"2026-12-01\"\n[prices.countries.DE]\nsms = \"dear\"", "DE.sms", "is no amount"),
        ("[prices]\ndate = \"2026-12-01\"\n[prices.countries.DE]\nmms = \"1\"", "DE.mms", "no such key"),
        (
            "[prices]\ndate = \"2026-12-01\"\n[prices.countries.XX]\nsms = \"1\"",
            "countries.XX",
            "is no country",
        ),
        ("[prices]\ndate = \"2026-12-01\"\n[prices.countries]\nDE = 1", "countries.DE", "is no table"),
    ] {
        let found = problems(text, &[]);
        assert!(found.iter().any(|one| one.contains(key) && one.contains(what)), "{text}: {found:?}");
    }
}

#[test]
fn money_has_parts_and_nothing_else_has() {
    let config = good("[limits]\ncountry_money = [\"12.50/day\", \"2/hour\"]", &[]);
    let windows = &config.limits.rule("country_money").unwrap().windows;
    assert_eq!(windows[0].in_millionths(), 12_500_000);
    assert_eq!(windows[1], Allowance::hour(2));
    let found = problems("[limits]\ncountry_sends = [\"1.5/day\"]", &[]);
    assert!(
        found[0].contains("limits.country_sends") && found[0].contains("only money has parts"),
        "{found:?}"
    );
}
