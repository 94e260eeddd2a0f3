//! The ways by which a code reaches a person.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A channel, in Twilio Verify's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A text message.
    Sms,
    /// A telephone call that reads the code aloud.
    Call,
}

impl Channel {
    /// The channel as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no channel that exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel: expected sms or call")]
pub struct UnknownChannel;

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        match text {
            "sms" => Ok(Self::Sms),
            "call" => Ok(Self::Call),
            _ => Err(UnknownChannel),
        }
    }
}
