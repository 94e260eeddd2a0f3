//! The reading of a writing, and the order in which readings are tried.
//!
//! A number with a plus is read without any region, so that no region changes
//! it. Any other is read as somebody in the region dials: by that country's
//! exit code, its trunk prefix, its plan. `00` is a plus only where the
//! country's own reading leads to no number, or where there is no country.
//! It refuses to guess: a letter is never a digit.

use super::length::{self, Slip};
use super::plan::Plan;
use super::{Line, NumberPolicy, PhoneError, PhoneNumber};
use rlibphonenumber::enums::Region;
use rlibphonenumber::{NumberLengthType, ParseError, ValidationError};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};
use rlibphonenumber::{PhoneNumber as Parsed, get_national_significant_number_owned};
use std::sync::Arc;

/// Numbers that need no plan.
type AsItIs<'a> = &'a dyn Fn(&PhoneNumber) -> bool;

/// Reads what is plain already.
///
/// # Errors
/// What is wrong with it, by the last reading that was tried.
pub fn read(plain: &str, policy: &NumberPolicy, as_it_is: AsItIs<'_>) -> Result<PhoneNumber, PhoneError> {
    let region = policy.default_region.as_deref().and_then(|id| id.parse::<Region>().ok());
    if let Some(letter) = letter_in(plain) {
        return Err(match PHONE_NUMBER_UTIL.parse(plain, region) {
            Ok(parsed) if parsed.extension.is_some() => PhoneError::Extension,
            _ if plain.starts_with(char::is_alphabetic) => PhoneError::NotANumber,
            _ => PhoneError::Letter { letter },
        });
    }
    // Plans of no country are for tests only, and the library knows none.
    if let Some(number) = compact(plain).filter(|number| as_it_is(number)) {
        return Ok(number);
    }
    let mut error = PhoneError::NotANumber;
    for (text, region) in readings(plain, region) {
        match read_as(&text, region, policy, as_it_is) {
            Ok(number) => return Ok(number),
            // A number, and not one to go round by another reading.
            Err(Unread { error, is_number: true }) => return Err(error),
            Err(other) => error = other.error,
        }
    }
    Err(error)
}

/// Reads a number in order to find it, whether a plan still has it or not: of
/// plans with two spellings of one line, also the one that was given up.
pub fn known_once(plain: &str, policy: &NumberPolicy) -> Option<PhoneNumber> {
    const GIVEN_UP: [i32; 3] = [52, 54, 55];
    let region = policy.default_region.as_deref().and_then(|id| id.parse::<Region>().ok());
    if letter_in(plain).is_some() {
        return None;
    }
    let written = compact(plain);
    let by_plan = || {
        let parsed = PHONE_NUMBER_UTIL.parse(plain, region).ok()?;
        let is_old = parsed.extension.is_none() && GIVEN_UP.contains(&parsed.country_code);
        is_old.then(|| parsed.format_as(PhoneNumberFormat::E164).parse().ok())?
    };
    written.or_else(by_plan)
}

/// Why a reading led to no number that is taken.
struct Unread {
    error: PhoneError,
    /// Whether it is a number all the same, one that is refused: no other reading
    /// may make somebody else's of it.
    is_number: bool,
}

impl From<PhoneError> for Unread {
    fn from(error: PhoneError) -> Self {
        let is_number = matches!(error, PhoneError::RefusedKind(_));
        Self { error, is_number }
    }
}

/// The library's view of a number that is read already: its first reading's, where that
/// was by a plan.
pub fn again(number: &PhoneNumber) -> Option<Arc<Plan>> {
    match number.plan() {
        Some(plan) => Some(Arc::clone(plan)),
        None => PHONE_NUMBER_UTIL.parse(number.in_full(), None).ok().map(|parsed| Arc::new(Plan::of(parsed))),
    }
}

/// What the text may be, the best first, each with the region to read it in.
fn readings(plain: &str, region: Option<Region>) -> Vec<(String, Option<Region>)> {
    let start = plain.find(|c: char| c == '+' || c.is_ascii_digit()).unwrap_or(0);
    if plain[start..].starts_with('+') {
        return vec![(plain.to_owned(), None)];
    }
    let exit = plain[start..].strip_prefix("00").map(|rest| (format!("+{rest}"), None));
    let own = (plain.to_owned(), region);
    match (region, exit) {
        (Some(_), exit) => std::iter::once(own).chain(exit).collect(),
        (None, Some(exit)) => vec![exit],
        (None, None) => vec![own],
    }
}

