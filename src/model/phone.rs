//! Telephone numbers: what a person typed, to E.164, or why not.
//!
//! libphonenumber's data and rules say what a number is. What is ours stands in
//! `read`: the order in which a writing is tried, and what is never guessed.
//! It refuses to know channels and who may be written to.

mod error;
mod key;
mod kind;
mod length;
mod mask;
mod number;
mod plan;
mod policy;
mod range;
mod read;

use crate::model::typed;
pub use error::PhoneError;
pub use key::PersonKey;
pub use key::address_key;
pub use key::address_spellings;
pub use kind::Kind;
pub use kind::Line;
pub use mask::mask;
pub use number::PhoneNumber;
pub use policy::NumberPolicy;
pub use range::Standing;
pub use read::calling_code;

impl PhoneNumber {
    /// Reads what a person or program wrote.
    ///
    /// # Errors
    /// What is wrong with it, precisely enough to tell the person.
    pub fn parse(text: &str, policy: &NumberPolicy) -> Result<Self, PhoneError> {
        Self::parse_or_known(text, policy, |_| false)
    }

    /// Reads it; what is `known` is taken as it is, whether any plan has such a
    /// number or not: numbers for tests.
    ///
    /// # Errors
    /// As [`PhoneNumber::parse`].
    pub fn parse_or_known(
        text: &str,
        policy: &NumberPolicy,
        known: impl Fn(&Self) -> bool,
    ) -> Result<Self, PhoneError> {
        let plain = typed::plain(text);
        // Longer than any number with its punctuation; parsing is not free.
        if plain.is_empty() || plain.chars().count() > 64 {
            return Err(PhoneError::NotANumber);
        }
        if plain.contains(is_line_break) {
            return Err(PhoneError::LineBreak);
        }
        let as_it_is = |number: &Self| known(number) || policy.is_fictional(number);
        read::read(&plain, policy, &as_it_is)
    }

    /// Reads a number in order to find what is known of it: as [`PhoneNumber::parse`],
    /// and also what a plan has given up, for records may hold it.
    ///
    /// # Errors
    /// As [`PhoneNumber::parse`].
    pub fn parse_to_find(text: &str, policy: &NumberPolicy) -> Result<Self, PhoneError> {
        Self::parse(text, policy)
            .or_else(|refused| read::known_once(&typed::plain(text), policy).ok_or(refused))
    }

    /// All of it as it is written between countries, `+41 52 420 42 42`: for the
    /// person whose number it is.
    pub fn in_full_spaced(&self) -> String {
        let spaced = |number: &rlibphonenumber::PhoneNumber| {
            number.format_as(rlibphonenumber::PhoneNumberFormat::International).into_owned()
        };
        read::again(self).map_or_else(|| self.in_full().to_owned(), |plan| spaced(&plan.parsed))
    }

    /// The country, as an ISO 3166 code; none for global services and for
    /// numbers that no plan knows.
    pub fn region(&self) -> Option<String> {
        read::again(self)?.country()
    }

    /// What sort of telephone it leads to.
    pub fn line(&self) -> Line {
        read::again(self).map_or(Line::Unknown, |plan| plan.line())
    }

