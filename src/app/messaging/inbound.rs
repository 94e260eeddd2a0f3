//! Texts that people send us: opting out, and in again; and WhatsApp's window.

use crate::app::admission::opt_outs;
use crate::app::base::Base;
use crate::app::messaging::{Messaging, MessagingError};
use crate::model::account::{AccountSid, Proof};
use crate::model::opt_out::Keyword;
use crate::model::phone::{PhoneNumber, address_spellings, mask};
use crate::model::service::Service;
use crate::model::session_window::SessionWindow;
use crate::store::CommitError;
use crate::store::records::{self, Ahead};

/// Records that somebody wrote to these senders on WhatsApp, as far as they
/// belong to the account that says so.
///
/// # Errors
/// The store's.
pub async fn wrote(
    messaging: &Messaging,
    proof: &Proof,
    number: &str,
    senders: &[&str],
) -> Result<(), MessagingError> {
    for sender in owned(messaging, proof, senders) {
        let id = SessionWindow::key(number, sender);
        let old = records::get::<SessionWindow>(messaging.base.store(), &id).await?;
        let new =
            SessionWindow { number: number.to_owned(), sender: sender.to_owned(), at: messaging.base.now() };
        match records::save(messaging.base.store(), old.as_ref(), &new).await {
            // Whoever was faster wrote down the same moment.
            Ok(()) | Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether the service may write to a person on WhatsApp in its own words.
pub(in crate::app) async fn window_open(
    base: &Base,
    service: &Service,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<bool, MessagingError> {
    let windows = ahead.get_many::<SessionWindow>(base.store(), &window_keys(service, to)).await?;
    Ok(windows.into_iter().flatten().any(|window| base.now() < window.record.closes_at()))
}

/// Wants what [`window_open`] goes by.
pub(in crate::app) fn want_window(service: &Service, to: &PhoneNumber, ahead: &mut Ahead) {
    window_keys(service, to).into_iter().for_each(|key| ahead.want::<SessionWindow>(key));
}

/// Under which ids a window of the person's towards the service's sender may stand:
/// WhatsApp spells some numbers otherwise than we do. None where there is no sender.
fn window_keys(service: &Service, to: &PhoneNumber) -> Vec<String> {
    let settings = &service.settings;
    let from = settings.whatsapp_from.as_ref().map(|from| format!("whatsapp:{from}"));
    let Some(sender) = from.as_ref().or(settings.messaging_service_sid.as_ref()) else {
        return Vec::new();
    };
    let numbers = address_spellings(&format!("whatsapp:{}", to.in_full()));
    numbers.iter().map(|number| SessionWindow::key(number, sender)).collect()
}

/// Records what an inbound text asks for, towards each of the senders that
/// it reached (our number, and the messaging service it belongs to) and that
/// belong to the account that says so.
///
/// # Errors
/// The store's.
pub async fn keyword(
    messaging: &Messaging,
    proof: &Proof,
    number: &str,
    senders: &[&str],
    keyword: Keyword,
) -> Result<(), MessagingError> {
    let opted_out = match keyword {
        Keyword::Stop => true,
        Keyword::Start => false,
        Keyword::Help => return Ok(()),
    };
    for sender in owned(messaging, proof, senders) {
        opt_outs::record(&messaging.telling, number, sender, opted_out, None).await?;
        tracing::info!(number = mask(number), sender = mask(sender), opted_out, "opt-out changed");
    }
    Ok(())
}

/// Those of the senders that belong to the account whose proof it is. What
/// another account says of a sender is passed over.
fn owned<'s>(messaging: &Messaging, proof: &Proof, senders: &[&'s str]) -> Vec<&'s str> {
    let (own, foreign): (Vec<&str>, Vec<&str>) =
        senders.iter().partition(|sender| messaging.accounts.owns(proof, sender));
    for sender in foreign {
        let account = proof.account().map(AccountSid::as_str);
        tracing::warn!(sender = mask(sender), account, "an account speaks of a sender that is not its own");
    }
    own
}
