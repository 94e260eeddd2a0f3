//! A number once it is read. It refuses to know how one is read, and what any plan
//! says of it.

use super::error::PhoneError;
use super::mask::mask;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A telephone number in E.164 form: `+`, then up to 15 digits.
///
/// Its `Display` is masked. [`PhoneNumber::in_full`] is the one way to all of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(
    // What is no E.164 is not put here.
    pub(super) String,
);

impl PhoneNumber {
    /// All of the number. For sending, for the API's owner, never for a log.
    pub fn in_full(&self) -> &str {
        &self.0
    }

    /// The calling code and the last two digits, the rest as stars.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneError;
    /// Reads a number that is E.164 already, as records hold it: no lookup.
    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::NoCountryCode)?;
        // The shortest that any plan has are six: Iran's access numbers.
        if (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PhoneError::NotANumber)
        }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = PhoneError;
    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> String {
        number.0
    }
}
