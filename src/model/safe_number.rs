//! Numbers that rules about countries let pass.

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
}
