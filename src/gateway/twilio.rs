//! Messages and calls by way of Twilio's REST API, 2010-04-01.
//!
//! Twilio has no idempotency key for them. So a time-out or a server error is
//! *unknown*, never failed, and [`Gateway::look_up`] asks the list of what was
//! made before anybody repeats it. What 429 (Too Many Requests, 20429) means is
//! decided in `refusal`, at the end of this file.

mod approval;
mod fetch;
mod list;
mod redact;

use super::http::{Answer, Outgoing, Transport, TransportError};
use super::{
    Approval, Carried, Gateway, ListPage, Listing, NO_WINDOW, Redaction, SendError, SendRequest, text,
    wording,
};
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::id::Sid;
use crate::model::sender::is_messaging_service;
use crate::model::service::ContentSids;
use crate::model::status::Status;
use crate::secret::Secret;
use crate::texts::Catalog;
use crate::twilio::errors::{self, Disposition};
use crate::twilio::request::{Content, CreateCall, CreateMessage, MachineDetection, Sender};
use crate::twilio::response::{ErrorDocument, Page, Resource};
use crate::twilio::segments::smart_encoded;
use crate::twilio::url::{CALLBACK_OVERRIDES, TWIML_OVERRIDES};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a request waits for its turn among those of the account.
pub const LONGEST_TURN: Duration = Duration::from_secs(5);

/// What stands before a number of WhatsApp.
const WHATSAPP: &str = "whatsapp:";

/// What the gateway must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://api.twilio.com`, or the sandbox.
    pub base_url: String,
    /// `https://content.twilio.com`, or the sandbox: where templates are.
    pub content_url: String,
    /// The account, `AC…`, by which everything leaves that names no other.
    pub account_sid: String,
    /// `AC…` and its auth token, or `SK…` and its secret.
    pub auth: (String, Secret),
    /// Others that have senders of ours.
    pub others: Vec<Account>,
    /// Sender of messages, where the service has none of its own.
    pub sender: Sender,
    /// Sender of calls, where the service has none: a number. Without one calls
    /// are refused.
    pub call_from: Option<String>,
    /// The words of messages.
    pub messages: Arc<Catalog>,
    /// Where Twilio reaches us, without a slash at its end.
    pub public_url: String,
    /// What Twilio asks for TwiML where we give none; nobody else is asked without.
    pub voice_fallback_url: Option<String>,
    /// How long a call may ring.
    pub ring: Duration,
    /// Whether calls find out who answered.
    pub machine_detection: MachineDetection,
    /// Requests under way at once, by each account.
    pub concurrency: usize,
}

/// An account beside the main one.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its SID, `AC…`.
    pub sid: String,
    /// The SID and its auth token, or `SK…` and its secret.
    pub auth: (String, Secret),
    /// Whether senders of it are used now; of one whose senders were, what has left is
    /// still asked about.
    pub sends: bool,
}

/// An account, and the places for its requests.
struct Line {
    account: Account,
    places: Arc<Semaphore>,
}

/// Twilio's REST API as a gateway, over any transport.
pub struct Twilio<T> {
    settings: Settings,
    transport: T,
    main: Line,
    others: Vec<Line>,
}

impl<T: Transport> Twilio<T> {
    /// A gateway over a transport.
    pub fn new(settings: Settings, transport: T) -> Self {
        let most = settings.concurrency.max(1);
        let line = |account| Line { account, places: Arc::new(Semaphore::new(most)) };
        let (sid, auth) = (settings.account_sid.clone(), settings.auth.clone());
        let main = Account { sid, auth, sends: true };
        let (main, others) = (line(main), settings.others.iter().cloned().map(line).collect());
        Self { settings, transport, main, others }
    }

    /// The line of an account; the main one's where none is named.
    fn line(&self, account: Option<&str>) -> Result<&Line, SendError> {
        let Some(sid) = account else { return Ok(&self.main) };
        let mut all = std::iter::once(&self.main).chain(&self.others);
        all.find(|line| line.account.sid == sid).ok_or_else(|| {
            let reason = "its account is none by which this server sends".to_owned();
            SendError::Refused { code: None, reason }
        })
    }

    fn url(&self, line: &Line, resource: &str, query: &str) -> String {
        let (base_url, sid) = (self.settings.base_url.trim_end_matches('/'), &line.account.sid);
        format!("{base_url}/2010-04-01/Accounts/{sid}/{resource}.json{query}")
    }

