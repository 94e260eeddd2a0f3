//! Telling Twilio: what was erased here is redacted there.
//!
//! What is still to be told is listed under the erasure's own id, so that it is
//! found without the number. One after the other, for the gateway has other
//! things to do; what Twilio does not take now is left for the next attempt.

use super::page::{OF_ANOTHER, PAGE, PAGE_TIME, Pass};
use crate::app::listing::scan_of;
use crate::app::privacy::PrivacyError;
use crate::gateway::SendError;
use crate::model::delivery::{Delivery, Erased};
use crate::model::erasure::{Erasure, Place};
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan};
use std::time::{Duration, Instant};

/// After so many failures in a row nothing more is tried now.
const MOST_FAILURES: u32 = 10;
/// The longest wait for a turn that Twilio asks for, before it is left, and the
/// shortest where it does not say.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const SHORTEST_WAIT: Duration = Duration::from_secs(2);

impl Pass<'_> {
    /// Redacts what is still to be redacted, from a place on, until the page is over:
    /// answers where to go on.
    pub(super) async fn tell_twilio(
        &mut self,
        from: Option<Place>,
        began: Instant,
    ) -> Result<Option<Place>, PrivacyError> {
        let mut scan = Scan { limit: PAGE, ..scan_of(Index::DeliveriesTo, self.job.record.id.as_str()) };
        let mut failures = 0;
        if let Some(Place::Delivery { at, id, failures: so_far }) = from {
            (scan.after, failures) = (Some((at, id)), so_far);
        }
        loop {
            let lines = records::stretch(self.privacy.base.store(), &scan).await?;
            let is_last = lines.len() < scan.limit;
            for line in lines {
                let found = records::listed::<Delivery>(&line)?;
                let (at, id) = (line.entry.at, line.entry.id);
                scan.after = Some((at, id.clone()));
                let Some(found) = found else { continue };
                failures = if self.redact(&found).await? { 0 } else { failures + 1 };
                if failures == MOST_FAILURES {
                    self.job.record.leave("further messages and calls", "twilio took none of the last ten");
                    return Ok(None);
                }
                if began.elapsed() >= PAGE_TIME {
                    return Ok(Some(Place::Delivery { at, id, failures }));
                }
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// Redacts one; false when it could not be done now.
    async fn redact(&mut self, found: &Versioned<Delivery>) -> Result<bool, PrivacyError> {
        let (gateway, delete) = (&self.privacy.gateway, self.job.record.delete_at_twilio);
        let sid = &found.record.sid;
        let account = found.record.erased.as_ref().and_then(|erased| erased.account.as_deref());
        if !gateway.reaches(account) {
            let why = "it is of an account of which this server has no token";
            self.keep(OF_ANOTHER, why);
            return self.over(found, false).await;
        }
        let mut outcome = gateway.redact(sid, account, delete).await;
        if let Err(SendError::NotProcessed { after, .. }) = outcome {
            tokio::time::sleep(after.clamp(SHORTEST_WAIT, LONGEST_WAIT)).await;
            outcome = gateway.redact(sid, account, delete).await;
        }
        if let Err(error) = outcome {
            self.job.record.leave(sid.as_str(), error.to_string());
            return Ok(false);
        }
        self.over(found, true).await
    }

    /// Writes down that nothing more is to be done about one, and that it was redacted, or gone,
    /// where it was.
    async fn over(&mut self, found: &Versioned<Delivery>, is_redacted: bool) -> Result<bool, PrivacyError> {
        let sid = &found.record.sid;
        let Some(erased) = &found.record.erased else { return Ok(true) };
        let erased = Erased { redacted: true, ..erased.clone() };
        let new = Delivery::erased(sid.clone(), found.record.first_seen, erased);
        let count = |job: &mut Erasure| {
            if !is_redacted {
                return;
            }
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
