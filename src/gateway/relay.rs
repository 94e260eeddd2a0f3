//! Messages by way of a service of the operator's own, in a form that `docs/gateway.md`
//! describes: one signed request for each, answered with the provider's own name for it.
//!
//! It refuses to know who really sends. A request has one name from its first try to its
//! last, so that a repetition sends nothing twice; what became of one whose answer was lost
//! is asked for by that name. Calls are refused: the service that rings would say the code
//! to whatever answers, which the gate of our own calls is there to prevent.

mod answer;
mod callback;

use super::callbacks::Callbacks;
use super::http::{Answer, TlsError, TransportError, client, read_answer, transport_error};
use super::webhook::{Guard, leads_inside, signature};
use super::{Gateway, Redaction, SendError, SendRequest, text};
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::code::Code;
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::id::{DeliveryId, Sid};
use crate::model::status::Status;
use crate::secret::Secret;
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use crate::texts::Catalog;
use crate::trust::Trust;
use answer::{Taken, refusal};
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Method, Url};
use serde::Serialize;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static POSTS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Gateway, "gateway POST"));
static GETS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Gateway, "gateway GET"));
static DELETES: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Gateway, "gateway DELETE"));

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

const PRIVATE: &str =
    "the address leads to a private network: say in gateway.http.allow_private_address why to allow it";

/// What the gateway must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where messages are posted to; below it, each has an address of its own.
    pub url: String,
    /// The secrets of the signatures: the first one signs, each of them proves.
    pub secrets: Vec<Secret>,
    /// The channels that the other side knows; a call is never among them.
    pub channels: Vec<Channel>,
    /// Sender of texts, where the service has none of its own.
    pub from: Option<String>,
    /// The words of messages.
    pub messages: Arc<Catalog>,
    /// Where the other side tells what became of a message.
    pub callback_url: String,
    /// How long connecting to it may take.
    pub connect_timeout: Duration,
    /// How long a whole request may take.
    pub request_timeout: Duration,
    /// Whether the address may be of a private network, and without TLS.
    pub allow_private: bool,
}

/// Why there can be no such gateway.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The address is none that may be called.
    #[error("gateway.http.url: {0}")]
    Url(&'static str),
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] TlsError),
}

/// A service of the operator's own as a gateway.
pub struct Relay {
    settings: Settings,
    url: Url,
    client: reqwest::Client,
}

/// A message to be sent, as it is posted.
#[derive(Serialize)]
struct Posted<'a> {
    delivery: &'a DeliveryId,
    channel: Channel,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    valid_for: u64,
    service: Named<'a>,
    callback_url: &'a str,
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
    name: &'a str,
}

/// What is asked of the other side about a message.
#[derive(Clone, Copy)]
enum Ask {
    Send,
    LookUp,
    Erase,
}

impl Ask {
    fn method(self) -> Method {
        match self {
            Self::Send => Method::POST,
            Self::LookUp => Method::GET,
            Self::Erase => Method::DELETE,
        }
    }

    fn meter(self) -> &'static Meter {
        match self {
            Self::Send => *POSTS,
            Self::LookUp => *GETS,
            Self::Erase => *DELETES,
        }
    }

    /// The `webhook-id`. The signature covers neither method nor path, so what is asked is
    /// told by the name that it does cover.
    fn name(self, delivery: &DeliveryId) -> String {
        match self {
            Self::Send => delivery.to_string(),
            Self::LookUp => format!("look-up-{delivery}"),
            Self::Erase => format!("erase-{delivery}"),
        }
    }
}

