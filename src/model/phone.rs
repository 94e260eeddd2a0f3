//! Telephone numbers: what a person typed, to E.164, or why not.

mod key;

pub use key::{PersonKey, address_key, address_spellings};

use phonenumber::{Type, country, metadata::DATABASE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A telephone number in E.164 form: `+`, then up to 15 digits.
///
/// Its `Display` is masked. [`PhoneNumber::in_full`] is the one way to all of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// What is wrong with a number. The texts are meant for the caller of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Too few digits, letters, or nothing at all.
    #[error("this is not a telephone number; write it with its country code, like +14155550123")]
    NotANumber,
    /// A national number, and no default region to read it in.
    #[error("the number has no country code; write it in international form, like +14155550123")]
    NoCountryCode,
    /// `+999…`.
    #[error("no country has this calling code")]
    UnknownCountryCode,
    /// Fewer digits than any number of that country.
    #[error("the number is too short for its country code +{country_code}")]
    TooShort {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// More digits than any number of that country.
    #[error("the number is too long for its country code +{country_code}")]
    TooLong {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// The length fits, the digits do not.
    #[error("no number in the country of +{country_code} begins like this")]
    NoSuchRange {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// An extension cannot receive a text message or be dialled at once.
    #[error("numbers with an extension cannot be verified")]
    Extension,
    /// A kind of number that the policy refuses.
    #[error("{0} numbers are refused by this service's policy")]
    RefusedKind(Kind),
}

impl PhoneError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::NoCountryCode => "no_country_code",
            Self::UnknownCountryCode => "unknown_country_code",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::NoSuchRange { .. } => "no_such_range",
            Self::Extension => "extension",
            Self::RefusedKind(_) => "refused_kind",
        }
    }
}

/// The kinds of numbers that cost somebody else's money or reach nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Premium rate: the callee earns from each call.
    Premium,
    /// Satellite networks and other global services (+870, +878, +881, +882, +883, +979).
    Satellite,
    /// Cost shared between both sides.
    SharedCost,
    /// Personal numbers, which follow their owner at a price (+1 500, +44 70).
    Personal,
    /// Pagers.
    Pager,
    /// Voicemail boxes.
    Voicemail,
    /// Universal access: a company's one number.
    Uan,
    /// Freephone: seldom a person.
    TollFree,
    /// Internet telephony.
    Voip,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Premium => "premium-rate",
            Self::Satellite => "satellite and global-service",
            Self::SharedCost => "shared-cost",
            Self::Personal => "personal",
            Self::Pager => "pager",
            Self::Voicemail => "voicemail",
            Self::Uan => "universal-access",
            Self::TollFree => "toll-free",
            Self::Voip => "internet telephony",
        })
    }
}

/// What is refused, and how national numbers are read.
#[derive(Debug, Clone)]
pub struct NumberPolicy {
    /// ISO 3166 region in which numbers without a country code are read.
    pub default_region: Option<String>,
    /// Kinds that are refused.
    pub refuse: BTreeSet<Kind>,
    /// E.164 prefixes taken as they are, if the length is that of the country:
    /// Twilio's magic numbers and numbers of fiction, in the sandbox only.
    pub fictional: Vec<String>,
}

impl Default for NumberPolicy {
    fn default() -> Self {
        Self {
            default_region: None,
            refuse: BTreeSet::from([Kind::Premium, Kind::Satellite, Kind::SharedCost]),
            fictional: Vec::new(),
        }
    }
}

impl PhoneNumber {
    /// Reads what a person or program wrote.
    ///
    /// # Errors
    /// What is wrong with it, precisely enough to tell the person.
    pub fn parse(text: &str, policy: &NumberPolicy) -> Result<Self, PhoneError> {
        let text = text.trim();
        // Longer than any number with its punctuation; parsing is not free.
        if text.len() > 64 || text.is_empty() {
            return Err(PhoneError::NotANumber);
        }
        if let Some(fictional) = fictional(text, policy) {
            return Ok(fictional);
        }
        let text = international(text);
        // libphonenumber looks for a number in the midst of other words, and
        // would take an address of another channel for one of ours.
        if text.starts_with(|c: char| c.is_alphabetic()) && !text.starts_with("tel:") {
            return Err(PhoneError::NotANumber);
        }
        let region = policy.default_region.as_deref().and_then(|region| region.parse::<country::Id>().ok());
        let number = phonenumber::parse(region, &text)
            .map_err(|error| parse_error(&error, &text, region.is_some()))?;
        if number.extension().is_some() {
            return Err(PhoneError::Extension);
        }
        let country_code = number.code().value();
        let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
        // Global services are asked for before validity: their plans are sparse.
        let kind = kind(number.number_type(&DATABASE), country_code);
        if let Some(kind) = kind
            && policy.refuse.contains(&kind)
        {
            return Err(PhoneError::RefusedKind(kind));
        }
        if !number.is_valid() {
            return Err(invalid(&number, country_code));
        }
        // Some plans have room for more digits than E.164 has; a record must
        // read again what it holds.
        e164.parse().map_err(|_| PhoneError::TooLong { country_code })
    }

