//! Where an account may send messages and make calls: geographic permissions, by
//! country. Everything is permitted until somebody says otherwise.
//!
//! It refuses to know messages and calls; it judges a number.

use super::geography::Locality;
use rlibphonenumber::PHONE_NUMBER_UTIL;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

/// The most permissions that differ from the usual ones; more are not kept.
const DIFFERENT: usize = 10_000;

/// A country as the permissions list it.
pub(super) struct Country {
    /// Its ISO 3166 code: `DE`.
    pub iso: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its continent in Twilio's words: `NORTH_AMERICA`.
    pub continent: &'static str,
    /// Whether messages there may come from a name.
    takes_names: bool,
    /// The prefixes of special services, without a plus.
    pub special: Vec<&'static str>,
    tollfraud: Vec<&'static str>,
    /// Its calling code without a plus.
    pub calling_code: String,
}

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let codes: HashMap<String, i32> = PHONE_NUMBER_UTIL
        .get_supported_regions()
        .filter_map(|region| {
            Some((region.to_string(), PHONE_NUMBER_UTIL.get_country_code_for_region(region)?))
        })
        .collect();
    let rows = include_str!("permissions/countries.tsv").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| country(row, &codes)).collect()
});

fn country(row: &'static str, codes: &HashMap<String, i32>) -> Option<Country> {
    let mut parts = row.split('\t');
    let (iso, name, continent, names) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let mut prefixes = || parts.next().unwrap_or_default().split_whitespace().collect();
    let (special, tollfraud) = (prefixes(), prefixes());
    let calling_code = codes.get(iso)?.to_string();
    Some(Country { iso, name, continent, takes_names: names == "y", special, tollfraud, calling_code })
}

/// Every country, by its code.
pub(super) fn countries() -> &'static [Country] {
    &COUNTRIES
}

/// The country of an ISO 3166 code, in any case.
pub(super) fn find(iso: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.iso.eq_ignore_ascii_case(iso))
}

/// The countries of the voice permissions, which have Canada with the United States.
pub(super) fn for_voice() -> impl Iterator<Item = &'static Country> {
    COUNTRIES.iter().filter(|country| country.iso != "CA")
}

/// The country that a number in E.164 is in.
pub(super) fn country_of(number: &str) -> Option<&'static Country> {
    find(&Locality::of(number).country)
}

/// What of a country's numbers may be called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Dialing {
    /// Most numbers.
    pub low_risk: bool,
    /// Special services.
    pub special: bool,
    /// Ranges known for toll fraud.
    pub tollfraud: bool,
}

impl Default for Dialing {
    fn default() -> Self {
        Self { low_risk: true, special: true, tollfraud: true }
    }
}

