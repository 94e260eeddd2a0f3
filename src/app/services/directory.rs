//! Which service a verification belongs to, and the rules it brings.
//!
//! Those of the configuration are here from the start; those that were made
//! through the API are read from the store, and remembered for a moment.

use crate::app::recent::Recent;
use crate::app::services::names::Names;
use crate::app::{App, AppError};
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::owner::Owner;
use crate::model::policy::Policy;
use crate::model::service::{BadSetting, Complaint, Origin, Service, Settings};
use crate::model::verification::Verification;
use crate::store::records::{self};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Says what settings name and there is not, and what the operator does not allow:
/// templates, languages, codes that prove nothing.
type Judge = dyn Fn(&Settings) -> Vec<Complaint> + Send + Sync;

/// The services there are.
pub struct ServiceDirectory {
    default: Arc<Service>,
    file: BTreeMap<ServiceId, Arc<Service>>,
    seen: Recent<Option<Arc<Service>>>,
    /// Which have which name.
    pub(in crate::app) names: Names,
    /// What is kept with them: every look at a verification asks for it.
    pub(in crate::app) kept: Recent<Arc<Compat>>,
    judge: Box<Judge>,
}

impl ServiceDirectory {
    /// The service of the configuration's top level, and its others.
    pub fn new(default: Service, others: Vec<Service>) -> Self {
        let file = others.into_iter().map(|service| (service.id.clone(), Arc::new(service))).collect();
        Self {
            default: Arc::new(default),
            file,
            seen: Recent::default(),
            names: Names::default(),
            kept: Recent::default(),
            judge: Box::new(|_| Vec::new()),
        }
    }

    /// The same, with somebody who knows what settings may name.
    pub fn judged_by(self, judge: impl Fn(&Settings) -> Vec<Complaint> + Send + Sync + 'static) -> Self {
        Self { judge: Box::new(judge), ..self }
    }

    /// The same, which looks at the store whenever it is asked what is kept with a
    /// service: for tests that tell every access.
    pub fn looking_always(self) -> Self {
        Self { kept: Recent::within(Duration::ZERO), ..self }
    }

    /// One service alone, by the rules of a policy.
    pub fn of_policy(name: &str, policy: &Policy, now: Timestamp) -> Self {
        let settings = Settings { name: name.to_owned(), ..Settings::of_policy(policy) };
        Self::new(Self::of_file(None, settings, now), Vec::new())
    }

    /// A service of the configuration: under `services.KEY`, or its top level.
    /// A key that is an id is its id, so that applications which know one of
    /// Twilio's services find it here.
    pub fn of_file(key: Option<&str>, settings: Settings, now: Timestamp) -> Service {
        Service {
            id: key
                .and_then(|key| key.parse().ok())
                .unwrap_or_else(|| ServiceId::from_name(key.unwrap_or(""))),
            settings,
            origin: Origin::File { key: key.map(str::to_owned) },
            created_at: now,
            updated_at: now,
        }
    }

    /// The service of the configuration's top level.
    pub fn default_service(&self) -> &Arc<Service> {
        &self.default
    }

    /// All of the configuration, the top level's first.
    pub fn of_configuration(&self) -> impl Iterator<Item = &Arc<Service>> {
        std::iter::once(&self.default).chain(self.file.values())
    }

    /// The service of the configuration that is called so: by its id, by its key
    /// there, or `default`.
    pub fn named(&self, name: &str) -> Option<&Arc<Service>> {
        let is_it = |service: &&Arc<Service>| match &service.origin {
            _ if service.id.as_str() == name => true,
            Origin::File { key } => key.as_deref().unwrap_or("default") == name,
            Origin::Api => false,
        };
        self.of_configuration().find(is_it)
    }

    /// Whether there is a language that somebody asks a service's messages in, by
    /// its set of texts or the one that is named.
    ///
    /// # Errors
    /// What is wrong with the tag, and which was meant or which there are.
    pub(in crate::app) fn judge_locale(
        &self,
        service: &Service,
        set: Option<&str>,
        locale: &str,
    ) -> Result<(), BadSetting> {
        let template = set.or(service.settings.template.as_deref()).map(str::to_owned);
        let asked = Settings { template, locale: Some(locale.to_owned()), ..Settings::default() };
        // A set of texts that is gone since is not what is asked about.
        let mut wrong = (self.judge)(&asked).into_iter().map(|complaint| complaint.wrong);
        wrong.find(|wrong| wrong.field == "locale").map_or(Ok(()), Err)
    }

    /// Everything that settings break, of the rules for all and of the operator's.
    fn complaints(&self, settings: &Settings) -> Vec<Complaint> {
        let mut all = settings.complaints();
        all.extend((self.judge)(settings));
        all
    }

