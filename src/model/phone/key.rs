//! One person, one key: the spellings under which one telephone is known.
//!
//! Three plans have two writings in E.164 for one line, and providers, WhatsApp
//! and address books do not use the same one. It looks at digits alone, so that
//! a key never changes with the numbering plans' data; it refuses to know
//! whether a number exists.
//!
//! - Mexico gave up the 1 before mobile numbers in 2019: `+52 1 55…` is `+52 55…`.
//! - Brazil put a 9 before mobile numbers from 2012 to 2016; WhatsApp still names
//!   many people without it. Landlines (2 to 5) never got one.
//! - Argentina's mobiles are called from abroad with a 9 after the country's
//!   code. Behind it stands the one number that the line has at home.

use super::PhoneNumber;

/// What all spellings of one person's number have in common: one of them, in
/// E.164. For comparing and finding; messages go to the number that was given.
///
/// It has no `Display`, for it is a whole number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonKey(PhoneNumber);

impl PersonKey {
    /// The key, in E.164. As [`PhoneNumber::in_full`], never for a log.
    pub fn as_str(&self) -> &str {
        self.0.in_full()
    }

    /// The same as a number, for records that are found by it.
    pub fn number(&self) -> &PhoneNumber {
        &self.0
    }

    /// Every spelling in E.164, the key itself first. Records are found under
    /// each of them, whatever wrote them and when.
    pub fn spellings(&self) -> Vec<String> {
        spellings_of(self.as_str())
    }
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonKey({})", self.0.masked())
    }
}

impl PhoneNumber {
    /// Whose number it is.
    pub fn person(&self) -> PersonKey {
        PersonKey(Self::of(key_of(self.in_full())))
    }
}

/// The key of an address: `whatsapp:+5215512345678` is `whatsapp:+525512345678`.
/// What holds no number, like a short code or `messenger:…`, is its own key.
pub fn address_key(address: &str) -> String {
    let (channel, number) = split(address);
    format!("{channel}{}", key_of(number))
}

/// Every spelling of an address, its key first.
pub fn address_spellings(address: &str) -> Vec<String> {
    let (channel, number) = split(address);
    spellings_of(&key_of(number)).into_iter().map(|spelling| format!("{channel}{spelling}")).collect()
}

/// The channel of an address with its colon, and the rest.
fn split(address: &str) -> (&str, &str) {
    address.split_at(address.rfind(':').map_or(0, |at| at + 1))
}

fn key_of(number: &str) -> String {
    let digits = number.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let key = digits.and_then(|digits| match (&digits[..digits.len().min(2)], digits.len()) {
        ("52", 13) => digits.strip_prefix("521").map(|rest| format!("+52{rest}")),
        ("54", 13) => digits.strip_prefix("549").map(|rest| format!("+54{rest}")),
        ("55", 12) if is_brazilian_mobile(&digits[2..4], &digits[4..]) => {
            Some(format!("+55{}9{}", &digits[2..4], &digits[4..]))
        }
        _ => None,
    });
    key.unwrap_or_else(|| number.to_owned())
}

fn spellings_of(key: &str) -> Vec<String> {
    std::iter::once(key.to_owned()).chain(other_spelling(key)).collect()
}

/// The other spelling of a key, where there is one.
fn other_spelling(key: &str) -> Option<String> {
    let digits = key.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    match (digits.get(..2)?, digits.len()) {
        ("52", 12) => Some(format!("+521{}", &digits[2..])),
        ("54", 12) => Some(format!("+549{}", &digits[2..])),
        ("55", 13) if digits.as_bytes()[4] == b'9' && is_brazilian_mobile(&digits[2..4], &digits[5..]) => {
            Some(format!("+{}{}", &digits[..4], &digits[5..]))
        }
        _ => None,
    }
}

/// Whether the eight digits behind an area's code, which has no zero, are a
/// mobile's from before the ninth digit: they began with 6 to 9. Others that
/// begin with a 9 today never had a shorter form, which would be somebody's
/// landline.
fn is_brazilian_mobile(area: &str, eight: &str) -> bool {
    !area.contains('0') && eight.len() == 8 && matches!(eight.as_bytes()[0], b'6'..=b'9')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_person_has_one_key() {
        for (one, other) in [
            ("+5215512345678", "+525512345678"),
            ("+551187654321", "+5511987654321"),
            ("+553166554433", "+5531966554433"),
            ("+5491123456789", "+541123456789"),
            ("+5493804123456", "+543804123456"),
        ] {
            let key = |text: &str| text.parse::<PhoneNumber>().unwrap().person();
            assert_eq!(key(one), key(other), "{one} {other}");
            let spellings = key(one).spellings();
            assert!(spellings.contains(&one.to_owned()) && spellings.contains(&other.to_owned()));
            assert_eq!(address_key(&format!("whatsapp:{one}")), address_key(&format!("whatsapp:{other}")));
            assert_ne!(address_key(&format!("whatsapp:{one}")), address_key(other), "by channel");
        }
    }

    #[test]
    fn two_persons_have_two_keys() {
        for (one, other) in [
            // A landline of São Paulo, and a mobile that begins as it does.
            ("+551123456789", "+5511923456789"),
            ("+551152345678", "+5511952345678"),
            // One digit too few or too many for the rule.
            ("+521551234567", "+52551234567"),
            ("+54911234567", "+5411234567"),
            ("+14155550123", "+14155550124"),
        ] {
            assert_ne!(address_key(one), address_key(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_is_its_own_key() {
        for address in [
            "",
            "+",
            "+5",
            "12345",
            "messenger:1234567890",
            "whatsapp:",
            "client:+52é21551234567",
            "sip:a@b:5060",
        ] {
            assert_eq!(address_key(address), address);
            assert_eq!(address_spellings(address), [address]);
        }
    }

    proptest! {
        #[test]
        fn a_key_is_the_key_of_all_its_spellings(country in "52|54|55|1|49", rest in "[0-9]{5,11}") {
            let number: PhoneNumber = format!("+{country}{rest}").parse().unwrap();
            let spellings = number.person().spellings();
            prop_assert!(spellings.contains(&number.in_full().to_owned()));
            for spelling in &spellings {
                prop_assert_eq!(spelling.parse::<PhoneNumber>().unwrap().person(), number.person());
            }
        }
    }
}