    async fn call(
        &self,
        line: &Line,
        method: &'static str,
        url: String,
        form: Vec<(&'static str, String)>,
        begin_by: Option<Instant>,
    ) -> Result<Answer, SendError> {
        // Whoever waits too long has sent nothing, and gives its outbox step back
        // before its lease runs out.
        let Ok(_place) = tokio::time::timeout(LONGEST_TURN, line.places.acquire()).await else {
            let reason = "too many requests to twilio at once: see twilio.max_in_flight".to_owned();
            return Err(SendError::NotProcessed { code: None, reason, after: Duration::ZERO });
        };
        if begin_by.is_some_and(|begin_by| begin_by < Instant::now()) {
            let reason = "its job stood still for too long: it is left to another one".to_owned();
            return Err(SendError::NotProcessed { code: None, reason, after: Duration::ZERO });
        }
        let auth = line.account.auth.clone();
        self.transport.call(Outgoing { method, url, auth, form }).await.map_err(|error| match error {
            TransportError::NotConnected(why) => {
                let reason = format!("cannot connect to twilio: {why}");
                SendError::NotProcessed { code: None, reason, after: Duration::ZERO }
            }
            TransportError::Broken(why) => SendError::unknown(format!("no answer from twilio: {why}")),
        })
    }

    fn message(&self, request: &SendRequest) -> Result<Vec<(&'static str, String)>, SendError> {
        match request.channel {
            Channel::Whatsapp => self.whatsapp(request),
            _ => {
                let text = text(&self.settings.messages, request);
                Ok(self.pairs(request, &self.sender(request), Content::Body(&text.body)))
            }
        }
    }

    /// WhatsApp takes free text only for a day after somebody wrote; else a
    /// template that it has approved.
    fn whatsapp(&self, request: &SendRequest) -> Result<Vec<(&'static str, String)>, SendError> {
        let sender = self.whatsapp_sender(request)?;
        if let Carried::Words(words) = &request.content
            && let Some(approved) = &words.approved
        {
            let content = Content::Template { sid: &approved.sid, variables: &approved.variables };
            return Ok(self.pairs(request, &sender, content));
        }
        if let Some(sids) = code_template(request) {
            let sid = wording::template(request, sids)?;
            let variables = wording::variables(request)?;
            let content = Content::Template { sid, variables: &variables };
            return Ok(self.pairs(request, &sender, content));
        }
        if !request.window_open {
            let template = match request.code() {
                Some(_) => "whatsapp_content_sid to an approved authentication template",
                None => "the whatsapp_content_sid of its template in message_templates",
            };
            let reason = format!(
                "whatsapp takes free text only within 24 hours of the person's last message: set {template}"
            );
            return Err(SendError::Refused { code: Some(NO_WINDOW), reason });
        }
        let text = text(&self.settings.messages, request);
        Ok(self.pairs(request, &sender, Content::Body(&text.body)))
    }

    fn pairs(
        &self,
        request: &SendRequest,
        sender: &Sender,
        content: Content<'_>,
    ) -> Vec<(&'static str, String)> {
        let status_callback =
            format!("{}/twilio/status?delivery={}{CALLBACK_OVERRIDES}", self.settings.public_url, request.id);
        let to = address(request);
        CreateMessage {
            to: &to,
            sender,
            content,
            status_callback: &status_callback,
            validity: request.valid_for,
        }
        .pairs()
    }

    fn sender(&self, request: &SendRequest) -> Sender {
        if let Some(route) = &request.route {
            return sender_of(&route.sender);
        }
        let own = &request.service.settings;
        match (&own.messaging_service_sid, &own.from) {
            (Some(service), _) => Sender::MessagingService(service.clone()),
            (None, Some(from)) => Sender::From(from.clone()),
            (None, None) => self.settings.sender.clone(),
        }
    }

    fn whatsapp_sender(&self, request: &SendRequest) -> Result<Sender, SendError> {
        if let Some(route) = &request.route {
            return Ok(sender_of(&route.sender));
        }
        let own = &request.service.settings;
        match (&own.whatsapp_from, &own.messaging_service_sid, &self.settings.sender) {
            (Some(from), ..) => Ok(Sender::From(format!("{WHATSAPP}{from}"))),
            (None, Some(service), _) | (None, None, Sender::MessagingService(service)) => {
                Ok(Sender::MessagingService(service.clone()))
            }
            (None, None, Sender::From(_)) => Err(SendError::Refused {
                code: None,
                reason: "no whatsapp sender: set the service's whatsapp_from".into(),
            }),
        }
    }

    /// What we know of a message that Twilio may not say: what it costs.
    fn about(&self, request: &SendRequest, mut report: Report) -> Report {
        if request.channel == Channel::Sms {
            let cost = text(&self.settings.messages, request).segments;
            report.about = About {
                encoding: Some(cost.encoding.to_string()),
                counted_segments: u32::try_from(cost.segments).ok(),
                ..report.about
            };
        }
        report
    }

    fn voice(&self, request: &SendRequest) -> Result<Vec<(&'static str, String)>, SendError> {
        // A name or a short code sends texts and calls nobody.
        let own = request.service.settings.from.as_deref().filter(|from| from.starts_with('+'));
        let of_route = request.route.as_ref().map(|route| route.sender.as_str());
        let from = of_route.or(own).or(self.settings.call_from.as_deref()).ok_or_else(|| {
            SendError::Refused { code: None, reason: "no number to call from: set twilio.from".into() }
        })?;
        let (verification, number) = request.id.of_verification().ok_or_else(|| SendError::Refused {
            code: None,
            reason: "a message of its own is not read aloud".into(),
        })?;
        let public_url = &self.settings.public_url;
        Ok(CreateCall {
            to: request.to.in_full(),
            from,
            url: &format!("{public_url}/twilio/voice/{verification}/{number}{TWIML_OVERRIDES}"),
            fallback_url: self.settings.voice_fallback_url.as_deref(),
            status_callback: &format!(
                "{public_url}/twilio/call-status?delivery={}{CALLBACK_OVERRIDES}",
                request.id
            ),
            ring: self.ring(request),
            machine_detection: self.settings.machine_detection,
            send_digits: request.details().and_then(|details| details.send_digits.as_deref()),
        }
        .pairs())
    }
}

/// A sender as it stands in a request: a messaging service has a parameter of its own.
fn sender_of(name: &str) -> Sender {
    match is_messaging_service(name) {
        true => Sender::MessagingService(name.to_owned()),
        false => Sender::From(name.to_owned()),
    }
}

/// The account by which a request leaves; nothing for the main one.
fn account_of(request: &SendRequest) -> Option<&str> {
    request.route.as_ref()?.account.as_deref()
}

/// The service's approved templates, of what carries a code.
fn code_template(request: &SendRequest) -> Option<&ContentSids> {
    request.code().and(request.service.settings.whatsapp_content_sid.as_ref())
}

/// Whether a text in the list may be what was asked for. The minutes in a code's text may
/// differ by now; the code does not. Other words stand in it as they leave: some characters
/// are replaced (`SmartEncoded`), and a trial account puts words of its own before them.
fn is_its(request: &SendRequest, body: &str) -> bool {
    match &request.content {
        Carried::Code { code, .. } => body.contains(code.expose()),
        Carried::Words(words) => smart_encoded(body).contains(smart_encoded(&words.text).trim()),
    }
}

#[async_trait]
impl<T: Transport> Gateway for Twilio<T> {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let (resource, form) = match request.channel {
            Channel::Sms | Channel::Whatsapp => ("Messages", self.message(request)?),
            Channel::Call => ("Calls", self.voice(request)?),
        };
        let line = self.line(account_of(request))?;
        let url = self.url(line, resource, "");
        let answer = self.call(line, "POST", url, form, Some(request.begin_by)).await?;
        if !(200..300).contains(&answer.status) {
            return Err(refusal(&answer));
        }
        match serde_json::from_slice::<Resource>(&answer.body) {
            Ok(resource) => Ok(self.about(request, resource.report(Some(request.id.clone())))),
            Err(_) => Err(SendError::unknown("the answer of twilio was no message or call")),
        }
    }

