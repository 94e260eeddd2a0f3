//! Answers.

use serde::Serialize;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// JSON that nobody may keep: verifications change, and numbers are in it.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    typed(status, "application/json", value)
}

/// JSON under another media type.
pub fn typed(status: StatusCode, content_type: &'static str, value: &impl Serialize) -> Response {
    // What is serialized here are our own plain types, which cannot fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    with(status, content_type, body)
}

/// 204: recorded.
pub fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// TwiML. Twilio's documentation asks for `text/xml`.
pub fn twiml(document: String) -> Response {
    with(StatusCode::OK, "text/xml", document.into_bytes())
}

fn with(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}
