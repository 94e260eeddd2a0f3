//! Where a number is from, as Twilio tells it in webhooks: the country by the
//! numbering plan, and in the United States and Canada the state, a city and a
//! postal code by the area code.
//!
//! It refuses to know where a telephone is: what it tells is a number's alone. Of a
//! number that nobody can have it still tells the country, because invented numbers
//! are what the sandbox is for.

use rlibphonenumber::PHONE_NUMBER_UTIL;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Where a number is from; each part empty where it is not known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Locality {
    /// The ISO 3166 code in capitals: `US`.
    pub country: String,
    /// The state or province: `CA`.
    pub state: &'static str,
    /// The city, in capitals.
    pub city: &'static str,
    /// The postal code.
    pub zip: &'static str,
}

/// The table of area codes.
static AREAS: LazyLock<HashMap<&'static str, Locality>> = LazyLock::new(|| {
    let rows = include_str!("geography/areas.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(row)
        .flat_map(|(place, codes)| codes.split(' ').map(move |code| (code, place.clone())))
        .collect()
});

/// The area codes of the United States and Canada in their order, each with its place.
pub(super) fn areas() -> Vec<(&'static str, &'static Locality)> {
    let mut all: Vec<_> = AREAS.iter().map(|(code, place)| (*code, place)).collect();
    all.sort_by_key(|(code, _)| *code);
    all
}

/// Whether this is an area code of the United States or Canada.
pub(super) fn is_area(code: &str) -> bool {
    AREAS.contains_key(code)
}

fn row(line: &'static str) -> Option<(Locality, &'static str)> {
    let mut parts = line.split('\t');
    let mut next = || parts.next();
    let place = Locality { country: next()?.to_owned(), state: next()?, city: next()?, zip: next()? };
    Some((place, next()?))
}

impl Locality {
    /// Where a number in E.164 is from; nowhere for a short code or a name.
    pub fn of(number: &str) -> Self {
        let area = number.strip_prefix("+1").filter(|rest| rest.len() == 10).and_then(|rest| rest.get(..3));
        match area.and_then(|area| AREAS.get(area)) {
            Some(place) => place.clone(),
            None => Self { country: country(number).unwrap_or_default(), ..Self::default() },
        }
    }
}

/// The country that a number in E.164 is in: by its plan, or else the main one of
/// its calling code.
fn country(number: &str) -> Option<String> {
    let parsed = number.starts_with('+').then(|| PHONE_NUMBER_UTIL.parse(number, None).ok())??;
    let by_code = || PHONE_NUMBER_UTIL.get_region_for_country_code(parsed.country_code);
    // Calling codes of no country are the world's: `001`.
    let id = parsed.get_region_code().or_else(by_code)?.to_string();
    id.bytes().all(|byte| byte.is_ascii_uppercase()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locality(country: &str, state: &'static str, city: &'static str, zip: &'static str) -> Locality {
        Locality { country: country.to_owned(), state, city, zip }
    }

    #[test]
    fn a_number_tells_its_country_and_in_north_america_its_city() {
        let wanted = [
            ("+14155550123", locality("US", "CA", "SAN FRANCISCO", "94103")),
            ("+12125550123", locality("US", "NY", "NEW YORK", "10001")),
            ("+14165550123", locality("CA", "ON", "TORONTO", "M5H")),
            ("+18675550123", locality("CA", "YT", "WHITEHORSE", "Y1A")),
            ("+18005550123", locality("US", "", "", "")),
            // Twilio's own for tests, and others that no plan has.
            ("+15005550006", locality("US", "", "", "")),
            ("+15551230001", locality("US", "", "", "")),
            ("+18765551234", locality("JM", "", "", "")),
            ("+447400123456", locality("GB", "", "", "")),
            ("+447781123456", locality("GG", "", "", "")),
            ("+4915112345678", locality("DE", "", "", "")),
            ("+77011234567", locality("KZ", "", "", "")),
            ("+79991234567", locality("RU", "", "", "")),
            ("+390612345678", locality("IT", "", "", "")),
            ("+4900000000", locality("DE", "", "", "")),
            ("+883510000000094", Locality::default()),
            ("+99912345678", Locality::default()),
            ("12345", Locality::default()),
            ("Dialback", Locality::default()),
            ("", Locality::default()),
        ];
        for (number, place) in wanted {
            assert_eq!(Locality::of(number), place, "{number}");
        }
    }

    #[test]
    fn the_area_codes_are_those_of_their_countries_and_each_stands_once() {
        let rows = include_str!("geography/areas.tsv").lines().filter(|line| !line.starts_with('#'));
        let rows: Vec<&str> = rows.collect();
        let count: usize = rows.iter().map(|line| line.rsplit('\t').next().unwrap().split(' ').count()).sum();
        assert!(rows.iter().all(|line| row(line).is_some()));
        assert_eq!((AREAS.len(), count > 350), (count, true), "{count}");
        for (code, place) in AREAS.iter() {
            let parsed = PHONE_NUMBER_UTIL.parse(format!("+1{code}2345678"), None).unwrap();
            let region = parsed.get_region_code().map(|region| region.to_string());
            assert_eq!(region.as_ref(), Some(&place.country), "{code}");
        }
    }
}
