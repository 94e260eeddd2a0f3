//! What a caller is told that may check and nothing else: yes or no.
//!
//! Wrong, expired, used up and unknown look alike to it and take the same time,
//! so that what it passes on to a person tells nobody which numbers are being
//! verified. Every face answers by it; it refuses to know in which words.

use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::verification::check::{self, check_asking};
use crate::app::verification::{Checked, Offer, VerificationError, Verifying, View};
use crate::model::id::VerificationId;
use crate::model::verification::Verification;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A `no` and an error come at the next multiple of this after its request: whatever was
/// looked up, compared or written meanwhile cannot be told from outside.
const BEAT: Duration = Duration::from_millis(50);

/// The verification, if `found` leads to it, it is the caller's, and the offer is its code.
///
/// # Errors
/// The store's, and that codes cannot be compared now, whosever they are; whatever else is
/// wrong is a no.
pub async fn verdict(
    verifying: &Verifying,
    found: impl Future<Output = Result<VerificationId, VerificationError>>,
    offer: Offer,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<Option<View>, VerificationError> {
    let begun = Instant::now();
    let (checked, was_asked) = match found.await {
        Ok(id) => check_asking(verifying, &id, offer.clone(), is_own).await,
        Err(error) => (Err(error), false),
    };
    let told = match checked {
        Ok(Checked { valid: true, view }) => return Ok(Some(view)),
        Ok(_)
        | Err(
            VerificationError::Fault(Fault::NotFound)
            | VerificationError::Ended(_)
            | VerificationError::NotACode { .. }
            | VerificationError::ChecksOpen
            // Nor which numbers are locked.
            | VerificationError::Admission(AdmissionError::LimitReached { .. }),
        ) => match was_asked {
            true => Ok(None),
            // The same work as for a code that could have been right.
            false => check::pretend_to_check(verifying, &offer).await.map(|()| None),
        },
        Err(error) => Err(error),
    };
    sleep_until(next_beat(begun, Instant::now())).await;
    told
}

fn next_beat(begun: Instant, now: Instant) -> Instant {
    let beats = now.duration_since(begun).as_millis() / BEAT.as_millis() + 1;
    begun + BEAT * u32::try_from(beats).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_comes_on_the_beat() {
        let begun = Instant::now();
        for (millis, beats) in [(0, 1), (1, 1), (49, 1), (50, 2), (130, 3)] {
            assert_eq!(next_beat(begun, begun + Duration::from_millis(millis)), begun + BEAT * beats);
        }
    }
}
