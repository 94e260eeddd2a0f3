//! Services as Twilio Verify has them: our own, with what it keeps beside.
//!
//! Those of the configuration may get rate limits, webhooks and senders; their
//! settings are changed in the file alone.

use super::{Service, ServiceError, TRIES};
use crate::model::brand::{BadSetting, Brand, Origin, Settings};
use crate::model::compat::{Compat, Features};
use crate::model::id::ServiceId;
use crate::model::phone::PhoneNumber;
use crate::store::records::{self, Versioned};
use crate::store::{CommitError, Index, Scan};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Most services that were made through the API and are listed.
const MOST_SERVICES: usize = 1_000;

/// Why a service was not made or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompatError {
    /// The configuration sets it.
    #[error("this service is set in the configuration file, under {key}, and is changed there")]
    OfFile {
        /// Its key there.
        key: String,
    },
    /// A setting that cannot be.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// Any other reason.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Service {
    /// What is kept with a service; nothing yet under version 0.
    ///
    /// # Errors
    /// The store's.
    pub async fn compat(&self, id: &ServiceId) -> Result<Versioned<Compat>, ServiceError> {
        let found = records::get::<Compat>(self.store(), id.as_str()).await?;
        Ok(found.unwrap_or_else(|| Versioned { version: 0, record: Compat::new(id.clone()) }))
    }

    /// Changes what is kept with a service, as often as it takes to be first.
    ///
    /// # Errors
    /// What `change` refuses, or the store's.
    pub async fn change_compat<T, E: From<ServiceError>>(
        &self,
        id: &ServiceId,
        change: impl Fn(&mut Compat, Timestamp) -> Result<T, E>,
    ) -> Result<T, E> {
        for attempt in 0..TRIES {
            let old = self.compat(id).await?;
            let mut new = old.record.clone();
            let done = change(&mut new, self.now())?;
            let stored = Some(&old).filter(|old| old.version > 0);
            match records::save(self.store(), stored, &new).await {
                Ok(()) => return Ok(done),
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(ServiceError::from(error).into()),
            }
        }
        Err(ServiceError::Contended.into())
    }

    /// Makes a service: the settings that are named, the rest as in the
    /// configuration's top level.
    ///
    /// # Errors
    /// A setting that cannot be, or the store's.
    pub async fn create_with_compat(
        &self,
        settings: Map<String, Value>,
        features: Features,
    ) -> Result<Arc<Brand>, CompatError> {
        let now = self.now();
        let brand = Brand {
            id: ServiceId::from_random(self.0.entropy.bytes()),
            settings: self.brands().default_brand().settings.with(settings)?,
            origin: Origin::Api,
            created_at: now,
            updated_at: now,
        };
        let compat = Compat { features, ..Compat::new(brand.id.clone()) };
        let changes = vec![records::put(None, &brand), records::put(None, &compat)];
        self.store().commit(changes).await.map_err(ServiceError::from)?;
        self.brands().forget(&brand.id);
        tracing::info!(service = %brand.id, name = brand.settings.name, "service created");
        Ok(Arc::new(brand))
    }

    /// Changes those settings of a service that are named, and its features.
    ///
    /// # Errors
    /// Not found, of the configuration, a setting that cannot be, or the store's.
    pub async fn change_with_compat(
        &self,
        id: &ServiceId,
        settings: &Map<String, Value>,
        features: impl Fn(&mut Features),
    ) -> Result<Arc<Brand>, CompatError> {
        for attempt in 0..TRIES {
            let (old, old_compat) = (self.stored_brand(id).await?, self.compat(id).await?);
            let changed = old.record.settings.with(settings.clone())?;
            let new = Brand { settings: changed, updated_at: self.now(), ..old.record.clone() };
            let mut compat = old_compat.record.clone();
            features(&mut compat.features);
            let stored = Some(&old_compat).filter(|old| old.version > 0);
            let changes = vec![records::put(Some(&old), &new), records::put(stored, &compat)];
            match self.store().commit(changes).await {
                Ok(()) => {
                    self.brands().forget(id);
                    tracing::info!(service = %id, "service changed");
                    return Ok(Arc::new(new));
                }
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(ServiceError::from(error).into()),
            }
        }
        Err(ServiceError::Contended.into())
    }

    /// Deletes a service and what is kept with it. Its verifications go on by
    /// the rules of the configuration's top level.
    ///
    /// # Errors
    /// Not found, of the configuration, or the store's.
    pub async fn delete_with_compat(&self, id: &ServiceId) -> Result<(), CompatError> {
        for attempt in 0..TRIES {
            let (old, compat) = (self.stored_brand(id).await?, self.compat(id).await?);
            let mut changes = vec![records::delete(&old)];
            changes.extend((compat.version > 0).then(|| records::delete(&compat)));
            match self.store().commit(changes).await {
                Ok(()) => {
                    self.brands().forget(id);
                    tracing::info!(service = %id, "service deleted");
                    return Ok(());
                }
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(ServiceError::from(error).into()),
            }
        }
        Err(ServiceError::Contended.into())
    }

    /// All services: those of the API, the newest first, then those of the
    /// configuration.
    ///
    /// # Errors
    /// The store's.
    pub async fn all_services(&self) -> Result<Vec<Arc<Brand>>, ServiceError> {
        let scan = Scan {
            index: Index::Brands,
            scope: String::new(),
            since: None,
            until: None,
            after: None,
            limit: MOST_SERVICES,
        };
        let mut services = Vec::new();
        for entry in self.store().scan(&scan).await? {
            let found = records::get::<Brand>(self.store(), &entry.id).await?;
            services.extend(found.map(|found| Arc::new(found.record)));
        }
        services.extend(self.brands().of_configuration().cloned());
        Ok(services)
    }

    async fn stored_brand(&self, id: &ServiceId) -> Result<Versioned<Brand>, CompatError> {
        if let Some(brand) = self.brands().of_configuration().find(|brand| brand.id == *id) {
            let key = match &brand.origin {
                Origin::File { key: Some(key) } => format!("services.{key}"),
                _ => "services.default".to_owned(),
            };
            return Err(CompatError::OfFile { key });
        }
        let found = records::get(self.store(), id.as_str()).await.map_err(ServiceError::from)?;
        Ok(found.ok_or(ServiceError::NoSuchService)?)
    }

    /// A service as it sends to a number: texts to its country may go through a
    /// messaging service of their own.
    pub(super) async fn sending_to(
        &self,
        brand: Arc<Brand>,
        to: &PhoneNumber,
    ) -> Result<Arc<Brand>, ServiceError> {
        let compat = self.compat(&brand.id).await?.record;
        if compat.senders.is_empty() {
            return Ok(brand);
        }
        let Some(sid) = compat.sender_for(to.region().as_deref()) else { return Ok(brand) };
        let settings = Settings { messaging_service_sid: Some(sid.to_owned()), ..brand.settings.clone() };
        Ok(Arc::new(Brand { settings, ..(*brand).clone() }))
    }

    /// A new name in Twilio's form: two capital letters and 32 random digits.
    pub fn new_sid(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.0.entropy.hex::<16>())
    }
}