    /// All of the number. For sending, for the API's owner, never for a log.
    pub fn in_full(&self) -> &str {
        &self.0
    }

    /// The country, as an ISO 3166 code; none for global services and for
    /// numbers that no plan knows.
    pub fn region(&self) -> Option<String> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        number.country().id().map(|id| id.as_ref().to_owned())
    }

    /// Whether it certainly is a landline. Where a plan does not tell landlines
    /// from mobiles, as in North America, nobody knows.
    pub fn is_landline(&self) -> bool {
        phonenumber::parse(None, &self.0)
            .is_ok_and(|number| matches!(number.number_type(&DATABASE), Type::FixedLine))
    }

    /// The first three characters and the last two digits, the rest as stars.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Masks whatever address Twilio may name: `whatsapp:+…` keeps its channel,
/// names and short codes keep their last two characters.
pub fn mask(address: &str) -> String {
    let (channel, number) = match address.rsplit_once(':') {
        Some((channel, number)) => (format!("{channel}:"), number),
        None => (String::new(), address),
    };
    let length = number.chars().count();
    let head = if length > 7 { 3 } else { 0 };
    let tail = if length > 4 { 2 } else { 0 };
    let masked: String = number
        .chars()
        .enumerate()
        .map(|(at, c)| if at < head || at + tail >= length { c } else { '*' })
        .collect();
    format!("{channel}{masked}")
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;
    /// Reads a number that is E.164 already, as records hold it: no lookup.
    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::NoCountryCode)?;
        if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PhoneError::NotANumber)
        }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;
    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> String {
        number.0
    }
}

/// `00` is what most of the world dials for `+`.
fn international(text: &str) -> String {
    match text.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => text.to_owned(),
    }
}

fn fictional(text: &str, policy: &NumberPolicy) -> Option<PhoneNumber> {
    let compact: String = text.chars().filter(|c| !" -().".contains(*c)).collect();
    let known = policy.fictional.iter().any(|prefix| compact.starts_with(prefix.as_str()));
    let length_fits = !compact.starts_with("+1") || compact.len() == 12;
    if known && length_fits { compact.parse().ok() } else { None }
}

fn parse_error(error: &phonenumber::ParseError, text: &str, has_region: bool) -> PhoneError {
    use phonenumber::ParseError as E;
    match error {
        E::InvalidCountryCode if text.starts_with('+') || has_region => PhoneError::UnknownCountryCode,
        E::InvalidCountryCode => {
            if text.chars().filter(char::is_ascii_digit).count() < 3 {
                PhoneError::NotANumber
            } else {
                PhoneError::NoCountryCode
            }
        }
        E::TooShortAfterIdd | E::TooShortNsn => match country_code(text) {
            Some(country_code) => PhoneError::TooShort { country_code },
            None => PhoneError::NotANumber,
        },
        E::TooLong => PhoneError::NotANumber,
        _ => PhoneError::NotANumber,
    }
}

/// The calling code with which a text begins; none is the beginning of another.
fn country_code(text: &str) -> Option<u16> {
    let digits: String = text.strip_prefix('+')?.chars().filter(char::is_ascii_digit).take(3).collect();
    let mut codes = (1..=digits.len()).filter_map(|length| digits[..length].parse().ok());
    codes.find(|code| DATABASE.by_code(code).is_some())
}

fn invalid(number: &phonenumber::PhoneNumber, country_code: u16) -> PhoneError {
    let Some(regions) = DATABASE.by_code(&country_code) else {
        return PhoneError::UnknownCountryCode;
    };
    let digits = number.national().to_string().len();
    // The general description carries no lengths; those of the two common kinds do.
    let kinds =
        || regions.iter().flat_map(|meta| [meta.descriptors().fixed_line(), meta.descriptors().mobile()]);
    let lengths = || kinds().flatten().flat_map(|kind| kind.possible_length().iter().copied());
    match (lengths().min(), lengths().max()) {
        (Some(least), _) if digits < usize::from(least) => PhoneError::TooShort { country_code },
        (_, Some(most)) if digits > usize::from(most) => PhoneError::TooLong { country_code },
        _ => PhoneError::NoSuchRange { country_code },
    }
}

