//! A gateway that sends nothing and writes to the terminal instead.
//!
//! For development without even the sandbox. It shows codes in clear, so the
//! configuration refuses it outside loopback unless it is asked for twice.

use super::{Gateway, Redaction, SendError, SendRequest, text};
use crate::entropy::Entropy;
use crate::model::channel::Channel;
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::id::Sid;
use crate::model::status::Status;
use crate::texts::Catalog;
use async_trait::async_trait;
use jiff::Timestamp;
use std::io::Write;
use std::sync::Arc;

/// Writes requests to standard output.
pub struct Console {
    entropy: Entropy,
    messages: Arc<Catalog>,
}

impl Console {
    /// A console gateway.
    pub fn new(entropy: Entropy, messages: Arc<Catalog>) -> Self {
        Self { entropy, messages }
    }
}

#[async_trait]
impl Gateway for Console {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let prefix = if request.channel == Channel::Call { "CA" } else { "SM" };
        let sid: Sid = format!("{prefix}{}", self.entropy.hex::<16>())
            .parse()
            .map_err(|_| SendError::Refused { code: None, reason: "no sid could be made".into() })?;
        let said = match request.channel {
            Channel::Call => request.code().map(|code| code.expose().to_owned()).unwrap_or_default(),
            Channel::Sms | Channel::Whatsapp => text(&self.messages, request).body,
        };
        // Not the log: the log never holds a code.
        let line = format!("[console] {} to {}: {said}\n", request.channel, request.to.in_full());
        std::io::stdout().write_all(line.as_bytes()).map_err(|error| SendError::Refused {
            code: None,
            reason: format!("standard output: {error}"),
        })?;
        Ok(Report {
            sid,
            id: Some(request.id.clone()),
            about: About { to: Some(request.to.in_full().to_owned()), ..About::default() },
            fact: Fact { status: Some(Status::Sent), source: Source::Api, ..Fact::default() },
        })
    }

    async fn look_up(&self, _: &SendRequest, _: Timestamp, _: &[Sid]) -> Result<Option<Report>, SendError> {
        // A line on a terminal leaves nothing to be found.
        Ok(None)
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Gone)
    }
}
