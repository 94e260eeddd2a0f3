//! API keys: making them, and knowing who calls.

use crate::app::admin::AdminError;
use crate::app::audit;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::{self, Page, Window, scan_of};
use crate::app::services::{Directory, find};
use crate::entropy::Entropy;
use crate::model::audit::{Action, Actor};
use crate::model::id::ServiceId;
use crate::model::key::{self, Access, ApiKey, ServiceSet};
use crate::secret::Secret;
use crate::store::records::{self, Versioned};
use crate::store::{CommitError, Index, Scan, Store};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Makes a key. The secret is returned once and kept only as a hash.
///
/// # Errors
/// An empty or overlong name, no scope or no service at all, a service that
/// there is not, or the store's.
pub async fn create_key(
    directory: &Directory,
    actor: &Actor,
    name: &str,
    access: impl Into<Access>,
) -> Result<(ApiKey, Secret), AdminError> {
    let access = access.into();
    for service in access.services.bound().into_iter().flatten() {
        find::service(directory, Some(service)).await?;
    }
    let base = &directory.base;
    create_key_in(base.store(), &base.entropy, actor, name, access, base.now()).await
}

/// Writes up that many wrong keys came from a network, so many so far.
///
/// # Errors
/// The store's.
pub async fn note_guesses(base: &Base, actor: &Actor, from: &str, count: u64) -> Result<(), AdminError> {
    let entry = audit::entry(base, actor, Action::KeysGuessed, from).with("count", count);
    Ok(base.store().commit(vec![audit::write(&entry)]).await?)
}

/// Takes a key away. The next request that shows it is refused.
///
/// # Errors
/// Not found, or the store's.
pub async fn revoke_key(base: &Base, actor: &Actor, id: &str) -> Result<(), AdminError> {
    revoke_key_in(base.store(), &base.entropy, actor, id, base.now()).await
}

/// The key that this is, `None` when it is nobody's.
///
/// # Errors
/// The store's.
pub async fn key_holder(base: &Base, shown: &str) -> Result<Option<ApiKey>, AdminError> {
    let Some((id, secret)) = key::split(shown) else {
        return Ok(None);
    };
    let found = records::get::<ApiKey>(base.store(), id).await?;
    Ok(found.map(|found| found.record).filter(|key| key.opens_with(secret)))
}

/// A key by its id.
///
/// # Errors
/// Not found, or the store's.
pub async fn key(base: &Base, id: &str) -> Result<ApiKey, AdminError> {
    find_key(base.store(), id).await.map(|found| found.record)
}

/// Lists keys, the newest first.
///
/// # Errors
/// The store's.
pub async fn keys(base: &Base, window: &Window) -> Result<Page<ApiKey>, AdminError> {
    Ok(listing::page(base, scan_of(Index::ApiKeys, ""), window, |_| true).await?)
}

/// Most keys that [`all_keys`] reads.
const MOST_KEYS: usize = 1_000;

/// The keys there are, the newest first, straight from a store.
///
/// # Errors
/// The store's.
pub async fn all_keys(store: &dyn Store) -> Result<Vec<ApiKey>, AdminError> {
    let scan = Scan { limit: MOST_KEYS, ..scan_of(Index::ApiKeys, "") };
    Ok(records::all_listed(store, scan).await?)
}

/// Takes a key away, straight in a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn revoke_key_in(
    store: &dyn Store,
    entropy: &Entropy,
    actor: &Actor,
    id: &str,
    now: Timestamp,
) -> Result<(), AdminError> {
    let found = find_key(store, id).await?;
    let entry = audit::entry_at(entropy, now, actor.clone(), Action::KeyRevoked, id);
    let entry = entry.with("name", &found.record.name);
    match store.commit(vec![records::delete(&found), audit::write(&entry)]).await {
        // A key is never changed, so somebody else was faster in revoking it.
        Ok(()) | Err(CommitError::Conflict) => {}
        Err(CommitError::Store(error)) => return Err(error.into()),
    }
    tracing::info!(key = id, name = found.record.name, "api key revoked");
    Ok(())
}

async fn find_key(store: &dyn Store, id: &str) -> Result<Versioned<ApiKey>, AdminError> {
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(Fault::NotFound.into());
    }
    records::get(store, id).await?.ok_or(Fault::NotFound.into())
}

/// Makes a key straight in a store.
///
/// # Errors
/// An empty or overlong name, no scope or no service at all, or the store's.
/// Whether there are its services is for the caller to know.
pub async fn create_key_in(
    store: &dyn Store,
    entropy: &Entropy,
    actor: &Actor,
    name: &str,
    access: Access,
    now: Timestamp,
) -> Result<(ApiKey, Secret), AdminError> {
    let name = name.trim();
    if !ApiKey::is_name(name) {
        return Err(AdminError::Malformed("name: a key's name is a line of 1 to 64 characters"));
    }
    let services = access.services.bound().map_or(1, BTreeSet::len);
    if !(1..=ServiceSet::MOST).contains(&services) {
        return Err(AdminError::Malformed("a key is for all services, or for 1 to 100 that are named"));
    }
    if access.scopes.is_empty() {
        return Err(AdminError::Malformed("a key has at least one scope, or it could do nothing"));
    }
    let (key, shown) = ApiKey::generate(name, access, entropy.bytes(), entropy.bytes(), now);
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let entry = audit::entry_at(entropy, now, actor.clone(), Action::KeyCreated, &*key.id);
    let mut entry = entry.with("name", name).with("scopes", scopes.join(", "));
    if let Some(bound) = key.services.bound() {
        entry = entry.with("services", bound.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(", "));
    }
    store.commit(vec![records::put(None, &key), audit::write(&entry)]).await?;
    tracing::info!(key = key.id, name, "api key created");
    Ok((key, shown))
}
