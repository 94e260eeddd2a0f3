//! A request as the sandbox's faces see it, and the replies they give.
//!
//! This module refuses to know what is asked for: it collects, decodes and
//! encodes, within limits.

use crate::twilio::form;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use warp::reply::Response;

/// The longest request body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// The longest with media, in bytes: five megabytes, as base64 has them.
const TEXT_LIMIT: usize = 7 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// A request with its whole body.
pub(super) struct Request {
    /// The HTTP method, such as `POST`.
    pub method: Method,
    /// The path as it was sent, not decoded.
    pub path: String,
    /// The query as it was sent, without its question mark; empty without one.
    pub query: String,
    /// The headers as they came, with their repetitions.
    pub headers: HeaderMap,
    /// The body as it came; empty without one.
    pub body: Bytes,
}

impl Request {
    /// The path's parts, percent-decoded.
    pub fn segments(&self) -> Vec<String> {
        let parts = self.path.trim_start_matches('/').split('/');
        parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
    }

    /// What the client calls this machine, as the beginning of an absolute URL: an
    /// SDK that still believes to speak with Twilio is answered with Twilio's name.
    pub fn base(&self) -> String {
        match self.header("host") {
            Some(host) if host.ends_with(".twilio.com") => format!("https://{host}"),
            Some(host) => format!("http://{host}"),
            None => String::new(),
        }
    }

    /// The absolute URL that was asked for, without its query.
    pub fn url(&self) -> String {
        format!("{}{}", self.base(), self.path)
    }

    /// The path with its query, as they were sent.
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The query's pairs.
    pub fn query(&self) -> Form {
        Form::parse(self.query.as_bytes())
    }

    /// The pairs of a form body.
    pub fn form(&self) -> Form {
        Form::parse(&self.body)
    }

    /// The JSON body; an empty one counts as `{}`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Form pairs in wire order, with their repetitions.
#[derive(Clone, Default)]
pub(super) struct Form(pub Vec<(String, String)>);

impl Form {
    fn parse(bytes: &[u8]) -> Self {
        Self(form::parse(bytes))
    }

    /// The first value of a name, when it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The first value of a name, empty or not.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name that is not empty.
    pub fn all(&self, name: &str) -> Vec<String> {
        let same = self.0.iter().filter(|(key, value)| key == name && !value.is_empty());
        same.map(|(_, value)| value.clone()).collect()
    }

    /// True for `true`, in any case.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The longest body that a path takes: texts from telephones bring pictures.
pub(super) fn limit(path: &str) -> usize {
    let is_text = path.starts_with("/sandbox/phones/") && path.ends_with("/messages");
    if is_text { TEXT_LIMIT } else { BODY_LIMIT }
}

/// Collects a body of the usual length.
#[cfg(test)]
pub(super) async fn collect<S, B, E>(headers: &HeaderMap, body: S) -> Option<Bytes>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    collect_up_to(BODY_LIMIT, headers, body).await
}

/// Collects a body within its limits; `None` when it is too long or too slow. One
/// that says it is too long is not waited for.
pub(super) async fn collect_up_to<S, B, E>(limit: usize, headers: &HeaderMap, body: S) -> Option<Bytes>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > limit as u64) {
        return None;
    }
    let whole = async {
        let mut body = std::pin::pin!(body);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.ok()?;
            if bytes.len() + chunk.remaining() > limit {
                return None;
            }
            let mut chunk = chunk;
            bytes.extend_from_slice(&chunk.copy_to_bytes(chunk.remaining()));
        }
        Some(bytes.freeze())
    };
    tokio::time::timeout(BODY_DEADLINE, whole).await.ok().flatten()
}

/// A JSON reply.
pub(super) fn json_reply(status: u16, value: &Value) -> Response {
    typed(status, "application/json;charset=utf-8", value.to_string())
}

/// A reply of a given content type.
pub(super) fn typed(status: u16, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A reply of bytes, which no browser is to take for anything else than it says.
pub(super) fn content(content_type: &str, bytes: Bytes) -> Response {
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    let other = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(other));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    response
}

/// A reply without a body.
pub(super) fn empty(status: u16) -> Response {
    let mut response = Response::new("".into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// What went wrong with a control, and what to do about it.
pub(super) fn complaint(status: u16, error: &str, hint: &str) -> Response {
    json_reply(status, &json!({ "error": error, "hint": hint }))
}

/// The answer to a method that a path does not have.
pub(super) fn not_allowed(allow: &'static str) -> Response {
    let mut response = complaint(405, "method not allowed", &format!("use {allow}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
