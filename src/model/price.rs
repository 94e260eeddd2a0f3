//! What messages and calls cost, per country and channel, in millionths of a US dollar.
//!
//! A table stands in the program, with its date; an operator's own contract goes before it,
//! country by country ([`Prices`]). It is what budgets and signs of fraud count by before
//! anybody has been billed: the bill itself is the provider's. This module refuses to know
//! what was sent, and how much may be spent.

mod amount;
mod rates;

pub use amount::{MICROS, dollars, micros};
pub use rates::{DATE, OTHERS, Rates};

use crate::model::channel::Channel;
use std::collections::BTreeMap;

/// The prices that hold: an operator's own, and the table's where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// As of which day they are, as it was written.
    pub date: String,
    /// An operator's own, by ISO 3166 code; [`OTHERS`] for every country that has none here.
    pub own: BTreeMap<String, OwnRates>,
}

/// What an operator says of one country, in millionths of a US dollar; the table holds for
/// the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnRates {
    /// One segment of a text.
    pub sms: Option<u64>,
    /// One minute of a call.
    pub call: Option<u64>,
    /// One message on WhatsApp.
    pub whatsapp: Option<u64>,
}

impl Default for Prices {
    fn default() -> Self {
        Self { date: DATE.to_owned(), own: BTreeMap::new() }
    }
}

/// A text counts as one segment where nobody knows yet what it will say.
const SEGMENTS: u32 = 1;

impl Prices {
    /// What one send to a country costs before it is made.
    pub fn of_send(&self, country: &str, channel: Channel) -> u64 {
        self.price(country, channel, SEGMENTS)
    }

    /// What one send to a country costs, by its ISO 3166 code: so many segments where it is
    /// a text, at least one; else one message, or one minute of a call.
    pub fn price(&self, country: &str, channel: Channel, segments: u32) -> u64 {
        let own = |country: &str| {
            let own = self.own.get(country)?;
            match channel {
                Channel::Sms => own.sms,
                Channel::Call => own.call,
                Channel::Whatsapp => own.whatsapp,
            }
        };
        let each = own(country).or_else(|| own(OTHERS)).unwrap_or_else(|| {
            let rates = Rates::of(country);
            match channel {
                Channel::Sms => rates.sms[0],
                Channel::Call => rates.voice[0],
                Channel::Whatsapp => rates.whatsapp[0],
            }
        });
        match channel {
            Channel::Sms => each.saturating_mul(segments.max(1).into()),
            Channel::Call | Channel::Whatsapp => each,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_costs_by_country_channel_and_segments() {
        let prices = Prices::default();
        assert_eq!(prices.price("US", Channel::Sms, 1), 7_900);
        assert_eq!(prices.price("US", Channel::Sms, 0), 7_900, "nothing is sent in no segment");
        assert_eq!(prices.price("US", Channel::Sms, 3), 23_700);
        assert_eq!(prices.price("US", Channel::Call, 3), 14_000, "a minute");
        assert_eq!(prices.price("DE", Channel::Whatsapp, 3), 45_000, "one message");
        assert_eq!(prices.price("AQ", Channel::Sms, 1), prices.price("??", Channel::Sms, 1));
        assert_eq!(prices.date, DATE);
    }

    #[test]
    fn what_an_operator_says_goes_before_the_table() {
        let mut prices = Prices::default();
        prices.own.insert("DE".to_owned(), OwnRates { sms: Some(70_000), ..OwnRates::default() });
        let others = OwnRates { sms: Some(200_000), call: Some(1), ..OwnRates::default() };
        prices.own.insert(OTHERS.to_owned(), others);
        assert_eq!(prices.price("DE", Channel::Sms, 2), 140_000);
        assert_eq!(prices.price("FR", Channel::Sms, 1), 200_000);
        assert_eq!(prices.price("DE", Channel::Call, 1), 1, "what is said of all others");
        assert_eq!(prices.price("DE", Channel::Whatsapp, 1), 45_000, "the table's");
        prices.own.insert("IR".to_owned(), OwnRates { sms: Some(u64::MAX), ..OwnRates::default() });
        assert_eq!(prices.price("IR", Channel::Sms, u32::MAX), u64::MAX);
    }
}
