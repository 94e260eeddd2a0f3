//! How many segments a text costs: GSM-7 (3GPP TS 23.038) or UCS-2.
//!
//! Limits and tables are those of Twilio's segment calculator (`gsm7.json`).
//! This module refuses to know prices and senders.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// The alphabet a text needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character, ten characters at the price of two.
    Gsm7,
    /// Sixteen bits a UTF-16 code unit, for everything else.
    Ucs2,
}

/// What a text costs to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet of the whole text.
    pub encoding: Encoding,
    /// Septets or UTF-16 code units, without padding.
    pub units: usize,
    /// Parts that are sent and paid for; an empty text is one.
    pub segments: usize,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        })
    }
}

impl Segments {
    /// How many units are too many for one segment.
    pub fn over(&self) -> usize {
        let single = match self.encoding {
            Encoding::Gsm7 => TABLE.limits.gsm7_single,
            Encoding::Ucs2 => TABLE.limits.ucs2_single,
        };
        self.units.saturating_sub(single)
    }
}

/// Counts a text as it is, without smart encoding; with it, count what
/// [`smart_encoded`] makes of it.
pub fn count(text: &str) -> Segments {
    match text.chars().map(septets).collect::<Option<Vec<_>>>() {
        Some(costs) => cut(Encoding::Gsm7, &costs, TABLE.limits.gsm7_single, TABLE.limits.gsm7_multi),
        None => {
            let (single, multi) = (TABLE.limits.ucs2_single, TABLE.limits.ucs2_multi);
            cut(Encoding::Ucs2, &ucs2_costs(text, multi), single, multi)
        }
    }
}

/// The characters that keep a text out of the GSM alphabet, each once, in the
/// order of the text.
pub fn not_gsm(text: &str) -> Vec<char> {
    let mut found = Vec::new();
    for char in text.chars().filter(|char| septets(*char).is_none()) {
        if !found.contains(&char) {
            found.push(char);
        }
    }
    found
}

/// The text with the characters that Twilio's smart encoding replaces: curly
/// quotes, dashes, full-width forms.
pub fn smart_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match TABLE.smart.get(&char) {
            Some(plain) => out.push_str(plain),
            None => out.push(char),
        }
    }
    out
}

/// Septets that a character takes in GSM-7, if it is in that alphabet at all.
fn septets(char: char) -> Option<usize> {
    if TABLE.basic.contains(&char) { Some(1) } else { TABLE.extension.contains(&char).then_some(2) }
}

/// UTF-16 code units of each grapheme, which is what Twilio keeps together; a
/// line's end of two characters is not one, and one that is longer than a
/// segment cannot be.
fn ucs2_costs(text: &str, longest: usize) -> Vec<usize> {
    let units = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    let mut costs = Vec::new();
    for grapheme in text.graphemes(true) {
        if grapheme == "\r\n" || units(grapheme) > longest {
            costs.extend(grapheme.chars().map(char::len_utf16));
        } else {
            costs.push(units(grapheme));
        }
    }
    costs
}

/// Fills segments one after the other. An escape pair or a grapheme is never
/// split: it moves on whole and leaves the place before it empty.
fn cut(encoding: Encoding, costs: &[usize], single: usize, multi: usize) -> Segments {
    let units = costs.iter().sum();
    let mut segments = 1;
    if units > single {
        let mut used = 0;
        for cost in costs {
            if used + cost > multi {
                segments += 1;
                used = 0;
            }
            used += cost;
        }
    }
    Segments { encoding, units, segments }
}

#[derive(Deserialize)]
struct File {
    basic: HashMap<String, u8>,
    #[serde(rename = "extension_after_0x1B")]
    extension: HashMap<String, u8>,
    limits: Limits,
    smart_encoding: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Limits {
    gsm7_single: usize,
    gsm7_multi: usize,
    ucs2_single: usize,
    ucs2_multi: usize,
}

struct Table {
    basic: HashSet<char>,
    extension: HashSet<char>,
    limits: Limits,
    smart: HashMap<char, String>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let source = include_str!("gsm7.json");
    let file: File = serde_json::from_str(source).expect("the embedded table is read by every test here");
    Table {
        basic: file.basic.keys().filter_map(|name| code_point(name)).collect(),
        extension: file.extension.keys().filter_map(|name| code_point(name)).collect(),
        limits: file.limits,
        smart: file
            .smart_encoding
            .into_iter()
            .filter_map(|(name, plain)| Some((code_point(&name)?, plain)))
            .collect(),
    }
});

