//! What applications are told: that something happened to a verification, a
//! delivery or an opt-out, or was decided about a request for a code.
//!
//! An event is found by comparing what a record was with what it becomes, so
//! that no writer can forget one. In the API it is called an event; here that
//! word belongs to what happens *to* a verification. This module refuses to
//! know who listens and how it reaches them.

mod decided;
mod find;
mod of_decision;
mod of_message;
mod payload;
#[cfg(test)]
mod tests;

pub use decided::Decided;
pub use find::{IsOptOut, of_delivery, of_opt_out, of_session, of_verification};
pub use of_decision::{Once, of_budget, of_findings, of_refusal};
pub use of_message::of_message;
pub use payload::{Data, Fault, Payload};

use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Unheard;
use crate::model::id::{DeliveryId, EventId, MessageId, ServiceId, SessionId, Sid, VerificationId};
use crate::model::verification::Verification;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Something that happened, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, which sorts by time; also what a receiver tells repetitions by.
    pub id: EventId,
    /// What happened, when, and to what.
    #[serde(flatten)]
    pub body: EventBody,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// What happened, when, and to what: an event before it has a name.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct EventBody {
    /// What happened, by its name: `verification.approved`.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened.
    pub at: Timestamp,
    /// The verification, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationId>,
    /// The message of its own, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// What sort of message it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// Its service; nothing where the verification was gone when it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The session of the pages, where it was begun in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The application's own name for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The application's own marks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The message or call, by our name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// The message or call, by the provider's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Sid>,
    /// How it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<DeliveryChannel>,
    /// The person's address, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Which sender an opt-out is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Where the verification or the delivery stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The provider's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// Why, in words: without a code alone, with one what is known besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// True when the number is a test number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// The endpoint, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The decision about a request for a code, when it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<Box<Decided>>,
}

impl EventBody {
    /// Something that happened, with nothing said about it yet.
    pub fn new(event_type: EventType, at: Timestamp) -> Self {
        Self {
            event_type,
            at,
            verification: None,
            message: None,
            message_type: None,
            service: None,
            session: None,
            user: None,
            tags: BTreeMap::new(),
            delivery: None,
            sid: None,
            channel: None,
            to: None,
            sender: None,
            status: None,
            reason: None,
            error_code: None,
            detail: None,
            test: false,
            endpoint: None,
            admission: None,
        }
    }
}

impl EventBody {
    /// The same, with what the application said of its verification.
    pub fn said_of(self, verification: &Verification) -> Self {
        Self {
            session: verification.session.clone(),
            user: verification.details.user.clone(),
            tags: verification.details.tags.clone(),
            ..self
        }
    }
}

/// Shows no address.
impl fmt::Debug for EventBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBody")
            .field("type", &self.event_type)
            .field("at", &self.at)
            .field("verification", &self.verification)
            .field("message", &self.message)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}

/// Why a verification failed, or one of its messages and calls did, or was not
/// heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Too many wrong codes: the verification is over.
    TooManyChecks,
    /// A message or call could not be handed on; another may be tried.
    SendFailed,
    /// A message or call did not reach the person; another may be tried.
    NotDelivered,
    /// The person has asked the sender not to write any more.
    OptedOut,
    /// A call was taken by a machine, which was told nothing.
    Machine,
    /// Nobody pressed a key in a call.
    NoKey,
    /// Another key was pressed than the call had asked for.
    WrongKey,
    /// A call ended before the code was read.
    HungUp,
    /// A call ended while the code was read for the first time.
    CutShort,
    /// The code was no longer good when the call was answered.
    CodeEnded,
    /// The line was busy, or the call was declined.
    Busy,
    /// Nobody answered a call.
    NoAnswer,
    /// A call could not be placed.
    CallFailed,
    /// A call was called off.
    CallCanceled,
}

