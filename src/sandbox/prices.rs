//! What messages and calls cost, per country and channel.
//!
//! The table is the program's own: plausible, and nobody's tariff. It refuses to know when
//! a price is shown, and what has been spent.

use super::money::{MICROS, Money, dollars};
use crate::model::price;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Reads an amount in US dollars: `0.0079`. Twilio writes five places, and no more are read.
fn parse(text: &str) -> Option<Money> {
    price::micros(text).filter(|micros| micros % MICROS == 0).map(|micros| micros / MICROS)
}

/// What a country costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rates {
    /// A segment that is sent there, and one that comes from there.
    pub sms: [Money; 2],
    /// A message with media, likewise.
    pub mms: [Money; 2],
    /// A message on WhatsApp, likewise.
    pub whatsapp: [Money; 2],
    /// A minute of a call there, and of one from there.
    pub voice: [Money; 2],
}

impl Rates {
    /// What a country costs, by its ISO 3166 code; others, and none, cost the same.
    pub fn of(country: &str) -> Self {
        let rates = price::Rates::of(country);
        let [sms, mms, whatsapp, voice] = [rates.sms, rates.mms, rates.whatsapp, rates.voice]
            .map(|pair| pair.map(|micros| micros / MICROS));
        Self { sms, mms, whatsapp, voice }
    }

    /// What a message costs, by its segments where it is an SMS; `is_inbound` is one
    /// that comes from the country.
    pub fn message(&self, channel: Channel, is_inbound: bool) -> Money {
        let way = usize::from(is_inbound);
        match channel {
            Channel::Sms { segments } => self.sms[way].saturating_mul(segments.max(1).into()),
            Channel::Mms => self.mms[way],
            Channel::WhatsApp => self.whatsapp[way],
        }
    }

    /// What an answered call of so many begun minutes costs.
    pub fn call(&self, minutes: u64, is_inbound: bool) -> Money {
        self.voice[usize::from(is_inbound)].saturating_mul(minutes.max(1))
    }
}

/// The prices that hold: those of the table, and over them what the tester set.
#[derive(Clone, Default)]
pub(super) struct Prices(BTreeMap<String, Rates>);

/// What the tester sets of a country's prices, in dollars; the rest stays.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub(super) struct Tariff {
    sms: Option<[String; 2]>,
    mms: Option<[String; 2]>,
    whatsapp: Option<[String; 2]>,
    voice: Option<[String; 2]>,
}

impl Prices {
    /// What a country costs: what was set for it, or for all (`*`), or the table's.
    pub fn of(&self, country: &str) -> Rates {
        self.0.get(country).or_else(|| self.0.get("*")).copied().unwrap_or_else(|| Rates::of(country))
    }

    /// Sets a country's prices, `*` being all countries that were not set; false when
    /// an amount is none.
    pub fn set(&mut self, country: &str, tariff: &Tariff) -> bool {
        let mut rates = self.of(country);
        let pairs = [
            (&mut rates.sms, &tariff.sms),
            (&mut rates.mms, &tariff.mms),
            (&mut rates.whatsapp, &tariff.whatsapp),
            (&mut rates.voice, &tariff.voice),
        ];
        for (pair, told) in pairs {
            let Some([out, back]) = told else { continue };
            match (parse(out), parse(back)) {
                (Some(out), Some(back)) => *pair = [out, back],
                _ => return false,
            }
        }
        self.0.insert(country.to_owned(), rates);
        true
    }

    /// Lets the table's prices hold again.
    pub fn forget(&mut self, country: &str) {
        self.0.remove(country);
    }

    /// What was set, as the controls show it.
    pub fn document(&self) -> Value {
        self.0.iter().map(|(country, rates)| (country.clone(), rates.document())).collect()
    }
}

impl Rates {
    /// The rates as the controls show them: out and in.
    pub fn document(&self) -> Value {
        let pair = |pair: [Money; 2]| json!(pair.map(dollars));
        json!({
            "sms": pair(self.sms),
            "mms": pair(self.mms),
            "whatsapp": pair(self.whatsapp),
            "voice": pair(self.voice),
        })
    }
}

/// How a message travels, as far as it costs.
#[derive(Clone, Copy)]
pub(super) enum Channel {
    /// As text, in so many segments.
    Sms {
        /// The segments.
        segments: u32,
    },
    /// With media, as one message however long its text is.
    Mms,
    /// On WhatsApp, as one message however long it is.
    WhatsApp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_as_twilio_writes_it() {
        for (text, written) in
            [("0.0079", "0.00790"), ("0", "0.00000"), ("1.5", "1.50000"), ("12.00001", "12.00001")]
        {
            assert_eq!(dollars(parse(text).unwrap()), written);
        }
        for wrong in ["", ".", "x", "-1", "0.000001", "0,5", "+1", "12345678901"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn messages_cost_by_segment_and_calls_by_the_minute_that_was_begun() {
        let rates = Rates::of("US");
        let sms = |segments, is_inbound| rates.message(Channel::Sms { segments }, is_inbound);
        assert_eq!([sms(0, false), sms(1, true), sms(3, false)], [790, 790, 2_370]);
        assert_eq!(rates.message(Channel::Mms, true), 1_000);
        assert_eq!(rates.message(Channel::WhatsApp, false), 500);
        assert_eq!([0, 1, 2].map(|minutes| rates.call(minutes, false)), [1_400, 1_400, 2_800]);
        assert_eq!(rates.call(2, true), 1_700);
    }

    #[test]
    fn what_was_set_goes_before_the_table() {
        let mut prices = Prices::default();
        let tariff = |text: &str| serde_json::from_str::<Tariff>(text).unwrap();
        assert!(prices.set("DE", &tariff(r#"{"sms":["0.5","0.25"]}"#)));
        assert!(prices.set("*", &tariff(r#"{"voice":["1","2"]}"#)));
        assert!(!prices.set("DE", &tariff(r#"{"sms":["dear","0"]}"#)));
        assert_eq!((prices.of("DE").sms, prices.of("DE").voice), ([50_000, 25_000], Rates::of("DE").voice));
        assert_eq!(prices.of("US").voice, [100_000, 200_000]);
        prices.forget("DE");
        prices.forget("*");
        assert_eq!((prices.of("DE"), prices.document()), (Rates::of("DE"), json!({})));
    }
}