    /// What the operator's rules say of settings that are made here.
    pub(in crate::app) fn judged(&self, settings: &Settings) -> Option<Complaint> {
        (self.judge)(settings).into_iter().next()
    }

    /// Refuses what a change breaks. What was stored when it was right, and is
    /// refused today, keeps nobody from changing the rest, and may be sent back
    /// as it was read.
    pub(in crate::app) fn judge_change(&self, old: &Settings, new: &Settings) -> Result<(), BadSetting> {
        let before = self.complaints(old);
        let broken = self.complaints(new).into_iter().find(|complaint| !before.contains(complaint));
        broken.map_or(Ok(()), |complaint| Err(complaint.wrong))
    }

    /// Forgets what is remembered of a service that was changed here.
    pub fn forget(&self, id: &ServiceId) {
        self.seen.forget(id);
    }

    fn known(&self, id: &ServiceId) -> Option<Option<Arc<Service>>> {
        if *id == self.default.id {
            return Some(Some(self.default.clone()));
        }
        if let Some(service) = self.file.get(id) {
            return Some(Some(service.clone()));
        }
        self.seen.find(id)
    }
}

impl App {
    /// Whether a thing of that owner belongs to these services. This is the one
    /// place that says what a key of some services sees.
    pub(in crate::app) async fn is_among(
        &self,
        services: &ServiceSet,
        owner: Owner,
    ) -> Result<bool, AppError> {
        if services.is_all() {
            return Ok(true);
        }
        let default = || self.directory().default_service().id.clone();
        let service = match owner {
            Owner::Service(service) => service.unwrap_or_else(default),
            Owner::Verification(id) => match records::get::<Verification>(self.store(), id.as_str()).await? {
                Some(found) => found.record.service.unwrap_or_else(default),
                None => return Ok(false),
            },
            Owner::Nobody => return Ok(false),
        };
        Ok(services.has(&service))
    }

    /// The service of that id; without one, that of the configuration's top level.
    ///
    /// # Errors
    /// [`AppError::NoSuchService`], or the store's.
    pub async fn service(&self, id: Option<&ServiceId>) -> Result<Arc<Service>, AppError> {
        let directory = &self.0.directory;
        let Some(id) = id else {
            return Ok(directory.default.clone());
        };
        let service = match directory.known(id) {
            Some(service) => service,
            None => {
                let found = records::get::<Service>(self.store(), id.as_str()).await?;
                let service = found.map(|found| Arc::new(found.record));
                directory.seen.keep(id, service.clone());
                service
            }
        };
        service.ok_or(AppError::NoSuchService)
    }

    /// The id of a service that is named by it, by its key in the configuration,
    /// or by its name, where no other of `services` has that.
    ///
    /// # Errors
    /// [`AppError::NoSuchService`], [`AppError::Malformed`] where several
    /// have the name, or the store's.
    pub(in crate::app) async fn service_named(
        &self,
        services: &ServiceSet,
        name: &str,
    ) -> Result<ServiceId, AppError> {
        let own = self.directory().named(name).map(|service| service.id.clone());
        if let Some(id) = name.parse().ok().or(own).filter(|id| services.has(id)) {
            return Ok(id);
        }
        let mut so_called = self.all_named(name).await?;
        so_called.retain(|id| services.has(id));
        match (so_called.pop(), so_called.pop()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(AppError::NoSuchService),
            (Some(_), Some(_)) => {
                Err(AppError::Malformed("service: several have this name; name the one by its id, VA…"))
            }
        }
    }

    /// The services there are.
    pub fn directory(&self) -> &ServiceDirectory {
        &self.0.directory
    }

    /// The service of a verification. One whose service was deleted goes on by
    /// the rules of the top level.
    pub(in crate::app) async fn service_of(
        &self,
        verification: &Verification,
    ) -> Result<Arc<Service>, AppError> {
        match self.service(verification.service.as_ref()).await {
            Err(AppError::NoSuchService) => Ok(self.0.directory.default.clone()),
            other => other,
        }
    }

    /// The rules that a verification lives by.
    pub(in crate::app) async fn policy_of(&self, verification: &Verification) -> Result<Policy, AppError> {
        Ok(self.service_of(verification).await?.policy(&self.0.policy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_an_id_is_the_id() {
        let id =
            |key: &str| ServiceDirectory::of_file(Some(key), Settings::default(), Timestamp::UNIX_EPOCH).id;
        let twilios = "VA0123456789abcdef0123456789abcdef";
        assert_eq!(id(twilios).as_str(), twilios);
        assert_eq!(id("shop"), ServiceId::from_name("shop"));
    }
}
