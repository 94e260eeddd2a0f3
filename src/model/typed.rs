//! What people type, paste and let their keyboards write, in plain ASCII: one
//! reader for telephone numbers and for codes, in every face.
//!
//! Digits of all scripts become digits, the many spaces, dashes and plus signs
//! become one of each, and marks that nobody sees go. Letters stay what they
//! are: it refuses to guess that an O was meant to be a zero.

mod digits;
pub mod sentence;

pub use sentence::Found;

use digits::digit;

/// A text in which digits, spaces, dashes, dots, brackets and plus signs are
/// ASCII, without marks that show nothing, and without white space around it.
/// Everything else is as it was; so are line breaks inside.
pub fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !is_invisible(*c)).map(ascii).collect();
    plain.trim().to_owned()
}

/// A code as it was meant: without the spaces, dashes and dots that it was read
/// or pasted with.
pub fn code(text: &str) -> String {
    plain(text).chars().filter(|c| !matches!(c, ' ' | '-' | '.') && !c.is_whitespace()).collect()
}

fn ascii(c: char) -> char {
    match c {
        ' '..='~' => c,
        // Line breaks stay: two numbers in two lines are not one.
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => c,
        // The Braille blank is a letter of none, and white space to the eye.
        '\u{2800}' => ' ',
        _ if c.is_whitespace() => ' ',
        _ if is_dash(c) => '-',
        '\u{ff0b}' | '\u{fe62}' | '\u{2795}' => '+',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff3b}' => '[',
        '\u{ff3d}' => ']',
        '\u{ff0f}' => '/',
        '\u{b7}' | '\u{2024}' | '\u{30fb}' | '\u{ff0e}' | '\u{ff65}' => '.',
        _ => digit(c).map_or(c, |value| char::from(b'0' + value)),
    }
}

/// Unicode's dash punctuation, minus signs, and what looks like them and is
/// typed for them: the Japanese sound mark, the swung dashes.
fn is_dash(c: char) -> bool {
    matches!(c,
        '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'..='\u{2015}'
        | '\u{2e17}' | '\u{2e1a}' | '\u{2e3a}' | '\u{2e3b}' | '\u{2e40}' | '\u{2e5d}'
        | '\u{301c}' | '\u{3030}' | '\u{30a0}' | '\u{fe31}' | '\u{fe32}' | '\u{fe58}'
        | '\u{fe63}' | '\u{ff0d}' | '\u{10d6e}' | '\u{10ead}'
        | '\u{2d7}' | '\u{2043}' | '\u{2053}' | '\u{207b}' | '\u{208b}' | '\u{2212}' | '\u{2223}'..='\u{2225}'
        | '\u{223c}' | '\u{2500}' | '\u{2501}' | '\u{2796}' | '\u{30fc}' | '\u{ff5e}' | '\u{ff70}')
}

/// What Unicode calls default ignorable: marks of direction, joiners, spaces of
/// no width, variation selectors, the byte-order mark, fillers.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_comes_out_plain() {
        for (text, expected) in [
            ("+٤٩١٥١ ۲۳۴۵۶ ७८९", "+49151 23456 789"),
            ("＋４９（０）１５１ー２３", "+49(0)151-23"),
            ("\u{202a}+33\u{202f}6\u{a0}12\u{2009}34\u{2060}56\u{200e}78\u{202c}", "+33 6 12 345678"),
            ("\u{feff} 415\u{2011}555\u{2013}0123\r\n", "415-555-0123"),
            ("１２・３４", "12.34"),
            ("1\n2", "1\n2"),
            ("O0 é", "O0 é"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_code_comes_without_what_it_was_read_with() {
        for text in ["123456", " 123-456 ", "12.34.56", "\u{200e}123\u{a0}456\u{200f}", "١٢٣٤٥٦", "123\n456"]
        {
            assert_eq!(code(text), "123456", "{text:?}");
        }
        assert_eq!(code("dwf 4p3"), "dwf4p3");
        assert_eq!(code("12x456"), "12x456");
    }

    #[test]
    fn every_space_and_mark_of_unicode_is_one() {
        let spaces = ('\0'..=char::MAX).filter(|c| c.is_whitespace());
        assert!(spaces.clone().count() > 20);
        let breaks: String = spaces.filter(|c| ascii(*c) != ' ').collect();
        assert_eq!(breaks, "\n\u{b}\u{c}\r\u{85}\u{2028}\u{2029}");
        let marks = regex::Regex::new(r"^\p{Default_Ignorable_Code_Point}$").unwrap();
        let dashes = regex::Regex::new(r"^\p{Pd}$").unwrap();
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert!(!marks.is_match(&text) || plain(&text).is_empty(), "{c:?} shows nothing");
            assert!(!dashes.is_match(&text) || plain(&text) == "-", "{c:?} is a dash");
        }
    }
}
