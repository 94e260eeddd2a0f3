//! What went over the wire, both ways, newest first: to look at, to send again
//! and to keep as a file.

use super::webhook::Webhook;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt::Write;

/// How much of a body is kept, in bytes.
const BODY: usize = 32 * 1024;

/// The exchanges, oldest dropped.
pub(super) struct Exchanges {
    limit: usize,
    next: u64,
    kept: VecDeque<Exchange>,
}

/// One request and what came of it.
#[derive(Clone)]
pub(super) struct Exchange {
    /// Its number; given by [`Exchanges::push`].
    pub id: u64,
    /// `api`, `status-callback`, `twiml`, `amd-callback`, `inbound-message`, `inbound-call`.
    pub kind: &'static str,
    /// The message or call it is about.
    pub sid: Option<String>,
    /// Which operation of Twilio's was asked for, as `GET api.twilio.com/…/{Sid}.json`;
    /// none when it is no operation that there is.
    pub operation: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL, or the path and query of a request to the sandbox.
    pub url: String,
    /// The request's headers; an `Authorization` is not among them.
    pub headers: Vec<(String, String)>,
    /// The request's body.
    pub body: String,
    /// The answer's status, when there was an answer.
    pub status: Option<u16>,
    /// The answer's body.
    pub answer: String,
    /// What to make of it, in words.
    pub verdict: String,
    /// What to send to have it again; none for requests to the sandbox.
    pub webhook: Option<Webhook>,
}

impl Exchanges {
    /// None yet, and `limit` of them at most.
    pub fn new(limit: usize) -> Self {
        Self { limit, next: 0, kept: VecDeque::new() }
    }

    /// Records one and gives its number.
    pub fn push(&mut self, mut exchange: Exchange) -> u64 {
        self.next += 1;
        exchange.id = self.next;
        for text in [&mut exchange.body, &mut exchange.answer] {
            let mut end = BODY.min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        self.kept.push_back(exchange);
        while self.kept.len() > self.limit {
            self.kept.pop_front();
        }
        self.next
    }

    /// All that are kept, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Exchange> {
        self.kept.iter().rev()
    }

    /// One of them.
    pub fn get(&self, id: u64) -> Option<&Exchange> {
        self.kept.iter().find(|exchange| exchange.id == id)
    }

    /// The same without any, counting on.
    pub fn cleared(self) -> Self {
        Self { kept: VecDeque::new(), ..self }
    }
}

impl Exchange {
    /// The exchange as the controls show it.
    pub fn document(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "kind": self.kind,
            "sid": self.sid,
            "operation": self.operation,
            "at": self.at.to_string(),
            "ms": self.ms,
            "request": {
                "method": self.method,
                "url": self.url,
                "headers": self.headers,
                "body": self.body,
            },
            "response": self.status.map(|status| json!({ "status": status, "body": self.answer })),
            "status": self.status,
            "verdict": self.verdict,
            "replayable": self.webhook.is_some(),
        })
    }

    /// The request as an `.http` file, which many tools can send.
    pub fn http_file(&self) -> String {
        let mut file = format!("### {}", self.kind);
        let about = self.sid.as_deref().map(|sid| format!(" of {sid}")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(file, "{about}, {}\n{} {} HTTP/1.1\n", self.at, self.method, self.url);
        for (name, value) in &self.headers {
            let _ = writeln!(file, "{name}: {value}");
        }
        let _ = write!(file, "\n{}\n", self.body);
        file
    }
}
