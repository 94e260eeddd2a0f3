//! One message or call, by one channel, and how far it got.

use super::attempts::Attempts;
use super::route::Route;
use super::send_state::SendState;
use crate::model::channel::Channel;
use crate::model::id::Sid;
use crate::model::plain::is_default;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One message or call of what is sent to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// 1 for the first.
    pub number: u8,
    /// The channel that it takes.
    pub channel: Channel,
    /// Which of the codes it carries, where one may take the place of another.
    pub generation: u32,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How far it got.
    pub state: SendState,
    /// Whether it stands in the listing of deliveries for as long as it has no
    /// name of the provider's; those that were made before there was that do not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub listed: bool,
    /// The provider's name for it, once known. A call is bound to it: no other call
    /// hears the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Sid>,
    /// The key that the person must press, when the gate names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_key: Option<u8>,
    /// How often the code was read out in this call.
    #[serde(default)]
    pub readings: u8,
    /// How many wrong keys were pressed in this call.
    #[serde(default)]
    pub wrong_keys: u8,
    /// How many right ones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub right_keys: u8,
    /// How many of the readings were spoken to their end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub finished: u8,
    /// How sending it went so far.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempts: Attempts,
    /// What it costs by the price table of the moment when it was asked for, in millionths of
    /// a dollar, as it was counted; 0 where it was not.
    #[serde(default, skip_serializing_if = "is_default")]
    pub micros: u64,
    /// Whether it is a call that nobody asked for by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unasked: bool,
    /// That it never leaves, and is shown as if it had.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shadow: bool,
    /// The number of the send whose place it took by itself, for that did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u8>,
    /// Why nothing took its place though it did not arrive, in words without numbers or
    /// secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_followed: Option<String>,
    /// By whom it leaves, or has left, where there was a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Senders that it is not to come from: they refused it, or did not bring the send whose
    /// place it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_by: Vec<String>,
    /// Whether what it said was taken away at the provider.
    #[serde(default, skip_serializing_if = "is_default")]
    pub redacted: bool,
}

impl Send {
    /// One that was just asked for, in the outbox or of a test number.
    pub fn new(number: u8, channel: Channel, generation: u32, now: Timestamp) -> Self {
        Self {
            number,
            channel,
            generation,
            asked_at: now,
            state: SendState::Waiting,
            listed: true,
            sid: None,
            gate_key: None,
            readings: 0,
            wrong_keys: 0,
            right_keys: 0,
            finished: 0,
            attempts: Attempts::default(),
            micros: 0,
            unasked: false,
            shadow: false,
            follows: None,
            not_followed: None,
            route: None,
            not_by: Vec::new(),
            redacted: false,
        }
    }

    /// The account that makes it, where that was written down.
    pub fn account(&self) -> Option<&str> {
        self.route.as_ref()?.account.as_deref()
    }

    /// The senders by which it is not sent again by another one in its place.
    pub fn spent_senders(&self) -> Vec<String> {
        let own = self.route.iter().map(|route| route.sender.clone());
        self.not_by.iter().cloned().chain(own).collect()
    }

    /// The first of these routes that it may take yet.
    pub fn best_of(&self, routes: &[Route]) -> Option<Route> {
        routes.iter().find(|route| !self.not_by.contains(&route.sender)).cloned()
    }
}
