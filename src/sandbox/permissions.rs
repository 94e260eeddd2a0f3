//! Where an account may send messages and make calls: geographic permissions, by
//! country. Everything is permitted until somebody says otherwise.
//!
//! It refuses to know messages and calls; it judges a number.

use super::countries::{Country, country_of};
use super::recent::Recent;
use std::collections::BTreeMap;

/// What of a country's numbers may be called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Dialing {
    /// Most numbers: those of neither of the other two kinds.
    pub low_risk: bool,
    /// Numbers of special services, by the prefixes of the country.
    pub special: bool,
    /// Ranges known for toll fraud.
    pub tollfraud: bool,
}

impl Default for Dialing {
    fn default() -> Self {
        Self { low_risk: true, special: true, tollfraud: true }
    }
}

/// An account and a country.
type Row = (String, &'static str);

/// The permissions that differ from the usual ones; of each kind the oldest go first.
pub(super) struct Permissions {
    /// Accounts and the countries that they may not write to.
    silent: Recent<Row, ()>,
    /// Accounts, and what they may call of a country.
    dialing: Recent<Row, Dialing>,
    /// Sub-accounts with voice permissions of their own.
    own: Recent<String, ()>,
    /// Whether a country takes names, where a tester said so.
    names: BTreeMap<&'static str, bool>,
}

impl Permissions {
    /// The usual ones; `limit` that differ are kept at most, of each kind.
    pub fn new(limit: usize) -> Self {
        Self {
            silent: Recent::new(limit),
            dialing: Recent::new(limit),
            own: Recent::new(limit),
            names: BTreeMap::new(),
        }
    }

    /// The accounts and countries without messages, those with calls of their own, and the
    /// accounts with permissions of their own.
    #[cfg(test)]
    pub fn different(&self) -> [Vec<String>; 3] {
        let row = |(account, country): &Row| format!("{account} {country}");
        [
            self.silent.keys().map(row).collect(),
            self.dialing.keys().map(row).collect(),
            self.own.keys().cloned().collect(),
        ]
    }

    /// Whether an account may write to a country.
    pub fn writes_to(&self, account: &str, country: &Country) -> bool {
        self.silent.get(&(account.to_owned(), country.iso)).is_none()
    }

    /// Whether an account may write to a number.
    pub fn may_write(&self, account: &str, number: &str) -> bool {
        self.silent.is_empty() || country_of(number).is_none_or(|country| self.writes_to(account, country))
    }

    /// Lets an account write to a country, or not.
    pub fn set_writing(&mut self, account: &str, country: &Country, may: bool) {
        let row = (account.to_owned(), country.iso);
        if may {
            self.silent.forget(&row);
        } else {
            self.silent.insert(row, ());
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
            self.dialing.forget(&row);
        } else {
            self.dialing.insert(row, dialing);
        }
    }

    /// Whether an account has the voice permissions of the one it belongs to.
    pub fn inherits(&self, account: &str, owner: &str) -> bool {
        account != owner && self.own.get(account).is_none()
    }

    /// Gives a sub-account permissions of its own, or those of its owner.
    pub fn set_inherits(&mut self, account: &str, inherits: bool) {
        if inherits {
            self.own.forget(account);
        } else {
            self.own.insert(account.to_owned(), ());
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
    use super::super::countries::find;
    use super::*;

    #[test]
    fn everything_is_permitted_until_somebody_says_otherwise() {
        let (mut permissions, latvia) = (Permissions::new(9), find("LV").unwrap());
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
        let mut permissions = Permissions::new(9);
        let (us, germany) = (find("US").unwrap(), find("DE").unwrap());
        assert!(!permissions.takes_names(us) && permissions.takes_names(germany));
        permissions.set_names(germany, false);
        assert!(!permissions.takes_names(germany));
    }
}
