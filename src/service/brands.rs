//! Which service a verification belongs to, and the rules it brings.
//!
//! Those of the configuration are here from the start; those that were made
//! through the API are read from the store, and remembered for a moment.

use super::{Service, ServiceError};
use crate::model::brand::{Brand, Origin, Settings};
use crate::model::id::ServiceId;
use crate::model::policy::Policy;
use crate::model::verification::Verification;
use crate::store::records;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a service is remembered: a change on another machine holds here
/// after this time at the latest.
const REMEMBERED: Duration = Duration::from_secs(2);
/// How many services are remembered.
const MOST_REMEMBERED: usize = 1000;

/// What was found in the store lately, and when.
type Seen = HashMap<ServiceId, (Instant, Option<Arc<Brand>>)>;

/// The services there are.
pub struct Brands {
    default: Arc<Brand>,
    file: BTreeMap<ServiceId, Arc<Brand>>,
    seen: Mutex<Seen>,
}

impl Brands {
    /// The service of the configuration's top level, and its others.
    pub fn new(default: Brand, others: Vec<Brand>) -> Self {
        let file = others.into_iter().map(|brand| (brand.id.clone(), Arc::new(brand))).collect();
        Self { default: Arc::new(default), file, seen: Mutex::default() }
    }

    /// One service alone, by the rules of a policy.
    pub fn of_policy(name: &str, policy: &Policy, now: Timestamp) -> Self {
        let settings = Settings { name: name.to_owned(), ..Settings::of_policy(policy) };
        Self::new(Self::of_file(None, settings, now), Vec::new())
    }

    /// A service of the configuration: under `services.KEY`, or its top level.
    pub fn of_file(key: Option<&str>, settings: Settings, now: Timestamp) -> Brand {
        Brand {
            id: ServiceId::from_name(key.unwrap_or("")),
            settings,
            origin: Origin::File { key: key.map(str::to_owned) },
            created_at: now,
            updated_at: now,
        }
    }

    /// The service of the configuration's top level.
    pub fn default_brand(&self) -> &Arc<Brand> {
        &self.default
    }

    /// All of the configuration, the top level's first.
    pub fn of_configuration(&self) -> impl Iterator<Item = &Arc<Brand>> {
        std::iter::once(&self.default).chain(self.file.values())
    }

    /// Forgets what is remembered of a service that was changed here.
    pub fn forget(&self, id: &ServiceId) {
        self.seen().remove(id);
    }

    fn known(&self, id: &ServiceId) -> Option<Option<Arc<Brand>>> {
        if *id == self.default.id {
            return Some(Some(self.default.clone()));
        }
        if let Some(brand) = self.file.get(id) {
            return Some(Some(brand.clone()));
        }
        let seen = self.seen();
        seen.get(id).filter(|(at, _)| at.elapsed() < REMEMBERED).map(|(_, brand)| brand.clone())
    }

    fn remember(&self, id: &ServiceId, brand: Option<Arc<Brand>>) {
        let mut seen = self.seen();
        if seen.len() >= MOST_REMEMBERED {
            seen.clear();
        }
        seen.insert(id.clone(), (Instant::now(), brand));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing is ever half-changed under this lock.
        self.seen.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Service {
    /// The service of that id; without one, that of the configuration's top level.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchService`], or the store's.
    pub async fn brand(&self, id: Option<&ServiceId>) -> Result<Arc<Brand>, ServiceError> {
        let brands = &self.0.brands;
        let Some(id) = id else {
            return Ok(brands.default.clone());
        };
        let brand = match brands.known(id) {
            Some(brand) => brand,
            None => {
                let found = records::get::<Brand>(self.store(), id.as_str()).await?;
                let brand = found.map(|found| Arc::new(found.record));
                brands.remember(id, brand.clone());
                brand
            }
        };
        brand.ok_or(ServiceError::NoSuchService)
    }

    /// The services there are.
    pub fn brands(&self) -> &Brands {
        &self.0.brands
    }

    /// The service of a verification. One whose service was deleted goes on by
    /// the rules of the top level.
    pub(super) async fn brand_of(&self, verification: &Verification) -> Result<Arc<Brand>, ServiceError> {
        match self.brand(verification.service.as_ref()).await {
            Err(ServiceError::NoSuchService) => Ok(self.0.brands.default.clone()),
            other => other,
        }
    }

    /// The rules that a verification lives by.
    pub(super) async fn policy_of(&self, verification: &Verification) -> Result<Policy, ServiceError> {
        Ok(self.brand_of(verification).await?.policy(&self.0.policy))
    }
}
