//! Which verification stands open for a service and a number: there is one at
//! most, whatever its channel.

use crate::model::id::{ServiceId, VerificationId};
use crate::model::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Leads from a service and a number to their verification. It may have ended
/// meanwhile: only the verification itself knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveVerification {
    /// The service that the verification is of.
    pub service: ServiceId,
    /// Whose it is: the key of the person's number, and in records from before
    /// there was one the number as it was given.
    pub number: PhoneNumber,
    /// The verification that was begun last.
    pub verification: VerificationId,
    /// When that one dies.
    pub expires_at: Timestamp,
}

impl ActiveVerification {
    /// The record's id for a service and a number.
    pub fn key(service: &ServiceId, number: &PhoneNumber) -> String {
        format!("{service}|{}", number.in_full())
    }
}
