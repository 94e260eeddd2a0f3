//! What a provider that speaks this project's own words tells of a message that it took:
//! proved by the gateway, bound to a send that is known, and then recorded as every report
//! is. It refuses to know how it came.

use crate::app::fault::Fault;
use crate::app::messaging::{Messaging, MessagingError, Recorded, record};
use crate::clock::Clock;
use crate::gateway::{CallbackHead, Callbacks, NotHeard};
use crate::model::address;
use crate::model::delivery::{Delivery, Report};
use crate::model::id::SentFor;
use crate::model::message::Message;
use crate::model::verification::Verification;
use crate::store::records::Ahead;

/// Why nothing was recorded of what a provider told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// The gateway of this service has nobody who would call back in these words.
    #[error("nobody calls back here: gateway.kind is another one")]
    Nobody,
    /// It is not proved, or says nothing that could be recorded.
    #[error(transparent)]
    NotHeard(#[from] NotHeard),
    /// It is about something else than a send that is known, or was not written down.
    #[error(transparent)]
    Messaging(#[from] MessagingError),
}

/// Looks at the head of a callback, before anybody waits for its body.
///
/// # Errors
/// [`ProviderError::Nobody`], and [`ProviderError::NotHeard`] for what no body could mend.
pub fn judge_head(messaging: &Messaging, head: &CallbackHead<'_>) -> Result<(), ProviderError> {
    Ok(hears(messaging)?.judge_head(head, Clock::system())?)
}

/// Records what a callback says, durably, if it is proved and about a message that was sent.
///
/// # Errors
/// Not found where no such message was sent, or it is another one than the provider took
/// under that name; else why it is not heard, or the store's: then it must not be
/// acknowledged.
pub async fn told(
    messaging: &Messaging,
    head: &CallbackHead<'_>,
    body: &[u8],
) -> Result<Recorded, ProviderError> {
    let main = messaging.accounts.main.clone();
    let (proof, report) = hears(messaging)?.hear(head, body, Clock::system(), main)?;
    let report = of_a_send(messaging, report).await?;
    Ok(record(messaging, &proof, report).await?)
}

fn hears(messaging: &Messaging) -> Result<&dyn Callbacks, ProviderError> {
    messaging.gateway.callbacks().ok_or(ProviderError::Nobody)
}

/// The report with what is known of its send; it is looked at again where it is written.
/// Nothing is asked of a provider that was not written before, so what it speaks of is
/// here, or was never sent.
async fn of_a_send(messaging: &Messaging, mut report: Report) -> Result<Report, MessagingError> {
    let Some((sent_for, number)) = report.id.as_ref().map(|id| id.parts()) else {
        return Err(Fault::NotFound.into());
    };
    let (store, mut ahead) = (messaging.base.store(), Ahead::default());
    match &sent_for {
        SentFor::Verification(id) => ahead.want::<Verification>(id.as_str()),
        SentFor::Message(id) => ahead.want::<Message>(id.as_str()),
    }
    ahead.want::<Delivery>(report.sid.as_str());
    ahead.read(store).await?;
    let sent = match &sent_for {
        SentFor::Verification(id) => {
            let known = ahead.get::<Verification>(store, id.as_str()).await?.map(|known| known.record);
            known.and_then(|one| Some((one.send(number)?.channel, one.to)))
        }
        SentFor::Message(id) => {
            let known = ahead.get::<Message>(store, id.as_str()).await?.map(|known| known.record);
            known.and_then(|one| Some((one.send(number)?.channel, one.to)))
        }
    };
    if let Some((channel, to)) = sent {
        report.about.to = Some(address::of_number(&to, channel));
        return Ok(report);
    }
    // Deliveries are kept for longer than verifications and messages.
    match ahead.get::<Delivery>(store, report.sid.as_str()).await? {
        Some(_) => Ok(report),
        None => Err(Fault::NotFound.into()),
    }
}
