//! Asking Twilio what has become of a message or call.
//!
//! Twilio answers 404 for what it does not know, and for what was deleted there.

use super::{Line, Transport, Twilio, refusal};
use crate::gateway::SendError;
use crate::model::delivery::{Fact, Report, Source};
use crate::model::id::Sid;
use crate::twilio::response::Resource;
use std::time::Duration;

impl<T: Transport> Twilio<T> {
    pub(super) async fn fetch_at_twilio(&self, line: &Line, sid: &Sid) -> Result<Option<Report>, SendError> {
        self.leave_to_sends(line)?;
        let resource = format!("{}/{sid}", if sid.is_call() { "Calls" } else { "Messages" });
        let answer = self.call(line, "GET", self.url(line, &resource, ""), Vec::new(), None).await?;
        match answer.status {
            404 => Ok(None),
            200 => {
                let resource: Resource = serde_json::from_slice(&answer.body)
                    .map_err(|_| SendError::unknown("the answer of twilio was no message or call"))?;
                if resource.sid != *sid {
                    return Err(SendError::unknown("twilio answered about another message or call"));
                }
                Ok(Some(reconciled(&resource)))
            }
            _ => Err(refusal(&answer)),
        }
    }

    /// Whoever sends is ahead of whoever asks: half of the places are always theirs.
    pub(super) fn leave_to_sends(&self, line: &Line) -> Result<(), SendError> {
        if 2 * line.places.available_permits() < self.settings.concurrency {
            let reason = "sends need the places of twilio.max_in_flight".to_owned();
            return Err(SendError::NotProcessed { code: None, reason, after: Duration::ZERO });
        }
        Ok(())
    }
}

/// What a resource that was looked at says, marked as such.
pub(super) fn reconciled(resource: &Resource) -> Report {
    let report = resource.report(None);
    let fact = Fact { source: Source::Reconciled, ..report.fact };
    Report { fact, ..report }
}
