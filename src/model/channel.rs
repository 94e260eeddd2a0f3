//! The ways by which a code reaches a person, and by which anything reached
//! anybody on the account.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A way by which a code reaches a person.
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

    /// Whether it is a written message.
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

/// The channel of a delivery: of what we send, and of whatever else goes over
/// the account. Told by the addresses, never by the SID: `SM…` is a message on
/// any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryChannel {
    /// A text message, with a picture or without.
    Sms,
    /// A telephone call.
    Call,
    /// A WhatsApp message.
    Whatsapp,
    /// An RCS message.
    Rcs,
    /// A message of Facebook Messenger.
    Messenger,
    /// A message on a channel that is not known here, or not any more.
    Unknown,
}

impl DeliveryChannel {
    /// Every one there is.
    pub const ALL: [Self; 6] =
        [Self::Sms, Self::Call, Self::Whatsapp, Self::Rcs, Self::Messenger, Self::Unknown];

    /// The channel as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Whatsapp => "whatsapp",
            Self::Rcs => "rcs",
            Self::Messenger => "messenger",
            Self::Unknown => "unknown",
        }
    }

    /// The channel of a message, by what stands before the colon of an address
    /// of it; nothing means a text message.
    pub fn of_prefix(prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return Self::Sms };
        let named = [Self::Whatsapp, Self::Rcs, Self::Messenger];
        named
            .into_iter()
            .find(|channel| channel.as_str().eq_ignore_ascii_case(prefix))
            .unwrap_or(Self::Unknown)
    }

    /// Whether it costs by the segment.
    pub fn has_segments(self) -> bool {
        self == Self::Sms
    }
}

impl From<Channel> for DeliveryChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::Call => Self::Call,
            Channel::Whatsapp => Self::Whatsapp,
        }
    }
}

impl fmt::Display for DeliveryChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no channel that a delivery can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel: expected sms, call, whatsapp, rcs, messenger or unknown")]
pub struct UnknownDeliveryChannel;

impl FromStr for DeliveryChannel {
    type Err = UnknownDeliveryChannel;
    fn from_str(text: &str) -> Result<Self, UnknownDeliveryChannel> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == text).ok_or(UnknownDeliveryChannel)
    }
}
