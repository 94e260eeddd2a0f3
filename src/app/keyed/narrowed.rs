//! What a key may see of all that `App` has.

use crate::app::admission::{self, AdmissionError};
use crate::app::fault::Fault;
use crate::app::services::{self, ServiceError};
use crate::app::{App, verification};
use crate::model::audit::Actor;
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::owner::Owned;
use crate::model::phone::PhoneNumber;
use crate::model::policy::Gate;
use crate::model::service::Service;
use crate::model::verification::Verification;
use jiff::Timestamp;

/// A key of some services came with what is about the whole.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "this is about all services, and the key is for some alone; `dialback key create NAME` makes one for all"
)]
pub struct KeyBound;

/// The service, as somebody with a key may use it.
#[derive(Clone)]
pub struct Narrowed {
    pub(super) all: App,
    pub(super) services: ServiceSet,
    pub(super) actor: Actor,
}

impl App {
    /// The service as somebody may use it who is let to these services.
    pub fn seen_by(&self, services: ServiceSet, actor: Actor) -> Narrowed {
        Narrowed { all: self.clone(), services, actor }
    }
}

impl Narrowed {
    /// The service without bounds, for what is about the whole.
    ///
    /// # Errors
    /// [`KeyBound`] for a key of some services.
    pub fn whole(&self) -> Result<&App, KeyBound> {
        if self.services.is_all() { Ok(&self.all) } else { Err(KeyBound) }
    }

    /// Who asks, for the audit log.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The service that a request names. One that names none means the default
    /// one, or the only one that the key is for.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchService`], also for one that the key is not for.
    pub(super) fn named(&self, service: Option<ServiceId>) -> Result<Option<ServiceId>, ServiceError> {
        let default = &self.all.directory.services.default_service().id;
        match service.or_else(|| self.services.only().cloned()) {
            None if self.services.has(default) => Ok(None),
            Some(service) if self.services.has(&service) => Ok(Some(service)),
            _ => Err(ServiceError::NoSuchService),
        }
    }

    /// The id of the service that a request names: see [`services::service`](crate::app::services::service) for
    /// what becomes of it.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchService`], also for one that the key is not for;
    /// several of one name; or the store's.
    pub async fn service_named(&self, name: Option<String>) -> Result<Option<ServiceId>, ServiceError> {
        match name {
            Some(name) => {
                services::find::service_named(&self.all.directory, &self.services, &name).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// The same of a list that is asked for. A service that was deleted has something to list,
    /// and no name any more: its id is taken as it is.
    ///
    /// # Errors
    /// As [`Narrowed::service_named`].
    pub async fn service_listed(&self, name: Option<String>) -> Result<Option<ServiceId>, ServiceError> {
        match name.as_deref().and_then(|id| id.parse().ok()) {
            Some(id) => Ok(Some(id)),
            None => self.service_named(name).await,
        }
    }

    /// A thing, if it belongs to the key's services.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub(super) async fn own<T: Owned>(&self, thing: T) -> Result<T, Fault> {
        match services::among::is_among(&self.all.directory, &self.services, thing.owner()).await? {
            true => Ok(thing),
            false => Err(Fault::NotFound),
        }
    }

    /// Whether a verification is of the key's services. That never changes, so it is
    /// asked of the record that is read to be changed.
    pub(super) fn has(&self, verification: &Verification) -> bool {
        services::among::has(&self.all.directory, &self.services, verification.service.as_ref())
    }

    /// The time, by the server's clock.
    pub fn now(&self) -> Timestamp {
        self.all.base.now()
    }

    /// See [`admission::number_of_form`](crate::app::admission::number_of_form).
    ///
    /// # Errors
    /// What is no number.
    pub fn number_of_form(&self, text: &str) -> Result<PhoneNumber, AdmissionError> {
        admission::number_of_form(&self.all.admission, text)
    }

    /// A new SID of that prefix, as [`services::new_sid`](crate::app::services::new_sid).
    pub fn new_sid(&self, prefix: &str) -> String {
        services::new_sid(&self.all.base, prefix)
    }

    /// How long the verification may still be proved, as
    /// [`verification::seconds_left`](crate::app::verification::seconds_left).
    pub fn seconds_left(&self, verification: &Verification) -> i64 {
        verification::seconds_left(&self.all.base, verification)
    }

    /// Whether the verification is the service's, as
    /// [`verification::belongs`](crate::app::verification::belongs).
    pub fn belongs(&self, service: &Service, verification: &Verification) -> bool {
        verification::belongs(&self.all.directory, service, verification)
    }

    /// Whether a service is the one for requests that name none.
    pub fn is_default(&self, service: &Service) -> bool {
        self.all.directory.services.default_service().id == service.id
    }

    /// Since when the process runs.
    pub fn since(&self) -> Timestamp {
        self.all.directory.services.default_service().created_at
    }

    /// What a call of a new service waits for.
    pub fn default_gate(&self) -> Gate {
        self.all.directory.services.default_service().settings.gate
    }

    pub(super) fn refuse_foreign_service(&self, id: &ServiceId) -> Result<(), Fault> {
        if self.services.has(id) { Ok(()) } else { Err(Fault::NotFound) }
    }
}
