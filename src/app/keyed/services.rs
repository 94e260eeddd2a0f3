//! The services themselves, and what is kept with them.

use crate::app::admin::AdminError;
use crate::app::admission::offers as table;
use crate::app::admission::{AdmissionError, OfferQuery, Offers};
use crate::app::fault::Fault;
use crate::app::keyed::narrowed::Narrowed;
use crate::app::services::ServiceError;
use crate::app::{Page, Window};
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::service::Service;
use crate::store::records::{Ahead, Versioned};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::admin;
use crate::app::services;

/// The service of that id.
///
/// # Errors
/// [`ServiceError::NoSuchService`], or the store's.
pub async fn service(key: &Narrowed, id: &ServiceId) -> Result<Arc<Service>, ServiceError> {
    match key.services.has(id) {
        true => services::service(&key.all.directory, Some(id)).await,
        false => Err(ServiceError::NoSuchService),
    }
}

/// See [`admin::services`](crate::app::admin::services).
///
/// # Errors
/// As there.
pub async fn services(key: &Narrowed, window: &Window) -> Result<Page<Arc<Service>>, AdminError> {
    admin::services(&key.all.directory, &key.services, window).await
}

/// Which channels a service of the key's offers, and why not the others.
///
/// # Errors
/// A service that is not there, also one that the key is not for; a country, number or
/// language that is none; or the store's.
pub async fn offers(key: &Narrowed, query: OfferQuery) -> Result<Offers, AdmissionError> {
    let service = key.named(query.service.clone())?;
    table::offers(&key.all.admission, OfferQuery { service, ..query }).await
}

/// The sets of texts that the key's services name; nothing where all sets
/// are the caller's to see. The shipped one is everybody's.
///
/// # Errors
/// The store's.
pub async fn templates(key: &Narrowed) -> Result<Option<BTreeSet<String>>, ServiceError> {
    let Some(bound) = key.services.bound() else {
        return Ok(None);
    };
    let (directory, mut names, mut ahead) = (&key.all.directory, BTreeSet::new(), Ahead::default());
    for id in bound {
        services::find::want_service(directory, Some(id), &mut ahead);
    }
    ahead.read(directory.base.store()).await?;
    for id in bound {
        match services::find::service_from(directory, Some(id), &ahead).await {
            Ok(service) => names.extend(service.settings.template.clone()),
            Err(ServiceError::NoSuchService) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(names))
}

/// See [`admin::change_service`](crate::app::admin::change_service).
///
/// # Errors
/// As there.
pub async fn change_service(
    key: &Narrowed,
    id: &ServiceId,
    changes: Map<String, Value>,
) -> Result<Arc<Service>, AdminError> {
    key.refuse_foreign_service(id)?;
    admin::change_service(&key.all.directory, &key.actor, id, changes).await
}

/// See [`admin::delete_service`](crate::app::admin::delete_service).
///
/// # Errors
/// As there.
pub async fn delete_service(key: &Narrowed, id: &ServiceId) -> Result<(), AdminError> {
    key.refuse_foreign_service(id)?;
    admin::delete_service(&key.all.directory, &key.actor, id).await
}

/// See [`services::compat`](crate::app::services::compat).
///
/// # Errors
/// As there; not found for another service's.
pub async fn compat(key: &Narrowed, id: &ServiceId) -> Result<Versioned<Compat>, Fault> {
    key.refuse_foreign_service(id)?;
    services::compat(&key.all.base, id).await
}

/// See [`services::compats`](crate::app::services::compats).
///
/// # Errors
/// As there; not found where one is another service's.
pub async fn compats(key: &Narrowed, ids: &[&ServiceId]) -> Result<Vec<Compat>, Fault> {
    ids.iter().try_for_each(|id| key.refuse_foreign_service(id))?;
    services::compats(&key.all.base, ids).await
}

/// See [`services::change_compat`](crate::app::services::change_compat).
///
/// # Errors
/// As there; not found for another service's.
pub async fn change_compat<T, E: From<Fault>>(
    key: &Narrowed,
    id: &ServiceId,
    change: impl Fn(&mut Compat, Timestamp) -> Result<T, E>,
) -> Result<T, E> {
    key.refuse_foreign_service(id)?;
    services::change_compat(&key.all.directory, &key.actor, id, change).await
}
