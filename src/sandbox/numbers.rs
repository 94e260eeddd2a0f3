//! Everything that accounts have numbers by: what they own, short codes, and numbers
//! of others that were verified to call from.
//!
//! It refuses to know how any of it is asked for.

use super::address::{e164, is_short_code};
use super::directory::{Directory, Named};
use super::lasting::lasting_sid;
use super::number::Number;
use super::resource::Hook;
use super::settings::{SENDER, Settings};
use super::shelf::{Owned, Shelf};
use super::target::Target;
use jiff::Timestamp;

/// A short code of an account's.
#[derive(Clone)]
pub(super) struct ShortCode {
    /// `SC…`; of a configured code the same in every run with one seed.
    pub sid: String,
    /// The account it belongs to.
    pub account: String,
    /// Its three to six digits.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// Where texts go, and where when that fails.
    pub sms: [Target; 2],
    /// When it came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A number of somebody else's that an account may call from.
#[derive(Clone)]
pub(super) struct CallerId {
    /// `PN…`, like that of an owned number.
    pub sid: String,
    /// The account that verified it.
    pub account: String,
    /// The number that was verified, in E.164.
    pub number: String,
    /// What it is called.
    pub name: String,
    /// When it was verified.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A number that is being verified by a call that asks for a code.
#[derive(Clone)]
pub(super) struct Validation {
    /// The SID of the call that asks for the code.
    pub call: String,
    /// The account that asks.
    pub account: String,
    /// The number that is being verified, in E.164.
    pub number: String,
    /// What the caller id will be called.
    pub name: String,
    /// What has to be typed.
    pub code: String,
    /// Where its end is told.
    pub callback: Option<Hook>,
    /// The caller id, once it was typed.
    pub verified: Option<String>,
}

impl Owned for ShortCode {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Owned for CallerId {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Named for ShortCode {
    fn sid(&self) -> &str {
        &self.sid
    }

    fn name(&self) -> String {
        self.code.clone()
    }
}

impl Named for CallerId {
    fn sid(&self) -> &str {
        &self.sid
    }

    fn name(&self) -> String {
        caller_name(&self.account, &self.number)
    }
}

/// Each account verifies a number for itself.
fn caller_name(account: &str, number: &str) -> String {
    format!("{account} {number}")
}

impl Owned for Validation {
    fn account(&self) -> &str {
        &self.account
    }
}

/// All numbers of all accounts.
pub(super) struct Numbers {
    /// The owned ones, by SID and by number.
    pub owned: Directory<Number>,
    /// The short codes, by SID and by code.
    pub codes: Directory<ShortCode>,
    /// The verified ones, by SID and by account and number.
    pub callers: Directory<CallerId>,
    /// What is being verified, by the call's SID.
    pub validations: Shelf<Validation>,
}

impl Numbers {
    /// The configured senders, the first as the youngest, before the one that is always
    /// there.
    pub fn new(settings: &Settings, born: Timestamp) -> Self {
        let most = settings.keep.resources;
        let mut numbers = Self {
            owned: Directory::new(most),
            codes: Directory::new(most),
            callers: Directory::new(most),
            validations: Shelf::new(most),
        };
        for other in &settings.others {
            for number in other.numbers.iter().filter(|number| e164(number).as_deref() == Some(number)) {
                let own = Number::configured(settings, number, born);
                numbers.owned.push(Number { account: other.sid.clone(), ..own });
            }
        }
        let senders = settings.own_numbers.iter().map(String::as_str);
        for sender in senders.chain([SENDER]).rev() {
            if is_short_code(sender) && numbers.code(sender).is_none() {
                let sid = lasting_sid("SC", settings.seed, sender);
                numbers.add_code(sid, settings.account_sid.clone(), sender.to_owned(), born);
            } else if sender.starts_with('+') && e164(sender).as_deref() == Some(sender) {
                numbers.owned.remove_named(sender);
                numbers.owned.push(Number::configured(settings, sender, born));
            }
        }
        numbers
    }

    /// An owned number.
    pub fn find(&self, number: &str) -> Option<&Number> {
        self.owned.find(number)
    }

    /// A short code.
    pub fn code(&self, code: &str) -> Option<&ShortCode> {
        self.codes.find(code)
    }

    /// A number that an account verified.
    pub fn caller(&self, account: &str, number: &str) -> Option<&CallerId> {
        self.callers.find(&caller_name(account, number))
    }

    /// Whose a number or a short code is.
    pub fn owner(&self, number: &str) -> Option<&str> {
        let code = || self.code(number).map(|code| code.account.as_str());
        self.find(number).map(|own| own.account.as_str()).or_else(code)
    }

    /// The SID of the number that a call comes in at, or of that it is made from.
    pub fn sid_of(&self, account: &str, number: &str) -> Option<String> {
        let own = self.find(number).filter(|own| own.account == account).map(|own| own.sid.clone());
        own.or_else(|| self.caller(account, number).map(|caller| caller.sid.clone()))
    }

    /// Gives an account a short code.
    pub fn add_code(&mut self, sid: String, account: String, code: String, now: Timestamp) {
        let (name, sms) = (code.clone(), Default::default());
        self.codes.push(ShortCode { sid, account, code, name, sms, created: now, updated: now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn configured_senders_are_owned_the_first_before_the_others() {
        let senders = ["+15017122661", "12345", "MG0", "Dialback", "+447400123456", "+15017122661"];
        let own_numbers = senders.map(str::to_owned).into();
        let settings = Settings { own_numbers, ..Settings::new("AC0", Secret::new("t")) };
        let numbers = Numbers::new(&settings, Timestamp::UNIX_EPOCH);
        let listed: Vec<&str> = numbers.owned.of("AC0").map(|own| own.number.as_str()).collect();
        assert_eq!(listed, ["+15017122661", "+447400123456", SENDER]);
        assert_eq!(numbers.owner("12345"), Some("AC0"));
        assert_eq!(numbers.owner("Dialback"), None);
    }
}
