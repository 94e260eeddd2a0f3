//! A service by its id, by its name, or by what belongs to it.

use crate::app::base::Base;
use crate::app::listing::{Place, scan_of};
use crate::app::recent::REMEMBERED;
use crate::app::services::names::Seen;
use crate::app::services::{Directory, ServiceError};
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::policy::Policy;
use crate::model::service::Service;
use crate::model::verification::Verification;
use crate::store::records::{self, Ahead, Versioned};
use crate::store::{Index, Listed, Scan};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Services that are read at once.
const LINES: usize = 500;
/// After how many seconds everything is read anew though a name was found: another
/// process may have given it to a second service.
const STALE: i64 = 60;

/// The service of that id; without one, that of the configuration's top level.
///
/// # Errors
/// [`ServiceError::NoSuchService`], or the store's.
pub async fn service(directory: &Directory, id: Option<&ServiceId>) -> Result<Arc<Service>, ServiceError> {
    service_from(directory, id, &Ahead::default()).await
}

/// Wants the service of that id, where it is not known.
pub(in crate::app) fn want_service(directory: &Directory, id: Option<&ServiceId>, ahead: &mut Ahead) {
    if let Some(id) = id.filter(|id| directory.services.known(id).is_none()) {
        ahead.want::<Service>(id.as_str());
    }
}

/// The service of that id, as [`service`] says, from what was read ahead.
pub(in crate::app) async fn service_from(
    directory: &Directory,
    id: Option<&ServiceId>,
    ahead: &Ahead,
) -> Result<Arc<Service>, ServiceError> {
    let services = &directory.services;
    let Some(id) = id else {
        return Ok(services.default.clone());
    };
    let service = match services.known(id) {
        Some(service) => service,
        None => {
            let found = ahead.get::<Service>(directory.base.store(), id.as_str()).await?;
            let service = found.map(|found| Arc::new(found.record));
            services.seen.keep(id, service.clone());
            service
        }
    };
    service.ok_or(ServiceError::NoSuchService)
}

/// The id of a service that is named by it, by its key in the configuration,
/// or by its name, where no other of `services` has that.
///
/// # Errors
/// [`ServiceError::NoSuchService`], [`ServiceError::SeveralSoCalled`] where several
/// have the name, or the store's.
pub(in crate::app) async fn service_named(
    directory: &Directory,
    services: &ServiceSet,
    name: &str,
) -> Result<ServiceId, ServiceError> {
    let own = directory.services.named(name).map(|service| service.id.clone());
    if let Some(id) = name.parse().ok().or(own).filter(|id| services.has(id)) {
        return Ok(id);
    }
    let mut so_called = all_named(directory, name).await?;
    so_called.retain(|id| services.has(id));
    match (so_called.pop(), so_called.pop()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(ServiceError::NoSuchService),
        (Some(_), Some(_)) => Err(ServiceError::SeveralSoCalled),
    }
}

/// The service of a verification. One whose service was deleted goes on by
/// the rules of the top level.
pub(in crate::app) async fn service_of(
    directory: &Directory,
    verification: &Verification,
) -> Result<Arc<Service>, ServiceError> {
    service_of_from(directory, verification, &Ahead::default()).await
}

/// The same from what was read ahead.
pub(in crate::app) async fn service_of_from(
    directory: &Directory,
    verification: &Verification,
    ahead: &Ahead,
) -> Result<Arc<Service>, ServiceError> {
    service_or_default(directory, verification.service.as_ref(), ahead).await
}

/// The service that something belongs to; one that was deleted is followed by the one of the
/// top level.
pub(in crate::app) async fn service_or_default(
    directory: &Directory,
    service: Option<&ServiceId>,
    ahead: &Ahead,
) -> Result<Arc<Service>, ServiceError> {
    match service_from(directory, service, ahead).await {
        Err(ServiceError::NoSuchService) => Ok(directory.services.default.clone()),
        other => other,
    }
}

/// The rules that a verification lives by.
pub(in crate::app) async fn policy_of(
    directory: &Directory,
    verification: &Verification,
) -> Result<Policy, ServiceError> {
    Ok(service_of(directory, verification).await?.policy(&directory.policy))
}

