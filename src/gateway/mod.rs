//! The way out: how a code is handed to whoever delivers it.
//!
//! A gateway refuses to know verifications' lives and stores. It is asked to
//! carry one request and says one of four things: taken, refused, not processed, or
//! unknown. Retries and failover between gateways belong to whoever asks.

pub mod breaker;
pub mod callbacks;
pub mod captcha;
pub mod codes;
pub mod console;
pub mod http;
pub mod lookups;
pub mod relay;
pub mod routes;
#[cfg(test)]
mod tests;
pub mod twilio;
pub mod verify;
pub mod webhook;
mod wording;

pub use crate::texts::closest_tag as closest_language;
pub use callbacks::{CallbackHead, Callbacks, NotHeard};
pub use codes::{CodeOffer, Codes, NotCompared, Whose};
pub use wording::{segments_of, text};

use crate::model::channel::Channel;
use crate::model::code::Code;
use crate::model::delivery::{About, Fact, Report, Source, Unheard};
use crate::model::id::{DeliveryId, Sid};
use crate::model::message::{self, Route};
use crate::model::phone::PhoneNumber;
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::model::status::Status;
use crate::model::verification::Details;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One message or call to be made.
#[derive(Debug, Clone)]
pub struct SendRequest {
    /// Our name for it; goes into the callback's URL.
    pub id: DeliveryId,
    /// By text message, call or WhatsApp.
    pub channel: Channel,
    /// The person's number.
    pub to: PhoneNumber,
    /// What it says.
    pub content: Carried,
    /// By whom it leaves, where there was a choice; nothing for whoever the service, or the
    /// gateway itself, sends as.
    pub route: Option<Route>,
    /// The language asked for.
    pub locale: Option<String>,
    /// How long it is still worth something: no message may wait longer.
    pub valid_for: Duration,
    /// The end of the longest time that a send takes, from before it was claimed. A
    /// gateway that lets requests wait for their turn begins none later and says that
    /// it was not taken; one that begins each at once need not look. That nobody begins
    /// what another job has taken over is not this time's to see to: who claimed a send
    /// drops the request when the claim cannot be held any more.
    pub begin_by: Instant,
    /// The service it is sent for.
    pub service: Arc<Service>,
    /// Whether the person wrote to us on this channel within a day, so that
    /// WhatsApp takes free text.
    pub window_open: bool,
}

/// What a message or call says.
#[derive(Debug, Clone)]
pub enum Carried {
    /// A verification's code, in words that are found when it is sent.
    Code {
        /// The code. A call fetches it later, so its URL never holds it.
        code: Code,
        /// What the application said about the verification.
        details: Details,
    },
    /// The words of a message of its own.
    Words(message::Content),
}

impl SendRequest {
    /// The code that it carries; nothing of a message of its own.
    pub fn code(&self) -> Option<&Code> {
        match &self.content {
            Carried::Code { code, .. } => Some(code),
            Carried::Words(_) => None,
        }
    }

    /// What the application said about its verification, where it is one's.
    pub fn details(&self) -> Option<&Details> {
        match &self.content {
            Carried::Code { details, .. } => Some(details),
            Carried::Words(_) => None,
        }
    }
}

/// Why a request was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will not be taken, now or later: certain.
    #[error("refused: {reason}")]
    Refused {
        /// Twilio's error code.
        code: Option<u32>,
        /// Why, without numbers or secrets.
        reason: String,
    },
    /// It was certainly not processed, and may be repeated after a while: too many
    /// requests (429), or no connection.
    #[error("not processed: {reason}")]
    NotProcessed {
        /// Twilio's error code.
        code: Option<u32>,
        /// Why, without numbers or secrets.
        reason: String,
        /// How long the other side asks to be left alone; zero where it does not
        /// say. How long to wait is whoever's matter who asks again.
        after: Duration,
    },
    /// Nobody knows: time ran out, the connection broke, or the other side
    /// failed. It must be looked up before it is repeated.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// Twilio's error code.
        code: Option<u32>,
        /// Why, without numbers or secrets.
        reason: String,
        /// How long the other side asks to be left alone; zero where it does not
        /// say.
        after: Duration,
    },
}

impl SendError {
    /// Nobody knows, and nobody asked to wait.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { code: None, reason: reason.into(), after: Duration::ZERO }
    }

    /// How long the other side asks to be left alone; zero where it does not say.
    pub fn after(&self) -> Duration {
        match self {
            Self::NotProcessed { after, .. } | Self::Unknown { after, .. } => *after,
            Self::Refused { .. } => Duration::ZERO,
        }
    }
}

/// Whether an error code, a gateway's or a callback's, says that the recipient has
/// told the sender to stop.
pub fn is_opt_out(code: u32) -> bool {
    crate::twilio::errors::is_opt_out(code)
}

/// Whether an error code that asks for patience says so of one sender, and not of the whole
/// account.
pub fn is_of_sender(code: u32) -> bool {
    crate::twilio::errors::is_of_sender(code)
}

/// Whether an error code says that the account can do nothing at all, so that another one
/// may.
pub fn is_of_account(code: u32) -> bool {
    crate::twilio::errors::is_of_account(code)
}

/// Without a window, free text is refused by this code here as it would be by WhatsApp.
const NO_WINDOW: u32 = 63016;

/// Whether an error code may be the gateway's own word, so that nobody was asked.
pub fn is_own_word(code: u32) -> bool {
    code == NO_WINDOW
}

/// A refusal as Twilio has it where it keeps the list of who opted out itself.
/// <https://www.twilio.com/docs/api/errors/21610>
pub fn opted_out() -> SendError {
    let reason = "the recipient has opted out of messages from this sender".to_owned();
    SendError::Refused { code: Some(21610), reason }
}

