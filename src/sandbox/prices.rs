//! What messages and calls cost, per country and channel.
//!
//! The table is made up: plausible, and nobody's tariff. It refuses to know when a
//! price is shown, and what has been spent.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The table, as it stands in its file.
const TABLE: &str = include_str!("prices/table.tsv");

/// An amount in US dollars, counted in hundred-thousandths, which is as small as
/// Twilio writes one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Price(u64);

impl Price {
    /// Reads an amount: `0.0079`.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_amount = !whole.is_empty() && part.len() <= 5 && !whole.starts_with('+');
        is_amount.then(|| format!("{whole}{part:0<5}").parse().ok().map(Self))?
    }

    fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

/// As Twilio writes what something cost: `-0.00790`.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-{}.{:05}", self.0 / 100_000, self.0 % 100_000)
    }
}

/// What a country costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rates {
    /// A segment that is sent there, and one that comes from there.
    pub sms: [Price; 2],
    /// A message with media, likewise.
    pub mms: [Price; 2],
    /// A message on WhatsApp, likewise.
    pub whatsapp: [Price; 2],
    /// A minute of a call there, and of one from there.
    pub voice: [Price; 2],
}

/// The rates by country; what is told of no other stands under `*`.
static RATES: LazyLock<HashMap<&str, Rates>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| Some((line.split('\t').next()?, row(line)?))).collect()
});

fn row(line: &str) -> Option<Rates> {
    let mut parts = line.split('\t').skip(1);
    let mut next = || Price::parse(parts.next()?);
    let mut pair = || Some([next()?, next()?]);
    Some(Rates { sms: pair()?, mms: pair()?, whatsapp: pair()?, voice: pair()? })
}

impl Rates {
    /// What a country costs, by its ISO 3166 code; others, and none, cost the same.
    pub fn of(country: &str) -> Self {
        let none =
            Self { sms: [Price(0); 2], mms: [Price(0); 2], whatsapp: [Price(0); 2], voice: [Price(0); 2] };
        RATES.get(country).or_else(|| RATES.get("*")).copied().unwrap_or(none)
    }

    /// What a message costs, by its segments where it is an SMS; `is_inbound` is one
    /// that comes from the country.
    pub fn message(&self, channel: Channel, is_inbound: bool) -> Price {
        let way = usize::from(is_inbound);
        match channel {
            Channel::Sms { segments } => self.sms[way].times(segments.max(1).into()),
            Channel::Mms => self.mms[way],
            Channel::WhatsApp => self.whatsapp[way],
        }
    }

    /// What an answered call costs: each minute that was begun, and at least one.
    pub fn call(&self, seconds: i64, is_inbound: bool) -> Price {
        let minutes = u64::try_from(seconds).unwrap_or_default().div_ceil(60);
        self.voice[usize::from(is_inbound)].times(minutes.max(1))
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
    use super::*;

    #[test]
    fn an_amount_is_written_as_twilio_writes_it() {
        for (text, written) in
            [("0.0079", "-0.00790"), ("0", "-0.00000"), ("1.5", "-1.50000"), ("12.00001", "-12.00001")]
        {
            assert_eq!(Price::parse(text).unwrap().to_string(), written);
        }
        for wrong in ["", ".", "x", "-1", "0.000001", "0,5"] {
            assert_eq!(Price::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Price(u64::MAX).times(2).to_string(), "-184467440737095.51615");
    }

    #[test]
    fn every_row_of_the_table_can_be_read_and_names_its_country_once() {
        let rows: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &rows {
            assert!(row(line).is_some() && line.split('\t').count() == 9, "{line}");
        }
        assert_eq!((RATES.len(), RATES.contains_key("*")), (rows.len(), true));
        assert_eq!(Rates::of("US").sms[0].to_string(), "-0.00790");
        assert_eq!(Rates::of("AQ"), Rates::of(""));
        assert_ne!(Rates::of("DE"), Rates::of(""));
    }

    #[test]
    fn messages_cost_by_segment_and_calls_by_the_minute_that_was_begun() {
        let rates = Rates::of("US");
        let sms = |segments, is_inbound| rates.message(Channel::Sms { segments }, is_inbound).to_string();
        assert_eq!([sms(0, false), sms(1, true), sms(3, false)], ["-0.00790", "-0.00790", "-0.02370"]);
        assert_eq!(rates.message(Channel::Mms, true).to_string(), "-0.01000");
        assert_eq!(rates.message(Channel::WhatsApp, false).to_string(), "-0.00500");
        for (seconds, cost) in
            [(0, "-0.01400"), (1, "-0.01400"), (60, "-0.01400"), (61, "-0.02800"), (-5, "-0.01400")]
        {
            assert_eq!(rates.call(seconds, false).to_string(), cost, "{seconds}");
        }
        assert_eq!(rates.call(90, true).to_string(), "-0.01700");
    }
}
