//! What goes wrong, as Twilio says it: `{code, message, more_info, status}`.
//!
//! Messages have the words that programs look for in Twilio's, and repeat no
//! code and no token that a caller sent.

use super::PREFIX;
use crate::app::admin::AdminError;
use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::services::ServiceError;
use crate::app::verification::VerificationError;
use crate::http::error::Error;
use crate::http::problem::Captcha;
use crate::http::refusal::{OfApp, Refusal};
use crate::http::reply;
use crate::model::key::Scope;
use crate::model::service::BadSetting;
use serde_json::{Map, Value, json};
use warp::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// An error document in the making.
#[derive(Debug)]
pub struct Failure {
    status: u16,
    code: u32,
    message: String,
    detail: Option<&'static str>,
    /// The proof that lets it pass, which Twilio does not know of.
    captcha: Option<Box<Captcha>>,
    headers: Vec<(HeaderName, String)>,
}

/// Which rate limit was reached, by its unique name.
const REACHED: HeaderName = HeaderName::from_static("twilio-reached-rate-limit");

impl Failure {
    /// One of Twilio's errors.
    pub fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None, captcha: None, headers: Vec::new() }
    }

    /// A parameter that is not what it should be.
    pub fn invalid(name: &str) -> Self {
        Self::new(400, 60200, format!("Invalid parameter `{name}`"))
    }

    /// The same, with what would be right.
    pub fn invalid_because(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(400, 60200, format!("Invalid parameter `{name}`: {why}"))
    }

    /// A parameter that has to be there.
    pub fn missing(name: &str) -> Self {
        Self::new(400, 20001, format!("Missing required parameter {name} in the post body"))
    }

    /// Nothing is at this path, or not any more: the two look alike.
    pub fn not_found(path: &str) -> Self {
        // Twilio leaves the version out.
        let path = path.strip_prefix(PREFIX).unwrap_or(path.trim_start_matches('/'));
        Self::new(404, 20404, format!("The requested resource /{path} was not found"))
    }

    /// A feature that the service does not have.
    pub fn unsupported() -> Self {
        Self::new(403, 60204, "Service does not support this feature")
    }

    /// A service that binds codes to payments is not told of one.
    pub fn payment_missing() -> Self {
        Self::new(400, 60206, "'Amount' & 'Payee' params are required")
    }

    /// A channel that the service does not have.
    pub fn channel_disabled(channel: &str) -> Self {
        Self::new(403, 60223, format!("Delivery channel disabled: {}", channel.to_uppercase()))
    }

    /// No credentials at all.
    pub fn nobody() -> Self {
        Self::unauthorized("Authenticate")
    }

    /// Credentials that are nobody's.
    pub fn wrong_credentials(what: &str) -> Self {
        Self::unauthorized(&format!("Authentication Error - {what}"))
    }

    fn unauthorized(message: &str) -> Self {
        Self::new(401, 20003, message)
            .with_detail("Your AccountSid or AuthToken was incorrect.")
            .with(WWW_AUTHENTICATE, "Basic realm=\"Twilio API\"")
    }

    /// A key that may do other things.
    pub fn scope_missing(scope: Scope) -> Self {
        Self::new(403, 20003, format!("Permission Denied: the key lacks the scope {}", scope.as_str()))
    }

    /// A key that asked too often.
    pub fn too_often(seconds: u64) -> Self {
        Self::new(429, 20429, "Too many requests")
            .with(RETRY_AFTER, seconds.to_string())
            .with(REACHED, "requests_per_minute")
    }

    /// Many wrong credentials came from where these come from.
    pub fn wrong_keys(seconds: u64) -> Self {
        Self::new(429, 20429, "Too many requests: many wrong credentials came from this address")
            .with(RETRY_AFTER, seconds.to_string())
            .with(REACHED, "wrong_keys")
    }

    /// What Twilio takes for fraud.
    fn blocked() -> Self {
        let message = "The destination phone number has been temporarily blocked by Verify Fraud Guard";
        Self::new(403, 60410, message)
    }

    /// The codes of a verification were all wrong.
    pub fn checks_used_up(seconds: i64) -> Self {
        Self::new(429, 60202, "Max check attempts reached").after(seconds)
    }

    /// How long to wait, in whole seconds.
    pub fn after(self, seconds: i64) -> Self {
        self.with(RETRY_AFTER, seconds.to_string())
    }

    fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn with_detail(self, detail: &'static str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The error as an answer.
    pub fn into_response(self) -> Response {
        let mut body = Map::new();
        if let Some(captcha) = &self.captcha {
            body.insert("captcha".into(), json!(captcha));
        }
        body.insert("code".into(), json!(self.code));
        if let Some(detail) = self.detail {
            body.insert("detail".into(), json!(detail));
        }
        body.insert("message".into(), json!(self.message));
        body.insert("more_info".into(), json!(format!("https://www.twilio.com/docs/errors/{}", self.code)));
        body.insert("status".into(), json!(self.status));
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = reply::json(status, &Value::Object(body));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The answer where nothing is.
pub fn nowhere(path: &str) -> Response {
    Failure::not_found(path).into_response()
}

/// The answer where another method is needed.
pub fn wrong_method(allow: &str) -> Response {
    Failure::new(405, 20004, "Method not allowed").with(ALLOW, allow).into_response()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::BodyTooLarge { .. } | Error::TooManyPairs { .. } => {
                Self::new(413, 20001, error.to_string())
            }
            Error::BodyLate => Self::new(408, 20001, error.to_string()),
            Error::Internal(_) => ours(&error),
            error => Self::new(400, 20001, error.to_string()),
        }
    }
}