    fn pretend(&self, request: &SendRequest, sid: Sid) -> Result<Report, SendError> {
        let form = match request.channel {
            Channel::Sms | Channel::Whatsapp => self.message(request)?,
            Channel::Call => self.voice(request)?,
        };
        let said = |name: &str| form.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
        let is_pooled = said("MessagingServiceSid").is_some();
        let about = About {
            account_sid: Some(self.line(account_of(request))?.account.sid.clone()),
            from: said("From"),
            to: said("To"),
            messaging_service_sid: said("MessagingServiceSid"),
            direction: Some("outbound-api".to_owned()),
            ..About::default()
        };
        // A messaging service takes a message before it has found a sender for it.
        let status = if is_pooled { Status::Accepted } else { Status::Queued };
        let fact = Fact { status: Some(status), source: Source::Api, ..Fact::default() };
        let mut report = self.about(request, Report { sid, id: Some(request.id.clone()), about, fact });
        if request.channel.is_message() {
            let counted = report.about.counted_segments.unwrap_or(1);
            report.about.num_segments = Some(if is_pooled { 0 } else { counted });
        }
        Ok(report)
    }

    fn reaches(&self, account: Option<&str>) -> bool {
        self.line(account).is_ok()
    }

    fn ring(&self, request: &SendRequest) -> Duration {
        self.settings.ring.min(request.valid_for)
    }

