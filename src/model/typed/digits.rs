//! The decimal digits of all scripts. The table is made from the Unicode
//! Character Database 17.0.0 (DerivedGeneralCategory.txt, `Nd`), where the ten
//! digits of a script always follow one another.

/// The zeros of all scripts but ASCII's.
const ZEROS: [u32; 76] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066,
    0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730,
    0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50, 0x16130, 0x16a60, 0x16ac0,
    0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0,
    0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The value of a decimal digit of any script.
pub fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return u8::try_from(c).ok().filter(u8::is_ascii_digit).map(|byte| byte - b'0');
    }
    // The last zero that is not behind it.
    let next = ZEROS.partition_point(|zero| *zero <= u32::from(c));
    let zero = ZEROS.get(next.checked_sub(1)?)?;
    u8::try_from(u32::from(c) - zero).ok().filter(|value| *value < 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_has_its_value() {
        assert!(ZEROS.is_sorted());
        let decimal = regex::Regex::new(r"^\p{Nd}$").unwrap();
        let all: Vec<char> = ('\0'..=char::MAX).filter(|c| decimal.is_match(&c.to_string())).collect();
        assert!(all.len() >= 760);
        // The digits of a script follow one another, zero first.
        for (nth, c) in all.iter().enumerate() {
            assert_eq!(digit(*c).map(usize::from), Some(nth % 10), "{c:?}");
        }
        // And nothing else is one; whatever the expression's tables lack is
        // numeric to the standard library.
        let others = ('\0'..=char::MAX).filter(|c| digit(*c).is_some() && !c.is_numeric());
        assert_eq!(others.count(), 0);
        assert_eq!((digit('²'), digit('①'), digit('五'), digit('O')), (None, None, None, None));
    }
}
