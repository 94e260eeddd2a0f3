//! A number as Lookups v2 describes it: valid or why not, and its writings.

use rlibphonenumber::enums::Region;
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, ParseError, ValidationError};
use rlibphonenumber::{PhoneNumber, PhoneNumberFormat};

/// What the plan says of a number. Of an invalid one there is nothing but what was
/// asked for and why.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in super::super) struct Lookup {
    /// The number in E.164, as far as it can be written so.
    pub phone_number: String,
    /// The digits between plus and number: `44`.
    pub calling_country_code: Option<String>,
    /// The ISO 3166 code: `GB`; none for numbers of no country.
    pub country_code: Option<String>,
    /// As people there write it: `07400 123456`.
    pub national_format: Option<String>,
    /// Why it is not valid, in Twilio's words; none of a valid one.
    pub validation_errors: Vec<&'static str>,
}

impl Lookup {
    /// Whether somebody could have the number.
    pub fn is_valid(&self) -> bool {
        self.validation_errors.is_empty()
    }

    fn invalid(phone_number: String, why: &'static str) -> Self {
        Self { phone_number, validation_errors: vec![why], ..Self::default() }
    }
}

/// Looks a number up: in E.164, or as people in the country write it; without a
/// country it is read as in the United States.
pub(in super::super) fn look_up(text: &str, country: Option<&str>) -> Lookup {
    let region = country.and_then(|id| id.parse().ok()).or_else(|| "US".parse::<Region>().ok());
    let parsed = match PHONE_NUMBER_UTIL.parse(text, region) {
        Ok(parsed) => parsed,
        Err(error) => return Lookup::invalid(plain(text), why_unread(&error)),
    };
    let phone_number = parsed.format_as(PhoneNumberFormat::E164).into_owned();
    if let Some(why) = why_invalid(&parsed) {
        return Lookup::invalid(phone_number, why);
    }
    let id = parsed.get_region_code().map(|region| region.to_string());
    Lookup {
        phone_number,
        calling_country_code: Some(parsed.country_code.to_string()),
        // `001` is the whole world.
        country_code: id.filter(|id| id.bytes().all(|byte| byte.is_ascii_uppercase())),
        national_format: Some(parsed.format_as(PhoneNumberFormat::National).into_owned()),
        validation_errors: Vec::new(),
    }
}

/// What was asked for, without what people put between digits.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect()
}

fn why_unread(error: &ParseError) -> &'static str {
    match error {
        ParseError::InvalidCountryCode => "INVALID_COUNTRY_CODE",
        ParseError::NotANumber(_) => "NOT_A_NUMBER",
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => "TOO_SHORT",
        ParseError::TooLongNsn => "TOO_LONG",
    }
}

/// Why nobody can have a number, or cannot be called by it from anywhere.
pub(super) fn why_invalid(number: &PhoneNumber) -> Option<&'static str> {
    match number.is_possible_with_reason() {
        Err(ValidationError::InvalidCountryCode) => Some("INVALID_COUNTRY_CODE"),
        // So many digits are enough to dial next door, and not from elsewhere.
        Err(ValidationError::TooShort) | Ok(NumberLengthType::IsPossibleLocalOnly) => Some("TOO_SHORT"),
        Err(ValidationError::InvalidLength) => Some("INVALID_LENGTH"),
        Err(ValidationError::TooLong) => Some("TOO_LONG"),
        Ok(_) if !number.is_valid() => Some("INVALID_BUT_POSSIBLE"),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_number_has_its_writings() {
        let wanted = [
            ("+14159929960", None, "+14159929960", "1", Some("US"), "(415) 992-9960"),
            ("4159929960", None, "+14159929960", "1", Some("US"), "(415) 992-9960"),
            ("+447772000001", None, "+447772000001", "44", Some("GB"), "07772 000001"),
            ("07772000001", Some("GB"), "+447772000001", "44", Some("GB"), "07772 000001"),
            ("+16135550123", None, "+16135550123", "1", Some("CA"), "(613) 555-0123"),
            ("+4915112345678", None, "+4915112345678", "49", Some("DE"), "01511 2345678"),
            // Twilio's own for tests is a personal number, by the plan.
            ("+15005550006", None, "+15005550006", "1", Some("US"), "(500) 555-0006"),
            ("+80012345678", None, "+80012345678", "800", None, "1234 5678"),
        ];
        for (text, country, number, code, id, national) in wanted {
            let found = look_up(text, country);
            assert!(found.is_valid(), "{found:?}");
            let writings = (found.phone_number.as_str(), found.calling_country_code.as_deref());
            assert_eq!(writings, (number, Some(code)), "{text}");
            assert_eq!(
                (found.country_code.as_deref(), found.national_format.as_deref()),
                (id, Some(national))
            );
        }
    }

    #[test]
    fn an_invalid_number_says_why_and_nothing_else() {
        let wanted = [
            ("+141599299600", "+141599299600", "TOO_LONG"),
            ("+1415", "+1415", "TOO_SHORT"),
            ("+14155550", "+14155550", "TOO_SHORT"),
            ("5550123", "+15550123", "TOO_SHORT"),
            ("+999123456789", "+999123456789", "INVALID_COUNTRY_CODE"),
            ("+15551230001", "+15551230001", "INVALID_BUT_POSSIBLE"),
            ("me", "me", "NOT_A_NUMBER"),
            ("", "", "NOT_A_NUMBER"),
        ];
        for (text, number, why) in wanted {
            assert_eq!(look_up(text, None), Lookup::invalid(number.to_owned(), why), "{text}");
        }
    }
}
