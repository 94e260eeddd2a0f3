//! Why a step of a session was not taken.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::app::verification::VerificationError;
use crate::model::session::End;

/// Why a step of a session was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SessionError {
    /// The session has ended otherwise than by being called off.
    #[error("the session has ended: it is {}", .0.as_str())]
    Ended(End),
    /// The service does not let people be sent there.
    #[error("return_url {0}")]
    ReturnUrl(String),
    /// No further number may be entered in a session.
    #[error("no further number can be entered in this session")]
    NoNumbersLeft,
    /// No further verification may be started in a session.
    #[error("no further verification can be started in this session")]
    NoStartsLeft,
    /// Not a session's result, or one that was exchanged before.
    #[error("this is not the result of this session, or it was exchanged before, or came too late")]
    NoSuchResult,
    /// Its verification was not begun, sent again, checked or ended.
    #[error(transparent)]
    Verification(VerificationError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(SessionError, Verification(VerificationError));

impl From<ServiceError> for SessionError {
    fn from(error: ServiceError) -> Self {
        VerificationError::from(error).into()
    }
}

impl From<AdmissionError> for SessionError {
    fn from(error: AdmissionError) -> Self {
        VerificationError::from(error).into()
    }
}
