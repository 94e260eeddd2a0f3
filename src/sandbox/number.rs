//! A number of an account's as it is kept: where what comes in goes, and what it may
//! do. It refuses to know who asks for it.

use super::numbering::available::Kind;
use super::settings::Settings;
use super::shelf::Owned;
use super::target::Target;
use crate::entropy::Entropy;
use jiff::Timestamp;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// Everything.
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
    /// `PN…`.
    pub sid: String,
    /// The account it belongs to.
    pub account: String,
    /// In E.164.
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
            kind: kind(&number),
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
        let account = settings.account_sid.clone();
        let sid = format!("PN{}", lasting(settings, number));
        Self::new(sid, account, number.to_owned(), now)
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

/// 32 hexadecimal digits that depend on the seed, the account and a number.
pub(super) fn lasting(settings: &Settings, number: &str) -> String {
    let digest = Sha256::new()
        .chain_update(settings.seed.to_be_bytes())
        .chain_update(&settings.account_sid)
        .chain_update(number)
        .finalize();
    Entropy::seeded(digest[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))).hex::<16>()
}

/// How people where the number is write it.
pub(super) fn friendly(number: &str) -> String {
    let parsed = PHONE_NUMBER_UTIL.parse(number, None);
    match (number.starts_with("+1"), parsed) {
        (true, Ok(parsed)) => parsed.format_as(PhoneNumberFormat::National).into_owned(),
        _ => number.to_owned(),
    }
}

/// Which kind a number is by its plan. What no plan knows, as numbers that were
/// invented, is local.
pub(super) fn kind(number: &str) -> Kind {
    match PHONE_NUMBER_UTIL.parse(number, None).map(|parsed| parsed.get_type()) {
        Ok(PhoneNumberType::TollFree) => Kind::TollFree,
        Ok(PhoneNumberType::Mobile) => Kind::Mobile,
        _ => Kind::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_configured_number_has_the_same_sid_in_every_run() {
        let sid = |seed: u64, number: &str| {
            let settings = Settings { seed, ..Settings::new("AC0", Secret::new("t")) };
            Number::configured(&settings, number, Timestamp::UNIX_EPOCH).sid
        };
        assert_eq!(sid(7, "+15005550006"), sid(7, "+15005550006"));
        assert_ne!(sid(7, "+15005550006"), sid(8, "+15005550006"));
        assert_ne!(sid(7, "+15005550006"), sid(7, "+15005550007"));
        assert!(super::super::fields::is_sid(&sid(7, "+15005550006"), "PN"));
    }

    #[test]
    fn kinds_are_the_plans() {
        for (number, wanted) in [
            ("+14155550123", Kind::Local),
            ("+18005550123", Kind::TollFree),
            ("+447400123456", Kind::Mobile),
            ("+442071838750", Kind::Local),
            ("+15551230001", Kind::Local),
            ("+15005550006", Kind::Local),
        ] {
            assert_eq!(kind(number), wanted, "{number}");
        }
        assert_eq!(friendly("+14155550123"), "(415) 555-0123");
        assert_eq!(friendly("+442071838750"), "+442071838750");
    }
}
