//! Texts that people send us: opting out, and in again; and WhatsApp's window.

use crate::app::admission::{Admission, opt_outs};
use crate::app::messaging::{Messaging, MessagingError};
use crate::model::account::{AccountSid, Proof};
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::message::Send;
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

/// Whether a sender may write to a person on WhatsApp in its own words: that of the send's
/// route, or the one that the service has.
pub(in crate::app) async fn window_open(
    admission: &Admission,
    service: &Service,
    (to, send): (&PhoneNumber, &Send),
    ahead: &Ahead,
) -> Result<bool, MessagingError> {
    let sender = match &send.route {
        Some(route) => Some(route.sender.clone()),
        None => admission.senders.first(service, Channel::Whatsapp, to),
    };
    let (base, keys) = (&admission.base, sender.map(|sender| window_keys(&sender, to)).unwrap_or_default());
    let windows = ahead.get_many::<SessionWindow>(base.store(), &keys).await?;
    Ok(windows.into_iter().flatten().any(|window| base.now() < window.record.closes_at()))
}

/// Wants what [`window_open`] goes by, whoever sends.
pub(in crate::app) fn want_window(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    ahead: &mut Ahead,
) {
    for sender in admission.senders.heard(service, Channel::Whatsapp, to) {
        window_keys(&sender, to).into_iter().for_each(|key| ahead.want::<SessionWindow>(key));
    }
}

/// Under which ids a window of the person's towards a sender may stand: WhatsApp spells some
/// numbers otherwise than we do.
fn window_keys(sender: &str, to: &PhoneNumber) -> Vec<String> {
    let numbers = address_spellings(&address::of_number(to, Channel::Whatsapp));
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
