//! What somebody did to keys, settings or a person's data: one line of the
//! audit log.
//!
//! An entry is written in the commit of what it tells of. It names settings and
//! never their values, and numbers masked only, so that it can outlive both the
//! secrets and the people that it is about. This module refuses to know who
//! reads it.

use crate::model::id::AuditId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its id, which sorts by time.
    pub id: AuditId,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what: an id, a masked number, or nothing for the whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What else there is to say: names and counts, no values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// Of the configuration: a hash of each key's value, by which the next
    /// start tells which of them have changed. Shown to nobody.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, String>,
}

impl AuditEntry {
    /// The longest list of names in the details, in bytes.
    pub const MAX_DETAIL: usize = 4096;

    /// The same with something more to say; what is too long is cut.
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        let mut value = value.to_string();
        if value.len() > Self::MAX_DETAIL {
            let end = (0..=Self::MAX_DETAIL).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
            value.truncate(end);
            value.push('…');
        }
        self.details.insert(name.to_owned(), value);
        self
    }
}

/// Who did something: an API key's id, or one of the words below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// Whoever has the command line of the server's machine.
    pub fn operator() -> Self {
        Self("operator".into())
    }

    /// The configuration, by being another one than before.
    pub fn configuration() -> Self {
        Self("configuration".into())
    }

    /// Somebody of whom nothing is known.
    pub fn nobody() -> Self {
        Self("nobody".into())
    }

    /// Who called: an API key's id, `operator`, or `environment` for the key of
    /// `DIALBACK_API_KEY`, `sandbox` for the key that the sandbox shows, or `account` for the sandbox's account at `/v2`.
    pub fn caller(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The word or id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[schemars(rename = "AuditAction")]
        pub enum Action { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Action {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in the API.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

actions! {
    /// An API key was made.
    KeyCreated = "key.created",
    /// An API key was taken away.
    KeyRevoked = "key.revoked",
    /// Many keys that are nobody's came from one address.
    KeysGuessed = "key.guessed",
    /// A service was made.
    ServiceCreated = "service.created",
    /// Settings of a service were changed.
    ServiceChanged = "service.changed",
    /// A service was deleted.
    ServiceDeleted = "service.deleted",
    /// An endpoint was made.
    EndpointCreated = "endpoint.created",
    /// An endpoint was changed.
    EndpointChanged = "endpoint.changed",
    /// An endpoint got another secret.
    EndpointRotated = "endpoint.rotated",
    /// An endpoint was deleted.
    EndpointDeleted = "endpoint.deleted",
    /// Somebody wrote down what a number wants of a sender.
    OptOutSet = "opt_out.set",
    /// Somebody had it forgotten.
    OptOutDeleted = "opt_out.deleted",
    /// A number was put on the safe list.
    SafeNumberAdded = "safe_number.added",
    /// A number was taken from the safe list.
    SafeNumberRemoved = "safe_number.removed",
    /// Somebody was put on a list of who is allowed or blocked, or said again to be on it.
    ListEntryAdded = "list_entry.added",
    /// Somebody was taken from such a list.
    ListEntryRemoved = "list_entry.removed",
    /// What is used of the limits of a number, an address or a key was forgotten.
    LimitsReset = "limits.reset",
    /// A person's data is to be erased.
    ErasureStarted = "erasure.started",
    /// It is erased, or what is left cannot be.
    ErasureFinished = "erasure.finished",
    /// What failed and was set aside is to be tried again.
    JobRetried = "queue.retried",
    /// What failed and was set aside was dropped, with its record.
    JobDropped = "queue.dropped",
    /// The server started with another configuration than before.
    ConfigurationChanged = "configuration.changed",
}

impl Action {
    /// What stands before the dot: the part of the log it belongs to.
    pub fn group(self) -> &'static str {
        self.as_str().split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_is_too_long_is_cut_between_characters() {
        let entry = AuditEntry {
            id: AuditId::new(Timestamp::UNIX_EPOCH, 1),
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::operator(),
            action: Action::KeyCreated,
            subject: String::new(),
            details: BTreeMap::new(),
            marks: BTreeMap::new(),
        };
        let entry = entry.with("names", "é".repeat(AuditEntry::MAX_DETAIL));
        let cut = &entry.details["names"];
        assert!(cut.len() <= AuditEntry::MAX_DETAIL + '…'.len_utf8() && cut.ends_with("é…"), "{}", cut.len());
    }
}