impl From<Unheard> for Reason {
    fn from(why: Unheard) -> Self {
        match why {
            Unheard::Machine => Self::Machine,
            Unheard::NoKey => Self::NoKey,
            Unheard::WrongKey => Self::WrongKey,
            Unheard::HungUp => Self::HungUp,
            Unheard::CutShort => Self::CutShort,
            Unheard::Ended => Self::CodeEnded,
            Unheard::Busy => Self::Busy,
            Unheard::NoAnswer => Self::NoAnswer,
            Unheard::Failed => Self::CallFailed,
            Unheard::Canceled => Self::CallCanceled,
        }
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What can happen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum EventType { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl EventType {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

event_types! {
    /// A verification began.
    Started = "verification.started",
    /// Twilio took a message or call of it.
    Sent = "verification.sent",
    /// A message arrived, or a call lasted one whole reading of the code.
    Delivered = "verification.delivered",
    /// A call ended without the code having been heard; the reason says why.
    Unheard = "verification.unheard",
    /// The right code was offered.
    Approved = "verification.approved",
    /// Too many wrong codes, or a message or call failed; the reason says which.
    Failed = "verification.failed",
    /// Nobody offered the right code in time.
    Expired = "verification.expired",
    /// The application called it off.
    Canceled = "verification.canceled",
    /// A message of its own was taken, or is sent again after it had failed.
    MessageQueued = "message.queued",
    /// Twilio took it.
    MessageSent = "message.sent",
    /// The handset took it.
    MessageDelivered = "message.delivered",
    /// It did not arrive, and no way is left; the reason says why.
    MessageFailed = "message.failed",
    /// Its time ran out before it could leave.
    MessageExpired = "message.expired",
    /// The application called it off.
    MessageCanceled = "message.canceled",
    /// Somebody's way through the pages ended; the status says how.
    SessionEnded = "session.ended",
    /// A message or call, anybody's on the account, has another status.
    DeliveryUpdated = "delivery.updated",
    /// Somebody asked a sender to stop.
    OptOutCreated = "opt_out.created",
    /// Somebody who had asked a sender to stop wants to hear from it again.
    OptOutRemoved = "opt_out.removed",
    /// An endpoint is not sent to any more, because it failed for long.
    EndpointDisabled = "endpoint.disabled",
    /// A trial, asked for by the operator.
    EndpointTest = "endpoint.test",
    /// A request for a code was not sent: refused, slowed down, a proof asked for, or
    /// shadow blocked; the outcome says which.
    AdmissionRefused = "admission.refused",
    /// A sign of fraud was found; told once, until it is over.
    FraudDetected = "fraud.detected",
    /// A budget is spent; told once, until there is room again.
    BudgetReached = "budget.reached",
    /// Messages or calls fail for a reason that somebody has to mend; told once an hour for
    /// each service and code.
    OperatorAlert = "operator.alert",
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which types of events somebody wants: a name, all below a name as in
/// `verification.*`, or `*` for all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventFilter(String);

/// The text names no type of event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such event: known are {}, all below a name as in verification.*, and *", names())]
pub struct NoSuchEventType;

fn names() -> String {
    EventType::ALL.iter().map(|event_type| event_type.as_str()).collect::<Vec<_>>().join(", ")
}

impl EventFilter {
    /// Whether the type is meant.
    pub fn takes(&self, event_type: EventType) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => event_type.as_str().starts_with(start),
            None => self.0 == event_type.as_str(),
        }
    }

    /// The filter as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventFilter {
    type Err = NoSuchEventType;

    fn from_str(text: &str) -> Result<Self, NoSuchEventType> {
        let filter = Self(text.to_owned());
        let is_form = text == "*" || !text.contains('*') || text.ends_with(".*");
        (is_form && EventType::ALL.iter().any(|event_type| filter.takes(*event_type)))
            .then_some(filter)
            .ok_or(NoSuchEventType)
    }
}

impl TryFrom<String> for EventFilter {
    type Error = NoSuchEventType;
    fn try_from(text: String) -> Result<Self, NoSuchEventType> {
        text.parse()
    }
}

impl From<EventFilter> for String {
    fn from(filter: EventFilter) -> Self {
        filter.0
    }
}
