//! Who asked a sender to stop.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What stands before the name of a type of messages, where a wish is towards that and not
/// towards a sender: `type:marketing`.
pub const OF_TYPE: &str = "type:";

/// What an inbound text asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// Send nothing more.
    Stop,
    /// Send again: START, YES or UNSTOP.
    Start,
    /// Say who you are, which Twilio answers: HELP or INFO.
    Help,
}

/// A number's wish towards one sender. The latest wish holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// Who asked, as an address: `+…`, `whatsapp:+…`.
    pub number: String,
    /// Which sender: a number of ours, or a messaging service; or a type of messages,
    /// whoever sends them ([`OF_TYPE`]).
    pub sender: String,
    /// True while nothing may be sent.
    pub opted_out: bool,
    /// When they asked.
    pub at: Timestamp,
}

impl OptOut {
    /// The record's id for a number and a sender.
    pub fn key(number: &str, sender: &str) -> String {
        format!("{number}|{sender}")
    }

    /// The wish that holds, of what one person said under several spellings of
    /// a number: the latest, and of two at once the one to stop.
    pub fn latest<'a>(wishes: impl Iterator<Item = &'a Self>) -> Option<&'a Self> {
        wishes.max_by_key(|wish| (wish.at, wish.opted_out))
    }
}
