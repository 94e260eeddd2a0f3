//! What the other side tells by itself, in this project's own words: who proves it and
//! who reads it. It refuses to know how it came.

use crate::model::account::{AccountSid, Proof};
use crate::model::delivery::Report;
use jiff::Timestamp;

/// The three headers of a callback (Standard Webhooks), as they came.
#[derive(Debug, Clone, Copy)]
pub struct CallbackHead<'a> {
    /// `webhook-id`: the sender's name for what it tells, the same each time it tells it.
    pub id: &'a str,
    /// `webhook-timestamp`: when it was signed, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: one signature or several, with blanks between.
    pub signature: &'a str,
}

/// Why a callback is not heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// Nothing proves it; the cause has a short stable name, for counting and for the log.
    #[error("the signature was rejected: {0}")]
    Unproved(&'static str),
    /// It is proved, and says nothing that could be recorded.
    #[error("{what}")]
    Malformed {
        /// The field that is wrong; nothing where it is the whole.
        field: Option<&'static str>,
        /// What is wrong and what would be right, without the value.
        what: String,
    },
}

/// Proves and reads callbacks. It records nothing.
pub trait Callbacks: Send + Sync {
    /// Looks at what no body could mend, before anybody waits for the body.
    ///
    /// # Errors
    /// [`NotHeard::Unproved`].
    fn judge_head(&self, head: &CallbackHead<'_>, now: Timestamp) -> Result<(), NotHeard>;

    /// What a proved callback reports of a delivery of ours, which it names, and the proof:
    /// whoever takes our messages speaks of what that account sent. `now` is the system's
    /// time, for the sender signed by a clock of its own.
    ///
    /// # Errors
    /// Why it is not heard.
    fn hear(
        &self,
        head: &CallbackHead<'_>,
        body: &[u8],
        now: Timestamp,
        account: Option<AccountSid>,
    ) -> Result<(Proof, Report), NotHeard>;
}
