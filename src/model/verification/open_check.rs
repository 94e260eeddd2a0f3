//! A check that waits for the provider's answer, and the answers there are. What they do is
//! decided beside it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A check that was counted, and whose code the provider is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCheck {
    /// Tells it from others that are open.
    pub number: u32,
    /// When it was counted.
    pub at: Timestamp,
    /// Which of the codes there were it is about: a payment that changes has another.
    pub generation: u32,
    /// The provider's name for the verification then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What the provider says of a code that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is the code.
    Right,
    /// It is not.
    Wrong,
    /// It has no such verification, or no longer.
    Over,
    /// It compares no more codes of this verification.
    UsedUp,
    /// The code was certainly not compared.
    NotAsked,
    /// Nobody knows whether it was.
    Lost,
}