impl<E: OfApp> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(&error.into())
    }
}

impl Failure {
    /// What Twilio's clients are told of a refusal.
    fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Admission(error) => Self::of_admission(error, refusal),
            Refusal::Verification(error) => match error {
                VerificationError::CodeNotChosen => Self::unsupported(),
                VerificationError::CodeKeyGone => ours(&refusal),
                // One of those that are being compared may be given back.
                VerificationError::ChecksOpen => Self::checks_used_up(1),
                VerificationError::CheckUnavailable { seconds } => {
                    Self::new(503, 20503, "Service is unavailable: codes cannot be compared now")
                        .after(*seconds)
                }
                _ => Self::new(400, 20001, refusal.to_string()),
            },
            Refusal::KeyBound(_) => {
                Self::new(403, 20003, "Permission Denied: the key is for some services alone")
            }
            Refusal::Fault(Fault::NotFound) | Refusal::Service(ServiceError::NoSuchService) => {
                Self::new(404, 20404, "The requested resource was not found")
            }
            Refusal::Fault(Fault::Contended) => concurrent(),
            Refusal::Fault(Fault::TooLarge { .. }) => {
                Self::new(400, 60200, format!("Invalid parameter: {refusal}"))
            }
            Refusal::Fault(Fault::Store(_)) => ours(&refusal),
            Refusal::Admin(AdminError::ReadOnly { .. }) => {
                Self::new(403, 20006, format!("Access Denied: {refusal}"))
            }
            _ => Self::new(400, 20001, refusal.to_string()),
        }
    }

    fn of_admission(error: &AdmissionError, refusal: &Refusal) -> Self {
        match error {
            AdmissionError::Number(why) => Self::invalid_because("To", why),
            AdmissionError::ChannelOff(channel) => Self::channel_disabled(channel.as_str()),
            AdmissionError::NoChannel => Self::channel_disabled("auto"),
            AdmissionError::CountryOff { channel, region } => Self::new(
                403,
                60605,
                format!(
                    "The destination phone number has been blocked by Verify Geo-Permissions. \
                     {region} is blocked for {channel} channel for all services"
                ),
            ),
            AdmissionError::NoSender(channel) => Self::channel_disabled(channel.as_str()),
            AdmissionError::NoSendsLeft { seconds } => {
                Self::new(429, 60203, "Max send attempts reached").after(*seconds)
            }
            // Only a cooldown that somebody has set comes to this.
            AdmissionError::TooSoon { seconds, .. } => {
                Self::new(429, 20429, "Too many requests").after(*seconds).with(REACHED, "resend_cooldown")
            }
            AdmissionError::Reached { name, seconds } => {
                Self::new(429, 20429, "Too many requests").after(*seconds).with(REACHED, name)
            }
            AdmissionError::NoSuchLimit { .. } => Self::invalid_because("RateLimits", error),
            AdmissionError::ChecksUsedUp { seconds } => Self::checks_used_up(*seconds),
            AdmissionError::OptedOut => Self::new(400, 21610, "Attempt to send to unsubscribed recipient"),
            AdmissionError::Landline => {
                Self::new(403, 60205, "SMS is not supported by landline phone number")
            }
            AdmissionError::Link { field } => Self::invalid_because(
                super::settings::parameter(field),
                "has a link, an address or a telephone number in it; the service's allow_links allows it",
            ),
            AdmissionError::LimitReached { rule, seconds, .. } => match rule.as_str() {
                "number_wrong_codes" | "number_lock_after" | "psd2_block" => Self::checks_used_up(*seconds),
                "number_sends" | "number_service_sends" => {
                    Self::new(429, 60203, "Max send attempts reached").after(*seconds)
                }
                rule => Self::new(429, 20429, "Too many requests").after(*seconds).with(REACHED, rule),
            },
            AdmissionError::FraudSuspected { .. } | AdmissionError::Blocked { .. } => Self::blocked(),
            AdmissionError::CaptchaRequired { demand, .. } => {
                Self { captcha: demand.as_deref().map(Captcha::from).map(Box::new), ..Self::blocked() }
            }
            AdmissionError::CaptchaUnavailable { .. } => {
                Self::new(503, 20503, "Service is unavailable: a CaptchaToken cannot be looked at now")
                    .after(5)
            }
            AdmissionError::SlowDown { rule, seconds, .. } => {
                Self::new(429, 20429, "Too many requests").after(*seconds).with(REACHED, rule)
            }
            AdmissionError::CustomCodeOff => Self::unsupported(),
            AdmissionError::PaymentMissing { .. } => Self::payment_missing(),
            AdmissionError::Setting(setting) => setting.into(),
            _ => Self::new(400, 20001, refusal.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::of(&refusal)
    }
}

impl From<&BadSetting> for Failure {
    fn from(bad: &BadSetting) -> Self {
        Self::invalid_because(super::settings::parameter(&bad.field), &bad.what)
    }
}

fn concurrent() -> Failure {
    Failure::new(429, 60212, "Too many concurrent requests for phone number").after(1)
}

/// A defect of ours, logged whole and shown as nothing but its existence.
fn ours(error: &dyn std::error::Error) -> Failure {
    tracing::error!(error = %error, "request failed");
    Failure::new(500, 20500, "An internal server error has occurred")
}
