//! What somebody wants who sends a message of its own.

use crate::model::channel::Channel;
use crate::model::id::{MessageId, ServiceId};
use crate::model::message::Priority;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long a message is worth something where nobody says for how long.
pub const USUAL_LIFE: SignedDuration = SignedDuration::from_hours(4);
/// The shortest time that a message may have to leave.
pub const LEAST_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// The longest time that it may have.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How far ahead a message may be sent.
pub const LATEST_SEND: SignedDuration = SignedDuration::from_hours(35 * 24);

/// What somebody wants who sends a message of its own.
#[derive(Debug, Clone, Default)]
pub struct MessageRequest {
    /// The number, in any writing.
    pub to: String,
    /// The service; nothing for the default one.
    pub service: Option<ServiceId>,
    /// The only channel to try; nothing for the service's, in their order.
    pub channel: Option<Channel>,
    /// The template by its name; one of this and the text is given.
    pub template: Option<String>,
    /// The values of the template's variables.
    pub variables: BTreeMap<String, String>,
    /// The text, where the service takes any.
    pub text: Option<String>,
    /// What sort of message it is; nothing for the template's.
    pub message_type: Option<String>,
    /// What it goes before.
    pub priority: Priority,
    /// The language; nothing for that of the number's country.
    pub locale: Option<String>,
    /// It leaves no sooner; nothing for at once.
    pub send_at: Option<Timestamp>,
    /// It is worth nothing any more then.
    pub expires_at: Option<Timestamp>,
    /// The application's own name for the person.
    pub user: Option<String>,
    /// The application's own marks.
    pub tags: BTreeMap<String, String>,
    /// Who asks, by the key's name.
    pub caller: Option<String>,
    /// The request's own name by its caller, and its whole text: what has been taken under the
    /// name is not taken again, though nobody had heard that it was.
    pub idempotency: Option<(String, String)>,
}

/// What somebody wants who has a message sent again that failed.
#[derive(Debug, Clone)]
pub struct RetryRequest {
    /// The message that failed.
    pub id: MessageId,
    /// The channel to try first; nothing for the first of its plan.
    pub channel: Option<Channel>,
    /// It is worth nothing any more then.
    pub expires_at: Option<Timestamp>,
}