    /// Whether it certainly is a landline. Where a plan does not tell landlines
    /// from mobiles, as in North America, nobody knows.
    pub fn is_landline(&self) -> bool {
        self.line() == Line::Landline
    }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
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
            ("+1000000000", "too_short"),
            ("+49151234567O9", "not_a_number"),
            ("1-800-FLOWERS", "not_a_number"),
            ("+14155550123\n+14155550124", "not_a_number"),
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
        let open = NumberPolicy { refuse: [].into(), ..NumberPolicy::default() };
        assert!(PhoneNumber::parse("+19002345678", &open).is_ok());
    }

    #[test]
    fn a_default_region_reads_national_numbers() {
        let policy = NumberPolicy { default_region: Some("DE".into()), ..NumberPolicy::default() };
        assert_eq!(PhoneNumber::parse("030 123456", &policy).unwrap().in_full(), "+4930123456");
    }

    #[test]
    fn a_region_reads_as_people_there_dial() {
        for (region, text, expected) in [
            // A plus is never read by a region's trunk rules.
            ("US", "+49 151 23456789", "+4915123456789"),
            ("US", "(+49) 151 23456789", "+4915123456789"),
            ("US", "+86 131 2345 6789", "+8613123456789"),
            ("DE", "+225 07 05 18 11 23", "+2250705181123"),
            ("US", "+7 812 345-67-89", "+78123456789"),
            // Exit codes are the country's, and 00 a plus only where it is no number.
            ("US", "011 49 151 23456789", "+4915123456789"),
            ("US", "0049 151 23456789", "+4915123456789"),
            ("AU", "0011 49 151 23456789", "+4915123456789"),
            ("HK", "001 354 611 1234", "+3546111234"),
            ("KR", "001 49 151 23456789", "+4915123456789"),
            ("SG", "001 49 151 23456789", "+4915123456789"),
            ("TH", "001 49 151 23456789", "+4915123456789"),
            ("CO", "009 49 151 23456789", "+4915123456789"),
            ("DE", "00 1 415 555 2671", "+14155552671"),
            // Numbers that begin like their own calling code or trunk prefix.
            ("IN", "91234 56789", "+919123456789"),
            ("IT", "392 123 4567", "+393921234567"),
            ("KZ", "777 123 4567", "+77771234567"),
            ("KZ", "8 777 123 4567", "+77771234567"),
            ("BR", "(55) 99912-3456", "+5555999123456"),
            ("RU", "812 345-67-89", "+78123456789"),
            ("RU", "8 (843) 212-34-56", "+78432123456"),
            // Mexico before 2019.
            ("MX", "044 55 1234 5678", "+525512345678"),
            ("MX", "045 55 1234 5678", "+525512345678"),
            ("MX", "01 55 1234 5678", "+525512345678"),
            ("MX", "1 55 1234 5678", "+525512345678"),
            ("MX", "521 55 1234 5678", "+525512345678"),
            ("MX", "55 1234 5678", "+525512345678"),
            ("US", "011 52 1 55 1234 5678", "+525512345678"),
            ("DE", "0052 1 55 1234 5678", "+525512345678"),
        ] {
            let policy = NumberPolicy { default_region: Some(region.into()), ..NumberPolicy::default() };
            let read = PhoneNumber::parse(text, &policy).map(|number| number.in_full().to_owned());
            assert_eq!(read.as_deref(), Ok(expected), "{region} {text}");
        }
        for text in ["+52 1 55 1234 5678", "+5215512345678", "+52 044 55 1234 5678", "0052 1 5512345678"] {
            assert_eq!(parse(text).as_deref(), Ok("+525512345678"), "{text}");
        }
    }

    #[test]
    fn a_letter_is_never_a_digit() {
        let policy = NumberPolicy { default_region: Some("US".into()), ..NumberPolicy::default() };
        for (text, letter) in [("415 555 O123", 'O'), ("+49151234l6789", 'l'), ("415555012\u{b2}", '\u{b2}')]
        {
            assert_eq!(PhoneNumber::parse(text, &policy), Err(PhoneError::Letter { letter }), "{text}");
        }
    }

    #[test]
    fn what_a_keyboard_or_a_page_puts_in_is_read() {
        for text in [
            "+\u{664}\u{669}\u{661}\u{665}\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}\u{669}",
            "\u{ff0b}49\u{202f}151\u{a0}2345\u{2011}6789",
            "\u{feff}\u{202a}+49\u{2060}15123456789\u{202c}\r\n",
        ] {
            assert_eq!(parse(text).as_deref(), Ok("+4915123456789"), "{text:?}");
        }
    }

    #[test]
    fn what_is_known_is_taken_however_it_is_written() {
        let policy = NumberPolicy { default_region: Some("US".into()), ..NumberPolicy::default() };
        let known = |number: &PhoneNumber| number.in_full() == "+15551230000";
        for text in [
            "+15551230000",
            "+1 (555) 123-0000",
            "555 123 0000",
            "\u{ff0b}1555\u{2011}1230000",
            "011 1 555 123 0000",
        ] {
            let read = PhoneNumber::parse_or_known(text, &policy, known);
            assert_eq!(
                read.map(|number| number.in_full().to_owned()).as_deref(),
                Ok("+15551230000"),
                "{text}"
            );
            assert!(PhoneNumber::parse(text, &policy).is_err());
        }
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
    fn a_number_shows_masked_or_spaced() {
        let number: PhoneNumber = "+41524204242".parse().unwrap();
        assert_eq!(number.to_string(), "+41*******42");
        assert_eq!(format!("{number:?}"), "PhoneNumber(+41*******42)");
        assert_eq!(number.in_full_spaced(), "+41 52 420 42 42");
        let fictional: PhoneNumber = "+15005550006".parse().unwrap();
        assert_eq!(fictional.in_full_spaced(), "+1 500-555-0006");
    }

    #[test]
    fn a_wrong_length_is_told_from_a_wrong_beginning() {
        for (text, code) in [
            // Some German numbers are as short as these, others as long.
            ("+49 151 234567", "too_short"),
            ("+49 151 23456789 0", "too_long"),
            ("+49 171 12345", "too_short"),
            ("+49 151 23", "too_short"),
            ("+33 6 12 34 56 7", "too_short"),
            ("+44 7400 12345", "too_short"),
            ("+1 999 555 0123", "no_such_range"),
            ("+1 055 555 0123", "no_such_range"),
        ] {
            assert_eq!(parse(text), Err(code), "{text}");
        }
    }

    #[test]
    fn what_begins_with_another_country_s_exit_code_is_its_own_country_s() {
        let policy = NumberPolicy { default_region: Some("JP".into()), ..NumberPolicy::default() };
        // Valid in Japan, and longer than E.164 with its country's code.
        for text in ["00375152450911", "0037 5152 450911"] {
            assert_eq!(
                PhoneNumber::parse(text, &policy),
                Err(PhoneError::TooLong { country_code: 81 }),
                "{text}"
            );
        }
        let abroad = PhoneNumber::parse("0049 151 23456789", &policy).unwrap();
        assert_eq!(abroad.in_full(), "+4915123456789", "no number of Japan's");
    }

    #[test]
    fn a_given_up_writing_is_found_with_whatever_stands_between_its_digits() {
        let brazil = NumberPolicy { default_region: Some("BR".into()), ..NumberPolicy::default() };
        for text in
            ["+55 11 8765-4399", "+55 (11) 8765.4399", "+551187654399", "(11) 8765-4399", "011 8765-4399"]
        {
            assert!(PhoneNumber::parse(text, &brazil).is_err(), "{text}");
            let found = PhoneNumber::parse_to_find(text, &brazil).unwrap();
            assert_eq!(found.person(), "+5511987654399".parse::<PhoneNumber>().unwrap().person(), "{text}");
        }
        for text in ["", "hello", "+55 11 8765-43O9", "12"] {
            assert!(PhoneNumber::parse_to_find(text, &brazil).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_names_the_country_by_which_it_judged() {
        let told = |text: &str, region: &str| {
            let policy = NumberPolicy { default_region: Some(region.into()), ..NumberPolicy::default() };
            PhoneNumber::parse(text, &policy).unwrap_err().read_by(text, &policy)
        };
        let national = told("0999 1", "DE");
        assert_eq!(
            national.code(),
            PhoneNumber::parse("+49 999 1", &NumberPolicy::default()).unwrap_err().code()
        );
        assert!(
            national.to_string().ends_with("it has no country code and was read as a number of DE"),
            "{national}"
        );
        assert!(!told("+1 999", "DE").to_string().contains("of DE"));
        assert!(!told("hello", "DE").to_string().contains("of DE"));
    }
}
