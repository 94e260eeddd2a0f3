//! Why a verification was not begun, sent again, checked or ended.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::model::code::CodeKind;
use crate::model::phone::PhoneError;
use crate::model::service::BadSetting;
use crate::model::verification::Status;

/// Why a verification was not begun, sent again, checked or ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VerificationError {
    /// It has ended.
    #[error("the verification is {0}")]
    Ended(Status),
    /// What was offered cannot be a code; no check was spent.
    #[error("a code of this verification is {length} {kind}")]
    NotACode {
        /// How many characters it has.
        length: u8,
        /// What they are.
        kind: CodeKind,
    },
    /// More than one part of what was offered may be the code; no check was
    /// spent.
    #[error("more than one part of this text may be the code; give the code alone")]
    SeveralCodes,
    /// The application did not choose the code, and cannot say that it was right.
    #[error("the code was not chosen by the application, so a check alone can approve this verification")]
    CodeNotChosen,
    /// The key that made this code is not configured any more.
    #[error("the code's key is not configured")]
    CodeKeyGone,
    /// The other side, which made the code, cannot compare any now.
    #[error("codes cannot be compared now; try again in {seconds} seconds")]
    CheckUnavailable {
        /// How long to wait, in whole seconds.
        seconds: i64,
    },
    /// As many checks as there are wait for the other side's answer.
    #[error("as many codes as may be checked are being compared; try again in a second")]
    ChecksOpen,
    /// The first request with this idempotency key is being done.
    #[error("the first request with this idempotency key has not been answered yet")]
    InProgress,
    /// It may not be.
    #[error(transparent)]
    Admission(AdmissionError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(VerificationError, Admission(AdmissionError));

impl From<ServiceError> for VerificationError {
    fn from(error: ServiceError) -> Self {
        AdmissionError::from(error).into()
    }
}

impl From<BadSetting> for VerificationError {
    fn from(error: BadSetting) -> Self {
        AdmissionError::from(error).into()
    }
}

impl From<PhoneError> for VerificationError {
    fn from(error: PhoneError) -> Self {
        AdmissionError::from(error).into()
    }
}
