//! Why nothing was erased.

use crate::app::fault::{Fault, failing};
use crate::app::verification::VerificationError;
use crate::model::phone::PhoneError;

/// Why nothing was erased.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PrivacyError {
    /// The number is none, or one that is refused.
    #[error(transparent)]
    Number(#[from] PhoneError),
    /// A number that messages are sent from.
    #[error("this is a number that messages are sent from: everything would be erased")]
    OwnSender,
    /// A verification that was in the way did not end.
    #[error(transparent)]
    Verification(VerificationError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(PrivacyError, Verification(VerificationError));