    async fn look_up(
        &self,
        request: &SendRequest,
        since: Timestamp,
        others: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        // The newest come first. No filter by date: a message that still waits
        // has no date of sending yet, and would be missed just when it matters.
        let earliest = since.checked_sub(SignedDuration::from_secs(60)).unwrap_or(since);
        let to = address(request);
        let to = utf8_percent_encode(&to, NON_ALPHANUMERIC);
        let resource = match request.channel {
            Channel::Sms | Channel::Whatsapp => "Messages",
            Channel::Call => "Calls",
        };
        let query = format!("?To={to}&PageSize=100");
        let line = self.line(account_of(request))?;
        let answer = self.call(line, "GET", self.url(line, resource, &query), Vec::new(), None).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        let page: Page = serde_json::from_slice(&answer.body)
            .map_err(|_| SendError::unknown("the answer of twilio was no list"))?;
        // The body of a template is Twilio's to show; there the recipient, the
        // time and the direction have to do.
        let is_approved = match &request.content {
            Carried::Code { .. } => code_template(request).is_some(),
            Carried::Words(words) => words.approved.is_some(),
        };
        let is_template = request.channel == Channel::Whatsapp && is_approved;
        let is_text = request.channel != Channel::Call && !is_template;
        let goes_on = page.next_page_uri.is_some();
        let listed: Vec<Resource> = page.messages.into_iter().chain(page.calls).collect();
        let found = listed.iter().find(|resource| {
            let ours =
                resource.direction.as_deref().is_some_and(|direction| direction.starts_with("outbound-api"));
            let fresh = resource.created_at().is_some_and(|at| at >= earliest);
            let same_text = !is_text || resource.body.as_deref().is_some_and(|body| is_its(request, body));
            ours && fresh && same_text && !others.contains(&resource.sid)
        });
        // The newest come first. A page that ends before the send's time does
        // not say that there is none.
        let reaches_back = listed.last().and_then(Resource::created_at).is_some_and(|at| at < earliest);
        if found.is_none() && goes_on && !reaches_back {
            return Err(SendError::unknown("twilio's list has more than one page"));
        }
        Ok(found.map(|resource| self.about(request, resource.report(Some(request.id.clone())))))
    }

    async fn fetch(&self, sid: &Sid, account: Option<&str>) -> Result<Option<Report>, SendError> {
        self.fetch_at_twilio(self.line(account)?, sid).await
    }

    async fn list(
        &self,
        listing: Listing,
        since: Timestamp,
        page: Option<&str>,
    ) -> Result<Option<ListPage>, SendError> {
        self.list_at_twilio(listing, since, page).await.map(Some)
    }

    async fn approval(&self, template: &str, account: Option<&str>) -> Result<Option<Approval>, SendError> {
        self.approval_at_twilio(self.line(account)?, template).await.map(Some)
    }

    async fn redact(&self, sid: &Sid, account: Option<&str>, delete: bool) -> Result<Redaction, SendError> {
        self.redact_at_twilio(self.line(account)?, sid, delete).await
    }
}

/// The recipient as Twilio writes it.
fn address(request: &SendRequest) -> String {
    address::of_number(&request.to, request.channel)
}

/// What an answer without success means for the request.
///
/// Too many requests, by the status (429) or by an error code that says so whatever the
/// status (20429; 21611, the sender's queue is full), were not processed. They may be
/// repeated, after `Retry-After` and the backoff of `model::message::retry`.
pub(super) fn refusal(answer: &Answer) -> SendError {
    let document = serde_json::from_slice::<ErrorDocument>(&answer.body).ok();
    let code = document.as_ref().and_then(|document| document.code);
    let name = code.map(errors::lookup);
    let after = Duration::from_secs(answer.retry_after.unwrap_or(0));
    // Of a code that nobody here knows Twilio's own words say most.
    let words = || document.as_ref().and_then(|document| errors::own_words(document.message.as_deref()?));
    let answered = || match name {
        Some(meaning) if meaning.known => format!("twilio answered {} ({})", answer.status, meaning.name),
        Some(meaning) => match words() {
            Some(words) => format!("twilio answered {} (error {}: {words})", answer.status, meaning.code),
            None => format!("twilio answered {} (error {})", answer.status, meaning.code),
        },
        None => format!("twilio answered {}", answer.status),
    };
    let is_throttle =
        |meaning: errors::Meaning| meaning.disposition == Disposition::Throttle && meaning.retry_same_channel;
    match answer.status {
        status if matches!(status, 409 | 429) || name.is_some_and(is_throttle) => {
            SendError::NotProcessed { code, reason: answered(), after }
        }
        500..=599 | 200..=399 | 408 => SendError::Unknown { code, reason: answered(), after },
        _ => {
            let known = name.filter(|meaning| meaning.known).map(|meaning| meaning.name.to_owned());
            SendError::Refused { code, reason: known.unwrap_or_else(answered) }
        }
    }
}

#[cfg(test)]
mod tests;
