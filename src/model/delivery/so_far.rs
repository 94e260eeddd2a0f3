//! What a request of a call says that the call has come to. It refuses to know
//! what is made of it.

use crate::model::plain::is_default;
use serde::{Deserialize, Serialize};

/// What a call of ours had come to when it had asked what to say. Which keys
/// were pressed is not kept, but how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallSoFar {
    /// What it was told.
    pub told: Told,
    /// Keys that were pressed as it was asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub right_keys: u8,
    /// Keys that were pressed and were not asked for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wrong_keys: u8,
    /// Readings of the code that were begun.
    #[serde(default, skip_serializing_if = "is_default")]
    pub readings: u8,
    /// Readings that were spoken to their end while the call lasted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub finished: u8,
}

/// What a call was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// To press a key.
    #[default]
    Gate,
    /// The code, once or more.
    Code,
    /// That no key was pressed.
    NoKey,
    /// Goodbye, after the code.
    Goodbye,
    /// That the code is no longer good.
    Ended,
    /// Nothing: a machine had answered.
    Nothing,
}

impl Told {
    /// The word as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Code => "code",
            Self::NoKey => "no_key",
            Self::Goodbye => "goodbye",
            Self::Ended => "ended",
            Self::Nothing => "nothing",
        }
    }
}
