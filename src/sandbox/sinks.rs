//! Where events go: the sinks, what is subscribed to, and what waits. It refuses to know
//! how events are made and sent.

use super::shelf::{Owned, Shelf};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// The most sinks, and the most subscriptions; the oldest go first.
const SINKS: usize = 100;
/// The most events that wait for one sink; the oldest go first.
const WAITING: usize = 10_000;
/// The most events of one batch.
const BATCH: usize = 100;

/// Where events go.
pub(super) struct Sink {
    /// `DG…`, by which subscriptions name it.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// What its account says of it, in any words.
    pub description: String,
    /// The configuration as it was given.
    pub configuration: Value,
    /// Where the events are sent.
    pub url: Url,
    /// `initialized`, `validating` or `active`.
    pub status: &'static str,
    /// The word of its test event.
    pub test: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    waiting: VecDeque<Value>,
}

/// What a sink is sent.
pub(super) struct Subscription {
    /// `DF…`, by which its types are listed and changed.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// What its account says of it, in any words.
    pub description: String,
    /// The SID of the sink that its events go to.
    pub sink: String,
    /// The types of events, each with the version of its schema.
    pub types: BTreeMap<String, u64>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Owned for Sink {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Owned for Subscription {
    fn account(&self) -> &str {
        &self.account
    }
}

/// The sinks and the subscriptions.
pub(super) struct Streams {
    /// The sinks of all accounts, by SID.
    pub sinks: Shelf<Sink>,
    /// The subscriptions of all accounts; the sink of one may have fallen off.
    pub subscriptions: Shelf<Subscription>,
}

impl Streams {
    /// None yet; 100 of each at most, or `limit` if that is fewer.
    pub fn new(limit: usize) -> Self {
        let most = limit.min(SINKS);
        Self { sinks: Shelf::new(most), subscriptions: Shelf::new(most) }
    }

    /// An event comes to the sinks of all who want its type.
    pub fn publish(&mut self, account: &str, event: &Value) {
        let kind = event["type"].as_str().unwrap_or_default();
        let wanted = |one: &&Subscription| one.types.contains_key(kind);
        let mut sinks: Vec<String> =
            self.subscriptions.of(account).filter(wanted).map(|one| one.sink.clone()).collect();
        sinks.sort_unstable();
        sinks.dedup();
        for sid in sinks {
            if let Some(sink) = self.sinks.get_mut(&sid).filter(|sink| sink.status == "active") {
                sink.push(event.clone());
            }
        }
    }
}

impl Sink {
    /// A sink that has to be validated before anything but its test is sent there.
    pub fn new(sid: String, account: String, description: String, configuration: Value, url: Url) -> Self {
        let (status, test, waiting) = ("initialized", None, VecDeque::new());
        let now = Timestamp::UNIX_EPOCH;
        Self {
            sid,
            account,
            description,
            configuration,
            url,
            status,
            test,
            created: now,
            updated: now,
            waiting,
        }
    }

    /// An event waits to be sent there.
    pub fn push(&mut self, event: Value) {
        self.waiting.push_back(event);
        while self.waiting.len() > WAITING {
            self.waiting.pop_front();
        }
    }

    /// Whether something is to be sent there.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What is sent next, in one batch.
    pub fn batch(&mut self) -> Vec<Value> {
        let alone = self.configuration["batch_events"] == json!(false);
        let most = if alone { 1 } else { BATCH };
        self.waiting.drain(..most.min(self.waiting.len())).collect()
    }
}
