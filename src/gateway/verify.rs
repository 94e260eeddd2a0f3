//! Codes by way of Twilio Verify, version 2: it makes the code, sends it in its own words and
//! compares what people type.
//!
//! Verify has one verification for a service and a number: whoever asks again is sent the
//! same code. There is no idempotency key, so a time-out or a server error is *unknown*, and
//! [`Gateway::look_up`] reads from the verification which tries were made. It tells nothing
//! by itself, so a delivery stays at what the answer to its request said. This module refuses
//! to know what a check counts for.
//!
//! Source: <https://www.twilio.com/docs/verify/api/verification>, and
//! `…/verification-check` beside it.

mod document;
mod locale;

use super::codes::{CodeOffer, Codes, NotCompared, Whose};
use super::http::{Answer, Outgoing, Transport, TransportError};
use super::twilio::{LONGEST_TURN, refusal};
use super::{Carried, Gateway, Redaction, SendError, SendRequest};
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::id::Sid;
use crate::model::phone::PhoneNumber;
use crate::model::status::Status;
use crate::model::verification;
use crate::secret::Secret;
use async_trait::async_trait;
use document::{Checked, Verification, error_code};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// By how much the clocks of both sides may differ. A try that is taken for another one was
/// made so long before it at most, and has brought the same code by the same channel.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// It is left alone no longer than that at once, whatever it asks for.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// A code where it does not matter which.
const ANY_CODE: &str = "000000";

/// "The requested resource was not found": of Twilio, and not of whoever else stands there.
const NOT_FOUND: u32 = 20404;
/// "Invalid parameter": of a check, that it cannot be the code.
const INVALID: u32 = 60200;
/// "Max check attempts reached".
const CHECKS_USED_UP: u32 = 60202;
/// "Max send attempts reached".
const SENDS_USED_UP: u32 = 60203;

/// What the gateway must know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `https://verify.twilio.com`, or whatever speaks as it does.
    pub base_url: String,
    /// The service there, `VA…`.
    pub service_sid: String,
    /// The account, `AC…`.
    pub account_sid: String,
    /// `AC…` and its auth token, or `SK…` and its secret.
    pub auth: (String, Secret),
    /// Requests under way at once.
    pub concurrency: usize,
}

/// Twilio Verify as a gateway, over any transport.
pub struct Verify<T> {
    settings: Settings,
    transport: T,
    places: Arc<Semaphore>,
    /// Until when it wants to be asked about no code.
    rest_until: Mutex<Option<Instant>>,
}

impl<T: Transport> Verify<T> {
    /// A gateway over a transport.
    pub fn new(settings: Settings, transport: T) -> Self {
        let places = Arc::new(Semaphore::new(settings.concurrency.max(1)));
        Self { settings, transport, places, rest_until: Mutex::default() }
    }

