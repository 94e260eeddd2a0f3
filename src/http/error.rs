//! What an error looks like from outside: a problem document (RFC 9457) with a
//! stable `code`, a status, and what to do. Internal errors are logged whole
//! and shown as nothing but their existence.

use super::problem::{self, Kind, Members, Problem};
use super::refusal::{OfApp, Refusal};
use super::reply;
use crate::model::key::Scope;
use crate::server::Stranger;
use std::borrow::Cow;
use warp::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Why a request was not answered as it wished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// Nothing has the name that was asked for; of what there is none.
    #[error("{0}")]
    Nothing(&'static str),
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
    #[error("this needs a key with the scope {scope}; `dialback key create NAME --scope {scope}` makes one", scope = .0.as_str())]
    ScopeMissing(Scope),
    /// The key has used up its requests for now.
    #[error("this key may send {per_minute} requests a minute; wait {seconds} seconds")]
    RateLimited {
        /// How many it may send.
        per_minute: u32,
        /// When the next one is let in, in whole seconds.
        seconds: u64,
    },
    /// Many wrong keys came from where this one comes from.
    #[error("many wrong API keys came from this address: wait {seconds} seconds, or send a right one")]
    WrongKeys {
        /// How long, in whole seconds.
        seconds: u64,
    },
    /// A cursor that is none, or another list's.
    #[error("{0}")]
    Cursor(&'static str),
    /// Test numbers are not changed here.
    #[error("test numbers are listed in the configuration file, under test_numbers, and nowhere else")]
    TestNumbersReadOnly,
    /// A listener of this machine's own was asked by a stranger.
    #[error("{}", strangers(*.0))]
    Stranger(Stranger),
    /// The signature does not prove the request.
    #[error("the signature was rejected")]
    Unproved,
    /// The body is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The form has more pairs than allowed.
    #[error("a form has {limit} pairs at most")]
    TooManyPairs {
        /// How many it may have.
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
        field: Option<Cow<'static, str>>,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// As many streams as there may be, or a server that is stopping.
    #[error("no stream of events can be begun now")]
    NoStream,
    /// An operation said no, for one of its own reasons.
    #[error(transparent)]
    Refused(Refusal),
    /// A defect of ours; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl<E: OfApp> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl Error {
    /// A field that is not what it should be.
    pub fn field(field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field.into()), detail: detail.into() }
    }

    /// The request as a whole is not what it should be.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid { field: None, detail: detail.into() }
    }

    /// The error as an answer.
    pub fn into_response(self) -> Response {
        let kind = self.kind();
        let status = StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let is_ours = status.is_server_error();
        if is_ours {
            tracing::error!(error = %self, code = kind.code, "request failed");
        }
        let detail = if is_ours { kind.title.to_owned() } else { self.to_string() };
        let problem = Problem::new(kind, detail, self.members());
        let mut response = reply::typed(status, "application/problem+json", &problem);
        response.extensions_mut().insert(kind);
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
            Self::RateLimited { seconds, .. } | Self::WrongKeys { seconds } => {
                add(RETRY_AFTER, seconds.to_string())
            }
            Self::NoStream => add(RETRY_AFTER, "1".into()),
            Self::Refused(refusal) => {
                if let Some(seconds) = refusal.retry_after() {
                    add(RETRY_AFTER, seconds.to_string());
                }
            }
            _ => {}
        }
    }

    fn kind(&self) -> &'static Kind {
        match self {
            Self::NoRoute | Self::Nothing(_) => &problem::NOT_FOUND,
            Self::MethodNotAllowed { .. } => &problem::METHOD_NOT_ALLOWED,
            Self::Unauthorized => &problem::UNAUTHORIZED,
            Self::ScopeMissing(_) => &problem::SCOPE_MISSING,
            Self::RateLimited { .. } => &problem::RATE_LIMITED,
            Self::WrongKeys { .. } => &problem::WRONG_KEYS,
            Self::Cursor(_) => &problem::INVALID_CURSOR,
            Self::TestNumbersReadOnly => &problem::TEST_NUMBERS_READ_ONLY,
            Self::Stranger(_) => &problem::OTHER_ORIGIN,
            Self::Unproved => &problem::SIGNATURE_REJECTED,
            Self::BodyTooLarge { .. } | Self::TooManyPairs { .. } => &problem::BODY_TOO_LARGE,
            Self::BodyLate => &problem::BODY_LATE,
            Self::BodyBroken => &problem::BODY_BROKEN,
            Self::Invalid { .. } => &problem::INVALID_REQUEST,
            Self::NoStream => &problem::NO_STREAM,
            Self::Refused(refusal) => refusal.kind(),
            Self::Internal(_) => &problem::INTERNAL,
        }
    }

    fn members(&self) -> Members {
        let none = Members::default();
        let field = |name: &str| Some(name.to_owned());
        match self {
            Self::Invalid { field, .. } => Members { field: field.as_ref().map(ToString::to_string), ..none },
            Self::ScopeMissing(scope) => Members { scope: Some(scope.as_str()), ..none },
            Self::RateLimited { seconds, .. } | Self::WrongKeys { seconds } => {
                Members { retry_after: i64::try_from(*seconds).ok(), ..none }
            }
            Self::Cursor(_) => Members { field: field("cursor"), ..none },
            Self::Refused(refusal) => refusal.members(),
            _ => none,
        }
    }
}

fn strangers(stranger: Stranger) -> &'static str {
    match stranger {
        Stranger::Name => {
            "this listener does not answer to this name: call it by 127.0.0.1 or localhost, or list the name in server.admin_hosts"
        }
        Stranger::Page => "another site's page may not steer this server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fault::Fault;

    #[test]
    fn what_is_too_much_for_a_record_is_the_callers_to_mend() {
        let error = Error::from(Fault::TooLarge { size: 70_000, most: 65_536 });
        let (kind, text) = (error.kind(), error.to_string());
        assert_eq!((kind.status, kind.code), (422, "record_too_large"));
        assert!(text.contains("70000") && text.contains("65536"), "{text}");
    }
}
