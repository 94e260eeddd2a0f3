//! How an erasure begins, and how far it is. It refuses to know how it is done.

use crate::app::admission::Admission;
use crate::app::audit;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::{self, Window, scan_of};
use crate::app::privacy::{Privacy, PrivacyError};
use crate::model::audit::{Action, Actor};
use crate::model::erasure::{Erasure, State};
use crate::model::id::ErasureId;
use crate::model::phone::{PhoneNumber, address_key};
use crate::model::senders::bare;
use crate::model::service::Service;
use crate::store::records;
use crate::store::{Index, Lane, Store};
use std::collections::BTreeMap;

/// What is wanted beyond the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct EraseOptions {
    /// Whether opt-outs go too, after which the person may be written to again.
    pub opt_outs: bool,
    /// Twilio's own records of messages and calls too.
    pub delete_at_twilio: bool,
}

/// Begins to erase all that is kept under a number.
///
/// # Errors
/// What is no number, a sender of ours, or the store's.
pub async fn erase(
    privacy: &Privacy,
    actor: &Actor,
    number: &str,
    options: EraseOptions,
) -> Result<Erasure, PrivacyError> {
    let number = PhoneNumber::parse_to_find(number, &privacy.admission.numbers)?;
    if is_own_sender(&privacy.admission, &number).await? {
        return Err(PrivacyError::OwnSender);
    }
    let now = privacy.base.now();
    let erasure = Erasure {
        id: ErasureId::from_random(privacy.base.entropy.bytes()),
        masked: number.masked(),
        number: Some(number),
        opt_outs: options.opt_outs,
        delete_at_twilio: options.delete_at_twilio,
        actor: actor.clone(),
        asked_at: now,
        state: State::Running,
        attempts: 0,
        next_at: Some(now),
        deleted: BTreeMap::new(),
        scrubbed: BTreeMap::new(),
        redacted: 0,
        redacted_sids: Vec::new(),
        kept: Vec::new(),
        left: Vec::new(),
        place: None,
        finished_at: None,
    };
    let entry = audit::entry(&privacy.base, actor, Action::ErasureStarted, &erasure.masked);
    let entry = entry.with("erasure", &erasure.id).with("opt_outs", options.opt_outs);
    let entry = entry.with("delete_at_twilio", options.delete_at_twilio);
    privacy.base.store().commit(vec![records::put(None, &erasure), audit::write(&entry)]).await?;
    privacy.base.board.wake_lane(Lane::Long);
    tracing::info!(erasure = %erasure.id, number = erasure.masked, "erasure started");
    Ok(erasure)
}

async fn is_own_sender(admission: &Admission, number: &PhoneNumber) -> Result<bool, PrivacyError> {
    let person = number.person();
    let is = |sender: &Option<String>| {
        sender.as_deref().is_some_and(|sender| address_key(sender) == person.as_str())
    };
    let sends = |service: &Service| is(&service.settings.from) || is(&service.settings.whatsapp_from);
    let is_listed = admission.senders.names().any(|sender| address_key(bare(sender)) == person.as_str());
    if is_listed || admission.directory.services.of_configuration().any(|service| sends(service)) {
        return Ok(true);
    }
    let window = Window { limit: 1, after: None };
    let found = listing::page::<Service>(&admission.base, scan_of(Index::Services, ""), &window, |service| {
        sends(service)
    })
    .await?;
    Ok(!found.items.is_empty())
}

/// An erasure, as far as it is.
///
/// # Errors
/// Not found, or the store's.
pub async fn erasure(base: &Base, id: &ErasureId) -> Result<Erasure, PrivacyError> {
    find_erasure(base.store(), id.as_str()).await
}

/// An erasure straight from a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn find_erasure(store: &dyn Store, id: &str) -> Result<Erasure, PrivacyError> {
    let id: ErasureId = id.parse().map_err(|_| Fault::NotFound)?;
    let found = records::get::<Erasure>(store, id.as_str()).await?;
    found.map(|found| found.record).ok_or(Fault::NotFound.into())
}
