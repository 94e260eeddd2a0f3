//! A TwiML application as it is kept: where calls and texts go, under one name that
//! numbers, calls and messages may point at.
//!
//! It refuses to know who points at it.

use super::shelf::Owned;
use super::target::Target;
use jiff::Timestamp;

/// A TwiML application, which numbers, calls and messages name instead of URLs.
#[derive(Clone)]
pub(super) struct Application {
    /// `AP…`, by which numbers, calls and messages name it.
    pub sid: String,
    /// The account it belongs to.
    pub account: String,
    /// What it is called; nothing until something is said.
    pub name: Option<String>,
    /// Where texts go, and where when that fails.
    pub sms: [Target; 2],
    /// The same of calls.
    pub voice: [Target; 2],
    /// Where it is told that a call has ended.
    pub status: Target,
    /// Where messages of this application without a callback of their own are told of,
    /// as the text was given.
    pub message_status: Option<String>,
    /// Whether the caller's name is looked up.
    pub looks_up_callers: bool,
    /// Kept as data: whether other accounts may dial it.
    pub is_public: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Application {
    /// One of which nothing was said yet.
    pub fn new(sid: String, account: String, now: Timestamp) -> Self {
        Self {
            sid,
            account,
            name: None,
            sms: Default::default(),
            voice: Default::default(),
            status: Target::default(),
            message_status: None,
            looks_up_callers: false,
            is_public: false,
            created: now,
            updated: now,
        }
    }
}

impl Owned for Application {
    fn account(&self) -> &str {
        &self.account
    }
}
