//! Answers.

use bytes::Bytes;
use serde::Serialize;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The body of an answer that is whole, beside the answer: for who needs to
/// look at it on its way out.
#[derive(Clone)]
pub struct Whole(pub Bytes);

/// JSON that nobody may keep: verifications change, and numbers are in it.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    typed(status, "application/json", value)
}

/// 201: something that has this path from now on.
pub fn created(path: &str, value: &impl Serialize) -> Response {
    let mut response = json(StatusCode::CREATED, value);
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(LOCATION, path);
    }
    response
}

/// JSON under another media type.
pub fn typed(status: StatusCode, content_type: &'static str, value: &impl Serialize) -> Response {
    // What is serialized here are our own plain types, which cannot fail.
    let body = serde_json::to_vec(value).unwrap_or_default();
    bytes(status, content_type, body.into())
}

/// An empty 204: it is recorded.
pub fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// TwiML. Twilio's documentation asks for `text/xml`.
pub fn twiml(document: String) -> Response {
    bytes(StatusCode::OK, "text/xml; charset=utf-8", document.into())
}

/// A whole body of that type, with its length.
pub fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(body.clone().into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response.extensions_mut().insert(Whole(body));
    response
}
