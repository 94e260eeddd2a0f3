//! Taking away at Twilio what was said in a message or call.
//!
//! A message's body is emptied by an update, a call's recordings are deleted;
//! the record itself, with its numbers and times, goes only where that is asked
//! for. Each of these does no harm when it is done twice, so an unknown outcome
//! is simply one to be repeated.

use super::{Line, Transport, Twilio, refusal};
use crate::gateway::http::Answer;
use crate::gateway::{Redaction, SendError};
use crate::model::id::Sid;
use serde::Deserialize;
use std::time::Duration;

/// Pages of recordings that are deleted at once; each has a hundred.
const MOST_PAGES: usize = 10;
/// What Twilio answers about a resource that is not complete yet.
const NOT_COMPLETE: u32 = 20009;

#[derive(Deserialize)]
struct Recordings {
    recordings: Vec<Recording>,
}

#[derive(Deserialize)]
struct Recording {
    sid: String,
}

impl<T: Transport> Twilio<T> {
    pub(super) async fn redact_at_twilio(
        &self,
        line: &Line,
        sid: &Sid,
        delete: bool,
    ) -> Result<Redaction, SendError> {
        let resource = format!("{}/{sid}", if sid.is_call() { "Calls" } else { "Messages" });
        let is_there = match sid.is_call() {
            true => self.delete_recordings(line, &resource).await?,
            false => {
                let form = vec![("Body", String::new())];
                done(&self.call(line, "POST", self.url(line, &resource, ""), form, None).await?)?
            }
        };
        if !is_there {
            return Ok(Redaction::Gone);
        }
        if delete {
            done(&self.call(line, "DELETE", self.url(line, &resource, ""), Vec::new(), None).await?)?;
        }
        Ok(Redaction::Done)
    }

    /// False when there is no such call.
    async fn delete_recordings(&self, line: &Line, call: &str) -> Result<bool, SendError> {
        for _ in 0..MOST_PAGES {
            let url = self.url(line, &format!("{call}/Recordings"), "?PageSize=100");
            let answer = self.call(line, "GET", url, Vec::new(), None).await?;
            if !done(&answer)? {
                return Ok(false);
            }
            let page: Recordings = serde_json::from_slice(&answer.body)
                .map_err(|_| SendError::unknown("the answer was not a list"))?;
            if page.recordings.is_empty() {
                return Ok(true);
            }
            for Recording { sid } in page.recordings {
                // It becomes part of an address.
                if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    return Err(SendError::unknown("the answer names no recording"));
                }
                let url = self.url(line, &format!("Recordings/{sid}"), "");
                done(&self.call(line, "DELETE", url, Vec::new(), None).await?)?;
            }
        }
        Err(SendError::unknown("the call has more recordings than are deleted at once"))
    }
}

/// Whether it was there; what is gone is as good as done.
fn done(answer: &Answer) -> Result<bool, SendError> {
    match answer.status {
        200..=299 => Ok(true),
        404 => Ok(false),
        _ => Err(match refusal(answer) {
            SendError::NotProcessed { code: Some(NOT_COMPLETE), .. } => SendError::NotProcessed {
                code: Some(NOT_COMPLETE),
                reason: "it is not complete yet".into(),
                after: Duration::from_secs(5),
            },
            other => other,
        }),
    }
}
