//! What an error looks like from outside: a problem document (RFC 9457) with a
//! stable `code`, a status, and what to do. Internal errors are logged whole
//! and shown as nothing but their existence.

use super::reply;
use crate::service::ServiceError;
use serde_json::{Map, Value, json};
use warp::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Why a request was not answered as it wished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path does not know this method.
    #[error("this path knows {allow} only")]
    MethodNotAllowed {
        /// Those that it knows.
        allow: String,
    },
    /// No key, or one that is nobody's.
    #[error("send a valid API key, as in `Authorization: Bearer KEY`; `dialback key create NAME` makes one")]
    Unauthorized,
    /// A key that may do other things.
    #[error(
        "API keys are made on the server's machine, by `dialback key create NAME` with the server's configuration"
    )]
    OperatorOnly,
    /// The signature does not prove the request.
    #[error("the signature was rejected")]
    Unproved,
    /// The body is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body did not come in time.
    #[error("the body did not arrive in time")]
    BodyLate,
    /// The body broke off.
    #[error("the body broke off")]
    BodyBroken,
    /// The body or a parameter is not what it should be.
    #[error("{detail}")]
    Invalid {
        /// Which one, if it is one.
        field: Option<&'static str>,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// Too many sessions of one key within a minute.
    #[error("this key has made {most} sessions within a minute; wait {seconds} s")]
    TooManySessions {
        /// How many it may make.
        most: u32,
        /// How long to wait.
        seconds: u64,
    },
    /// As many streams as there may be, or a server that is stopping.
    #[error("no stream of events can be begun now: try again, or raise events.max_streams")]
    NoStream,
    /// The service's.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// A defect of ours; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    more: Map<String, Value>,
}

impl Error {
    /// A field that is not what it should be.
    pub fn field(field: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field), detail: detail.into() }
    }

    /// The error as an answer.
    pub fn into_response(self) -> Response {
        let problem = self.problem();
        let is_ours = problem.status.is_server_error();
        if is_ours {
            tracing::error!(error = %self, code = problem.code, "request failed");
        }
        let detail = if is_ours { problem.title.to_owned() } else { self.to_string() };
        let mut body = json!({
            "type": format!("urn:dialback:problem:{}", problem.code.replace('_', "-")),
            "title": problem.title,
            "status": problem.status.as_u16(),
            "code": problem.code,
            "detail": detail,
        });
        if let Value::Object(body) = &mut body {
            body.extend(problem.more);
        }
        let mut response = reply::typed(problem.status, "application/problem+json", &body);
        self.add_headers(&mut response);
        response
    }

    fn add_headers(&self, response: &mut Response) {
        let mut add = |name, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        };
        match self {
            Self::MethodNotAllowed { allow } => add(ALLOW, allow.clone()),
            Self::Unauthorized => add(WWW_AUTHENTICATE, "Bearer realm=\"dialback\"".into()),
            Self::TooManySessions { seconds, .. } => add(RETRY_AFTER, seconds.to_string()),
            Self::Service(ServiceError::TooSoon { seconds, .. }) => add(RETRY_AFTER, seconds.to_string()),
            Self::NoStream => add(RETRY_AFTER, "1".into()),
            Self::Service(ServiceError::Contended | ServiceError::Store(_)) => add(RETRY_AFTER, "1".into()),
            _ => {}
        }
    }

    fn problem(&self) -> Problem {
        match self {
            Self::NoRoute => problem(404, "not_found", "There is nothing here"),
            Self::MethodNotAllowed { .. } => problem(405, "method_not_allowed", "Another method is needed"),
            Self::Unauthorized => problem(401, "unauthorized", "A valid API key is needed"),
            Self::OperatorOnly => problem(403, "operator_only", "An application's API key does not do here"),
            Self::Unproved => problem(403, "signature_rejected", "The signature was rejected"),
            Self::BodyTooLarge { .. } => problem(413, "body_too_large", "The body is too large"),
            Self::BodyLate => problem(408, "body_late", "The body did not arrive in time"),
            Self::BodyBroken => problem(400, "body_broken", "The body broke off"),
            Self::Invalid { field, .. } => {
                problem(422, "invalid_request", "The request cannot be understood")
                    .with("field", json!(field))
            }
            Self::TooManySessions { .. } => problem(429, "too_many_sessions", "Too many sessions at once"),
            Self::NoStream => problem(503, "no_stream", "No stream can be begun now; try again"),
            Self::Service(error) => service_problem(error),
            Self::Internal(_) => problem(500, "internal", "Something failed here; it has been logged"),
        }
    }
}

fn service_problem(error: &ServiceError) -> Problem {
    match error {
        ServiceError::Number(error) => problem(422, "invalid_number", "The telephone number cannot be used")
            .with("field", json!("to"))
            .with("reason", json!(error.code())),
        ServiceError::NotFound => problem(404, "not_found", "There is nothing of this name"),
        ServiceError::ChannelOff(_) => {
            problem(422, "channel_not_offered", "The channel is not offered").with("field", json!("channel"))
        }
        ServiceError::NoSuchService => problem(404, "service_not_found", "There is no such service"),
        ServiceError::CountryOff { .. } => {
            problem(422, "country_not_offered", "The channel is not offered in this country")
                .with("field", json!("to"))
        }
        ServiceError::NoChannel => {
            problem(422, "no_channel", "No channel reaches this number").with("field", json!("to"))
        }
        ServiceError::NotAllowed { field, .. } => {
            problem(422, "not_allowed", "The service does not allow this").with("field", json!(field))
        }
        ServiceError::OptedOut => problem(
            422,
            "recipient_opted_out",
            "The recipient has opted out of messages; a call may still be wanted",
        ),
        ServiceError::Ended(status) => {
            problem(409, "verification_ended", "The verification has ended; start a new one")
                .with("verification_status", json!(status))
        }
        ServiceError::TooSoon { at, seconds } => {
            problem(429, "resend_too_soon", "The next message or call is not allowed yet")
                .with("resend_at", json!(at))
                .with("retry_after", json!(seconds))
        }
        ServiceError::NoSendsLeft => problem(429, "no_sends_left", "All messages and calls are used up"),
        ServiceError::NotACode { length } => {
            problem(422, "invalid_code", "This cannot be a code; no check was spent")
                .with("field", json!("code"))
                .with("length", json!(length))
        }
        ServiceError::NoNumbersLeft => problem(429, "no_numbers_left", "All numbers are used up"),
        ServiceError::NoStartsLeft => problem(429, "no_starts_left", "All verifications are used up"),
        ServiceError::NoSuchResult => {
            problem(404, "no_such_result", "There is no such result").with("field", json!("result"))
        }
        ServiceError::KeyReused => {
            problem(422, "idempotency_key_reused", "The idempotency key belongs to another request")
        }
        ServiceError::Malformed(_) => problem(422, "invalid_request", "The request cannot be understood"),
        ServiceError::CodeKeyGone => problem(500, "internal", "Something failed here; it has been logged"),
        ServiceError::Contended => problem(503, "contended", "Too many requests for the same thing at once"),
        ServiceError::Store(_) => problem(503, "store_unavailable", "The store cannot do this now"),
    }
}

fn problem(status: u16, code: &'static str, title: &'static str) -> Problem {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Problem { status, code, title, more: Map::new() }
}

impl Problem {
    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }
}
