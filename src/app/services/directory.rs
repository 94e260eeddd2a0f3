//! Which service a verification belongs to, and the rules it brings.
//!
//! Those of the configuration are here from the start; those that were made
//! through the API are read from the store, and remembered for a moment.

use crate::app::base::Base;
use crate::app::recent::Recent;
use crate::app::services::names::Names;
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::policy::Policy;
use crate::model::service::{BadSetting, Complaint, Origin, Service, Settings};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Says what settings name and there is not, and what the operator does not allow:
/// templates, languages, codes that prove nothing.
type Judge = dyn Fn(&Settings) -> Vec<Complaint> + Send + Sync;

/// The services there are.
pub struct ServiceDirectory {
    pub(in crate::app) default: Arc<Service>,
    file: BTreeMap<ServiceId, Arc<Service>>,
    pub(in crate::app) seen: Recent<Option<Arc<Service>>>,
    /// Which have which name.
    pub(in crate::app) names: Names,
    /// What is kept with them: every look at a verification asks for it.
    pub(in crate::app) kept: Recent<Arc<Compat>>,
    judge: Box<Judge>,
    /// For how many seconds codes live, where another side makes them.
    made_elsewhere: Option<u32>,
}

/// The services, with where they are kept and what none of them sets.
pub struct Directory {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services there are.
    pub services: ServiceDirectory,
    /// The rules of verifications that no service sets.
    pub policy: Policy,
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
            made_elsewhere: None,
        }
    }

    /// The same, with somebody who knows what settings may name.
    pub fn judged_by(self, judge: impl Fn(&Settings) -> Vec<Complaint> + Send + Sync + 'static) -> Self {
        Self { judge: Box::new(judge), ..self }
    }

    /// The same, where another side makes the codes, which live for so many seconds.
    pub fn made_elsewhere(self, lifetime_seconds: Option<u32>) -> Self {
        Self { made_elsewhere: lifetime_seconds, ..self }
    }

    /// Refuses a service that was stored before another side made the codes, and is set so
    /// that it would not work there.
    pub(in crate::app) fn refuse_unfit(&self, service: &Service) -> Result<(), BadSetting> {
        let Some(lifetime) = self.made_elsewhere else { return Ok(()) };
        let unfit = service.settings.not_elsewhere(lifetime).into_iter().next();
        unfit.map_or(Ok(()), |complaint| Err(complaint.wrong))
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

    pub(in crate::app) fn known(&self, id: &ServiceId) -> Option<Option<Arc<Service>>> {
        if *id == self.default.id {
            return Some(Some(self.default.clone()));
        }
        if let Some(service) = self.file.get(id) {
            return Some(Some(service.clone()));
        }
        self.seen.find(id)
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
