//! Where events are sent to: made, changed, looked at, tried.

use crate::app::audit;
use crate::app::base::Base;
use crate::app::events::watermarks::lock;
use crate::app::events::{EventError, EventSettings, Telling, told};
use crate::app::fault::Fault;
use crate::app::listing::{self, Window, scan_of};
use crate::app::transact::{self, Draft, transact};
use crate::clock::Clock;
use crate::gateway::webhook::{Parcel, PostError, Receipt, new_secret};
use crate::model::audit::{Action, Actor, AuditEntry};
use crate::model::endpoint::{Disabled, Endpoint, SigningKey, Why};
use crate::model::event::{EventBody, EventFilter, EventType};
use crate::model::id::EndpointId;
use crate::secret::Secret;
use crate::store::Index;
use crate::store::records::{self, Versioned};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What may be said of an endpoint; what is not said stays as it is, or is
/// the default for a new one.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Its address; needed for a new one.
    pub url: Option<String>,
    /// What people say about it; an empty text takes it away.
    pub description: Option<String>,
    /// What it wants to hear of; `verification.*` for a new one.
    pub filters: Option<BTreeSet<EventFilter>>,
    /// Whether it is told numbers in full.
    pub full_numbers: Option<bool>,
    /// Whether it is sent to.
    pub enabled: Option<bool>,
}

/// What came of a trial.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The id of the event that was sent.
    pub event: String,
    /// What came back.
    pub outcome: Result<Receipt, PostError>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// Makes an endpoint. Its secret is returned once.
///
/// # Errors
/// An address where nothing may be sent, too many endpoints, or the store's.
pub async fn create_endpoint(
    telling: &Telling,
    actor: &Actor,
    change: EndpointChange,
) -> Result<(Endpoint, Secret), EventError> {
    let now = telling.base.now();
    if endpoints(&telling.base).await?.len() >= telling.events.settings.max_endpoints {
        let what = "there are as many endpoints as events.max_endpoints allows: remove one first";
        return Err(EventError::NotAllowed { field: "url", what });
    }
    let secret = new_secret(telling.base.entropy.bytes());
    let mut endpoint = Endpoint {
        id: EndpointId::from_random(telling.base.entropy.bytes()),
        url: String::new(),
        description: None,
        filters: "verification.*".parse().into_iter().collect(),
        full_numbers: false,
        keys: vec![SigningKey { secret: secret.clone(), until: None }],
        disabled: None,
        failing_since: None,
        created_at: now,
        updated_at: now,
    };
    let url = change.url.clone().unwrap_or_default();
    apply(telling, &mut endpoint, EndpointChange { url: Some(url), ..change })?;
    let entry = audit::entry(&telling.base, actor, Action::EndpointCreated, endpoint.id.as_str());
    telling.base.store().commit(vec![records::put(None, &endpoint), audit::write(&entry)]).await?;
    learn_endpoints(telling).await?;
    tracing::info!(endpoint = %endpoint.id, "endpoint created");
    Ok((endpoint, secret))
}

/// Changes an endpoint. One that is enabled again starts with a clean slate.
///
/// # Errors
/// Not found, an address where nothing may be sent, or the store's.
pub async fn change_endpoint(
    telling: &Telling,
    actor: &Actor,
    id: &EndpointId,
    change: EndpointChange,
) -> Result<Endpoint, EventError> {
    let entry = |old: &Endpoint, new: &Endpoint| {
        let entry = audit::entry(&telling.base, actor, Action::EndpointChanged, id.as_str());
        Some(entry.with("settings", changed(old, new).join(", ")))
    };
    with_endpoint(telling, id, |endpoint| apply(telling, endpoint, change.clone()), entry).await
}

