//! The headers that every answer has, whoever gives it: those that OWASP asks of
//! every API, so that no browser makes more of an answer than it is. An answer
//! that has said otherwise of itself, as pages do, keeps its own.
//!
//! <https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html>

use warp::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use warp::http::{HeaderMap, HeaderValue};

const HEADERS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A year, in seconds: RFC 6797's `max-age`. Other hosts below ours are not ours
/// to speak for.
const HSTS: (HeaderName, &str) = (STRICT_TRANSPORT_SECURITY, "max-age=31536000");

fn all(over_tls: bool) -> impl Iterator<Item = (HeaderName, &'static str)> {
    HEADERS.into_iter().chain(over_tls.then_some(HSTS))
}

/// Adds what is not there. `over_tls` says that everybody comes over TLS.
pub(super) fn dress(headers: &mut HeaderMap, over_tls: bool) {
    for (name, value) in all(over_tls) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The same as lines, for an answer that is written by hand.
pub(super) fn lines(over_tls: bool) -> String {
    all(over_tls).map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}
