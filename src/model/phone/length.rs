//! Whether a number that no plan has is only too long or too short. Plans say
//! which lengths a country has, all kinds of numbers together: where landlines
//! may be short and mobiles long, every length is possible, and it is the
//! number's own beginning that tells how long it has to be.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use rlibphonenumber::{PhoneNumber as Parsed, get_national_significant_number_owned};

/// What is wrong with a number's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// With a few digits more it is a number.
    Short,
    /// Without its last digits it is one.
    Long,
}

/// How many digits may be missing, and how many too many. Who stopped half way
/// has a number that is too short.
const MOST_MISSING: usize = 8;
const MOST_EXTRA: usize = 5;
/// The most digits of a number without its calling code.
const MOST_DIGITS: usize = 14;

/// What is wrong with the length, if that is what is wrong.
pub fn slip(parsed: &Parsed) -> Option<Slip> {
    let digits = get_national_significant_number_owned(parsed);
    let is_number = |digits: &str| is_telephone(parsed.country_code, digits);
    for step in 1..=MOST_MISSING {
        let end = digits.len().checked_sub(step).filter(|_| step <= MOST_EXTRA);
        if end.is_some_and(|end| is_number(&digits[..end])) {
            return Some(Slip::Long);
        }
        // Which digits are missing nobody knows; each of the ten stands for them.
        let mut longer = (0..10).map(|digit| format!("{digits}{}", digit.to_string().repeat(step)));
        if digits.len() + step <= MOST_DIGITS && longer.any(|digits| is_number(&digits)) {
            return Some(Slip::Short);
        }
    }
    None
}

/// Whether a plan has a landline or a mobile of these digits.
fn is_telephone(country_code: i32, digits: &str) -> bool {
    use PhoneNumberType::{FixedLine, FixedLineOrMobile, Mobile};
    let parsed = PHONE_NUMBER_UTIL.parse(format!("+{country_code}{digits}"), None);
    parsed.is_ok_and(|parsed| matches!(parsed.get_type(), FixedLine | Mobile | FixedLineOrMobile))
}
