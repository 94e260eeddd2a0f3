//! What messages and calls cost, per country and channel.
//!
//! The table is made up: plausible, and nobody's tariff. It refuses to know when a
//! price is shown, and what has been spent.

use super::money::Money;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The table, as it stands in its file.
const TABLE: &str = include_str!("prices/table.tsv");

/// Reads an amount of dollars: `0.0079`.
fn parse(text: &str) -> Option<Money> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_amount = !whole.is_empty() && part.len() <= 5 && !whole.starts_with('+');
    is_amount.then(|| format!("{whole}{part:0<5}").parse().ok())?
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

/// The rates by country; what is told of no other stands under `*`.
static RATES: LazyLock<HashMap<&str, Rates>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| Some((line.split('\t').next()?, row(line)?))).collect()
});

fn row(line: &str) -> Option<Rates> {
    let mut parts = line.split('\t').skip(1);
    let mut next = || parse(parts.next()?);
    let mut pair = || Some([next()?, next()?]);
    Some(Rates { sms: pair()?, mms: pair()?, whatsapp: pair()?, voice: pair()? })
}

impl Rates {
    /// What a country costs, by its ISO 3166 code; others, and none, cost the same.
    pub fn of(country: &str) -> Self {
        let none = Self { sms: [0; 2], mms: [0; 2], whatsapp: [0; 2], voice: [0; 2] };
        RATES.get(country).or_else(|| RATES.get("*")).copied().unwrap_or(none)
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

    /// What an answered call costs: each minute that was begun, and at least one.
    pub fn call(&self, minutes: u64, is_inbound: bool) -> Money {
        self.voice[usize::from(is_inbound)].saturating_mul(minutes.max(1))
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
    /// With media.
    Mms,
    /// On WhatsApp.
    WhatsApp,
}

#[cfg(test)]
mod tests {
    use super::super::money::dollars;
    use super::*;

    #[test]
    fn an_amount_is_written_as_twilio_writes_it() {
        for (text, written) in
            [("0.0079", "0.00790"), ("0", "0.00000"), ("1.5", "1.50000"), ("12.00001", "12.00001")]
        {
            assert_eq!(dollars(parse(text).unwrap()), written);
        }
        for wrong in ["", ".", "x", "-1", "0.000001", "0,5"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_row_of_the_table_can_be_read_and_names_its_country_once() {
        let rows: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &rows {
            assert!(row(line).is_some() && line.split('\t').count() == 9, "{line}");
        }
        assert_eq!((RATES.len(), RATES.contains_key("*")), (rows.len(), true));
        assert_eq!(dollars(Rates::of("US").sms[0]), "0.00790");
        assert_eq!(Rates::of("AQ"), Rates::of(""));
        assert_ne!(Rates::of("DE"), Rates::of(""));
    }

    #[test]
    fn messages_cost_by_segment_and_calls_by_the_minute_that_was_begun() {
        let rates = Rates::of("US");
        let sms = |segments, is_inbound| dollars(rates.message(Channel::Sms { segments }, is_inbound));
        assert_eq!([sms(0, false), sms(1, true), sms(3, false)], ["0.00790", "0.00790", "0.02370"]);
        assert_eq!(dollars(rates.message(Channel::Mms, true)), "0.01000");
        assert_eq!(dollars(rates.message(Channel::WhatsApp, false)), "0.00500");
        for (minutes, cost) in [(0, "0.01400"), (1, "0.01400"), (2, "0.02800")] {
            assert_eq!(dollars(rates.call(minutes, false)), cost, "{minutes}");
        }
        assert_eq!(dollars(rates.call(2, true)), "0.01700");
    }
}
