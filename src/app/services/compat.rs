//! What Twilio Verify keeps with a service, beside the service itself.
//!
//! Those of the configuration may get rate limits, webhooks and senders too;
//! their settings are changed in the file alone.

use crate::app::audit;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::services::Directory;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::phone::PhoneNumber;
use crate::model::service::{Service, Settings};
use crate::store::records::{self, Ahead, Versioned};
use jiff::Timestamp;
use std::sync::Arc;

/// What is kept with a service; nothing yet under version 0.
///
/// # Errors
/// The store's.
pub async fn compat(base: &Base, id: &ServiceId) -> Result<Versioned<Compat>, Fault> {
    let found = records::get::<Compat>(base.store(), id.as_str()).await?;
    Ok(found.unwrap_or_else(|| Versioned { version: 0, record: Compat::new(id.clone()) }))
}

/// What is kept with each of these services, in their order.
///
/// # Errors
/// The store's.
pub async fn compats(base: &Base, ids: &[&ServiceId]) -> Result<Vec<Compat>, Fault> {
    let found = records::get_many::<Compat>(base.store(), ids.iter().map(|id| id.as_str())).await?;
    let new = |(id, found): (&&ServiceId, Option<Versioned<Compat>>)| {
        found.map_or_else(|| Compat::new((*id).clone()), |found| found.record)
    };
    Ok(ids.iter().zip(found).map(new).collect())
}

/// A service as it sends to a number: texts to its country may go through a
/// messaging service of their own.
pub(in crate::app) async fn sending_to(
    directory: &Directory,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Arc<Service>, Fault> {
    let kept = &directory.services.kept;
    let compat = match kept.find(&service.id) {
        Some(compat) => compat,
        None => {
            let found = ahead.get::<Compat>(directory.base.store(), service.id.as_str()).await?;
            let compat = found.map_or_else(|| Compat::new(service.id.clone()), |found| found.record);
            let compat = Arc::new(compat);
            kept.keep(&service.id, compat.clone());
            compat
        }
    };
    Ok(sending_as(service, &compat, to))
}

/// Wants what is kept with a service, where it is not known; then most services send as
/// they are.
pub(in crate::app) fn want_sending_to(
    directory: &Directory,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &mut Ahead,
) -> Arc<Service> {
    match directory.services.kept.find(&service.id) {
        Some(compat) => sending_as(service, &compat, to),
        None => {
            ahead.want::<Compat>(service.id.as_str());
            service
        }
    }
}

fn sending_as(service: Arc<Service>, compat: &Compat, to: &PhoneNumber) -> Arc<Service> {
    if compat.senders.is_empty() {
        return service;
    }
    let Some(sid) = compat.sender_for(to.region().as_deref()) else { return service };
    let settings = Settings { messaging_service_sid: Some(sid.to_owned()), ..service.settings.clone() };
    Arc::new(Service { settings, ..(*service).clone() })
}

/// A new name in Twilio's form: two capital letters and 32 random digits.
pub fn new_sid(base: &Base, prefix: &str) -> String {
    format!("{prefix}{}", base.entropy.hex::<16>())
}

/// Changes what is kept with a service, as often as it takes to be first.
///
/// # Errors
/// What `change` refuses, or the store's.
pub async fn change_compat<T, E: From<Fault>>(
    directory: &Directory,
    actor: &Actor,
    id: &ServiceId,
    change: impl Fn(&mut Compat, Timestamp) -> Result<T, E>,
) -> Result<T, E> {
    let look = || async {
        let old = compat(&directory.base, id).await?;
        let mut new = old.record.clone();
        let done = change(&mut new, directory.base.now());
        if done.is_err() || new == old.record {
            return Ok(Draft::Settled(done));
        }
        let stored = Some(&old).filter(|old| old.version > 0);
        let entry = audit::entry(&directory.base, actor, Action::ServiceChanged, id.as_str());
        let entry = entry.with("settings", changed(&old.record, &new).join(", "));
        Ok(Draft::Write(vec![records::put(stored, &new), audit::write(&entry)], done))
    };
    let done = transact(&directory.base, &transact::SERVICE, look).await;
    directory.services.kept.forget(id);
    done?
}

/// Which parts differ.
fn changed(old: &Compat, new: &Compat) -> Vec<&'static str> {
    let parts = [
        ("features", old.features != new.features),
        ("rate_limits", old.rate_limits != new.rate_limits),
        ("webhooks", old.webhooks != new.webhooks),
        ("senders", old.senders != new.senders),
    ];
    parts.into_iter().filter(|part| part.1).map(|part| part.0).collect()
}
