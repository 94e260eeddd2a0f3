//! Numbers for trying out and for the reviewers of application stores: their
//! code is fixed, and nothing is ever sent to them.

use crate::model::phone::PhoneNumber;
use jiff::Timestamp;
use std::fmt;

/// A number, or many of them, with a fixed code. Configured, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct TestNumber {
    /// `+15551230000`, with `?` for any one digit, or with `*` at the end for
    /// any digits.
    pub pattern: String,
    /// The code of all their verifications.
    pub code: String,
    /// From when on they are numbers like any other.
    pub until: Timestamp,
}

impl TestNumber {
    /// Fewest digits of a pattern before its `*`: a country code and an area,
    /// so that no whole country is a test.
    pub const LEAST_DIGITS: usize = 5;

    /// Whether a pattern is one.
    pub fn is_pattern(pattern: &str) -> bool {
        let Some(rest) = pattern.strip_prefix('+') else { return false };
        let rest = rest.strip_suffix('*').unwrap_or(rest);
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        digits >= Self::LEAST_DIGITS
            && rest.len() <= 15
            && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'?')
    }

    /// Whether the number is one of these now.
    pub fn covers(&self, number: &PhoneNumber, now: Timestamp) -> bool {
        now < self.until && fits(&self.pattern, number.in_full())
    }
}

/// The code stays out of logs.
impl fmt::Debug for TestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestNumber").field("pattern", &self.pattern).field("until", &self.until).finish()
    }
}

fn fits(pattern: &str, number: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(head) => (head, true),
        None => (pattern, false),
    };
    let long_enough = if open { number.len() >= pattern.len() } else { number.len() == pattern.len() };
    long_enough && pattern.bytes().zip(number.bytes()).all(|(wanted, byte)| wanted == byte || wanted == b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_its_numbers_until_its_end() {
        let until = "2027-01-01T00:00:00Z".parse().unwrap();
        let (before, after) = ("2026-12-31T23:59:59Z".parse().unwrap(), until);
        let covers = |pattern: &str, number: &str, now| {
            let test = TestNumber { pattern: pattern.into(), code: "1".into(), until };
            test.covers(&number.parse().unwrap(), now)
        };
        assert!(covers("+15551230000", "+15551230000", before));
        assert!(!covers("+15551230000", "+15551230000", after));
        assert!(!covers("+15551230000", "+15551230001", before));
        assert!(covers("+1555123????", "+15551230001", before));
        assert!(!covers("+1555123????", "+155512300011", before));
        assert!(covers("+1555123*", "+155512300011", before));
    }

    #[test]
    fn no_pattern_covers_a_whole_country() {
        for pattern in ["+15551230000", "+1555123????", "+491555*"] {
            assert!(TestNumber::is_pattern(pattern), "{pattern}");
        }
        for pattern in ["", "+*", "+49*", "+4?", "15551230000", "+1555*1", "+15551230000123456"] {
            assert!(!TestNumber::is_pattern(pattern), "{pattern}");
        }
    }
}
