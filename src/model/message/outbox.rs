//! What is to be done in the world about a message, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something to be done, by somebody else than the one who decided it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Send the message or place the call of that number.
    Send {
        /// The send's number.
        number: u8,
    },
    /// Find out what became of the send of that number: it was begun, and
    /// nobody knows whether it was taken.
    LookUp {
        /// The send's number.
        number: u8,
    },
    /// Send the code by the next channel, for the send of that number did not arrive, or
    /// nothing was heard of it: whoever asks for a code is asked again whether that may be.
    FailOver {
        /// The number of the send that did not arrive.
        number: u8,
        /// Whether the same channel is tried once more before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
        /// Whether that is done by another sender.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        next_sender: bool,
    },
    /// Take away at the provider what was said in the send of that number: it is worth
    /// nothing any more, and need not lie there.
    Redact {
        /// The send's number.
        number: u8,
    },
}

/// An effect in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxStep {
    /// What to do.
    #[serde(flatten)]
    pub effect: Effect,
    /// Not before this time. While a job is at it, this is the time from
    /// which on another one may take over.
    pub due: Timestamp,
    /// How often it was begun: the number of the claim that holds it.
    pub attempts: u32,
    /// Since when nobody knows the send's outcome, where it is looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// When it was begun last; of what an older version began its lease tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
}

/// A send whose outcome nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// From when on it is certainly not under way any more.
    pub since: Timestamp,
    /// Look-ups without an answer.
    pub look_ups: u32,
}

impl OutboxStep {
    /// A step that nobody has begun.
    pub fn new(effect: Effect, due: Timestamp) -> Self {
        Self { effect, due, attempts: 0, doubt: None, begun_at: None }
    }

    /// The number of the send that it is about.
    pub fn number(&self) -> u8 {
        match self.effect {
            Effect::Send { number }
            | Effect::LookUp { number }
            | Effect::FailOver { number, .. }
            | Effect::Redact { number } => number,
        }
    }

    /// Whether it sends or looks up the send of that number.
    pub fn is_about(&self, number: u8) -> bool {
        self.number() == number && matches!(self.effect, Effect::Send { .. } | Effect::LookUp { .. })
    }

    /// Whether what did not arrive is sent by the next channel.
    pub fn is_failover(&self) -> bool {
        matches!(self.effect, Effect::FailOver { .. })
    }

    /// Whether that is done by the next sender of the same channel, if there is one.
    pub fn is_by_next_sender(&self) -> bool {
        matches!(self.effect, Effect::FailOver { next_sender: true, .. })
    }

    /// Whether what was said is taken away at the provider, for which nobody waits.
    pub fn is_redaction(&self) -> bool {
        matches!(self.effect, Effect::Redact { .. })
    }

    /// Whether a send in doubt is looked up, and not sent.
    pub fn is_look_up(&self) -> bool {
        matches!(self.effect, Effect::LookUp { .. })
    }
}
