//! Holding on to a send while it is under way.
//!
//! A claim is short, so that what a process had begun that died is soon taken up. A
//! job that is at it for longer says so again and again; one that cannot, because the
//! store is away or it stood still, drops what it does, as if it had died. It refuses
//! to know what is sent.

use crate::app::admission::Admission;
use crate::app::messaging::MessagingError;
use crate::app::verification::happen::happen;
use crate::model::id::VerificationId;
use crate::model::verification::{Input, Outcome, Verification};
use std::pin::pin;
use std::time::{Duration, Instant};

/// How often a claim is renewed while it would hold.
const RENEWALS: u32 = 3;
/// From a renewal that failed to the next.
const AGAIN: Duration = Duration::from_millis(100);

/// What a job has claimed.
pub(in crate::app) struct Claim {
    number: u8,
    claim: u32,
    /// From before it was written, and not by a clock that may be set.
    since: Instant,
    hold: Duration,
}

impl Claim {
    /// The claim on a send, written after `since`.
    pub(in crate::app) fn of(
        verification: &Verification,
        number: u8,
        since: Instant,
        hold: Duration,
    ) -> Self {
        let step = verification.outbox.iter().find(|step| step.is_about(number));
        Self { number, claim: step.map_or(0, |step| step.attempts), since, hold }
    }
}

/// Does the work for as long as the claim can be held.
pub(in crate::app) async fn held(
    admission: &Admission,
    id: &VerificationId,
    claim: &Claim,
    work: impl Future<Output = Result<(), MessagingError>>,
) -> Result<(), MessagingError> {
    let mut work = pin!(work);
    let mut lapse = pin!(lapse(admission, id, claim));
    tokio::select! {
        // One that stood still must not begin what it has lost meanwhile.
        biased;
        () = &mut lapse => {
            tracing::warn!(verification = %id, number = claim.number,
                "a send cannot be held on to: it is left to whoever looks after it next");
            Ok(())
        }
        done = &mut work => done,
    }
}

/// Renews a claim until that cannot be done any more.
async fn lapse(admission: &Admission, id: &VerificationId, claim: &Claim) {
    let Claim { number, claim, mut since, hold } = *claim;
    let mut pause = hold / RENEWALS;
    loop {
        // Also before the first wait: a claim whose write was answered late is over, and
        // nothing may be begun under it.
        let end = since + hold;
        if Instant::now() < end {
            tokio::time::sleep_until((Instant::now() + pause).min(end).into()).await;
        }
        let now = Instant::now();
        if now >= end {
            return;
        }
        let renewed = happen(admission, id, |_| Ok(Input::Hold { number, claim }));
        match tokio::time::timeout_at(end.into(), renewed).await {
            Ok(Ok(decision)) if decision.outcome == Outcome::Done => {
                // Counted from before it was written, however long the answer took.
                (since, pause) = (now, (hold / RENEWALS).saturating_sub(now.elapsed()));
            }
            Ok(Ok(decision)) => {
                match decision.verification.outbox.iter().find(|step| step.is_about(number)) {
                    Some(_) => return,
                    // Its end is known already, by a callback.
                    None => return std::future::pending().await,
                }
            }
            Ok(Err(_)) => pause = AGAIN,
            Err(_) => return,
        }
    }
}