/// The permissions that differ from the usual ones.
#[derive(Default)]
pub(super) struct Permissions {
    /// Accounts and the countries that they may not write to.
    silent: BTreeSet<(String, &'static str)>,
    /// Accounts, and what they may call of a country.
    dialing: BTreeMap<(String, &'static str), Dialing>,
    /// Sub-accounts with voice permissions of their own.
    own: BTreeSet<String>,
    /// Whether a country takes names, where a tester said so.
    names: BTreeMap<&'static str, bool>,
}

impl Permissions {
    /// Whether an account may write to a country.
    pub fn writes_to(&self, account: &str, country: &Country) -> bool {
        !self.silent.contains(&(account.to_owned(), country.iso))
    }

    /// Whether an account may write to a number.
    pub fn may_write(&self, account: &str, number: &str) -> bool {
        self.silent.is_empty() || country_of(number).is_none_or(|country| self.writes_to(account, country))
    }

    /// Lets an account write to a country, or not.
    pub fn set_writing(&mut self, account: &str, country: &Country, may: bool) {
        let row = (account.to_owned(), country.iso);
        if may {
            self.silent.remove(&row);
        } else if self.silent.len() < DIFFERENT {
            self.silent.insert(row);
        }
    }

    /// What an account may call of a country. `owner` is the account it belongs to,
    /// whose permissions it has unless it has its own.
    pub fn dialing(&self, account: &str, owner: &str, country: &Country) -> Dialing {
        let whose = if self.inherits(account, owner) { owner } else { account };
        self.dialing.get(&(whose.to_owned(), voice_code(country))).copied().unwrap_or_default()
    }

    /// Whether an account may call a number.
    pub fn may_call(&self, account: &str, owner: &str, number: &str) -> bool {
        let Some(country) = (!self.dialing.is_empty()).then(|| country_of(number)).flatten() else {
            return true;
        };
        let (dialing, digits) = (self.dialing(account, owner, country), number.trim_start_matches('+'));
        let within = |prefixes: &[&str]| prefixes.iter().any(|prefix| digits.starts_with(prefix));
        match () {
            () if within(&country.special) => dialing.special,
            () if within(&country.tollfraud) => dialing.tollfraud,
            () => dialing.low_risk,
        }
    }

    /// Says what an account may call of a country.
    pub fn set_dialing(&mut self, account: &str, country: &Country, dialing: Dialing) {
        let row = (account.to_owned(), voice_code(country));
        if dialing == Dialing::default() {
            self.dialing.remove(&row);
        } else if self.dialing.len() < DIFFERENT {
            self.dialing.insert(row, dialing);
        }
    }

    /// Whether an account has the voice permissions of the one it belongs to.
    pub fn inherits(&self, account: &str, owner: &str) -> bool {
        account != owner && !self.own.contains(account)
    }

    /// Gives a sub-account permissions of its own, or those of its owner.
    pub fn set_inherits(&mut self, account: &str, inherits: bool) {
        if inherits {
            self.own.remove(account);
        } else if self.own.len() < DIFFERENT {
            self.own.insert(account.to_owned());
        }
    }

    /// Whether messages to a country may come from a name.
    pub fn takes_names(&self, country: &Country) -> bool {
        self.names.get(country.iso).copied().unwrap_or(country.takes_names)
    }

    /// Says whether messages to a country may come from a name.
    pub fn set_names(&mut self, country: &Country, takes: bool) {
        self.names.insert(country.iso, takes);
    }
}

/// The country's code in the voice permissions.
fn voice_code(country: &Country) -> &'static str {
    if country.iso == "CA" { "US" } else { country.iso }
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
        assert!(countries().len() > 230 && for_voice().all(|country| country.iso != "CA"));
        assert!(countries().iter().all(|country| !country.continent.is_empty()));
        assert_eq!(country_of("+16045550123").unwrap().iso, "CA");
        assert!(country_of("12345").is_none() && find("XX").is_none());
    }

    #[test]
    fn everything_is_permitted_until_somebody_says_otherwise() {
        let (mut permissions, latvia) = (Permissions::default(), find("LV").unwrap());
        let calls = |permissions: &Permissions, number| permissions.may_call("AC1", "AC0", number);
        assert!(permissions.may_write("AC1", "+37121234567") && calls(&permissions, "+37181234567"));
        permissions.set_writing("AC1", latvia, false);
        assert!(
            !permissions.may_write("AC1", "+37121234567") && permissions.may_write("AC2", "+37121234567")
        );
        // A sub-account has its owner's until it has its own.
        permissions.set_dialing("AC0", latvia, Dialing { special: false, ..Dialing::default() });
        assert!(!calls(&permissions, "+37181234567") && calls(&permissions, "+37121234567"));
        permissions.set_inherits("AC1", false);
        assert!(calls(&permissions, "+37181234567"));
        permissions.set_dialing(
            "AC1",
            find("CA").unwrap(),
            Dialing { low_risk: false, ..Dialing::default() },
        );
        assert!(!calls(&permissions, "+14155550123") && !calls(&permissions, "+16045550123"));
    }

    #[test]
    fn a_tester_says_who_takes_names() {
        let mut permissions = Permissions::default();
        let (us, germany) = (find("US").unwrap(), find("DE").unwrap());
        assert!(!permissions.takes_names(us) && permissions.takes_names(germany));
        permissions.set_names(germany, false);
        assert!(!permissions.takes_names(germany));
    }
}
