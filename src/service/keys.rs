//! API keys: making them, and knowing who calls.

use super::{Service, ServiceError};
use crate::entropy::Entropy;
use crate::model::key::{self, ApiKey, Scope};
use crate::secret::Secret;
use crate::store::{Store, records};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Service {
    /// Makes a key. The secret is returned once and kept only as a hash.
    ///
    /// # Errors
    /// An empty or overlong name, or the store's.
    pub async fn create_key(&self, name: &str) -> Result<(ApiKey, Secret), ServiceError> {
        create_key(self.store(), &self.0.entropy, name, self.now()).await
    }

    /// The id of the key that this is, `None` when it is nobody's.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_holder(&self, shown: &str) -> Result<Option<String>, ServiceError> {
        let Some((id, secret)) = key::split(shown) else {
            return Ok(None);
        };
        let found = records::get::<ApiKey>(self.store(), id).await?;
        Ok(found.filter(|found| found.record.opens_with(secret)).map(|found| found.record.id))
    }
}

/// Makes a key straight in a store.
///
/// # Errors
/// An empty or overlong name, or the store's.
pub async fn create_key(
    store: &dyn Store,
    entropy: &Entropy,
    name: &str,
    now: Timestamp,
) -> Result<(ApiKey, Secret), ServiceError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > ApiKey::MAX_NAME || name.chars().any(char::is_control) {
        return Err(ServiceError::Malformed("a key's name has 1 to 64 characters"));
    }
    let (key, shown) =
        ApiKey::generate(name, Scope::of_an_application(), entropy.bytes(), entropy.bytes(), now);
    records::save(store, None, &key).await?;
    tracing::info!(key = key.id, name, "api key created");
    Ok((key, shown))
}

impl Service {
    /// What the holder of this key may do, `None` when it is nobody's.
    ///
    /// # Errors
    /// The store's.
    pub async fn key_scopes(&self, shown: &str) -> Result<Option<BTreeSet<Scope>>, ServiceError> {
        let Some((id, secret)) = key::split(shown) else {
            return Ok(None);
        };
        let found = records::get::<ApiKey>(self.store(), id).await?;
        Ok(found.filter(|found| found.record.opens_with(secret)).map(|found| found.record.scopes))
    }
}
