//! Why an operation refused, whatever folder it is in: the one place where the errors
//! of `app` become kinds of problems, with what is said beside them.
//!
//! It refuses to know HTTP's own errors, which are in `error.rs`, and how Twilio's
//! clients are told, which is in `verify_v2/failure.rs`.

use super::problem::{self, Captcha, Kind, Members};
use crate::app::admin::AdminError;
use crate::app::admission::AdmissionError;
use crate::app::events::EventError;
use crate::app::fault::{Failing, Fault};
use crate::app::keyed::KeyBound;
use crate::app::messages::MessageError;
use crate::app::messaging::MessagingError;
use crate::app::privacy::PrivacyError;
use crate::app::services::ServiceError;
use crate::app::verification::{SessionError, VerificationError};

/// Why an operation refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(Fault),
    /// A key of some services came with what is about the whole.
    #[error(transparent)]
    KeyBound(KeyBound),
    /// A service was not found.
    #[error(transparent)]
    Service(ServiceError),
    /// Something may not be.
    #[error(transparent)]
    Admission(AdmissionError),
    /// A verification was not begun, sent again, checked or ended.
    #[error(transparent)]
    Verification(VerificationError),
    /// A step of a session was not taken.
    #[error(transparent)]
    Session(SessionError),
    /// A message of its own was not taken, or not changed.
    #[error(transparent)]
    Message(MessageError),
    /// Nothing was sent, written down or said.
    #[error(transparent)]
    Messaging(MessagingError),
    /// An endpoint is not as it was asked for.
    #[error(transparent)]
    Event(EventError),
    /// Nothing was erased.
    #[error(transparent)]
    Privacy(PrivacyError),
    /// An operator's wish was not done.
    #[error(transparent)]
    Admin(AdminError),
}

/// An error of the operations.
pub trait OfApp: Into<Refusal> {}

/// An error of a folder is a refusal; an error of a lower folder in it is that one's.
macro_rules! refusals {
    ($($error:ident => |$e:ident| $made:expr;)*) => {
        $(
            impl OfApp for $error {}

            impl From<$error> for Refusal {
                fn from($e: $error) -> Self {
                    $made
                }
            }
        )*
    };
}

refusals! {
    Fault => |error| Self::Fault(error);
    KeyBound => |error| Self::KeyBound(error);
    ServiceError => |error| match error {
        ServiceError::Fault(error) => error.into(),
        error => Self::Service(error),
    };
    AdmissionError => |error| match error {
        AdmissionError::Fault(error) => error.into(),
        AdmissionError::Service(error) => error.into(),
        error => Self::Admission(error),
    };
    VerificationError => |error| match error {
        VerificationError::Fault(error) => error.into(),
        VerificationError::Admission(error) => error.into(),
        error => Self::Verification(error),
    };
    SessionError => |error| match error {
        SessionError::Fault(error) => error.into(),
        SessionError::Verification(error) => error.into(),
        error => Self::Session(error),
    };
    MessageError => |error| match error {
        MessageError::Fault(error) => error.into(),
        MessageError::Admission(error) => error.into(),
        error => Self::Message(error),
    };
    MessagingError => |error| match error {
        MessagingError::Fault(error) => error.into(),
        MessagingError::Verification(error) => error.into(),
        error => Self::Messaging(error),
    };
    EventError => |error| match error {
        EventError::Fault(error) => error.into(),
        error => Self::Event(error),
    };
    PrivacyError => |error| match error {
        PrivacyError::Fault(error) => error.into(),
        PrivacyError::Verification(error) => error.into(),
        error => Self::Privacy(error),
    };
    AdminError => |error| match error {
        AdminError::Fault(error) => error.into(),
        AdminError::Admission(error) => error.into(),
        error => Self::Admin(error),
    };
}

