//! What follows where a signal fires. It refuses to know how a face says it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What follows where a signal fires, from the mildest to the hardest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is written down, and the request goes on.
    Record,
    /// The request has to come again a little later.
    Slow,
    /// Whoever asks has to prove first to be a person.
    Captcha,
    /// It is refused, and said so.
    Refuse,
    /// It is answered as usual, and nothing is sent.
    ShadowBlock,
}

/// A text that names none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is one of record, slow, captcha, refuse and shadow_block")]
pub struct NoSuchAction;

impl Action {
    /// Every one there is.
    pub const ALL: [Self; 5] = [Self::Record, Self::Slow, Self::Captcha, Self::Refuse, Self::ShadowBlock];

    /// As it is written in the configuration and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Slow => "slow",
            Self::Captcha => "captcha",
            Self::Refuse => "refuse",
            Self::ShadowBlock => "shadow_block",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = NoSuchAction;

    fn from_str(text: &str) -> Result<Self, NoSuchAction> {
        Self::ALL.into_iter().find(|action| action.as_str() == text).ok_or(NoSuchAction)
    }
}