fn read_as(
    text: &str,
    region: Option<Region>,
    policy: &NumberPolicy,
    as_it_is: AsItIs<'_>,
) -> Result<PhoneNumber, Unread> {
    let parsed = PHONE_NUMBER_UTIL.parse(text, region).map_err(|error| parse_error(&error, text, region))?;
    if parsed.extension.is_some() {
        return Err(PhoneError::Extension.into());
    }
    let parsed = modern_mexican(&parsed).unwrap_or(parsed);
    let country_code = u16::try_from(parsed.country_code).unwrap_or_default();
    // Some plans have room for more digits than E.164 has; a record must read
    // again what it holds.
    let number = parsed
        .format_as(PhoneNumberFormat::E164)
        .parse::<PhoneNumber>()
        .map_err(|_| PhoneError::TooLong { country_code });
    if let Some(number) = number.as_ref().ok().filter(|number| as_it_is(number)) {
        return Ok(number.clone());
    }
    // Global services are asked for before validity: their plans are sparse.
    let plan = Plan::of(parsed);
    let parsed = &plan.parsed;
    match plan.line() {
        Line::Special(kind) if policy.refuse.contains(&kind) => Err(PhoneError::RefusedKind(kind).into()),
        // A number that E.164 has no room for is one of its country's: Japan has
        // some that begin with 00, which is no plus there.
        _ if plan.is_valid() => match number {
            Ok(number) => Ok(number.planned(plan)),
            Err(error) => Err(Unread { error, is_number: true }),
        },
        _ => Err(invalid(parsed, country_code).into()),
    }
}

/// Mexico's mobiles were written with a 1 behind the country's code until 2019,
/// and dialled with 044, 045 or 01 and an area's number at home. The ten digits
/// behind these are what they have now.
fn modern_mexican(parsed: &Parsed) -> Option<Parsed> {
    const OLD: [&str; 7] = ["044", "045", "01", "1", "521", "52044", "52045"];
    if parsed.country_code != 52 || parsed.is_valid() {
        return None;
    }
    let digits = get_national_significant_number_owned(parsed);
    let ten = |prefix: &&str| digits.strip_prefix(*prefix).filter(|rest| rest.len() == 10);
    let national_number = OLD.iter().find_map(ten)?.parse().ok()?;
    let modern = Parsed { country_code: 52, national_number, ..Parsed::default() };
    modern.is_valid().then_some(modern)
}

/// The first letter of a number, or what else counts but is no digit. A `tel:`
/// and its parameters are none of the number's.
fn letter_in(plain: &str) -> Option<char> {
    let is_uri = plain.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
    let number = if is_uri { plain[4..].split(';').next().unwrap_or_default() } else { plain };
    number.chars().find(|c| c.is_alphanumeric() && !c.is_ascii_digit())
}

/// A number that is E.164 but for its punctuation.
fn compact(plain: &str) -> Option<PhoneNumber> {
    plain.chars().filter(|c| !" -().".contains(*c)).collect::<String>().parse().ok()
}

fn parse_error(error: &ParseError, text: &str, region: Option<Region>) -> PhoneError {
    match error {
        ParseError::InvalidCountryCode if text.starts_with('+') || region.is_some() => {
            PhoneError::UnknownCountryCode
        }
        ParseError::InvalidCountryCode if text.chars().filter(char::is_ascii_digit).count() < 3 => {
            PhoneError::NotANumber
        }
        ParseError::InvalidCountryCode => PhoneError::NoCountryCode,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => match calling_code(text) {
            Some(country_code) => PhoneError::TooShort { country_code },
            None => PhoneError::NotANumber,
        },
        ParseError::TooLongNsn => match calling_code(text) {
            Some(country_code) => PhoneError::TooLong { country_code },
            None => PhoneError::NotANumber,
        },
        ParseError::NotANumber(_) => PhoneError::NotANumber,
    }
}

/// The calling code with which a text begins, behind its plus; none is the beginning of
/// another.
pub fn calling_code(text: &str) -> Option<u16> {
    let digits: String = text.strip_prefix('+')?.chars().filter(char::is_ascii_digit).take(3).collect();
    let mut codes = (1..=digits.len()).filter_map(|length| digits[..length].parse::<u16>().ok());
    codes.find(|code| PHONE_NUMBER_UTIL.get_region_for_country_code(i32::from(*code)).is_some())
}

fn invalid(parsed: &Parsed, country_code: u16) -> PhoneError {
    // By what landlines and mobiles have: some plans' special numbers are short.
    let lengths = PhoneNumberType::FixedLineOrMobile;
    match PHONE_NUMBER_UTIL.is_possible_number_for_type_with_reason(parsed, lengths) {
        Err(ValidationError::InvalidCountryCode) => PhoneError::UnknownCountryCode,
        Err(ValidationError::TooShort) | Ok(NumberLengthType::IsPossibleLocalOnly) => {
            PhoneError::TooShort { country_code }
        }
        Err(ValidationError::TooLong) => PhoneError::TooLong { country_code },
        Ok(NumberLengthType::IsPossible) | Err(ValidationError::InvalidLength) => {
            match length::slip(parsed) {
                Some(Slip::Short) => PhoneError::TooShort { country_code },
                Some(Slip::Long) => PhoneError::TooLong { country_code },
                None => PhoneError::NoSuchRange { country_code },
            }
        }
    }
}