impl Refusal {
    /// Whether nothing has the name that was asked for.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_not_found())
    }

    /// Which problem it is.
    pub fn kind(&self) -> &'static Kind {
        match self {
            Self::Fault(error) => match error {
                Fault::NotFound => &problem::NOT_FOUND,
                Fault::Contended => &problem::CONTENDED,
                Fault::TooLarge { .. } => &problem::RECORD_TOO_LARGE,
                Fault::Store(_) => &problem::STORE_UNAVAILABLE,
            },
            Self::KeyBound(_) => &problem::KEY_BOUND,
            Self::Service(ServiceError::NoSuchService) => &problem::SERVICE_NOT_FOUND,
            Self::Service(_) => &problem::INVALID_REQUEST,
            Self::Admission(error) => admission(error),
            Self::Verification(error) => verification(error),
            Self::Session(error) => match error {
                SessionError::Ended(_) => &problem::SESSION_ENDED,
                SessionError::ReturnUrl(_) => &problem::NOT_ALLOWED,
                SessionError::NoNumbersLeft => &problem::NO_NUMBERS_LEFT,
                SessionError::NoStartsLeft => &problem::NO_STARTS_LEFT,
                SessionError::NoSuchResult => &problem::NO_SUCH_RESULT,
                SessionError::Verification(_) | SessionError::Fault(_) => &problem::INTERNAL,
            },
            Self::Message(MessageError::NoSendsLeft) => &problem::NO_SENDS_LEFT,
            Self::Message(MessageError::NotAllowed(_)) => &problem::NOT_ALLOWED,
            Self::Message(_) => &problem::MESSAGE_STATUS,
            // Of another account's things nothing is said, not even that they are there.
            Self::Messaging(_) => &problem::NOT_FOUND,
            Self::Event(EventError::NotAllowed { .. }) => &problem::NOT_ALLOWED,
            Self::Event(_) => &problem::INVALID_REQUEST,
            Self::Privacy(PrivacyError::Number(_)) => &problem::INVALID_NUMBER,
            Self::Privacy(_) => &problem::NOT_ALLOWED,
            Self::Admin(AdminError::ReadOnly { .. }) => &problem::SERVICE_READ_ONLY,
            Self::Admin(_) => &problem::INVALID_REQUEST,
        }
    }

    /// What is said beside its text.
    pub fn members(&self) -> Members {
        let none = Members::default();
        let field = |name: &str| Members { field: Some(name.to_owned()), ..Members::default() };
        match self {
            Self::Service(ServiceError::NoSuchService) => field("service"),
            Self::Admission(error) => match error {
                AdmissionError::Number(error) => Members { reason: Some(error.code()), ..field("to") },
                AdmissionError::ChannelOff(_) | AdmissionError::Landline | AdmissionError::NoSender(_) => {
                    field("channel")
                }
                AdmissionError::CountryOff { .. } | AdmissionError::NoChannel => field("to"),
                AdmissionError::NotAllowed { field: name, .. }
                | AdmissionError::Link { field: name }
                | AdmissionError::PaymentMissing { field: name } => field(name),
                AdmissionError::CustomCodeOff => field("custom_code"),
                AdmissionError::LimitReached { rule, retry_at, seconds } => Members {
                    rule: Some(rule.clone()),
                    retry_at: Some(*retry_at),
                    retry_after: Some(*seconds),
                    ..none
                },
                AdmissionError::FraudSuspected { rule, retry_at } => {
                    Members { rule: Some(rule.clone()), retry_at: *retry_at, ..none }
                }
                AdmissionError::Blocked { until } => Members { retry_at: *until, ..none },
                AdmissionError::SlowDown { rule, retry_at, seconds } => Members {
                    rule: Some(rule.clone()),
                    retry_at: Some(*retry_at),
                    retry_after: Some(*seconds),
                    ..none
                },
                AdmissionError::CaptchaRequired { rule, demand } => Members {
                    rule: Some(rule.clone()),
                    reason: demand.as_ref().and_then(|demand| Some(demand.why?.as_str())),
                    captcha: demand.as_deref().map(Captcha::from),
                    ..none
                },
                AdmissionError::Setting(wrong) => field(&wrong.field),
                AdmissionError::TooSoon { at, seconds } => {
                    Members { resend_at: Some(*at), retry_after: Some(*seconds), ..none }
                }
                _ => none,
            },
            Self::Verification(error) => match error {
                VerificationError::Ended(status) => {
                    Members { verification_status: Some(status.as_str()), ..none }
                }
                VerificationError::NotACode { length, .. } => {
                    Members { length: Some(*length), ..field("code") }
                }
                _ => none,
            },
            Self::Message(MessageError::NotAllowed(wrong)) => field(&wrong.field),
            Self::Message(MessageError::Stands(status)) => {
                Members { message_status: Some(status.as_str()), ..none }
            }
            Self::Session(SessionError::ReturnUrl(_)) => field("return_url"),
            Self::Session(SessionError::NoSuchResult) => field("result"),
            Self::Event(EventError::NotAllowed { field: name, .. }) => field(name),
            Self::Privacy(PrivacyError::Number(error)) => {
                Members { reason: Some(error.code()), ..field("to") }
            }
            Self::Privacy(PrivacyError::OwnSender) => field("number"),
            Self::Admin(AdminError::ReadOnly { key }) => Members { configured_at: Some(key.clone()), ..none },
            _ => none,
        }
    }

    /// After how many whole seconds it may pass; nothing where time changes nothing.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Admission(
                AdmissionError::TooSoon { seconds, .. }
                | AdmissionError::LimitReached { seconds, .. }
                | AdmissionError::SlowDown { seconds, .. }
                | AdmissionError::Reached { seconds, .. }
                | AdmissionError::ChecksUsedUp { seconds },
            ) => Some(*seconds),
            Self::Admission(AdmissionError::CaptchaUnavailable { .. }) => Some(5),
            Self::Verification(VerificationError::CheckUnavailable { seconds }) => Some(*seconds),
            Self::Fault(Fault::Contended | Fault::Store(_))
            | Self::Verification(VerificationError::InProgress | VerificationError::ChecksOpen) => Some(1),
            _ => None,
        }
    }
}

