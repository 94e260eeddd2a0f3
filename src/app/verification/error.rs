//! Why a verification was not begun, sent again, checked or ended.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::model::code::CodeKind;
use crate::model::phone::PhoneError;
use crate::model::service::BadSetting;
use crate::model::verification::Status;
use jiff::Timestamp;

/// Why a verification was not begun, sent again, checked or ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum VerificationError {
    /// It has ended.
    #[error("the verification is {0}")]
    Ended(Status),
    /// The next send is not allowed yet.
    #[error("the next message or call is allowed from {at} on")]
    TooSoon {
        /// From when on.
        at: Timestamp,
        /// How long that is from now, in whole seconds of our clock.
        seconds: i64,
    },
    /// All sends are used up.
    #[error("no message or call is left in this verification")]
    NoSendsLeft,
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
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
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

/// Why nothing was begun or sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// A rate limit of the service is reached.
    #[error("the rate limit {name} is reached")]
    Reached {
        /// Its unique name.
        name: String,
        /// How long until there is room again, in whole seconds.
        seconds: i64,
    },
    /// The service has no rate limit of this name.
    #[error("the service has no rate limit {name}")]
    NoSuchLimit {
        /// The name.
        name: String,
    },
    /// The codes of the number's verification were all wrong, and its time is
    /// not over.
    #[error("all checks of the verification are used up")]
    ChecksUsedUp {
        /// How long it still lives, in whole seconds.
        seconds: i64,
    },
    /// All its messages and calls are used up, and its time is not over.
    #[error("all messages and calls of the verification are used up")]
    SendsUsedUp {
        /// How long it still lives, in whole seconds.
        seconds: i64,
    },
    /// Another request for the same number is being done.
    #[error("another request for the same number came at the same time")]
    Concurrent,
    /// Any other reason.
    #[error(transparent)]
    Verification(VerificationError),
}

impl<E: Into<VerificationError>> From<E> for AskError {
    fn from(error: E) -> Self {
        Self::Verification(error.into())
    }
}
