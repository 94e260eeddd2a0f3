//! So many within such a time, as it is written: `5/hour`. It refuses to know of what.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The times that may be written, in seconds.
const UNITS: [(&str, u32); 3] = [("minute", 60), ("hour", 3600), ("day", 86_400)];

/// So many within such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allowance {
    /// The most there may be, at least one.
    pub max: u64,
    /// How long the time is, in seconds: a minute, an hour or a day.
    pub seconds: u32,
}

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has limits like 5/hour: a whole number from 1 to {MOST}, a slash, and minute, hour or day")]
pub struct BadAllowance;

/// The most that a limit allows, far beyond what anybody sends.
const MOST: u64 = 1_000_000_000;

impl Allowance {
    /// So many in a minute.
    pub const fn minute(max: u64) -> Self {
        Self { max, seconds: 60 }
    }

    /// So many in an hour.
    pub const fn hour(max: u64) -> Self {
        Self { max, seconds: 3600 }
    }

    /// So many in a day.
    pub const fn day(max: u64) -> Self {
        Self { max, seconds: 86_400 }
    }
}

impl FromStr for Allowance {
    type Err = BadAllowance;

    fn from_str(text: &str) -> Result<Self, BadAllowance> {
        let (max, unit) = text.split_once('/').ok_or(BadAllowance)?;
        let (max, unit) = (max.trim(), unit.trim());
        let is_plain = !max.is_empty() && max.bytes().all(|byte| byte.is_ascii_digit());
        let max = max.parse().ok().filter(|max| is_plain && (1..=MOST).contains(max));
        let unit = UNITS.iter().find(|(word, _)| *word == unit);
        match (max, unit) {
            (Some(max), Some((_, seconds))) => Ok(Self { max, seconds: *seconds }),
            _ => Err(BadAllowance),
        }
    }
}

impl TryFrom<String> for Allowance {
    type Error = BadAllowance;

    fn try_from(text: String) -> Result<Self, BadAllowance> {
        text.parse()
    }
}

impl From<Allowance> for String {
    fn from(allowance: Allowance) -> String {
        allowance.to_string()
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.seconds);
        match unit {
            Some((word, _)) => write!(f, "{}/{word}", self.max),
            None => write!(f, "{}/{} seconds", self.max, self.seconds),
        }
    }
}
