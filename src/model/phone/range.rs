//! Where a number stands in its plan: its country, its range, and its neighbours. It
//! refuses to know what anybody thinks of them.

use super::{Kind, Line, PhoneNumber, read};
use rlibphonenumber::{PhoneNumber as Parsed, PhoneNumberFormat};

/// Digits that a subscriber has of their own where no plan says: a range holds a
/// hundred thousand numbers.
const SUBSCRIBER: usize = 5;

/// Where a number stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Standing {
    /// The country, as an ISO 3166 code; `??` for global services and for numbers that
    /// no plan knows.
    pub region: String,
    /// The calling code and what stands before the subscriber's own digits, as the plan
    /// writes it: `+4479`. Many numbers have it, so it is nobody's.
    pub range: String,
    /// Whether its plan says that it is a number of internet telephony.
    pub is_voip: bool,
}

impl PhoneNumber {
    /// Where it stands in its plan.
    pub fn standing(&self) -> Standing {
        let digits = self.in_full();
        let cut = |length: usize| digits[..length.min(digits.len())].to_owned();
        let unknown = digits.len().saturating_sub(SUBSCRIBER);
        let Some(plan) = read::again(self) else {
            return Standing { region: "??".to_owned(), range: cut(unknown), is_voip: false };
        };
        let calling = 1 + plan.parsed.country_code.to_string().len();
        let range = match destination_code(&plan.parsed) {
            0 => unknown,
            length => (calling + length).min(digits.len().saturating_sub(2)),
        };
        Standing {
            region: plan.country().unwrap_or_else(|| "??".to_owned()),
            range: cut(range),
            is_voip: plan.line() == Line::Special(Kind::Voip),
        }
    }

    /// The thousand consecutive numbers that it is of, and which hundred of them.
    pub fn block(&self) -> (&str, &str) {
        // E.164 numbers have six digits and more.
        let (thousand, rest) = self.in_full().split_at(self.in_full().len() - 3);
        (thousand, &rest[..1])
    }
}

/// The digits of the national destination code; 0 where the plan writes none. What the
/// library finds by two readings more is read off how it writes the number.
fn destination_code(parsed: &Parsed) -> usize {
    /// The country whose mobiles have a digit before that code.
    const ARGENTINA: i32 = 54;
    if parsed.country_code == ARGENTINA {
        return parsed.get_length_of_national_destination_code();
    }
    let written = parsed.format_as(PhoneNumberFormat::International);
    let mut groups = written.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty());
    match (groups.next(), groups.next(), groups.next()) {
        (Some(_), Some(code), Some(_)) => code.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Plan;
    use super::*;
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    #[test]
    fn what_is_found_with_less_reading_is_what_the_library_finds() {
        use PhoneNumberType::{FixedLine, Mobile, Pager, PremiumRate, TollFree, UAN, VoIP};
        let mut seen = 0;
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            for kind in [FixedLine, Mobile, Pager, PremiumRate, TollFree, UAN, VoIP] {
                let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind)
                else {
                    continue;
                };
                // The example, others of its range, and what is too short or too long.
                let whole = example.national_number;
                for national in [whole, whole ^ 1, whole + 1_111, whole + 555_555, whole / 10, whole * 10] {
                    let mut parsed = example.clone();
                    parsed.national_number = national;
                    let plan = Plan::of(parsed.clone());
                    assert_eq!(plan.is_valid(), parsed.is_valid(), "{region}: {parsed:?}");
                    assert_eq!(plan.region(), parsed.get_region_code(), "{region}: {parsed:?}");
                    let code = parsed.get_length_of_national_destination_code();
                    assert_eq!(destination_code(&parsed), code, "{region}: {parsed:?}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 3_000, "{seen}");
    }

    #[test]
    fn a_number_stands_in_a_country_and_a_range() {
        for (number, region, range) in [
            ("+4915112345678", "DE", "+491511"),
            ("+447400123456", "GB", "+447400"),
            ("+14155550123", "US", "+1415"),
            ("+12044345678", "CA", "+1204"),
            ("+34612345678", "ES", "+34612"),
            ("+881612345678", "??", "+8816"),
            ("+15550001234", "??", "+1555"),
            ("+999123456789", "??", "+9991234"),
        ] {
            let standing = number.parse::<PhoneNumber>().unwrap().standing();
            assert_eq!((standing.region.as_str(), standing.range.as_str()), (region, range), "{number}");
        }
    }

    #[test]
    fn neighbours_share_a_block() {
        let block = |text: &str| {
            let number: PhoneNumber = text.parse().unwrap();
            let (thousand, hundred) = number.block();
            (thousand.to_owned(), hundred.to_owned())
        };
        assert_eq!(block("+14155550123"), ("+14155550".to_owned(), "1".to_owned()));
        assert_eq!(block("+123456"), ("+123".to_owned(), "4".to_owned()));
    }
}
