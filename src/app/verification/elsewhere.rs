//! Codes that the other side made: which verifications have one, and what it says of an
//! offer. It refuses to know what is written before it is asked and after.

use crate::app::verification::{VerificationError, Verifying};
use crate::gateway::{CodeOffer, NotCompared, Whose};
use crate::model::id::VerificationId;
use crate::model::verification::{Answer, OpenCheck, Send, SendState, Verification};
use std::time::Duration;

/// How long the other side has to compare one. Whoever asks is answered before its own time
/// is over (`server.request_timeout_seconds`).
const LONGEST_CHECK: Duration = Duration::from_secs(10);
/// How long whoever asks is told to wait at least, in seconds, and at most.
pub(super) const WAIT: (i64, i64) = (1, 60);

/// Whether the code of a verification is the other side's. Test numbers have their own, and
/// so has what was sent before the other side made any.
pub(super) fn has_code(verifying: &Verifying, verification: &Verification) -> bool {
    let has_left = |send: &Send| send.state == SendState::Accepted && !send.shadow;
    let has_sent = verification.sends.iter().any(has_left);
    let is_of_before = has_sent && verification.reference.is_none();
    verifying.gateway.codes().is_some() && !verification.test && !is_of_before
}

/// Whether the code is of another side that is not asked any more: there is nobody who could
/// compare it.
pub(super) fn is_left_behind(verifying: &Verifying, verification: &Verification) -> bool {
    verification.reference.is_some() && verifying.gateway.codes().is_none() && !verification.test
}

/// What the other side says of a code that was counted, and for how many seconds it wants to
/// be left alone where it has not said anything.
pub(super) async fn ask(
    verifying: &Verifying,
    verification: &Verification,
    open: &OpenCheck,
    code: &str,
) -> (Answer, i64) {
    let Some(codes) = verifying.gateway.codes() else { return (Answer::NotAsked, WAIT.0) };
    let is_unknown = verification.is_unknown();
    let whose = match open.reference.as_deref() {
        Some(reference) => Whose::Named(reference),
        // Nobody was sent its code, so it must not be that of another one for the number.
        None if is_unknown => Whose::Named(verification.id.as_str()),
        None => Whose::Of(&verification.to),
    };
    let is_named = matches!(whose, Whose::Named(_));
    let offer = CodeOffer { whose, code, payment: verification.details.binding() };
    match in_time(LONGEST_CHECK, codes.check(&offer)).await {
        // Every offer is a guess then, and takes as long as another.
        Ok(_) if is_unknown => (Answer::Wrong, 0),
        // There was none for the number: nothing of ours has ended.
        Ok(Answer::Over | Answer::UsedUp) if !is_named => (Answer::Wrong, 0),
        Ok(answer) => (answer, 0),
        Err(error) => {
            tracing::warn!(verification = %verification.id, %error, "a code could not be compared");
            let wait = seconds(error.after());
            match error {
                NotCompared::Never { .. } => (Answer::NotAsked, wait),
                NotCompared::Perhaps { .. } => (Answer::Lost, wait),
            }
        }
    }
}

/// Asks the other side about nobody's code, so that who asks in vain cannot tell by the time
/// it takes, nor by its being away.
///
/// # Errors
/// [`VerificationError::CheckUnavailable`], as of a code that is somebody's.
pub(super) async fn pretend(verifying: &Verifying) -> Result<(), VerificationError> {
    let Some(codes) = verifying.gateway.codes() else { return Ok(()) };
    let nobody = VerificationId::from_random(verifying.base.entropy.bytes());
    match in_time(LONGEST_CHECK, codes.pretend_to_check(nobody.as_str())).await {
        Ok(()) => Ok(()),
        Err(error) => Err(VerificationError::CheckUnavailable { seconds: seconds(error.after()) }),
    }
}

/// What the other side says, if it does so in time. What was cut off may have been compared.
async fn in_time<T>(
    longest: Duration,
    asked: impl Future<Output = Result<T, NotCompared>>,
) -> Result<T, NotCompared> {
    tokio::time::timeout(longest, asked).await.unwrap_or_else(|_| {
        let reason = format!("no answer within {} seconds", longest.as_secs());
        Err(NotCompared::Perhaps { reason, after: Duration::ZERO })
    })
}

fn seconds(after: Duration) -> i64 {
    i64::try_from(after.as_secs()).unwrap_or(WAIT.1).clamp(WAIT.0, WAIT.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_is_silent_is_not_waited_for() {
        let silent = in_time(Duration::from_millis(1), std::future::pending::<Result<(), _>>()).await;
        assert!(matches!(silent, Err(NotCompared::Perhaps { .. })), "{silent:?}");
        assert_eq!(in_time(LONGEST_CHECK, async { Ok(1) }).await, Ok(1));
    }
}