    async fn call(
        &self,
        method: &'static str,
        resource: &str,
        form: Vec<(&'static str, String)>,
        begin_by: Option<Instant>,
    ) -> Result<Answer, SendError> {
        let not_processed =
            |reason: String| SendError::NotProcessed { code: None, reason, after: Duration::ZERO };
        let Ok(_place) = tokio::time::timeout(LONGEST_TURN, self.places.acquire()).await else {
            return Err(not_processed(
                "too many requests to verify at once: see twilio.max_in_flight".into(),
            ));
        };
        if begin_by.is_some_and(|begin_by| begin_by < Instant::now()) {
            return Err(not_processed("its job stood still for too long: it is left to another one".into()));
        }
        let Settings { base_url, service_sid, auth, .. } = &self.settings;
        let url = format!("{}/v2/Services/{service_sid}/{resource}", base_url.trim_end_matches('/'));
        let outgoing = Outgoing { method, url, auth: auth.clone(), form };
        self.transport.call(outgoing).await.map_err(|error| match error {
            TransportError::NotConnected(why) => not_processed(format!("cannot connect to verify: {why}")),
            TransportError::Broken(why) => SendError::unknown(format!("no answer from verify: {why}")),
        })
    }

    /// Asks about a code, unless it wants to be left alone.
    async fn compare(&self, form: Vec<(&'static str, String)>) -> Result<Answer, NotCompared> {
        let rest = *self.rest_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = rest.and_then(|rest| rest.checked_duration_since(Instant::now())) {
            let reason = "verify has asked to be left alone for a while".to_owned();
            return Err(NotCompared::Never { reason, after: Duration::from_secs(left.as_secs() + 1) });
        }
        let answer = self.call("POST", "VerificationCheck", form, None).await.map_err(not_compared)?;
        // What is used up is one verification's.
        if answer.status == 429 && error_code(&answer) != Some(CHECKS_USED_UP) {
            let after = Duration::from_secs(answer.retry_after.unwrap_or(0)).min(LONGEST_REST);
            let rest = Instant::now() + after;
            let mut until = self.rest_until.lock().unwrap_or_else(PoisonError::into_inner);
            *until = (*until).max(Some(rest).filter(|_| !after.is_zero()));
        }
        Ok(answer)
    }

    /// What is known of a request that Verify has taken under that name.
    fn taken(&self, request: &SendRequest, reference: String) -> Report {
        let about = About {
            account_sid: Some(self.settings.account_sid.clone()),
            to: Some(address::of_number(&request.to, request.channel)),
            reference: Some(reference),
            ..About::default()
        };
        let fact = Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() };
        Report { sid: request.id.sid_by(request.channel), id: Some(request.id.clone()), about, fact }
    }
}

/// The parameters of a request. The code that could be derived here is nobody's, and not
/// among them.
fn form(request: &SendRequest) -> Result<Vec<(&'static str, String)>, SendError> {
    let Carried::Code { details, .. } = &request.content else {
        let reason = "verify sends its own codes, and no other words".to_owned();
        return Err(SendError::Refused { code: None, reason });
    };
    let mut form =
        vec![("To", request.to.in_full().to_owned()), ("Channel", request.channel.as_str().to_owned())];
    let locale = request.locale.as_deref().and_then(locale::closest).map(str::to_owned);
    let (is_text, is_call) = (request.channel == Channel::Sms, request.channel == Channel::Call);
    let (amount, payee) = payment(details.binding());
    let others = [
        ("Locale", locale),
        ("CustomFriendlyName", details.friendly_name.clone()),
        ("Amount", amount),
        ("Payee", payee),
        ("AppHash", details.app_hash.clone().filter(|_| is_text)),
        ("SendDigits", details.send_digits.clone().filter(|_| is_call)),
    ];
    form.extend(others.into_iter().filter_map(|(name, value)| Some((name, value?))));
    Ok(form)
}

fn payment(bound: Option<(&str, &str)>) -> (Option<String>, Option<String>) {
    bound.map(|(amount, payee)| (amount.to_owned(), payee.to_owned())).unzip()
}

/// The verification of a number, as a path names it.
fn of_number(to: &PhoneNumber) -> String {
    format!("Verifications/{}", to.in_full().replace('+', "%2B"))
}

/// What an answer without success means for a send. Of too many sends and checks no
/// repetition makes fewer.
fn not_sent(answer: &Answer) -> SendError {
    match refusal(answer) {
        SendError::NotProcessed { code: Some(code), reason, .. }
            if matches!(code, SENDS_USED_UP | CHECKS_USED_UP) =>
        {
            SendError::Refused { code: Some(code), reason }
        }
        other => other,
    }
}

/// What an answer without success means for a check.
fn not_checked(answer: &Answer) -> Result<verification::Answer, NotCompared> {
    match (answer.status, error_code(answer)) {
        (404, Some(NOT_FOUND)) => Ok(verification::Answer::Over),
        // Whoever else stands there has compared nothing.
        (404, _) => {
            let reason = "verify answered 404 in words that are not its own".to_owned();
            Err(NotCompared::Never { reason, after: Duration::ZERO })
        }
        (_, Some(CHECKS_USED_UP)) => Ok(verification::Answer::UsedUp),
        (400, Some(INVALID)) => Ok(verification::Answer::Wrong),
        _ => Err(not_compared(refusal(answer))),
    }
}

fn not_compared(error: SendError) -> NotCompared {
    match error {
        SendError::Unknown { reason, after, .. } => NotCompared::Perhaps { reason, after },
        SendError::NotProcessed { reason, after, .. } => NotCompared::Never { reason, after },
        SendError::Refused { reason, .. } => NotCompared::Never { reason, after: Duration::ZERO },
    }
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

#[async_trait]
impl<T: Transport> Gateway for Verify<T> {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let form = form(request)?;
        let answer = self.call("POST", "Verifications", form, Some(request.begin_by)).await?;
        if !is_success(&answer) {
            return Err(not_sent(&answer));
        }
        match Verification::read(&answer) {
            Some(made) => Ok(self.taken(request, made.sid)),
            None => Err(SendError::unknown("the answer of verify was no verification")),
        }
    }

    fn pretend(&self, request: &SendRequest, sid: Sid) -> Result<Report, SendError> {
        form(request)?;
        // A name in the form of theirs, by which nothing is there.
        Ok(self.taken(request, format!("VE{}", &sid.as_str()[2..])))
    }

    async fn look_up(
        &self,
        request: &SendRequest,
        since: Timestamp,
        _: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        let answer = self.call("GET", &of_number(&request.to), Vec::new(), None).await?;
        if answer.status == 404 && error_code(&answer) == Some(NOT_FOUND) {
            return Ok(None);
        }
        if !is_success(&answer) {
            return Err(match refusal(&answer) {
                // Somebody else stands there, for now.
                SendError::Refused { code, reason } if answer.status == 404 => {
                    SendError::Unknown { code, reason, after: Duration::ZERO }
                }
                other => other,
            });
        }
        let found = Verification::read(&answer)
            .ok_or_else(|| SendError::unknown("the answer of verify was no verification"))?;
        let earliest = since.checked_sub(CLOCKS).unwrap_or(since);
        let is_made = found.has_tried(request.channel, earliest);
        Ok(is_made.then(|| self.taken(request, found.sid)))
    }

    /// The code and its text are Verify's, which takes them away itself.
    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Gone)
    }

    fn codes(&self) -> Option<&dyn Codes> {
        Some(self)
    }
}

