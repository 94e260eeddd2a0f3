//! When somebody last wrote to us on WhatsApp: for 24 hours from then on we may
//! answer in our own words, and not by an approved template alone.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The last word of a person to one sender of ours.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionWindow {
    /// Who wrote: `whatsapp:+…`.
    pub number: String,
    /// To whom: `whatsapp:+…`, or a messaging service.
    pub sender: String,
    /// When the person last wrote: the window is open for 24 hours.
    pub at: Timestamp,
}

impl SessionWindow {
    /// WhatsApp's customer service window.
    pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

    /// The record's id for a number and a sender.
    pub fn key(number: &str, sender: &str) -> String {
        format!("{number}|{sender}")
    }

    /// From when on it means nothing any more.
    pub fn closes_at(&self) -> Timestamp {
        self.at.checked_add(Self::WINDOW).unwrap_or(Timestamp::MAX)
    }
}
