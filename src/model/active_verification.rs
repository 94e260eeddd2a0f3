//! Which verification stands open for a number and a service, or one of its callers:
//! there is one at most, whatever its channel.

use crate::model::id::{ServiceId, VerificationId};
use crate::model::phone::PhoneNumber;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Leads from a service and a number, and perhaps a caller, to their verification. It may have ended
/// meanwhile: only the verification itself knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveVerification {
    /// The service.
    pub service: ServiceId,
    /// Whose it is: the key of the person's number, and in records from before
    /// there was one the number as it was given.
    pub number: PhoneNumber,
    /// Whose it is of those who may ask: a hash of an API key's name and of a session of
    /// the pages. Nothing for the one verification of all who ask Verify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// The verification that was begun last.
    pub verification: VerificationId,
    /// When that one dies.
    pub expires_at: Timestamp,
}

impl ActiveVerification {
    /// The record's id for a service and a number, and perhaps a caller.
    pub fn key(service: &ServiceId, number: &PhoneNumber, caller: Option<&str>) -> String {
        match caller {
            None => format!("{service}|{}", number.in_full()),
            Some(caller) => format!("{service}|{}|{caller}", number.in_full()),
        }
    }
}
