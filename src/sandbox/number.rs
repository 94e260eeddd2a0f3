//! A number of an account's as it is kept: where what comes in goes, and what it may
//! do. It refuses to know who asks for it.

use super::directory::Named;
use super::lasting::lasting_sid;
use super::numbering::available::Kind;
use super::settings::Settings;
use super::shelf::Owned;
use super::target::Target;
use jiff::Timestamp;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

/// What a number can be used for. Fax is nobody's.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capabilities {
    /// Calls, both ways.
    pub voice: bool,
    /// Texts, both ways.
    pub sms: bool,
    /// Messages with media.
    pub mms: bool,
}

impl Capabilities {
    /// Everything, as numbers of North America can do.
    pub const ALL: Self = Self { voice: true, sms: true, mms: true };

    /// What numbers of a kind can do in a country: pictures go in North America alone,
    /// and elsewhere texts only where there are mobiles.
    pub fn of(kind: Kind, country: &str) -> Self {
        if matches!(country, "US" | "CA" | "PR") {
            return Self::ALL;
        }
        Self { voice: true, sms: kind == Kind::Mobile, mms: false }
    }
}

/// What an account says of a number: names in a request and in the document, and what
/// stands there until something is said. Only the applications are gone by.
pub(super) const FACTS: [(&str, &str, Option<&str>); 9] = [
    ("SmsApplicationSid", "sms_application_sid", None),
    ("VoiceApplicationSid", "voice_application_sid", None),
    ("AddressSid", "address_sid", None),
    ("BundleSid", "bundle_sid", None),
    ("IdentitySid", "identity_sid", None),
    ("EmergencyAddressSid", "emergency_address_sid", None),
    ("TrunkSid", "trunk_sid", None),
    ("EmergencyStatus", "emergency_status", Some("Inactive")),
    ("VoiceReceiveMode", "voice_receive_mode", Some("voice")),
];

/// A number that an account owns.
#[derive(Clone)]
pub(super) struct Number {
    /// `PN…`; of a configured number the same in every run with one seed.
    pub sid: String,
    /// The account it belongs to.
    pub account: String,
    /// The number itself in E.164, with its plus.
    pub number: String,
    /// What it is called.
    pub name: String,
    /// Local, mobile or toll-free.
    pub kind: Kind,
    /// Where texts go, and where when that fails.
    pub sms: [Target; 2],
    /// The same of calls.
    pub voice: [Target; 2],
    /// Where it is told that a call has ended.
    pub status: Target,
    /// The rest of what was said of it, in the order of [`FACTS`].
    pub facts: [Option<String>; FACTS.len()],
    /// Whether the caller's name is looked up.
    pub looks_up_callers: bool,
    /// What it can be used for.
    pub capabilities: Capabilities,
    /// Whether the carriers of the United States know who sends from it.
    pub registered: bool,
    /// How the numbers begin that no route leads to.
    pub unreachable: Vec<String>,
    /// How the numbers begin that the account may not write to or call from it.
    pub not_permitted: Vec<String>,
    /// When it was bought.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Number {
    /// A number that nothing was said of yet.
    pub fn new(sid: String, account: String, number: String, now: Timestamp) -> Self {
        Self {
            sid,
            account,
            name: friendly(&number),
            kind: Kind::of(&number),
            number,
            sms: Default::default(),
            voice: Default::default(),
            status: Target::default(),
            facts: FACTS.map(|(.., usual)| usual.map(str::to_owned)),
            looks_up_callers: false,
            capabilities: Capabilities::ALL,
            registered: true,
            unreachable: Vec::new(),
            not_permitted: Vec::new(),
            created: now,
            updated: now,
        }
    }

    /// One that was configured: its SID is the same in every run with the same seed.
    pub fn configured(settings: &Settings, number: &str, now: Timestamp) -> Self {
        let sid = lasting_sid("PN", settings.seed, number);
        Self::new(sid, settings.account_sid.clone(), number.to_owned(), now)
    }
}

impl Number {
    /// The TwiML application that takes its texts, if one was named.
    pub fn texts_application(&self) -> Option<&str> {
        self.fact("SmsApplicationSid")
    }

    /// The TwiML application that takes its calls, if one was named.
    pub fn calls_application(&self) -> Option<&str> {
        self.fact("VoiceApplicationSid")
    }

    fn fact(&self, parameter: &str) -> Option<&str> {
        let place = FACTS.iter().position(|(name, ..)| *name == parameter)?;
        self.facts[place].as_deref()
    }
}

impl Owned for Number {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Named for Number {
    fn sid(&self) -> &str {
        &self.sid
    }

    fn name(&self) -> String {
        self.number.clone()
    }
}

/// How people where the number is write it.
pub(super) fn friendly(number: &str) -> String {
    let parsed = PHONE_NUMBER_UTIL.parse(number, None);
    match (number.starts_with("+1"), parsed) {
        (true, Ok(parsed)) => parsed.format_as(PhoneNumberFormat::National).into_owned(),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_people_there_write_it() {
        assert_eq!(friendly("+14155550123"), "(415) 555-0123");
        assert_eq!(friendly("+442071838750"), "+442071838750");
    }
}
