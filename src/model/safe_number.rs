//! Numbers that rules about countries and signals of fraud let pass: entries of the
//! lists that name a number, allow it everywhere and have no end.

use crate::model::audit::Actor;
use crate::model::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A number on the safe list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeNumber {
    /// `GN` and 32 hexadecimal digits.
    pub sid: String,
    /// The number that passes.
    pub number: PhoneNumber,
    /// When it was put on the list.
    pub created_at: Timestamp,
    /// Who put it there; nothing where that was not written down yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