/// What is done about an error code, a gateway's or a callback's, where the service does
/// not say otherwise (`Service::remedy`). An HTTP status counts as one.
pub fn remedy(code: u32) -> Remedy {
    crate::twilio::remedies::remedy(code)
}

/// What is done about a message or a call that ended so, with no code told.
pub fn remedy_of_status(status: Status, is_call: bool) -> Remedy {
    crate::twilio::remedies::remedy_of_status(status, is_call)
}

/// What is done about a call that took place and in which nobody heard the code; nothing
/// where a person took it.
pub fn remedy_of_unheard(unheard: Unheard) -> Option<Remedy> {
    crate::twilio::remedies::remedy_of_unheard(unheard)
}

/// A failure as whoever mends it reads of it: its name, and what to do.
pub fn in_words(code: u32) -> (&'static str, &'static str) {
    let meaning = crate::twilio::errors::lookup(code);
    (meaning.name, meaning.advice())
}

/// A list at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Texts of whatever channel.
    Messages,
    /// Calls to and from the numbers of the account.
    Calls,
}

/// A page of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// What is reported of each, the newest first.
    pub items: Vec<Listed>,
    /// How many more there were that do not read.
    pub unread: usize,
    /// Where to go on; `None` on the last page.
    pub next: Option<String>,
}

/// A message or call in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What is reported of it, marked as reconciled.
    pub report: Report,
    /// When it left, by the other side's clock.
    pub at: Option<Timestamp>,
}

/// Whether a template of WhatsApp's may be sent by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// WhatsApp has approved it.
    Approved,
    /// It has not, or no longer.
    Not {
        /// Where it stands, in the other side's word: `pending`, `rejected`, `paused` and so on,
        /// with the reason where one was given.
        status: String,
    },
    /// The other side knows of no such template.
    Missing,
}

impl Approval {
    /// The error code by which messages of such a template fail.
    pub fn code(&self) -> u32 {
        match self {
            Self::Approved => 0,
            Self::Not { status } if status.starts_with("paused") => 63041,
            Self::Not { status } if status.starts_with("disabled") => 63042,
            Self::Not { .. } => NO_WINDOW,
            Self::Missing => 63027,
        }
    }
}

/// What there was to be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redaction {
    /// It was there, and is taken away.
    Done,
    /// The other side knows of no such message or call, or no longer.
    Gone,
}

/// Carries requests. Calls are bounded in time and never retried inside.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Hands a request on. `Ok` holds what is known of the new delivery.
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError>;

    /// What would be said of a request under that name if it were taken, which it is not:
    /// nobody hears of it.
    ///
    /// # Errors
    /// Why it would not even be sent.
    fn pretend(&self, request: &SendRequest, sid: Sid) -> Result<Report, SendError> {
        let about = About { to: Some(request.to.in_full().to_owned()), ..About::default() };
        let fact = Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() };
        Ok(Report { sid, id: Some(request.id.clone()), about, fact })
    }

    /// Whether it has this channel at all.
    fn carries(&self, _channel: Channel) -> bool {
        true
    }

    /// Whether what an account has made can be asked about; the main one where none is named.
    fn reaches(&self, _account: Option<&str>) -> bool {
        true
    }

    /// How long the call of a request would ring.
    fn ring(&self, request: &SendRequest) -> Duration {
        Duration::from_secs(30).min(request.valid_for)
    }

    /// Finds out whether a request was taken that was begun at `since`:
    /// the delivery that it became, or `None` when there certainly is none.
    /// `others` are deliveries of the same number that are known already.
    async fn look_up(
        &self,
        request: &SendRequest,
        since: Timestamp,
        others: &[Sid],
    ) -> Result<Option<Report>, SendError>;

    /// Asks what has become of a message or call of an account, the main one where none is
    /// named; `None` when the other side knows of no
    /// such one, or no longer, as where nobody keeps what was sent. Nobody waits for it: it
    /// takes no place that a send could need, and says "not processed" where there is none.
    async fn fetch(&self, _sid: &Sid, _account: Option<&str>) -> Result<Option<Report>, SendError> {
        Ok(None)
    }

    /// Reads a page of what the account has sent and received since a time; `None` where
    /// nobody keeps a list. `page` is where the page before it said to go on. Nobody waits
    /// for it, as for [`Gateway::fetch`]. Items of before that time may be among them.
    ///
    /// # Errors
    /// What was not processed or came to nothing may be asked for again.
    async fn list(
        &self,
        _listing: Listing,
        _since: Timestamp,
        _page: Option<&str>,
    ) -> Result<Option<ListPage>, SendError> {
        Ok(None)
    }

    /// Whether WhatsApp has approved a template of an account, the main one where none is
    /// named; `None` where nobody can say. Nobody waits for it, as for [`Gateway::fetch`].
    ///
    /// # Errors
    /// What was not processed or came to nothing may be asked for again.
    async fn approval(&self, _template: &str, _account: Option<&str>) -> Result<Option<Approval>, SendError> {
        Ok(None)
    }

    /// Takes away what was said in a message or call of an account: its text, a call's
    /// recordings; with `delete` the record of it as well. Doing it again does
    /// no harm, so of every error it may be repeated.
    async fn redact(&self, sid: &Sid, account: Option<&str>, delete: bool) -> Result<Redaction, SendError>;

    /// Who hears what the other side tells by itself, where it does so in the words of this
    /// project; nothing where it has words of its own, or tells nothing.
    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }

    /// Who compares codes, where they are the other side's: nothing is sent then but its
    /// codes, in its words, and nothing is told of them later. Nothing where codes are ours.
    fn codes(&self) -> Option<&dyn Codes> {
        None
    }
}
