//! What the API does with services: lists, makes, changes and deletes them.

use crate::app::admin::AdminError;
use crate::app::admission::Admission;
use crate::app::admission::terms::refuse_link_as_name;
use crate::app::audit;
use crate::app::fault::Fault;
use crate::app::listing::{Page, Window, page_of, scan_of};
use crate::app::services::compat::compat;
use crate::app::services::{Directory, among};
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::service::{COOLDOWN, Origin, Service, Settings};
use crate::model::test_number::TestNumber;
use crate::store::Index;
use crate::store::records::{self, Versioned};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Lists these of all services, the newest first and those of the configuration last.
///
/// # Errors
/// The store's.
pub async fn services(
    directory: &Directory,
    services: &ServiceSet,
    window: &Window,
) -> Result<Page<Arc<Service>>, AdminError> {
    // Those of the configuration stand at the beginning of time.
    let place = |service: &Arc<Service>| (Timestamp::UNIX_EPOCH, service.id.to_string());
    let is_past_the_store = window.after.as_ref().is_some_and(|(at, _)| *at == Timestamp::UNIX_EPOCH);
    let mut items: Vec<Arc<Service>> = Vec::new();
    if !is_past_the_store {
        let scan = scan_of(Index::Services, "");
        let stored =
            among::page_among::<Service>(directory, services, scan, &[String::new()], window, |_| true)
                .await?;
        items.extend(stored.items.into_iter().map(Arc::new));
        if stored.next.is_some() {
            return Ok(Page { items, next: stored.next });
        }
    }
    let left = window.limit.saturating_sub(items.len());
    let after = window.after.clone().filter(|_| is_past_the_store);
    let is_seen = |service: &&Arc<Service>| services.has(&service.id);
    let all: Vec<Arc<Service>> = directory.services.of_configuration().filter(is_seen).cloned().collect();
    if left == 0 {
        // The page is full, and the configuration's come on the next one.
        let next = items.last().map(|service| (service.created_at, service.id.to_string()));
        return Ok(Page { items, next });
    }
    let page = page_of(all, &Window { limit: left, after }, place);
    items.extend(page.items);
    Ok(Page { items, next: page.next })
}

/// A service that was made here, as it is stored.
async fn own_service(directory: &Directory, id: &ServiceId) -> Result<Versioned<Service>, AdminError> {
    if let Some(service) = directory.services.of_configuration().find(|service| service.id == *id) {
        let key = match &service.origin {
            Origin::File { key: Some(key) } => format!("services.{key}"),
            _ => "services.default".to_owned(),
        };
        return Err(AdminError::ReadOnly { key });
    }
    records::get(directory.base.store(), id.as_str()).await?.ok_or(Fault::NotFound.into())
}

/// Lists test numbers, in the order of their patterns from the end.
pub fn test_numbers(admission: &Admission, window: &Window) -> Page<TestNumber> {
    let place = |test: &TestNumber| (Timestamp::UNIX_EPOCH, test.pattern.clone());
    page_of(admission.test_numbers.clone(), window, place)
}

/// Makes a service: the settings that are named, and the default service's.
///
/// # Errors
/// [`AdmissionError::Setting`](crate::app::admission::AdmissionError::Setting), or the store's.
pub async fn create_service(
    directory: &Directory,
    actor: &Actor,
    settings: Map<String, Value>,
) -> Result<Arc<Service>, AdminError> {
    let now = directory.base.now();
    let named = settings.keys().cloned().collect::<Vec<_>>().join(", ");
    let default = &directory.services.default_service().settings;
    let settings = default.with(settings)?;
    refuse_link_as_name(default, &settings)?;
    if let Some(complaint) = directory.services.judged(&settings) {
        return Err(complaint.wrong.into());
    }
    let service = Service {
        id: ServiceId::from_random(directory.base.entropy.bytes()),
        settings,
        origin: Origin::Api,
        created_at: now,
        updated_at: now,
    };
    let entry = audit::entry(&directory.base, actor, Action::ServiceCreated, service.id.as_str())
        .with("settings", named);
    directory.base.store().commit(vec![records::put(None, &service), audit::write(&entry)]).await?;
    directory.services.forget(&service.id);
    directory.services.names.learn(&service.settings.name, &service.id);
    tracing::info!(service = %service.id, name = service.settings.name, "service created");
    Ok(Arc::new(service))
}

/// Changes those settings of a service that are named.
///
/// # Errors
/// Not found, [`AdminError::ReadOnly`], [`AdmissionError::Setting`](crate::app::admission::AdmissionError::Setting), or
/// the store's.
pub async fn change_service(
    directory: &Directory,
    actor: &Actor,
    id: &ServiceId,
    changes: Map<String, Value>,
) -> Result<Arc<Service>, AdminError> {
    let look = || async {
        let old = own_service(directory, id).await?;
        let settings = old.record.settings.set(changes.clone())?;
        refuse_link_as_name(&old.record.settings, &settings)?;
        directory.services.judge_change(&old.record.settings, &settings)?;
        let new = Service { settings, updated_at: directory.base.now(), ..old.record.clone() };
        let entry = audit::entry(&directory.base, actor, Action::ServiceChanged, id.as_str());
        let entry = entry.with("settings", changed(&old.record.settings, &new.settings).join(", "));
        Ok(Draft::Write(vec![records::put(Some(&old), &new), audit::write(&entry)], new))
    };
    let new = transact::<_, AdminError, _>(&directory.base, &transact::SERVICE, look).await?;
    directory.services.forget(id);
    directory.services.names.learn(&new.settings.name, id);
    tracing::info!(service = %id, "service changed");
    Ok(Arc::new(new))
}

/// Deletes a service and what is kept with it. Its verifications go on by
/// the default's rules.
///
/// # Errors
/// Not found, [`AdminError::ReadOnly`], or the store's.
pub async fn delete_service(directory: &Directory, actor: &Actor, id: &ServiceId) -> Result<(), AdminError> {
    let look = || async {
        let (old, compat) = (own_service(directory, id).await?, compat(&directory.base, id).await?);
        let entry = audit::entry(&directory.base, actor, Action::ServiceDeleted, id.as_str());
        let entry = entry.with("name", &old.record.settings.name);
        let mut changes = vec![records::delete(&old), audit::write(&entry)];
        changes.extend((compat.version > 0).then(|| records::delete(&compat)));
        Ok(Draft::Write(changes, ()))
    };
    transact::<_, AdminError, _>(&directory.base, &transact::SERVICE, look).await?;
    directory.services.forget(id);
    directory.services.kept.forget(id);
    tracing::info!(service = %id, "service deleted");
    Ok(())
}

/// The names of settings that differ.
fn changed(old: &Settings, new: &Settings) -> Vec<String> {
    // To set it to what it was anyway is a change: then it holds in every face.
    let sets_cooldown = new.sets_cooldown() && !old.sets_cooldown();
    let (old, new) = (old.all(), new.all());
    let differs = |name: &str| old.get(name) != new.get(name) || sets_cooldown && name == COOLDOWN;
    let mut names: Vec<String> = new.keys().filter(|name| differs(name)).cloned().collect();
    names.extend(old.keys().filter(|name| !new.contains_key(*name)).cloned());
    names
}
