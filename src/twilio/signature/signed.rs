//! A request as received, and what a signature covers of it. It refuses to know
//! keys.

use super::rejection::Rejection;
use crate::twilio::form::{self, Pairs};
use crate::twilio::url;

/// A request as received, with the URL that Twilio used for it.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// `POST`, `GET`, …
    pub method: &'a str,
    /// The full public URL as written, raw query included.
    pub url: &'a str,
    /// `Content-Type`, with its parameters.
    pub content_type: Option<&'a str>,
    /// The raw bytes, before anybody parsed them.
    pub body: &'a [u8],
    /// Every `X-Twilio-Signature` line there is; more than one is refused.
    pub signatures: &'a [&'a [u8]],
    /// The `X-Twilio-Webhooks-Signature-Settings`, which names the key and the algorithm.
    pub settings: Option<&'a str>,
}

/// What a signature covers beside the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage<'a> {
    /// Nothing: there is no body that anybody will read.
    Url,
    /// The body's pairs.
    Form,
    /// The body's bytes, through this hash in the query.
    Hash(&'a str),
}

impl<'a> Coverage<'a> {
    pub fn of(request: &Signed<'a>) -> Result<Self, Rejection> {
        if let Some(hash) = claimed_hash(request.url) {
            return Ok(Self::Hash(hash));
        }
        if is_bodyless(request.method) || request.body.is_empty() {
            return Ok(Self::Url);
        }
        if is_form(request.content_type) { Ok(Self::Form) } else { Err(Rejection::BodyNotCovered) }
    }

    pub fn params(self, request: &Signed<'_>) -> Pairs {
        if self == Self::Form {
            form::parse(request.body)
        } else if is_bodyless(request.method) {
            form::parse(url::query(request.url).unwrap_or_default().as_bytes())
        } else {
            Pairs::new()
        }
    }
}

/// The first `bodySHA256` counts, as in most of the official libraries.
pub(crate) fn claimed_hash(url: &str) -> Option<&str> {
    let named =
        |pair: &'_ str| pair.strip_prefix("bodySHA256").is_some_and(|v| v.is_empty() || v.starts_with('='));
    let pair = url::query(url)?.split('&').find(|pair| named(pair))?;
    Some(pair.split_once('=').map_or("", |(_, hash)| hash))
}

pub(super) fn is_bodyless(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

fn is_form(content_type: Option<&str>) -> bool {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
