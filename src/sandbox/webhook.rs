//! A request to the application, and what it answered: as values.

use super::behaviour::{CallbackFaults, Port};
use super::cookies::Pair;
use super::resource::Hook;
use bytes::Bytes;
use jiff::Timestamp;

/// A request to the application.
#[derive(Clone)]
pub(super) struct Webhook {
    /// What the log of exchanges calls it.
    pub kind: &'static str,
    /// The message or call it is about.
    pub sid: String,
    /// The account it is of, with whose token it is signed.
    pub account: String,
    /// Whose cookies it brings and sets.
    pub pair: Pair,
    /// Where it goes.
    pub hook: Hook,
    /// What it says, in wire order.
    pub params: Vec<(String, String)>,
    /// The same on every repetition of one event.
    pub token: String,
    /// True for voice, whose form encoding and signed port differ from messaging's.
    pub voice: bool,
    /// Signed with a token that is not the account's.
    pub bad_signature: bool,
    /// Whether the signed URL names its port, if not as Twilio does.
    pub port: Option<Port>,
}

/// What the application answered.
#[derive(Clone)]
pub(super) struct Answer {
    /// The HTTP status, which may be that of a redirect.
    pub status: u16,
    /// `Content-Type` as it was sent; nothing where it is missing or no text.
    pub content_type: Option<String>,
    /// `Location`, perhaps relative: where a redirect leads.
    pub location: Option<String>,
    /// Every `Set-Cookie`, a whole line each.
    pub cookies: Vec<String>,
    /// `Date`: the application's own time.
    pub date: Option<Timestamp>,
    /// The body, cut one byte beyond what TwiML may have.
    pub body: Bytes,
    /// True when it asks for a name and a password.
    pub challenge: bool,
}

impl Webhook {
    /// Applies the phone's wishes about signatures.
    pub fn with_faults(mut self, faults: &CallbackFaults) -> Self {
        self.bad_signature = faults.bad_signature.unwrap_or(false);
        self.port = faults.port;
        self
    }

    /// True for a turn of a conversation, whose answer is TwiML.
    pub fn is_dialogue(&self) -> bool {
        !matches!(self.kind, "status-callback" | "amd-callback" | "recording-callback")
    }
}