/// Makes another secret the current one; the old one signs too for a while.
///
/// # Errors
/// Not found, or the store's.
pub async fn rotate_endpoint(
    telling: &Telling,
    actor: &Actor,
    id: &EndpointId,
) -> Result<(Endpoint, Secret), EventError> {
    let secret = new_secret(telling.base.entropy.bytes());
    let rotate = |endpoint: &mut Endpoint| {
        endpoint.rotate(secret.clone(), telling.base.now());
        Ok(())
    };
    let entry = |_: &Endpoint, _: &Endpoint| {
        Some(audit::entry(&telling.base, actor, Action::EndpointRotated, id.as_str()))
    };
    let endpoint = with_endpoint(telling, id, rotate, entry).await?;
    tracing::info!(endpoint = %id, "the endpoint's secret was rotated");
    Ok((endpoint, secret))
}

/// Removes an endpoint. What was to be sent to it is dropped.
///
/// # Errors
/// Not found, or the store's.
pub async fn remove_endpoint(telling: &Telling, actor: &Actor, id: &EndpointId) -> Result<(), EventError> {
    let look = || async {
        let old = read_endpoint(&telling.base, id).await?;
        let entry = audit::entry(&telling.base, actor, Action::EndpointDeleted, id.as_str());
        Ok(Draft::Write(vec![records::delete(&old), audit::write(&entry)], ()))
    };
    transact::<_, EventError, _>(&telling.base, &transact::ENDPOINT, look).await?;
    learn_endpoints(telling).await?;
    tracing::info!(endpoint = %id, "endpoint removed");
    Ok(())
}

/// Every endpoint, the newest first.
///
/// # Errors
/// The store's.
pub async fn endpoints(base: &Base) -> Result<Vec<Endpoint>, EventError> {
    let window = Window { limit: EventSettings::MOST_ENDPOINTS, after: None };
    Ok(listing::page(base, scan_of(Index::Endpoints, ""), &window, |_| true).await?.items)
}

/// An endpoint.
///
/// # Errors
/// Not found, or the store's.
pub async fn endpoint(base: &Base, id: &EndpointId) -> Result<Endpoint, EventError> {
    Ok(read_endpoint(base, id).await?.record)
}

/// Sends an endpoint an event that tells of nothing, and waits for the
/// answer. It is not recorded and not repeated.
///
/// # Errors
/// Not found, or the store's.
pub async fn try_endpoint(telling: &Telling, id: &EndpointId) -> Result<Trial, EventError> {
    let endpoint = endpoint(&telling.base, id).await?;
    let body = EventBody {
        endpoint: Some(id.to_string()),
        ..EventBody::new(EventType::EndpointTest, telling.base.now())
    };
    let event = told::named(telling, body);
    let parcel = Parcel {
        url: endpoint.url.clone(),
        id: event.id.clone(),
        at: Clock::system(),
        body: Parcel::body(&event, endpoint.full_numbers),
        secrets: endpoint.secrets(telling.base.now()),
    };
    let began = Instant::now();
    let outcome = telling.events.courier.post(&parcel).await;
    let millis = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    Ok(Trial { event: event.id.to_string(), outcome, millis })
}

pub(in crate::app) async fn read_endpoint(
    base: &Base,
    id: &EndpointId,
) -> Result<Versioned<Endpoint>, EventError> {
    records::get(base.store(), id.as_str()).await?.ok_or(Fault::NotFound.into())
}

/// Changes an endpoint as often as it takes to be first, and makes it known;
/// `entry` is the line of the audit log for what somebody does.
pub(in crate::app) async fn with_endpoint(
    telling: &Telling,
    id: &EndpointId,
    change: impl Fn(&mut Endpoint) -> Result<(), EventError>,
    entry: impl Fn(&Endpoint, &Endpoint) -> Option<AuditEntry>,
) -> Result<Endpoint, EventError> {
    let look = || async {
        let old = read_endpoint(&telling.base, id).await?;
        let mut new = old.record.clone();
        change(&mut new)?;
        if new == old.record {
            return Ok(Draft::Settled((new, false)));
        }
        let mut changes = vec![records::put(Some(&old), &new)];
        changes.extend(told::told(telling, body_of(&old.record, &new)));
        changes.extend(entry(&old.record, &new).as_ref().map(audit::write));
        Ok(Draft::Write(changes, (new, true)))
    };
    let (endpoint, is_new) = transact::<_, EventError, _>(&telling.base, &transact::ENDPOINT, look).await?;
    if is_new {
        learn_endpoints(telling).await?;
    }
    Ok(endpoint)
}

