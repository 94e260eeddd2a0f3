//! The table of the program: what countries cost. Where the numbers come from stands at
//! its head.

use super::amount::micros;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The table, as it stands in its file.
const TABLE: &str = include_str!("table.tsv");
/// Where the prices of what has none of its own stand, among an operator's too.
pub const OTHERS: &str = "*";
/// As of which day the table is.
pub const DATE: &str = "2026-11-27";

/// What a country costs, in millionths of a US dollar: there, and from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// A segment that is sent there, and one that comes from there.
    pub sms: [u64; 2],
    /// A message with media, likewise.
    pub mms: [u64; 2],
    /// A message on WhatsApp, likewise.
    pub whatsapp: [u64; 2],
    /// A minute of a call there, and of one from there.
    pub voice: [u64; 2],
}

/// The rates by country.
static RATES: LazyLock<HashMap<&str, Rates>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| Some((line.split('\t').next()?, row(line)?))).collect()
});

fn row(line: &str) -> Option<Rates> {
    let mut parts = line.split('\t').skip(1);
    let mut next = || micros(parts.next()?);
    let mut pair = || Some([next()?, next()?]);
    Some(Rates { sms: pair()?, mms: pair()?, whatsapp: pair()?, voice: pair()? })
}

impl Rates {
    /// What a country costs, by its ISO 3166 code; others, and none, cost the same.
    pub fn of(country: &str) -> Self {
        let none = Self { sms: [0; 2], mms: [0; 2], whatsapp: [0; 2], voice: [0; 2] };
        RATES.get(country).or_else(|| RATES.get(OTHERS)).copied().unwrap_or(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::region;

    #[test]
    fn every_row_can_be_read_and_names_a_country_once() {
        let rows: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &rows {
            let country = line.split('\t').next().unwrap();
            assert!(row(line).is_some() && line.split('\t').count() == 9, "{line}");
            assert!(country == OTHERS || region::find(country).is_some(), "{line}");
        }
        assert_eq!((RATES.len(), RATES.contains_key(OTHERS)), (rows.len(), true));
        assert_eq!(Rates::of("US").sms[0], 7_900);
        assert_eq!(Rates::of("AQ"), Rates::of(""));
        assert_ne!(Rates::of("DE"), Rates::of(""));
    }

    #[test]
    fn the_table_has_a_date() {
        assert!(TABLE.lines().next().unwrap().contains(DATE));
    }
}
