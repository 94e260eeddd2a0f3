//! The countries that have telephone numbers, in one table: what each is called, where it
//! is, and what Twilio does there.
//!
//! It refuses to know what an account may do in one.

use super::geography::Locality;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A country that has telephone numbers, and what Twilio does there.
pub(super) struct Country {
    /// Its ISO 3166 code: `DE`.
    pub iso: &'static str,
    /// Its name in English.
    pub name: &'static str,
    /// Its continent in Twilio's words: `NORTH_AMERICA`.
    pub continent: &'static str,
    /// Whether messages there may come from a name.
    pub takes_names: bool,
    /// Whether numbers of its can be bought.
    pub has_numbers: bool,
    /// The prefixes of special services, without a plus.
    pub special: Vec<&'static str>,
    /// The prefixes that are known for toll fraud, without a plus.
    pub tollfraud: Vec<&'static str>,
    /// Its calling code without a plus.
    pub calling_code: String,
}

/// The table, by code.
static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let codes: HashMap<String, i32> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .filter_map(|region| {
            Some((region.to_string(), PHONE_NUMBER_UTIL.get_country_code_for_region(region)?))
        })
        .collect();
    let rows = include_str!("countries.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut all: Vec<Country> = rows.filter_map(|row| country(row, &codes)).collect();
    all.sort_by_key(|country| country.iso);
    all
});

fn country(row: &'static str, codes: &HashMap<String, i32>) -> Option<Country> {
    let mut parts = row.split('\t');
    let (iso, name, continent) = (parts.next()?, parts.next()?, parts.next()?);
    let (takes_names, has_numbers) = (parts.next()? == "y", parts.next()? == "y");
    let mut prefixes = || parts.next().unwrap_or_default().split_whitespace().collect();
    let (special, tollfraud) = (prefixes(), prefixes());
    let calling_code = codes.get(iso)?.to_string();
    Some(Country { iso, name, continent, takes_names, has_numbers, special, tollfraud, calling_code })
}

/// Every country, by its code.
pub(super) fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// The country of an ISO 3166 code, in any case.
pub(super) fn find(iso: &str) -> Option<&'static Country> {
    let iso = iso.to_ascii_uppercase();
    COUNTRIES.binary_search_by_key(&iso.as_str(), |country| country.iso).ok().map(|at| &COUNTRIES[at])
}

/// The country that a number in E.164 is in.
pub(super) fn country_of(number: &str) -> Option<&'static Country> {
    find(&Locality::of(number).country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_have_a_calling_code_a_continent_and_their_prefixes() {
        let latvia = find("lv").unwrap();
        assert_eq!(
            (latvia.name, latvia.calling_code.as_str(), latvia.continent),
            ("Latvia", "371", "EUROPE")
        );
        assert_eq!(latvia.special, ["37181", "3719000"]);
        assert!(countries().iter().all(|country| !country.continent.is_empty() && !country.name.is_empty()));
        assert_eq!(country_of("+16045550123").unwrap().iso, "CA");
        assert!(country_of("12345").is_none() && find("XX").is_none() && find("").is_none());
    }

    #[test]
    fn every_row_of_the_table_is_read_and_stands_once() {
        let rows = include_str!("countries.tsv").lines().filter(|line| !line.starts_with('#'));
        let rows: Vec<Vec<&str>> = rows.map(|line| line.split('\t').collect()).collect();
        assert!(
            rows.iter().all(|row| row.len() == 7 && row[3..5].iter().all(|flag| matches!(*flag, "y" | "n")))
        );
        assert_eq!(countries().len(), rows.len());
        assert!(countries().windows(2).all(|two| two[0].iso < two[1].iso));
    }

    #[test]
    fn who_takes_names_and_sells_numbers_is_twilios() {
        let takes = |iso: &str| find(iso).unwrap().takes_names;
        for iso in ["US", "CA", "PR", "NZ", "ZA", "BE", "HU", "KR", "TW", "CN", "KY", "PY"] {
            assert!(!takes(iso), "{iso}");
        }
        // Brazil and Mexico want names to be registered, and then take them.
        for iso in ["DE", "GB", "FR", "AU", "BR", "MX", "AR", "IN"] {
            assert!(takes(iso), "{iso}");
        }
        let sells = |iso: &str| find(iso).unwrap().has_numbers;
        assert!(sells("US") && sells("GB") && !sells("CU"));
    }
}
