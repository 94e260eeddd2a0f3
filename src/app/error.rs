//! Why an operation was not done.

use crate::model::channel::Channel;
use crate::model::code::CodeKind;
use crate::model::phone::PhoneError;
use crate::model::service::BadSetting;
use crate::model::session::End;
use crate::model::verification::Status;
use crate::store::{Change, CommitError, StoreError};
use jiff::Timestamp;

/// Why an operation was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// The number is none, or one that is refused.
    #[error(transparent)]
    Number(#[from] PhoneError),
    /// No such verification, delivery or key.
    #[error("nothing has this name")]
    NotFound,
    /// What is about the whole, asked for with a key of some services.
    #[error(
        "this is about all services, and the key is for some alone; `dialback key create NAME` makes one for all"
    )]
    KeyBound,
    /// No such service.
    #[error("no service has this id or name; `GET /v1/services` lists them")]
    NoSuchService,
    /// The service does not have this channel.
    #[error("the channel {0} is not offered")]
    ChannelOff(Channel),
    /// The service does not use this channel in that country.
    #[error("the channel {channel} is not offered in {region}")]
    CountryOff {
        /// The channel.
        channel: Channel,
        /// ISO 3166, or `??` where no country is known.
        region: String,
    },
    /// What is reported is another account's.
    #[error("the message or call belongs to another account than the one that reports of it")]
    OtherAccount,
    /// The number is a landline, and the service sends no texts to these.
    #[error("the number is a landline, which gets no texts from this service; a call reaches it")]
    Landline,
    /// A text for people has a link or an address in it.
    #[error(
        "{field} has a link, an address or a telephone number in it, and people would follow it in the service's name: \
         leave it out, or, for a brand that is a domain, allow it with {{\"allow_links\": true}} to PATCH \
         /v1/services/ID, or with allow_links = true under services in the configuration"
    )]
    Link {
        /// Which text.
        field: &'static str,
    },
    /// Something that the service's settings do not allow.
    #[error("{what}")]
    NotAllowed {
        /// What was asked for.
        field: &'static str,
        /// Why not, and which setting allows it.
        what: &'static str,
    },
    /// The service does not let people be sent there.
    #[error("return_url {0}")]
    ReturnUrl(String),
    /// The service binds its codes to payments, and half of one is missing.
    #[error("this service binds its codes to a payment: amount and payee are both needed, from the start on")]
    PaymentMissing {
        /// Which half: `amount` or `payee`.
        field: &'static str,
    },
    /// The service takes no codes that applications chose.
    #[error("this service takes no codes of the application's own: its setting custom_code allows them")]
    CustomCodeOff,
    /// No channel of the service reaches this number.
    #[error("no channel of this service reaches this number")]
    NoChannel,
    /// The recipient told our sender to stop.
    #[error("the recipient has opted out of messages from this sender")]
    OptedOut,
    /// It has ended.
    #[error("the verification is {0}")]
    Ended(Status),
    /// The session has ended otherwise than by being called off.
    #[error("the session has ended: it is {}", .0.as_str())]
    SessionEnded(End),
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
    /// No further number may be entered in a session.
    #[error("no further number can be entered in this session")]
    NoNumbersLeft,
    /// No further verification may be started in a session.
    #[error("no further verification can be started in this session")]
    NoStartsLeft,
    /// Not a session's result, or one that was exchanged before.
    #[error("this is not the result of this session, or it was exchanged before, or came too late")]
    NoSuchResult,
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The first request with this idempotency key is being done.
    #[error("the first request with this idempotency key has not been answered yet")]
    InProgress,
    /// A setting of a service that cannot be.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// A service that the configuration file sets.
    #[error("this service is set in the configuration file, under {key}, and is changed there")]
    ReadOnly {
        /// Its key there.
        key: String,
    },
    /// A name or limit that is none.
    #[error("{0}")]
    Malformed(&'static str),
    /// The key that made this code is not configured any more.
    #[error("the code's key is not configured")]
    CodeKeyGone,
    /// Too many writes of the same record at once.
    #[error("too many requests for the same record at once")]
    Contended,
    /// What is kept together in one record would be too much for it.
    #[error(
        "what is kept together here would take {size} bytes, and {most} are possible: use fewer or shorter \
         settings, limits, lists or tags"
    )]
    TooLarge {
        /// How much it would be.
        size: usize,
        /// How much it may be.
        most: usize,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { size } => Self::TooLarge { size, most: Change::MAX_BODY },
            error => Self::Store(error),
        }
    }
}

impl From<CommitError> for AppError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Contended,
            CommitError::Store(error) => error.into(),
        }
    }
}