impl Relay {
    /// A gateway with rustls that believes `trust`, no redirects, no proxy, and deadlines.
    ///
    /// # Errors
    /// When the address may not be called, or TLS cannot be set up.
    pub fn new(settings: Settings, trust: &Trust) -> Result<Self, RelayError> {
        let guard = Guard { allow_private: settings.allow_private, private: PRIVATE };
        let url = guard.url(&settings.url).map_err(RelayError::Url)?;
        let client = client(trust)?
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .dns_resolver(guard.resolver())
            .user_agent(concat!("dialback/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(TlsError::from)?;
        Ok(Self { settings, url, client })
    }

    /// What would be posted, and what is known of the message then.
    fn posted(&self, request: &SendRequest) -> Result<(Vec<u8>, Report), SendError> {
        let channel = request.channel;
        if !self.carries(channel) {
            let reason = format!("the gateway carries no {channel}: see gateway.http.channels");
            return Err(SendError::Refused { code: None, reason });
        }
        let text = text(&self.settings.messages, request);
        let own = &request.service.settings;
        let posted = Posted {
            delivery: &request.id,
            channel,
            to: request.to.in_full(),
            from: self.sender(request),
            text: &text.body,
            code: request.code().map(Code::expose),
            language: Some(text.locale.as_str()).filter(|locale| !locale.is_empty()),
            valid_for: request.valid_for.as_secs(),
            service: Named { id: request.service.id.as_str(), name: &own.name },
            callback_url: &self.settings.callback_url,
        };
        // Plain data with text keys: writing it cannot fail.
        let body = serde_json::to_vec(&posted).unwrap_or_default();
        let is_text = channel == Channel::Sms;
        let about = About {
            to: Some(address::of_number(&request.to, channel)),
            encoding: is_text.then(|| text.segments.encoding.to_string()),
            counted_segments: u32::try_from(text.segments.segments).ok().filter(|_| is_text),
            ..About::default()
        };
        let fact = Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() };
        let report = Report { sid: request.id.message_sid(), id: Some(request.id.clone()), about, fact };
        Ok((body, report))
    }

    fn sender<'a>(&'a self, request: &'a SendRequest) -> Option<&'a str> {
        let own = &request.service.settings;
        match request.channel {
            Channel::Whatsapp => own.whatsapp_from.as_deref(),
            Channel::Sms | Channel::Call => own.from.as_deref().or(self.settings.from.as_deref()),
        }
    }

    fn url_of(&self, ask: Ask, delivery: &DeliveryId) -> Url {
        let mut url = self.url.clone();
        if !matches!(ask, Ask::Send) {
            // The address is http or https, which has segments.
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop_if_empty().push(delivery.as_str());
            }
        }
        url
    }

    async fn ask(&self, ask: Ask, delivery: &DeliveryId, body: Vec<u8>) -> Result<Answer, SendError> {
        let (name, seconds) = (ask.name(delivery), Timestamp::now().as_second());
        let signer = self.settings.secrets.get(..1).unwrap_or_default();
        let mut request = self
            .client
            .request(ask.method(), self.url_of(ask, delivery))
            .header("webhook-id", &name)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature(&name, seconds, &body, signer));
        if matches!(ask, Ask::Send) {
            request = request.header("content-type", "application/json").body(body);
        }
        let judged = |result: &Result<Answer, SendError>| match result {
            Ok(answer) => Outcome::of_status(answer.status),
            Err(_) => Outcome::Failed,
        };
        let span = tracing::debug_span!("gateway", to = "gateway.http", method = %ask.method());
        ask.meter().observe(span, judged, exchange(request)).await
    }
}

/// Sends a request and reads its answer.
async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, SendError> {
    let not_processed =
        |reason: String| SendError::NotProcessed { code: None, reason, after: Duration::ZERO };
    let response = match request.send().await {
        Err(error) if leads_inside(&error) => return Err(not_processed(PRIVATE.to_owned())),
        Err(error) => Err(transport_error(error)),
        Ok(response) => read_answer(response, MAX_ANSWER).await,
    };
    response.map_err(|error| match error {
        TransportError::NotConnected(why) => not_processed(format!("cannot connect to the gateway: {why}")),
        TransportError::Broken(why) => SendError::unknown(format!("no answer from the gateway: {why}")),
    })
}

#[async_trait]
impl Gateway for Relay {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let (body, report) = self.posted(request)?;
        let answer = self.ask(Ask::Send, &request.id, body).await?;
        match answer.status {
            200..=299 => Ok(Taken::read(&answer)?.tell(report)),
            _ => Err(refusal(&answer)),
        }
    }

    fn pretend(&self, request: &SendRequest, _: Sid) -> Result<Report, SendError> {
        // A name that is not made of the delivery's would tell it from those that are sent.
        self.posted(request).map(|(_, report)| report)
    }

    async fn look_up(
        &self,
        request: &SendRequest,
        _: Timestamp,
        _: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        let (_, report) = self.posted(request)?;
        let answer = self.ask(Ask::LookUp, &request.id, Vec::new()).await?;
        match answer.status {
            200 => Ok(Some(Taken::read(&answer)?.tell(report))),
            404 => Ok(None),
            _ => Err(refusal(&answer)),
        }
    }

    async fn redact(&self, sid: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        let answer = self.ask(Ask::Erase, &sid.named_after(), Vec::new()).await?;
        match answer.status {
            200..=299 => Ok(Redaction::Done),
            // Not known, no longer, or nothing that the other side does.
            404 | 405 | 410 | 501 => Ok(Redaction::Gone),
            _ => Err(refusal(&answer)),
        }
    }

    fn carries(&self, channel: Channel) -> bool {
        self.settings.channels.contains(&channel)
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

#[cfg(test)]
mod tests;
