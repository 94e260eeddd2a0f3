//! Holding on to a send while it is under way.
//!
//! A claim is short, so that what a process had begun that died is soon taken up. A
//! job that is at it for longer says so again and again; one that cannot, because the
//! store is away or it stood still, drops what it does, as if it had died. It refuses
//! to know what is sent.

use crate::app::messaging::MessagingError;
use crate::model::message::OutboxStep;
use std::fmt::Display;
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
    /// The claim on a send, written after `since`, by the outbox as it was written.
    pub(in crate::app) fn of(outbox: &[OutboxStep], number: u8, since: Instant, hold: Duration) -> Self {
        let step = outbox.iter().find(|step| step.is_about(number));
        Self { number, claim: step.map_or(0, |step| step.attempts), since, hold }
    }
}

/// What came of a claim that was to be renewed.
pub(in crate::app) enum Renewed {
    /// It holds on.
    Held,
    /// Somebody else has it.
    Lost,
    /// The send's end is known already, by a callback.
    Over,
}

impl Renewed {
    /// That of a claim on a send, by whether it was renewed and the outbox that is left.
    pub(in crate::app) fn of(is_done: bool, outbox: &[OutboxStep], number: u8) -> Self {
        match (is_done, outbox.iter().any(|step| step.is_about(number))) {
            (true, _) => Self::Held,
            (false, true) => Self::Lost,
            (false, false) => Self::Over,
        }
    }
}

/// Does the work for as long as the claim can be held.
///
/// `renew` writes a claim anew, by the send's number and its own; an error is tried again.
pub(in crate::app) async fn held<F>(
    what: impl Display,
    claim: &Claim,
    renew: impl Fn(u8, u32) -> F,
    work: impl Future<Output = Result<(), MessagingError>>,
) -> Result<(), MessagingError>
where
    F: Future<Output = Result<Renewed, MessagingError>>,
{
    let mut work = pin!(work);
    let mut lapse = pin!(lapse(claim, renew));
    tokio::select! {
        // One that stood still must not begin what it has lost meanwhile.
        biased;
        () = &mut lapse => {
            tracing::warn!(%what, number = claim.number,
                "a send cannot be held on to: it is left to whoever looks after it next");
            Ok(())
        }
        done = &mut work => done,
    }
}

/// Renews a claim until that cannot be done any more.
async fn lapse<F>(claim: &Claim, renew: impl Fn(u8, u32) -> F)
where
    F: Future<Output = Result<Renewed, MessagingError>>,
{
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
        match tokio::time::timeout_at(end.into(), renew(number, claim)).await {
            // Counted from before it was written, however long the answer took.
            Ok(Ok(Renewed::Held)) => {
                (since, pause) = (now, (hold / RENEWALS).saturating_sub(now.elapsed()));
            }
            Ok(Ok(Renewed::Lost)) | Err(_) => return,
            Ok(Ok(Renewed::Over)) => return std::future::pending().await,
            Ok(Err(_)) => pause = AGAIN,
        }
    }
}
