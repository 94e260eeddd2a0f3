//! Where a number stands in its plan: its country, its range, and its neighbours. It
//! refuses to know what anybody thinks of them.

use super::kind::line_of;
use super::{Kind, Line, PhoneNumber, read};

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
        let Some(parsed) = read::again(self) else {
            return Standing { region: "??".to_owned(), range: cut(unknown), is_voip: false };
        };
        let region = parsed.get_region_code().map(|region| region.to_string());
        let calling = 1 + parsed.country_code.to_string().len();
        let range = match parsed.get_length_of_national_destination_code() {
            0 => unknown,
            length => (calling + length).min(digits.len().saturating_sub(2)),
        };
        Standing {
            region: region.filter(|id| id.len() == 2).unwrap_or_else(|| "??".to_owned()),
            range: cut(range),
            is_voip: line_of(&parsed) == Line::Special(Kind::Voip),
        }
    }

    /// The thousand consecutive numbers that it is of, and which hundred of them.
    pub fn block(&self) -> (&str, &str) {
        // E.164 numbers have six digits and more.
        let (thousand, rest) = self.in_full().split_at(self.in_full().len() - 3);
        (thousand, &rest[..1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
