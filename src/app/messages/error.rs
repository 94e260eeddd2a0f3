//! Why a message of its own was not taken, or not changed.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::model::message::MessageStatus;
use crate::model::phone::PhoneError;
use crate::model::service::BadSetting;

/// Why a message of its own was not taken, or not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessageError {
    /// It stands so, and what was asked for does not change that.
    #[error("the message is {0}")]
    Stands(MessageStatus),
    /// It was sent as often as a message can be.
    #[error("the message was sent as often as one can be; send a new one")]
    NoSendsLeft,
    /// No time is left for another send.
    #[error("no time is left to send it by another channel")]
    TooLate,
    /// What is asked for is of the right form, and cannot be: of a template that there is not,
    /// or at a time that is over.
    #[error(transparent)]
    NotAllowed(BadSetting),
    /// It may not be.
    #[error(transparent)]
    Admission(AdmissionError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(MessageError, Admission(AdmissionError));

impl From<ServiceError> for MessageError {
    fn from(error: ServiceError) -> Self {
        AdmissionError::from(error).into()
    }
}

impl From<PhoneError> for MessageError {
    fn from(error: PhoneError) -> Self {
        AdmissionError::from(error).into()
    }
}

impl From<BadSetting> for MessageError {
    fn from(error: BadSetting) -> Self {
        Self::NotAllowed(error)
    }
}
