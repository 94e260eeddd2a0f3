//! What a number shall contain, as people who look for one write it. It refuses to know
//! which numbers there are.

use crate::entropy::Entropy;

/// What a number shall contain: digits, letters as on a telephone's keys, and `*` for
/// any digit; with a plus in front it is how the number begins.
#[derive(Clone, Debug)]
pub(in super::super) struct Pattern {
    /// A digit for each place, or none where any is right.
    digits: Vec<Option<u8>>,
    is_start: bool,
}

impl Pattern {
    /// Reads a pattern of two places at least, and of no more than a number has.
    pub fn read(text: &str) -> Option<Self> {
        let (is_start, text) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
        let digits: Option<Vec<Option<u8>>> = text.bytes().map(place).collect();
        digits.filter(|digits| (2..=15).contains(&digits.len())).map(|digits| Self { digits, is_start })
    }

    /// Whether a number in E.164 has it.
    pub fn is_in(&self, number: &str) -> bool {
        let digits: Vec<u8> = number.bytes().filter(u8::is_ascii_digit).collect();
        let mut places = digits.windows(self.digits.len());
        let fits = |window: &[u8]| {
            window.iter().zip(&self.digits).all(|(digit, one)| one.is_none_or(|one| one == *digit))
        };
        if self.is_start { places.next().is_some_and(fits) } else { places.any(fits) }
    }

    /// Writes it somewhere into the digits behind a country's code, or where it has to
    /// begin. The country's code is a part of the number and stays.
    pub fn engrave(&self, country_code: i32, digits: &mut [u8], chance: &Entropy) {
        let code = country_code.to_string().len();
        let Some(room) = (code + digits.len()).checked_sub(self.digits.len()) else { return };
        let room = u64::try_from(room).unwrap_or_default();
        let start = if self.is_start { 0 } else { chance.below(room + 1) };
        let start = usize::try_from(start).unwrap_or_default();
        for (at, wanted) in self.digits.iter().enumerate() {
            let place = (start + at).checked_sub(code).and_then(|at| digits.get_mut(at));
            if let (Some(place), Some(wanted)) = (place, wanted) {
                *place = *wanted;
            }
        }
    }
}

/// What a sign of a pattern stands for.
fn place(sign: u8) -> Option<Option<u8>> {
    const KEYS: &[u8; 26] = b"22233344455566677778889999";
    match sign {
        b'*' => Some(None),
        b'0'..=b'9' => Some(Some(sign)),
        _ if sign.is_ascii_alphabetic() => {
            Some(KEYS.get(usize::from(sign.to_ascii_lowercase() - b'a')).copied())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_digits_keys_and_places_for_any() {
        let is_in = |text: &str, number: &str| Pattern::read(text).unwrap().is_in(number);
        for (text, number) in [
            ("555", "+14155550123"),
            ("41555", "+14155550123"),
            ("5*5", "+14155550123"),
            ("JKL", "+14155550123"),
            ("+1415", "+14155550123"),
            ("**", "+14155550123"),
        ] {
            assert!(is_in(text, number), "{text}");
        }
        for text in ["556", "+415", "012345", "+14155550124"] {
            assert!(!is_in(text, "+14155550123"), "{text}");
        }
        for wrong in ["", "1", "4-15", "+", "1234567890123456", "\u{e9}7"] {
            assert!(Pattern::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn it_is_written_where_there_is_room_and_never_into_the_countrys_code() {
        let chance = Entropy::seeded(1);
        for _ in 0..50 {
            let mut digits = b"4155550123".to_vec();
            Pattern::read("99**9").unwrap().engrave(1, &mut digits, &chance);
            assert_eq!(digits.len(), 10);
        }
        let mut digits = b"4155550123".to_vec();
        Pattern::read("+1212").unwrap().engrave(1, &mut digits, &chance);
        assert_eq!(digits, b"2125550123");
        Pattern::read("123456789012345").unwrap().engrave(1, &mut digits, &chance);
        assert_eq!(digits, b"2125550123");
    }
}
