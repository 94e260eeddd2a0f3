//! Why nothing was sent, written down or said.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::messages::MessageError;
use crate::app::services::ServiceError;
use crate::app::verification::VerificationError;
use crate::model::phone::PhoneError;

/// Why nothing was sent, written down or said.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessagingError {
    /// What is reported is another account's.
    #[error("the message or call belongs to another account than the one that reports of it")]
    OtherAccount,
    /// What is reported is not what the provider took under that name.
    #[error("the provider has another name for this message than the report gives")]
    OtherMessage,
    /// The verification that it is about does not allow it.
    #[error(transparent)]
    Verification(VerificationError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(MessagingError, Verification(VerificationError));

impl From<ServiceError> for MessagingError {
    fn from(error: ServiceError) -> Self {
        VerificationError::from(error).into()
    }
}

impl From<AdmissionError> for MessagingError {
    fn from(error: AdmissionError) -> Self {
        VerificationError::from(error).into()
    }
}

impl From<PhoneError> for MessagingError {
    fn from(error: PhoneError) -> Self {
        VerificationError::from(error).into()
    }
}

/// What goes wrong with messages of their own where sends are looked after.
impl From<MessageError> for MessagingError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Fault(fault) => Self::Fault(fault),
            MessageError::Admission(error) => error.into(),
            // Nobody who looks after sends asks for what says so.
            MessageError::Stands(_)
            | MessageError::NoSendsLeft
            | MessageError::TooLate
            | MessageError::NotAllowed(_) => Self::Fault(Fault::Contended),
        }
    }
}
