//! Telling Twilio: what was erased here is redacted there.
//!
//! What is still to be told is listed under the erasure's own id, so that it is
//! found without the number. One after the other, for the gateway has other
//! things to do; what Twilio does not take now is left for the next attempt.

use super::super::listing::scan_of;
use super::{PAGE, Pass};
use crate::app::AppError;
use crate::gateway::SendError;
use crate::model::delivery::{Delivery, Erased};
use crate::model::erasure::Erasure;
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan};
use std::time::Duration;

/// After so many failures in a row nothing more is tried now.
const MOST_FAILURES: usize = 10;
/// The longest wait for a turn that Twilio asks for, before it is left, and the
/// shortest where it does not say.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const SHORTEST_WAIT: Duration = Duration::from_secs(2);

impl Pass<'_> {
    /// Redacts everything that is still to be redacted.
    pub(super) async fn tell_twilio(&mut self) -> Result<(), AppError> {
        let mut scan = Scan { limit: PAGE, ..scan_of(Index::DeliveriesTo, self.job.record.id.as_str()) };
        let mut failures = 0;
        loop {
            let entries = self.app.store().scan(&scan).await?;
            let is_last = entries.len() < scan.limit;
            for entry in entries {
                scan.after = Some((entry.at, entry.id.clone()));
                let found = records::get::<Delivery>(self.app.store(), &entry.id).await?;
                let Some(found) = found else { continue };
                failures = if self.redact(&found).await? { 0 } else { failures + 1 };
                if failures == MOST_FAILURES {
                    self.job.record.leave("further messages and calls", "twilio took none of the last ten");
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Redacts one; false when it could not be done now.
    async fn redact(&mut self, found: &Versioned<Delivery>) -> Result<bool, AppError> {
        let (gateway, delete) = (&self.app.0.gateway, self.job.record.delete_at_twilio);
        let sid = &found.record.sid;
        let mut outcome = gateway.redact(sid, delete).await;
        if let Err(SendError::NotTaken { after, .. }) = outcome {
            tokio::time::sleep(after.clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
            outcome = gateway.redact(sid, delete).await;
        }
        if let Err(error) = outcome {
            self.job.record.leave(sid.as_str(), error.to_string());
            return Ok(false);
        }
        let Some(erased) = &found.record.erased else { return Ok(true) };
        let erased = Erased { redacted: true, ..erased.clone() };
        let new = Delivery::erased(sid.clone(), found.record.first_seen, erased);
        let count = |job: &mut Erasure| {
            job.redacted += 1;
            if job.redacted_sids.len() < Erasure::MOST_NAMED {
                job.redacted_sids.push(sid.clone());
            }
        };
        // Nobody else changes it, but for another erasure that redacts it too.
        self.write(vec![records::put(Some(found), &new)], count).await?;
        Ok(true)
    }
}