fn body_of(old: &Endpoint, new: &Endpoint) -> Vec<EventBody> {
    let failed = |disabled: &&Disabled| disabled.why != Why::Asked;
    let disabled = new.disabled.as_ref().filter(failed).filter(|_| old.disabled.is_none());
    let body = disabled.map(|disabled| EventBody {
        endpoint: Some(new.id.to_string()),
        detail: Some(match disabled.why {
            Why::Gone => "the endpoint answered 410".into(),
            _ => "nothing but failures came back for too long".into(),
        }),
        ..EventBody::new(EventType::EndpointDisabled, disabled.at)
    });
    body.into_iter().collect()
}

fn apply(telling: &Telling, endpoint: &mut Endpoint, change: EndpointChange) -> Result<(), EventError> {
    let refuse = |field, what| Err(EventError::NotAllowed { field, what });
    let EndpointChange { url, description, filters, full_numbers, enabled } = change;
    if let Some(url) = url {
        if url.len() > Endpoint::MAX_URL {
            return refuse("url", "the url has at most 2048 characters");
        }
        if let Err(PostError::Refused(why)) = telling.events.courier.look_at(&url) {
            return refuse("url", why);
        }
        endpoint.url = url;
    }
    if let Some(description) = description {
        if description.chars().count() > Endpoint::MAX_DESCRIPTION {
            return refuse("description", "a description has at most 200 characters");
        }
        endpoint.description = Some(description).filter(|text| !text.is_empty());
    }
    match filters {
        Some(filters) if filters.is_empty() => {
            return refuse("events", "an endpoint wants at least one event");
        }
        Some(filters) => endpoint.filters = filters,
        None => {}
    }
    endpoint.full_numbers = full_numbers.unwrap_or(endpoint.full_numbers);
    match enabled {
        Some(true) => (endpoint.disabled, endpoint.failing_since) = (None, None),
        Some(false) if endpoint.disabled.is_none() => {
            endpoint.disabled = Some(Disabled { at: telling.base.now(), why: Why::Asked });
        }
        _ => {}
    }
    endpoint.updated_at = telling.base.now();
    Ok(())
}

/// What differs, in the words of the API.
fn changed(old: &Endpoint, new: &Endpoint) -> Vec<&'static str> {
    let parts = [
        ("url", old.url != new.url),
        ("description", old.description != new.description),
        ("events", old.filters != new.filters),
        ("full_numbers", old.full_numbers != new.full_numbers),
        ("enabled", old.disabled.is_some() != new.disabled.is_some()),
    ];
    parts.into_iter().filter(|part| part.1).map(|part| part.0).collect()
}

/// How often the list of endpoints is read again: another process may have
/// changed it.
const REFRESH: Duration = Duration::from_secs(2);

/// Reads the list of endpoints, which every write of this process looks at.
/// To be done once before the first write.
///
/// # Errors
/// The store's.
pub async fn learn_endpoints(telling: &Telling) -> Result<(), EventError> {
    let endpoints = endpoints(&telling.base).await?;
    *lock(&telling.events.endpoints) = Arc::new(endpoints);
    Ok(())
}

/// Keeps the list of endpoints fresh until `stop`, then ends the streams.
pub async fn keep_endpoints(telling: &Telling, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        if let Err(error) = learn_endpoints(telling).await {
            tracing::error!(%error, "cannot read the endpoints");
        }
        tokio::select! {
            () = &mut stop => break,
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
    telling.events.close();
}
