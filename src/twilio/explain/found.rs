//! What an explanation starts from, and what it comes to.

use super::guess::Cause;
use crate::twilio::signature::Token;

/// What the caller knows beside the request. All of it may come from anybody:
/// it is only used to guess, never to accept.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// `Host` and `X-Forwarded-Host` as received, with or without a port.
    pub hosts: &'a [&'a str],
    /// Path prefixes that a proxy may add or strip, such as `/otp`.
    pub prefixes: &'a [&'a str],
    /// Tokens that are known and not accepted: a secondary one, test credentials.
    pub tokens: &'a [Token],
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What kind of mistake it is, for counting.
    pub cause: Cause,
    /// For a person: what would have matched, and the mend.
    pub text: String,
}

impl Explanation {
    pub(super) fn new(cause: Cause, text: impl Into<String>) -> Self {
        Self { cause, text: text.into() }
    }
}

/// A text from outside, short and on one line.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let short: String = text.chars().take(MOST).collect();
    format!("{}{}", short.escape_debug(), if short.len() < text.len() { "…" } else { "" })
}
