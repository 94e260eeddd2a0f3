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
    /// A WhatsApp message.
    Whatsapp,
}

impl Channel {
    /// Every channel there is.
    pub const ALL: [Self; 3] = [Self::Sms, Self::Call, Self::Whatsapp];

    /// Whether it is a written message, under Twilio's Messages resource.
    pub fn is_message(self) -> bool {
        self != Self::Call
    }

    /// The channel as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Whatsapp => "whatsapp",
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
#[error("unknown channel: expected sms, call or whatsapp")]
pub struct UnknownChannel;

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or(UnknownChannel)
    }
}
