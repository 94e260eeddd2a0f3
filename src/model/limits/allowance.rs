//! So many within such a time, as it is written: `5/hour`. It refuses to know of what.

use crate::model::price::{MICROS, dollars, micros};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The times that may be written, in seconds.
const UNITS: [(&str, u32); 3] = [("minute", 60), ("hour", 3600), ("day", 86_400)];

/// So many within such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Allowance {
    /// The most there may be, in whole ones; of money in dollars.
    pub max: u64,
    /// What is beyond, in millionths; only money has parts. Both together are never nothing.
    pub millionths: u32,
    /// How long the time is, in seconds: a minute, an hour or a day.
    pub seconds: u32,
}

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "has limits like 5/hour, or of money 12.50/hour: a number above 0 and at most {MOST}, a slash, and minute, hour or day"
)]
pub struct BadAllowance;

/// The most that a limit allows, far beyond what anybody sends.
const MOST: u64 = 1_000_000_000;

impl Allowance {
    /// So many in a minute.
    pub const fn minute(max: u64) -> Self {
        Self { max, millionths: 0, seconds: 60 }
    }

    /// So many in an hour.
    pub const fn hour(max: u64) -> Self {
        Self { max, millionths: 0, seconds: 3600 }
    }

    /// So many in a day.
    pub const fn day(max: u64) -> Self {
        Self { max, millionths: 0, seconds: 86_400 }
    }

    /// The most there may be of what has parts, in millionths.
    pub fn in_millionths(&self) -> u64 {
        self.max.saturating_mul(MICROS).saturating_add(self.millionths.into())
    }
}

impl FromStr for Allowance {
    type Err = BadAllowance;

    fn from_str(text: &str) -> Result<Self, BadAllowance> {
        let (max, unit) = text.split_once('/').ok_or(BadAllowance)?;
        let (max, unit) = (max.trim(), unit.trim());
        let most = MOST.saturating_mul(MICROS);
        let millionths = micros(max).filter(|max| (1..=most).contains(max)).ok_or(BadAllowance)?;
        let (_, seconds) = UNITS.iter().find(|(word, _)| *word == unit).ok_or(BadAllowance)?;
        let part = u32::try_from(millionths % MICROS).map_err(|_| BadAllowance)?;
        Ok(Self { max: millionths / MICROS, millionths: part, seconds: *seconds })
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
        let max = match self.millionths {
            0 => self.max.to_string(),
            _ => dollars(self.in_millionths()),
        };
        let unit = UNITS.iter().find(|(_, seconds)| *seconds == self.seconds);
        match unit {
            Some((word, _)) => write!(f, "{max}/{word}"),
            None => write!(f, "{max}/{} seconds", self.seconds),
        }
    }
}
