//! A number once it is read. It refuses to know how one is read, and what any plan
//! says of it.

use super::error::PhoneError;
use super::mask::mask;
use super::plan::Plan;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// A telephone number in E.164 form: `+`, then up to 15 digits.
///
/// Its `Display` is masked. [`PhoneNumber::in_full`] is the one way to all of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber {
    // What is no E.164 is not put here.
    digits: String,
    // It follows from the digits, so nothing is compared by it; one that was read as it
    // is has none yet.
    plan: Option<Arc<Plan>>,
}

impl PhoneNumber {
    /// A number that is E.164.
    pub(super) fn of(digits: String) -> Self {
        Self { digits, plan: None }
    }

    /// The same with what its reading found.
    pub(super) fn planned(self, plan: Plan) -> Self {
        Self { plan: Some(Arc::new(plan)), ..self }
    }

    /// What its reading found, if it was read by a plan.
    pub(super) fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// All of the number. For sending, for the API's owner, never for a log.
    pub fn in_full(&self) -> &str {
        &self.digits
    }

    /// The calling code and the last two digits, the rest as stars.
    pub fn masked(&self) -> String {
        mask(&self.digits)
    }
}

impl PartialEq for PhoneNumber {
    fn eq(&self, other: &Self) -> bool {
        self.digits == other.digits
    }
}

impl Eq for PhoneNumber {}

impl PartialOrd for PhoneNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PhoneNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digits.cmp(&other.digits)
    }
}

impl Hash for PhoneNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digits.hash(state);
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
            Ok(Self::of(text.to_owned()))
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
        number.digits
    }
}
