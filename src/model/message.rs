//! What is sent to one person: messages and calls by one channel after another, how each
//! try went, and what is to be done next.
//!
//! Whoever has something to say keeps the sends and their outbox in a record of its own, so
//! that what is written is what will be done; [`Sending`] is what becomes of them. A
//! verification does, for its code, and a [`Message`] of its own, which an application sends
//! by `POST /v1/messages`. What becomes of that is decided by [`decide_message`], which is
//! pure and total. This module refuses to know whether a rule lets anything be sent.

mod attempts;
mod content;
mod decide;
mod input;
mod outbox;
mod redaction;
pub mod retry;
mod route;
mod send;
mod send_state;
mod sending;
#[cfg(test)]
mod tests;

pub use attempts::{Attempts, Failure, Failures, LastError};
pub use content::{Approved, Content, MOST_TEXT, Priority};
pub use decide::{Keep, MessageDecision, MessageOutcome, decide_message};
pub use input::MessageInput;
pub use outbox::{Doubt, Effect, OutboxStep};
pub use redaction::REDACT_AFTER;
pub use retry::{Jitter, SEND_RETRY};
pub use route::Route;
pub use send::Send;
pub use send_state::SendState;
pub use sending::{Life, Sending, Sent, is_replaced, look_up_since};

use crate::model::channel::Channel;
use crate::model::id::{DeliveryId, MessageId, ServiceId};
use crate::model::limits::Admitted;
use crate::model::phone::PhoneNumber;
use crate::model::plain::is_default;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The most sends of one message: by each channel, and again as often as somebody asks.
pub const MOST_SENDS: usize = 20;

/// One thing to get to one person by a deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id: `OM` and 32 hexadecimal digits.
    pub id: MessageId,
    /// The service it belongs to; nothing for the one of the configuration's top level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The person's number.
    pub to: PhoneNumber,
    /// What it says.
    pub content: Content,
    /// What sort of message it is, by the service's own name for that.
    #[serde(rename = "type")]
    pub message_type: String,
    /// What it goes before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: Priority,
    /// The channels to try, the best first.
    pub plan: Vec<Channel>,
    /// When it was taken.
    pub created_at: Timestamp,
    /// It leaves no sooner.
    pub send_at: Timestamp,
    /// It is worth nothing any more then.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it failed, in words without numbers or secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<MessageFailure>,
    /// When it came to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// When the record is deleted, once nothing is to be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_at: Option<Timestamp>,
    /// The application's own name for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The application's own marks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// True for a test number: nothing is sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub test: bool,
    /// The number of the send whose turn is given to it when its step is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u8>,
    /// The sender whose turn that is, where there was a choice: another one has turns of its
    /// own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_of: Option<String>,
    /// What became of sends that did not bring it, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<(u8, MessageFailure)>,
    /// A hash of the request that it was taken by, where that had a name: the same name with
    /// another request is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The number of the send that arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<u8>,
    /// Whether somebody called it off: it may have left before that was known, and nothing
    /// takes its place.
    #[serde(default, skip_serializing_if = "is_default")]
    pub called_off: bool,
    /// When it was counted among those of its type; nothing where it is not, or no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// Whether something of it has left, or may have.
    #[serde(default, skip_serializing_if = "is_default")]
    pub has_left: bool,
    /// How often somebody had it sent again after it had failed: the sends of each time are
    /// of one generation ([`Send::generation`]).
    #[serde(default, skip_serializing_if = "is_default")]
    pub round: u32,
    /// What it was counted under beside its number and its service; nothing for a test
    /// number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Admitted>,
    /// Messages asked for so far, in order.
    pub sends: Vec<Send>,
    /// What is still to be done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<OutboxStep>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It is to be sent, or is being sent.
    Queued,
    /// The provider has it; what became of it is not known yet.
    Sent,
    /// The handset took it.
    Delivered,
    /// It did not arrive, and no way is left.
    Failed,
    /// Its time ran out before it could leave.
    Expired,
    /// The application called it off.
    Canceled,
}

impl MessageStatus {
    /// Every status there is.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Sent, Self::Delivered, Self::Failed, Self::Expired, Self::Canceled];

    /// It as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for MessageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a message failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFailure {
    /// The provider's error code, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
}

impl Message {
    /// The send of that number.
    pub fn send(&self, number: u8) -> Option<&Send> {
        self.sends.iter().find(|send| send.number == number)
    }

    /// The name of its delivery of that number.
    pub fn delivery_id(&self, number: u8) -> DeliveryId {
        self.id.delivery(number)
    }

    /// Whether something is still to be done about it, or is being done.
    pub fn is_at_work(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// When something is to be done about it: by whoever sends, or its deletion.
    pub fn due(&self) -> Option<Timestamp> {
        self.outbox.iter().map(|step| step.due).min().or(self.forget_at)
    }

    /// The channels that no send of this round has taken, in the order of the plan.
    pub fn untried(&self) -> impl Iterator<Item = Channel> {
        let takes = |send: &Send, channel: Channel| send.channel == channel && send.generation == self.round;
        let is_untried = move |channel: &Channel| !self.sends.iter().any(|send| takes(send, *channel));
        self.plan.iter().copied().filter(is_untried)
    }

    /// The send that failed and is to be followed by another one, and from when on.
    pub fn to_be_followed(&self) -> Option<(u8, Timestamp)> {
        self.outbox.iter().find(|step| step.is_failover()).map(|step| (step.number(), step.due))
    }

    /// The last send that was not dropped: it is the one that the message stands by.
    pub fn latest(&self) -> Option<&Send> {
        let counts = |send: &&Send| send.state != SendState::Dropped;
        self.sends.iter().rfind(counts).or(self.sends.last())
    }

    fn sending(&mut self) -> Sending<'_> {
        let life = Life {
            is_open: self.status == MessageStatus::Queued && !self.called_off,
            has_run_out: self.status == MessageStatus::Expired,
            generation: self.round,
            ends_at: self.expires_at,
        };
        Sending { sends: &mut self.sends, outbox: &mut self.outbox, life }
    }
}
