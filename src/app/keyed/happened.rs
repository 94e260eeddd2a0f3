//! What was sent and what happened, as a key may see it.

use crate::app::decisions::{DecisionQuery, Followed, Stretch};
use crate::app::events::{EventQuery, Feed};
use crate::app::fault::Fault;
use crate::app::keyed::narrowed::Narrowed;
use crate::app::messaging::{DeliveryFilter, Found, MessagingError};
use crate::app::verification::{
    Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace, VerificationError,
};
use crate::app::{Page, Window};
use crate::model::event::{Event, EventFilter};
use crate::model::fraud::Report;
use crate::model::id::{EventId, VerificationId};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::app::decisions as log;
use crate::app::events;
use crate::app::messaging;
use crate::app::verification;

/// See [`messaging::delivery`](crate::app::messaging::delivery).
///
/// # Errors
/// As there.
pub async fn delivery(key: &Narrowed, name: &str) -> Result<Found, MessagingError> {
    Ok(key.own(messaging::delivery(&key.all.base, name).await?).await?)
}

/// See [`messaging::is_shadow`](crate::app::messaging::is_shadow).
///
/// # Errors
/// As there.
pub async fn is_shadow(key: &Narrowed, found: &Found) -> Result<bool, MessagingError> {
    messaging::is_shadow(key.all.base.store(), found).await
}

/// See [`messaging::deliveries`](crate::app::messaging::deliveries).
///
/// # Errors
/// As there.
pub async fn deliveries(
    key: &Narrowed,
    filter: &DeliveryFilter,
    window: &Window,
) -> Result<Page<Found>, MessagingError> {
    messaging::deliveries::deliveries_among(&key.all.admission, &key.services, filter, window).await
}

/// See [`verification::attempt`](crate::app::verification::attempt).
///
/// # Errors
/// As there.
pub async fn attempt(key: &Narrowed, id: &VerificationId, number: u8) -> Result<Attempt, VerificationError> {
    let attempt = verification::attempt(&key.all.directory, id, number).await?;
    match key.has(&attempt.verification) {
        true => Ok(attempt),
        false => Err(Fault::NotFound.into()),
    }
}

/// See [`verification::attempts`](crate::app::verification::attempts).
///
/// # Errors
/// As there.
pub async fn attempts(
    key: &Narrowed,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
    limit: usize,
) -> Result<AttemptPage, VerificationError> {
    verification::attempts(&key.all.admission, &key.services, filter, after, limit).await
}

/// See [`verification::count_attempts`](crate::app::verification::count_attempts).
///
/// # Errors
/// As there.
pub async fn count_attempts(
    key: &Narrowed,
    filter: &AttemptFilter,
    longest: Duration,
) -> Result<AttemptCount, VerificationError> {
    verification::count_attempts(&key.all.admission, &key.services, filter, longest).await
}

/// See [`events::event`](crate::app::events::event).
///
/// # Errors
/// As there.
pub async fn event(key: &Narrowed, id: &EventId) -> Result<Event, Fault> {
    key.own(events::event(&key.all.base, id).await?).await
}

/// See [`events::events`](crate::app::events::events).
///
/// # Errors
/// As there.
pub async fn events(key: &Narrowed, filter: &EventQuery, window: &Window) -> Result<Page<Event>, Fault> {
    events::feed::events_among(&key.all.directory, &key.services, filter, window).await
}

/// See [`decisions::decisions`](crate::app::decisions::decisions).
///
/// # Errors
/// As there.
pub async fn decisions(
    key: &Narrowed,
    query: &DecisionQuery,
    window: &Window,
) -> Result<Page<Followed>, Fault> {
    log::decisions(&key.all, &key.services, query, window).await
}

/// See [`decisions::decision`](crate::app::decisions::decision).
///
/// # Errors
/// As there.
pub async fn decision(key: &Narrowed, id: &str) -> Result<Followed, Fault> {
    log::decision(&key.all, &key.services, id).await
}

/// See [`decisions::report`](crate::app::decisions::report).
///
/// # Errors
/// As there.
pub async fn report(key: &Narrowed, stretch: Stretch, rows: usize) -> Result<Report, Fault> {
    log::report(&key.all, &key.services, stretch, rows).await
}

/// Events as they come, as [`events::feed`](crate::app::events::feed), of the key's services alone.
pub fn feed(key: &Narrowed, after: Option<EventId>, filters: BTreeSet<EventFilter>) -> Option<Feed> {
    events::feed::feed_among(&key.all.telling, &key.actor, key.services.clone(), after, filters)
}
