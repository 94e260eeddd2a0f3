//! What was answered to a request with an `Idempotency-Key`, so that the same
//! request gets the same answer and does nothing twice.

use crate::model::verification::Verification;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Hash of who asked and of the key they gave.
    pub id: String,
    /// Hash of what they asked: the same key with another question is a mistake.
    pub fingerprint: String,
    /// The verification as it was answered.
    pub verification: Verification,
    /// When the answer may be forgotten.
    pub expires_at: Timestamp,
}