fn kind(kind: Type, country_code: u16) -> Option<Kind> {
    // ITU-T E.164: shared and global codes, among them Inmarsat (870),
    // Iridium and Globalstar (881), international networks (882, 883).
    if matches!(country_code, 870 | 878 | 881 | 882 | 883) {
        return Some(Kind::Satellite);
    }
    if country_code == 979 {
        return Some(Kind::Premium);
    }
    if country_code == 808 {
        return Some(Kind::SharedCost);
    }
    match kind {
        Type::PremiumRate => Some(Kind::Premium),
        Type::SharedCost => Some(Kind::SharedCost),
        Type::PersonalNumber => Some(Kind::Personal),
        Type::Pager => Some(Kind::Pager),
        Type::Voicemail => Some(Kind::Voicemail),
        Type::Uan => Some(Kind::Uan),
        Type::TollFree => Some(Kind::TollFree),
        Type::Voip => Some(Kind::Voip),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, &'static str> {
        PhoneNumber::parse(text, &NumberPolicy::default())
            .map(|number| number.in_full().to_owned())
            .map_err(|error| error.code())
    }

    #[test]
    fn numbers_come_out_in_e164_however_they_were_written() {
        for text in
            ["+31101234567", "+31 10 123 45 67", "0031 10 1234567", "tel:+31-10-123-4567", " +31101234567\n"]
        {
            assert_eq!(parse(text).as_deref(), Ok("+31101234567"), "{text:?}");
        }
        assert_eq!(parse("+41524204242").as_deref(), Ok("+41524204242"));
        assert_eq!(parse("+39 06 698 12345").as_deref(), Ok("+390669812345"), "Italy keeps its zero");
    }

    #[test]
    fn an_error_says_what_is_wrong() {
        let rows = [
            ("", "not_a_number"),
            ("hello", "not_a_number"),
            ("hello +31101234567", "not_a_number"),
            ("whatsapp:+31101234567", "not_a_number"),
            ("123", "no_country_code"),
            ("2055551234", "no_country_code"),
            ("+3110123456", "too_short"),
            ("+1000000000", "not_a_number"),
            ("+41524204242424242", "too_long"),
            ("+14155550", "too_short"),
            ("+141555501234567", "too_long"),
            ("+999123456", "unknown_country_code"),
            ("+1 205 555 1234 ext. 7", "extension"),
        ];
        let wrong: Vec<_> = rows
            .iter()
            .filter(|(text, code)| parse(text) != Err(code))
            .map(|(text, _)| (text, parse(text)))
            .collect();
        assert_eq!(wrong, []);
    }

    #[test]
    fn what_is_taken_reads_again_from_a_record() {
        for text in ["+4930123456789012345", "+493012345678901", "+6834002", "+29022222", "+14155550123"] {
            if let Ok(number) = PhoneNumber::parse(text, &NumberPolicy::default()) {
                assert_eq!(number.in_full().parse(), Ok(number), "{text}");
            }
        }
        for national in 5..17 {
            let text = format!("+4930{}", "1".repeat(national));
            if let Ok(number) = PhoneNumber::parse(&text, &NumberPolicy::default()) {
                assert_eq!(number.in_full().parse(), Ok(number), "{text}");
            }
        }
    }

    #[test]
    fn an_error_names_a_country_code_that_exists() {
        for text in ["+311", "+31", "+1", "+49 3", "0031 1", "+4", "1", "00"] {
            let error = PhoneNumber::parse(text, &NumberPolicy::default()).unwrap_err();
            assert!(!error.to_string().contains("+0"), "{text}: {error}");
        }
        assert_eq!(
            PhoneNumber::parse("+311", &NumberPolicy::default()),
            Err(PhoneError::TooShort { country_code: 31 })
        );
    }

    #[test]
    fn costly_ranges_are_refused_unless_the_policy_takes_them() {
        for text in ["+19002345678", "+881612345678", "+870773111632", "+448431234567"] {
            assert_eq!(parse(text), Err("refused_kind"), "{text}");
        }
        let open = NumberPolicy { refuse: BTreeSet::new(), ..NumberPolicy::default() };
        assert!(PhoneNumber::parse("+19002345678", &open).is_ok());
    }

    #[test]
    fn a_default_region_reads_national_numbers() {
        let policy = NumberPolicy { default_region: Some("DE".into()), ..NumberPolicy::default() };
        assert_eq!(PhoneNumber::parse("030 123456", &policy).unwrap().in_full(), "+4930123456");
    }

    #[test]
    fn fictional_numbers_are_taken_only_where_the_policy_says_so() {
        assert!(parse("+15550001234").is_err());
        let policy =
            NumberPolicy { fictional: vec!["+1500555".into(), "+1555".into()], ..NumberPolicy::default() };
        assert_eq!(PhoneNumber::parse("+1 555 000 1234", &policy).unwrap().in_full(), "+15550001234");
        assert!(PhoneNumber::parse("+1555123", &policy).is_err());
    }

    #[test]
    fn a_number_shows_masked() {
        let number: PhoneNumber = "+41524204242".parse().unwrap();
        assert_eq!(number.to_string(), "+41*******42");
        assert_eq!(format!("{number:?}"), "PhoneNumber(+41*******42)");
        assert_eq!(mask("whatsapp:+41524204242"), "whatsapp:+41*******42");
        assert_eq!(mask("12345"), "***45");
        assert_eq!(mask("Acme"), "****");
    }
}
