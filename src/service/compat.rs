//! What Twilio Verify keeps with a service, beside the service itself.
//!
//! Those of the configuration may get rate limits, webhooks and senders too;
//! their settings are changed in the file alone.

use super::{By, Service, ServiceError, TRIES, audit};
use crate::model::audit::Action;
use crate::model::brand::{Brand, Settings};
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::phone::PhoneNumber;
use crate::store::CommitError;
use crate::store::records::{self, Versioned};
use jiff::Timestamp;
use std::sync::Arc;

impl Service {
    /// What is kept with a service; nothing yet under version 0.
    ///
    /// # Errors
    /// The store's.
    pub async fn compat(&self, id: &ServiceId) -> Result<Versioned<Compat>, ServiceError> {
        let found = records::get::<Compat>(self.store(), id.as_str()).await?;
        Ok(found.unwrap_or_else(|| Versioned { version: 0, record: Compat::new(id.clone()) }))
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

impl By<'_> {
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
            if new == old.record {
                return Ok(done);
            }
            let stored = Some(&old).filter(|old| old.version > 0);
            let entry = self.entry(Action::ServiceChanged, id.as_str());
            let entry = entry.with("settings", changed(&old.record, &new).join(", "));
            match self.store().commit(vec![records::put(stored, &new), audit::write(&entry)]).await {
                Ok(()) => return Ok(done),
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(ServiceError::from(error).into()),
            }
        }
        Err(ServiceError::Contended.into())
    }
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