fn admission(error: &AdmissionError) -> &'static Kind {
    match error {
        AdmissionError::Number(_) => &problem::INVALID_NUMBER,
        AdmissionError::ChannelOff(_) | AdmissionError::Landline | AdmissionError::NoSender(_) => {
            &problem::CHANNEL_NOT_OFFERED
        }
        AdmissionError::CountryOff { .. } => &problem::COUNTRY_NOT_OFFERED,
        AdmissionError::NoChannel => &problem::NO_CHANNEL,
        AdmissionError::LimitReached { .. } => &problem::LIMIT_REACHED,
        AdmissionError::FraudSuspected { .. } => &problem::FRAUD_SUSPECTED,
        AdmissionError::Blocked { .. } => &problem::BLOCKED,
        AdmissionError::SlowDown { .. } => &problem::SLOW_DOWN,
        AdmissionError::CaptchaRequired { .. } => &problem::CAPTCHA_REQUIRED,
        AdmissionError::CaptchaUnavailable { .. } => &problem::CAPTCHA_UNAVAILABLE,
        AdmissionError::OptedOut | AdmissionError::TypeUnwanted { .. } => &problem::RECIPIENT_OPTED_OUT,
        AdmissionError::NotAllowed { .. } | AdmissionError::Link { .. } | AdmissionError::CustomCodeOff => {
            &problem::NOT_ALLOWED
        }
        AdmissionError::PaymentMissing { .. } => &problem::PAYMENT_MISSING,
        AdmissionError::TooSoon { .. } => &problem::RESEND_TOO_SOON,
        AdmissionError::NoSendsLeft { .. } => &problem::NO_SENDS_LEFT,
        AdmissionError::OtherPending => &problem::VERIFICATION_PENDING,
        AdmissionError::KeyReused => &problem::IDEMPOTENCY_KEY_REUSED,
        // What Verify's face alone asks for.
        AdmissionError::Reached { .. } | AdmissionError::ChecksUsedUp { .. } => &problem::RATE_LIMITED,
        AdmissionError::NoSuchLimit { .. } | AdmissionError::Malformed(_) | AdmissionError::Setting(_) => {
            &problem::INVALID_REQUEST
        }
        AdmissionError::ListFull { .. } => &problem::LIST_FULL,
        AdmissionError::Service(_) | AdmissionError::Fault(_) => &problem::INTERNAL,
    }
}

fn verification(error: &VerificationError) -> &'static Kind {
    match error {
        VerificationError::Ended(_) => &problem::VERIFICATION_ENDED,
        VerificationError::NotACode { .. } | VerificationError::SeveralCodes => &problem::INVALID_CODE,
        VerificationError::CodeNotChosen => &problem::NOT_ALLOWED,
        VerificationError::CheckUnavailable { .. } | VerificationError::ChecksOpen => {
            &problem::CHECK_UNAVAILABLE
        }
        VerificationError::InProgress => &problem::IDEMPOTENCY_IN_PROGRESS,
        VerificationError::CodeKeyGone | VerificationError::Admission(_) | VerificationError::Fault(_) => {
            &problem::INTERNAL
        }
    }
}
