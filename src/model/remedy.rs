//! What is done about what happened to a message: it is tried again, goes by another
//! way, or stops, and who is told. Which of the provider's codes asks for what is not
//! known here.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is done about a message that was not taken or did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// It is sent again by the same way: what was not processed after a backoff
    /// (`message::retry`), what did not arrive once (`verification::failover`).
    Again,
    /// It is sent by the next sender of the same channel, and where there is none by the
    /// next channel.
    NextSender,
    /// The same, and the operator is told: this sender cannot send at all.
    NextSenderAndAlert,
    /// It is sent by the next channel.
    NextChannel,
    /// The same, and the operator is told: all messages of this sender go the same way.
    NextChannelAndAlert,
    /// It is not sent again; the person is told why.
    Stop,
    /// The same, and the operator is told, who alone can mend it.
    StopAndAlert,
    /// It is not sent again: to the provider the number counts as opted out of this sender.
    OptOut,
}

impl Remedy {
    /// Every remedy there is.
    pub const ALL: [Self; 8] = [
        Self::Again,
        Self::NextSender,
        Self::NextSenderAndAlert,
        Self::NextChannel,
        Self::NextChannelAndAlert,
        Self::Stop,
        Self::StopAndAlert,
        Self::OptOut,
    ];

    /// The remedy as it is written in the configuration and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::NextSender => "next-sender",
            Self::NextSenderAndAlert => "next-sender-and-alert",
            Self::NextChannel => "next-channel",
            Self::NextChannelAndAlert => "next-channel-and-alert",
            Self::Stop => "stop",
            Self::StopAndAlert => "stop-and-alert",
            Self::OptOut => "opt-out",
        }
    }

    /// Whether what did not arrive goes by another channel. What is tried again first
    /// does so once no try is left.
    pub fn moves_on(self) -> bool {
        self == Self::Again
            || self.is_next_sender()
            || matches!(self, Self::NextChannel | Self::NextChannelAndAlert)
    }

    /// Whether another sender of the same channel takes it over.
    pub fn is_next_sender(self) -> bool {
        matches!(self, Self::NextSender | Self::NextSenderAndAlert)
    }

    /// The same where there is no other sender.
    #[must_use]
    pub fn without_senders(self) -> Self {
        match self {
            Self::NextSender => Self::NextChannel,
            Self::NextSenderAndAlert => Self::NextChannelAndAlert,
            other => other,
        }
    }

    /// Whether the operator is told.
    pub fn alerts(self) -> bool {
        matches!(self, Self::NextSenderAndAlert | Self::NextChannelAndAlert | Self::StopAndAlert)
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_written_as_it_is_read() {
        for remedy in Remedy::ALL {
            let text = format!("\"{remedy}\"");
            assert_eq!(serde_json::to_string(&remedy).unwrap(), text);
            assert_eq!(serde_json::from_str::<Remedy>(&text).unwrap(), remedy);
        }
    }
}