/// All services that have a name: those of the configuration and of the store.
pub(in crate::app) async fn all_named(
    directory: &Directory,
    name: &str,
) -> Result<Vec<ServiceId>, ServiceError> {
    let own = directory.services.of_configuration().filter(|service| service.settings.name == name);
    let mut found: Vec<ServiceId> = own.map(|service| service.id.clone()).collect();
    let names = &directory.services.names;
    if names.age(directory.base.now()).is_some() {
        learn_newest(directory).await?;
    }
    let mut stored = still_named(directory, name).await?;
    let most = if stored.is_empty() { REMEMBERED.as_secs().cast_signed() } else { STALE };
    if names.age(directory.base.now()).is_none_or(|age| age >= most) {
        let _reading = names.reading.lock().await;
        // Somebody else may have done it meanwhile.
        if names.age(directory.base.now()).is_none_or(|age| age >= most) {
            learn_all(directory).await?;
        }
        stored = still_named(directory, name).await?;
    }
    found.extend(stored);
    Ok(found)
}

/// Those of the store that were seen with a name and have it.
async fn still_named(directory: &Directory, name: &str) -> Result<Vec<ServiceId>, ServiceError> {
    let seen: Vec<ServiceId> = directory.services.names.of(name).into_iter().collect();
    let services =
        records::get_many::<Service>(directory.base.store(), seen.iter().map(ServiceId::as_str)).await?;
    let has_it = |service: &Versioned<Service>| service.record.settings.name == name;
    Ok(seen
        .into_iter()
        .zip(services)
        .filter(|(_, one)| one.as_ref().is_some_and(has_it))
        .map(|(id, _)| id)
        .collect())
}

/// Reads every service of the store.
async fn learn_all(directory: &Directory) -> Result<(), ServiceError> {
    let now = directory.base.now();
    let (mut by_name, mut newest, mut after) = (HashMap::new(), None, None);
    loop {
        let lines = services_after(&directory.base, None, after).await?;
        newest = newest.or_else(|| lines.first().map(|line| line.entry.place()));
        let is_last = lines.len() < LINES;
        after = lines.last().map(|line| line.entry.place());
        for (name, id) in names_of(&lines)? {
            by_name.entry(name).or_insert_with(BTreeSet::new).insert(id);
        }
        if is_last {
            break;
        }
    }
    let mut seen = directory.services.names.seen();
    // What was learned while this went on stays: a name too many is only read.
    for (name, ids) in seen.by_name.drain() {
        by_name.entry(name).or_default().extend(ids);
    }
    *seen = Seen { by_name, newest, at: Some(now) };
    Ok(())
}

/// Reads the services that were made since.
async fn learn_newest(directory: &Directory) -> Result<(), ServiceError> {
    let newest = directory.services.names.seen().newest.clone();
    let since = newest.as_ref().map(|(at, _)| *at);
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let page = services_after(&directory.base, since, after).await?;
        let is_last = page.len() < LINES;
        after = page.last().map(|line| line.entry.place());
        lines.extend(page);
        if is_last {
            break;
        }
    }
    lines.retain(|line| newest.as_ref() != Some(&line.entry.place()));
    let Some(first) = lines.first().map(|line| line.entry.place()) else { return Ok(()) };
    for (name, id) in names_of(&lines)? {
        directory.services.names.learn(&name, &id);
    }
    let mut seen = directory.services.names.seen();
    seen.newest = seen.newest.take().max(Some(first));
    Ok(())
}

async fn services_after(
    base: &Base,
    since: Option<Timestamp>,
    after: Option<Place>,
) -> Result<Vec<Listed>, ServiceError> {
    let scan = Scan { since, after, limit: LINES, ..scan_of(Index::Services, "") };
    Ok(records::stretch(base.store(), &scan).await?)
}

fn names_of(lines: &[Listed]) -> Result<Vec<(String, ServiceId)>, ServiceError> {
    let named = |line| {
        let service = records::listed::<Service>(line)?;
        Ok(service.map(|service| (service.record.settings.name, service.record.id)))
    };
    lines.iter().filter_map(|line| named(line).transpose()).collect()
}
