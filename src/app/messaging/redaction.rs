//! Empties the messages of dead codes at the provider, where a service asks for it.
//!
//! It stands in the verification's own outbox since the commit that ended it, and is tried
//! until it is done. It refuses to know how a provider empties a message.

use crate::app::fault::Fault;
use crate::app::messaging::{Messaging, MessagingError, sending};
use crate::app::verification::happen::{self, happen};
use crate::gateway::SendError;
use crate::model::id::VerificationId;
use crate::model::verification::Input;
use jiff::SignedDuration;
use std::time::Duration;

/// Empties the message of a verification that is the first to be emptied by now; nothing
/// where none is.
///
/// # Errors
/// Not found, or the store's: it is done again then.
pub async fn redact_due(messaging: &Messaging, id: &str) -> Result<(), MessagingError> {
    let id = id.parse::<VerificationId>().map_err(|_| Fault::NotFound)?;
    let verification = happen::verification(&messaging.base, &id).await?.record;
    let now = messaging.base.now();
    let Some(step) = verification.outbox.iter().find(|step| step.is_redaction() && step.due <= now) else {
        return Ok(());
    };
    let number = step.number();
    let Some(send) = verification.send(number) else { return Ok(()) };
    let Some(sid) = send.sid.as_ref() else { return Ok(()) };
    let input = match messaging.gateway.redact(sid, send.account(), false).await {
        Ok(_) => Input::Redacted { number },
        Err(error) => {
            tracing::warn!(verification = %id, number, %sid, tries = step.attempts + 1, %error, "not redacted: it is tried again");
            let jitter = sending::jitter(&messaging.base, &id, step);
            Input::NotRedacted { number, after: asked_for(&error), jitter }
        }
    };
    happen(&messaging.admission, &id, |_| Ok(input.clone())).await?;
    Ok(())
}

/// How long the provider asks to be left alone.
fn asked_for(error: &SendError) -> SignedDuration {
    let after = match error {
        SendError::Refused { .. } => Duration::ZERO,
        SendError::NotProcessed { after, .. } | SendError::Unknown { after, .. } => *after,
    };
    after.try_into().unwrap_or(SignedDuration::MAX)
}
