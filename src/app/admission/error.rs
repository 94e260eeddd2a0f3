//! Why something may not be.

use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::model::captcha::CaptchaDemand;
use crate::model::channel::Channel;
use crate::model::lists::BadTarget;
use crate::model::phone::PhoneError;
use crate::model::service::BadSetting;
use jiff::Timestamp;

/// Why something may not be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdmissionError {
    /// The number is none, or one that is refused.
    #[error(transparent)]
    Number(#[from] PhoneError),
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
    /// The number is a landline, and the service sends no texts to these.
    #[error("the number is a landline, which gets no texts from this service; a call reaches it")]
    Landline,
    /// No channel of the service reaches this number.
    #[error("no channel of this service reaches this number")]
    NoChannel,
    /// The service has nobody to send as by this channel.
    #[error(
        "the channel {0} has no sender for this number: name one in twilio.senders, or for whatsapp as the service's whatsapp_from"
    )]
    NoSender(Channel),
    /// The recipient told our sender to stop.
    #[error("the recipient has opted out of messages from this sender")]
    OptedOut,
    /// The recipient wants no messages of this type.
    #[error("the recipient has opted out of messages of the type {name}")]
    TypeUnwanted {
        /// The type.
        name: String,
    },
    /// A text for people has a link or an address in it.
    #[error(
        "{field} has a link, an address or a telephone number in it, and people would follow it in the service's name: \
         leave it out, or, for a brand that is a domain, allow it with {{\"allow_links\": true}} to PATCH \
         /v1/services/ID, or with allow_links = true under services in the configuration"
    )]
    Link {
        /// The text that was refused, as the API names its field.
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
    /// The service binds its codes to payments, and half of one is missing.
    #[error("this service binds its codes to a payment: amount and payee are both needed, from the start on")]
    PaymentMissing {
        /// Which half: `amount` or `payee`.
        field: &'static str,
    },
    /// The service takes no codes that applications chose.
    #[error("this service takes no codes of the application's own: its setting custom_code allows them")]
    CustomCodeOff,
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
    NoSendsLeft {
        /// How long the verification still lives, in whole seconds.
        seconds: i64,
    },
    /// The codes of the number's verification were all wrong, and its time is
    /// not over.
    #[error("all checks of the verification are used up")]
    ChecksUsedUp {
        /// How long it would still live, in whole seconds.
        seconds: i64,
    },
    /// A verification of the number stands open for another payment or purpose.
    #[error(
        "a verification of this number is under way for another purpose, amount or payee: call it off, or wait \
         for its end"
    )]
    OtherPending,
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
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// A limit has no room.
    #[error("the limit {rule} is reached until {retry_at}")]
    LimitReached {
        /// The rule, as `[limits]` names it.
        rule: String,
        /// The first time when there is room again, if nobody else takes it.
        retry_at: Timestamp,
        /// How long that is from now, in whole seconds of our clock, at least one.
        seconds: i64,
    },
    /// The lists of who is allowed or blocked hold no more.
    #[error(
        "the lists hold {most} entries at most: take some away, or name ranges and networks instead of each number"
    )]
    ListFull {
        /// How many they hold.
        most: usize,
    },
    /// What is known of traffic speaks against it.
    #[error("what is known of traffic looks like fraud, by the signal {rule}")]
    FraudSuspected {
        /// The signal, as `[fraud.signals]` names it.
        rule: String,
        /// When that ends, if nothing more happens.
        retry_at: Option<Timestamp>,
    },
    /// What is known of traffic speaks for a wait.
    #[error("what is known of traffic asks for a wait until {retry_at}, by the signal {rule}")]
    SlowDown {
        /// The signal, as `[fraud.signals]` names it.
        rule: String,
        /// From when on it may be tried again.
        retry_at: Timestamp,
        /// How long that is from now, in whole seconds of our clock, at least one.
        seconds: i64,
    },
    /// Whoever asks has to prove first to be a person.
    #[error("what is known of traffic asks for a proof that a person is asking, by the signal {rule}")]
    CaptchaRequired {
        /// The signal, as `[fraud.signals]` names it.
        rule: String,
        /// What is asked for; there once it is said to anybody.
        demand: Option<Box<CaptchaDemand>>,
    },
    /// The same, and nobody can say now whether what was brought is one.
    #[error("a proof that a person is asking cannot be looked at right now: try the same one again")]
    CaptchaUnavailable {
        /// The channel by which the code was to go, where one was asked for.
        channel: Option<Channel>,
    },
    /// The block list names the number, what it belongs to, or who asks.
    #[error("the request is on the block list of this installation")]
    Blocked {
        /// When that ends; nothing where somebody has to end it.
        until: Option<Timestamp>,
    },
    /// A name or limit that is none.
    #[error("{0}")]
    Malformed(&'static str),
    /// A setting of a service that cannot be.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// The service is not there.
    #[error(transparent)]
    Service(ServiceError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<BadTarget> for AdmissionError {
    fn from(bad: BadTarget) -> Self {
        Self::Setting(bad.into())
    }
}

failing!(AdmissionError, Service(ServiceError));
