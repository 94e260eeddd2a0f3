//! Numbers that begin alike. It refuses to know what a plan calls a range.

use super::bad_target::BadTarget;
use super::block::block_of;
use crate::model::phone::calling_code;
use crate::model::typed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The digits of the longest number.
const MOST: usize = 15;

/// Numbers that begin alike, in international form: `+4479`, the calling code and one
/// digit more at least. It holds no number of anybody's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range(String);

impl Range {
    /// What its numbers begin with: a plus and digits.
    pub fn prefix(&self) -> &str {
        &self.0
    }
}

impl FromStr for Range {
    type Err = BadTarget;

    /// Reads a beginning, with a star behind it or not, or the first and the last number
    /// of a block of ten, a hundred, a thousand and so on.
    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let plain = typed::plain(text);
        let plain: String = plain.chars().filter(|c| !matches!(c, ' ' | '.' | '(' | ')')).collect();
        let begins = match block_of(&plain)? {
            Some(begins) => begins,
            None => plain.strip_suffix('*').unwrap_or(&plain).replace('-', ""),
        };
        let digits = begins.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadTarget::new(
                "range: write what its numbers begin with, in international form, like +4479*",
            ));
        }
        if digits.len() > MOST {
            return Err(BadTarget::new("range: no number has more than 15 digits"));
        }
        match calling_code(&begins) {
            None => Err(BadTarget::new("range: no country has this calling code")),
            Some(code) if digits.len() == code.to_string().len() => Err(BadTarget(format!(
                "range: +{code} is a calling code alone, and all of its countries; name a country, or one digit more"
            ))),
            Some(_) => Ok(Self(begins)),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*", self.0)
    }
}

impl TryFrom<String> for Range {
    type Error = BadTarget;
    fn try_from(text: String) -> Result<Self, BadTarget> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> String {
        range.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_beginnings_and_as_blocks() {
        for (text, reads) in [
            ("+4479*", "+4479*"),
            ("+4479", "+4479*"),
            ("+44 79*", "+4479*"),
            ("+1 (415) 555-01*", "+141555501*"),
            ("+14155550000-+14155550999", "+14155550*"),
            ("+1 415 555 0100 - +1 415 555 0199", "+141555501*"),
            ("+12", "+12*"),
        ] {
            assert_eq!(text.parse::<Range>().map(|range| range.to_string()).as_deref(), Ok(reads), "{text}");
        }
        for (text, told) in [
            ("", "like +4479*"),
            ("4479*", "like +4479*"),
            ("+44x", "like +4479*"),
            ("+*", "like +4479*"),
            ("+44*", "+44 is a calling code alone"),
            ("+1", "+1 is a calling code alone"),
            ("+999123*", "no country has this calling code"),
            ("+1234567890123456*", "15 digits"),
            ("+14155550000-+14155550998", "+14155550000-+14155550999"),
            ("+14155550999-+14155550000", "+14155550000-+14155550999"),
            ("+14155550000-+1415555099", "+14155550000-+14155550999"),
        ] {
            let error = text.parse::<Range>().unwrap_err().to_string();
            assert!(error.starts_with("range: ") && error.contains(told), "{text}: {error}");
        }
    }
}
