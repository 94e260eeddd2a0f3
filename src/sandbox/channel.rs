//! The WhatsApp senders of accounts: what was said of the channel that every number has.
//!
//! It refuses to know who says it, and what is written over a channel.

use serde_json::{Map, Value};

/// What was said of a number's channel.
#[derive(Clone, Default)]
pub(super) struct Channel {
    /// How people see the sender, by Twilio's names.
    pub profile: Map<String, Value>,
    /// Where its messages are told, by Twilio's names.
    pub webhook: Map<String, Value>,
    /// Kept as data, by Twilio's names.
    pub configuration: Map<String, Value>,
    /// True once it was taken away.
    pub gone: bool,
}

impl Channel {
    /// A URL of its webhook, if there is one: of `callback_url`, `fallback_url` and
    /// `status_callback_url`.
    pub fn url(&self, name: &str) -> Option<&str> {
        self.webhook.get(name)?.as_str().filter(|url| !url.is_empty())
    }
}