/// `U+00A3` or `00A3` as a character.
fn code_point(name: &str) -> Option<char> {
    u32::from_str_radix(name.trim_start_matches("U+"), 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(text: &str) -> (Encoding, usize, usize) {
        let Segments { encoding, units, segments } = count(text);
        (encoding, units, segments)
    }

    #[test]
    fn the_tables_are_whole() {
        assert_eq!((TABLE.basic.len(), TABLE.extension.len(), TABLE.smart.len()), (127, 10, 270));
    }

    #[test]
    fn a_gsm_text_holds_160_alone_and_153_in_company() {
        assert_eq!(cost(""), (Encoding::Gsm7, 0, 1));
        assert_eq!(cost(&"a".repeat(160)), (Encoding::Gsm7, 160, 1));
        assert_eq!(cost(&"a".repeat(161)), (Encoding::Gsm7, 161, 2));
        assert_eq!(cost(&"a".repeat(306)), (Encoding::Gsm7, 306, 2));
        assert_eq!(cost(&"a".repeat(307)), (Encoding::Gsm7, 307, 3));
    }

    #[test]
    fn another_character_makes_the_whole_text_ucs2() {
        assert_eq!(cost("Ça coûte"), (Encoding::Ucs2, 8, 1));
        assert_eq!(cost("`"), (Encoding::Ucs2, 1, 1));
        assert_eq!(cost(&"я".repeat(70)), (Encoding::Ucs2, 70, 1));
        assert_eq!(cost(&"я".repeat(71)), (Encoding::Ucs2, 71, 2));
        assert_eq!(cost(&"я".repeat(135)), (Encoding::Ucs2, 135, 3));
    }

    #[test]
    fn an_extension_character_costs_two_and_is_not_split() {
        assert_eq!(cost("€"), (Encoding::Gsm7, 2, 1));
        assert_eq!(cost("\r\n"), (Encoding::Gsm7, 2, 1));
        // 152 + an escape pair would end at 154: the pair moves on, and 306
        // septets that would have fitted in two segments need three.
        let text = format!("{}€{}", "a".repeat(152), "b".repeat(152));
        assert_eq!(cost(&text), (Encoding::Gsm7, 306, 3));
    }

    #[test]
    fn a_surrogate_pair_is_not_split() {
        let text = format!("{}😀{}", "я".repeat(66), "я".repeat(66));
        assert_eq!(cost(&text), (Encoding::Ucs2, 134, 3));
    }

    #[test]
    fn a_grapheme_of_several_characters_is_not_split() {
        // A family of 11 code units at place 60 of 67: it moves on whole.
        let text = format!("{}👨\u{200d}👩\u{200d}👧\u{200d}👦{}", "я".repeat(60), "я".repeat(60));
        assert_eq!(cost(&text), (Encoding::Ucs2, 131, 3));
        let accent = format!("{}e\u{301}{}", "я".repeat(66), "я".repeat(66));
        assert_eq!(cost(&accent), (Encoding::Ucs2, 134, 3));
        let line_end = format!("{}\r\n{}", "я".repeat(66), "я".repeat(66));
        assert_eq!(cost(&line_end), (Encoding::Ucs2, 134, 2), "two characters, not one grapheme");
        let endless = format!("я{}", "\u{301}".repeat(133));
        assert_eq!(cost(&endless), (Encoding::Ucs2, 134, 2));
    }

    #[test]
    fn what_keeps_a_text_out_of_the_alphabet_and_how_much_is_too_much() {
        assert_eq!(not_gsm("códigos: ção"), ['ó', 'ç', 'ã']);
        assert_eq!(not_gsm("plain €"), Vec::<char>::new());
        assert_eq!(
            (count(&"a".repeat(163)).over(), count(&"я".repeat(71)).over(), count("a").over()),
            (3, 1, 0)
        );
    }

    #[test]
    fn smart_encoding_makes_typography_plain() {
        assert_eq!(smart_encoded("“It’s” – 5…"), "\"It's\" - 5...");
        assert_eq!(count(&smart_encoded("“It’s”")).encoding, Encoding::Gsm7);
    }
}