#[async_trait]
impl<T: Transport> Codes for Verify<T> {
    async fn check(&self, offer: &CodeOffer<'_>) -> Result<verification::Answer, NotCompared> {
        let (named, reference) = match offer.whose {
            Whose::Named(reference) => (("VerificationSid", reference.to_owned()), Some(reference)),
            Whose::Of(to) => (("To", to.in_full().to_owned()), None),
        };
        let (amount, payee) = payment(offer.payment);
        let mut form = vec![named, ("Code", offer.code.to_owned())];
        form.extend(amount.map(|amount| ("Amount", amount)));
        form.extend(payee.map(|payee| ("Payee", payee)));
        let answer = self.compare(form).await?;
        if !is_success(&answer) {
            return not_checked(&answer);
        }
        match Checked::read(&answer, reference) {
            Some(checked) => Ok(checked.says()),
            None => Err(NotCompared::Perhaps {
                reason: "the answer of verify was no check".to_owned(),
                after: Duration::ZERO,
            }),
        }
    }

    async fn pretend_to_check(&self, nobody: &str) -> Result<(), NotCompared> {
        let form = vec![("VerificationSid", nobody.to_owned()), ("Code", ANY_CODE.to_owned())];
        let answer = self.compare(form).await?;
        // Of a service of payments it may be missed what is paid.
        let is_no = is_success(&answer) || answer.status == 400;
        if is_no { Ok(()) } else { not_checked(&answer).map(drop) }
    }
}

#[cfg(test)]
mod tests;
