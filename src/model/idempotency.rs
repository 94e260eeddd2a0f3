//! What was answered to a request with an `Idempotency-Key`, so that the same
//! request gets the same answer and does nothing twice.

use crate::model::verification::Verification;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    /// Hash of who asked and of the key they gave.
    pub id: String,
    /// Hash of what they asked: the same key with another question is a mistake.
    pub fingerprint: String,
    /// The verification as it was answered, for the request that started one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// Whether that verification stood open before the request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_same: bool,
    /// From when on the next send may be, where nothing was sent and the answer said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What was answered otherwise, in the words of who answered. Nothing of
    /// both while the request is being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// When the answer may be forgotten.
    pub expires_at: Timestamp,
}
