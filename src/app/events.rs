//! What is told to applications: which events are written beside a change,
//! and who waits for them.
//!
//! An event is written in the commit of the change it tells of, with a dispatch
//! for each endpoint that wants it. So nothing is told that did not happen, and
//! nothing that happened goes untold, whenever the process dies.

mod feed;
mod seats;
mod watermarks;

pub use feed::{EventQuery, Feed};

use self::seats::{Seat, Seats};
use self::watermarks::{Watched, Watermarks};
use super::{App, AppError};
use crate::gateway::is_opt_out;
use crate::gateway::webhook::Courier;
use crate::model::audit::Actor;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::dispatch::Dispatch;
use crate::model::endpoint::Endpoint;
use crate::model::event::{self, Event, EventBody, EventFilter, EventType};
use crate::model::id::{EndpointId, EventId};
use crate::model::session::Session;
use crate::model::verification::Verification;
use crate::store::records::{self, Versioned};
use crate::store::{Change, Store};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// What bounds the telling.
#[derive(Debug, Clone)]
pub struct EventSettings {
    /// What is recorded whether an endpoint wants it or not.
    pub record: BTreeSet<EventFilter>,
    /// How long events are kept; [`SignedDuration::MAX`] for ever.
    pub retention: SignedDuration,
    /// Endpoints at most; [`EventSettings::MOST_ENDPOINTS`] is the most.
    pub max_endpoints: usize,
    /// Requests to endpoints at once; one endpoint has half of them at most.
    pub max_in_flight: usize,
    /// Streams at once.
    pub max_streams: usize,
    /// How long a request to an endpoint may take.
    pub timeout: Duration,
    /// How long nothing but failures may come back.
    pub disable_after: SignedDuration,
}

impl EventSettings {
    /// More dispatches would not fit into one commit beside what they tell of:
    /// at most five events (three of a call's end, that it was sent, and the
    /// verification's end), with a dispatch of each to each.
    pub const MOST_ENDPOINTS: usize = 10;
}

impl Default for EventSettings {
    fn default() -> Self {
        let filters = ["verification.*", "session.*", "opt_out.*", "endpoint.*"];
        Self {
            record: filters.iter().filter_map(|filter| filter.parse().ok()).collect(),
            retention: SignedDuration::from_hours(30 * 24),
            max_endpoints: Self::MOST_ENDPOINTS,
            max_in_flight: 16,
            max_streams: 100,
            timeout: Duration::from_secs(10),
            disable_after: SignedDuration::from_hours(5 * 24),
        }
    }
}

/// How often the list of endpoints is read again: another process may have
/// changed it.
const REFRESH: Duration = Duration::from_secs(2);

/// The telling: who is told, and what is on its way.
pub struct Events {
    pub(super) courier: Arc<dyn Courier>,
    pub(super) settings: EventSettings,
    endpoints: Mutex<Arc<Vec<Endpoint>>>,
    busy: Mutex<HashMap<EndpointId, usize>>,
    /// A request ended.
    freed: Notify,
    seats: Seats,
    shared: Arc<Shared>,
}

/// What the store's watcher knows, too.
#[derive(Default)]
struct Shared {
    watermarks: Watermarks,
    /// Wakes who dispatches.
    wake: Notify,
    /// Counts what was written, for streams; `None` when there is no more.
    written: watch::Sender<Option<u64>>,
}

impl Events {
    /// The telling by a courier.
    pub fn new(courier: Arc<dyn Courier>, settings: EventSettings) -> Self {
        let shared = Arc::new(Shared::default());
        shared.written.send_replace(Some(0));
        Self {
            courier,
            endpoints: Mutex::default(),
            busy: Mutex::default(),
            freed: Notify::new(),
            seats: Seats::new(settings.max_streams),
            settings,
            shared,
        }
    }

    /// The store, seen by who must know when an event is written.
    pub(super) fn watching(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Watched { inner: store, shared: self.shared.clone() })
    }

    /// Something to dispatch was written.
    pub(super) fn wake(&self) -> &Notify {
        &self.shared.wake
    }

    /// A place to send to an endpoint, if it does not have its share already.
    pub(super) fn turn(&self, endpoint: &EndpointId) -> Option<Turn<'_>> {
        let mut busy = lock(&self.busy);
        let all: usize = busy.values().sum();
        let taken = busy.get(endpoint).copied().unwrap_or(0);
        if taken >= self.share() || all >= self.settings.max_in_flight {
            return None;
        }
        busy.insert(endpoint.clone(), taken + 1);
        Some(Turn { events: self, endpoint: endpoint.clone() })
    }

    /// Requests to one endpoint at once.
    pub(super) fn share(&self) -> usize {
        self.settings.max_in_flight.div_ceil(2)
    }

    /// The same, waited for.
    pub(super) async fn turn_in(&self, endpoint: &EndpointId, patience: Duration) -> Option<Turn<'_>> {
        let turn = async {
            loop {
                // Whoever leaves after the look is heard all the same.
                let freed = self.freed.notified();
                if let Some(turn) = self.turn(endpoint) {
                    return turn;
                }
                freed.await;
            }
        };
        tokio::time::timeout(patience, turn).await.ok()
    }

    fn stream(&self, who: &Actor) -> Option<Seat> {
        self.seats.take(who)
    }

    fn known(&self) -> Arc<Vec<Endpoint>> {
        lock(&self.endpoints).clone()
    }

    fn is_told(&self, event_type: EventType, endpoints: &[Endpoint]) -> bool {
        self.settings.record.iter().any(|filter| filter.takes(event_type))
            || endpoints.iter().any(|endpoint| endpoint.takes(event_type))
    }

    /// Ends every stream: nothing more is told here.
    fn close(&self) {
        self.shared.written.send_replace(None);
    }
}

/// A place among the requests to an endpoint, until it is dropped.
pub(super) struct Turn<'e> {
    events: &'e Events,
    endpoint: EndpointId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = lock(&self.events.busy);
        if let Some(taken) = busy.get_mut(&self.endpoint) {
            *taken -= 1;
        }
        busy.retain(|_, taken| *taken > 0);
        drop(busy);
        self.events.freed.notify_waiters();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing is ever half-changed under these locks.
    mutex.lock().unwrap_or_else(|broken| broken.into_inner())
}

impl App {
    /// What is written beside a verification that changes.
    pub(super) fn told_of(&self, old: Option<&Versioned<Verification>>, new: &Verification) -> Vec<Change> {
        let mut body = event::of_verification(old.map(|old| &old.record), new, is_opt_out, self.now());
        for body in &mut body {
            body.service.get_or_insert_with(|| self.directory().default_service().id.clone());
        }
        self.told(body)
    }

    /// What is written beside a session that changes.
    pub(super) fn told_of_session(&self, old: &Session, new: &Session) -> Vec<Change> {
        let mut body = event::of_session(Some(old), new, self.now());
        if let Some(body) = &mut body {
            body.service.get_or_insert_with(|| self.directory().default_service().id.clone());
        }
        self.told(body.into_iter().collect())
    }

    /// Whether a delivery's change may be told to anybody: one of ours always,
    /// anybody else's when every delivery is asked for.
    pub(super) fn tells_of(&self, delivery: &Delivery) -> bool {
        let events = &self.0.events;
        delivery.id.is_some() || events.is_told(EventType::DeliveryUpdated, &events.known())
    }

    /// What is written beside a delivery that changes. Which service it belongs
    /// to stands with its verification, which is read only when there is
    /// something to tell; of one that is gone nobody says whose it was.
    pub(super) async fn told_of_delivery(
        &self,
        old: Option<&Versioned<Delivery>>,
        new: &Delivery,
    ) -> Result<Vec<Change>, AppError> {
        let events = &self.0.events;
        let mut body = event::of_delivery(old.map(|old| &old.record), new, is_opt_out, self.now());
        let endpoints = events.known();
        body.retain(|body| events.is_told(body.event_type, &endpoints));
        if let Some(id) = body.first().and_then(|body| body.verification.clone())
            && let Some(found) = records::get::<Verification>(self.store(), id.as_str()).await?
        {
            let verification = found.record;
            let number = new.id.as_ref().map(|id| id.parts().1);
            let send = number.and_then(|number| verification.send(number));
            for body in &mut body {
                let default = || self.directory().default_service().id.clone();
                body.service = Some(verification.service.clone().unwrap_or_else(default));
                body.test = verification.test;
                *body = body.clone().said_of(&verification);
                // What is known of a message may name no address yet.
                if body.channel == Some(DeliveryChannel::Sms) {
                    body.channel = send.map(|send| send.channel.into()).or(body.channel);
                }
                body.to.get_or_insert_with(|| verification.to.in_full().to_owned());
            }
        }
        Ok(self.told(body))
    }

    /// What has to be written for an event to be told: the records that somebody
    /// wants, and a dispatch to each endpoint that does.
    pub(super) fn told(&self, body: Vec<EventBody>) -> Vec<Change> {
        let events = &self.0.events;
        let endpoints = events.known();
        let mut changes = Vec::new();
        for body in body {
            if !events.is_told(body.event_type, &endpoints) {
                continue;
            }
            let event = self.named(body);
            // An endpoint is not told about itself.
            let takes = |endpoint: &&Endpoint| {
                endpoint.takes(event.body.event_type)
                    && event.body.endpoint.as_deref() != Some(endpoint.id.as_str())
            };
            changes.push(records::put(None, &event));
            changes.extend(
                endpoints
                    .iter()
                    .filter(takes)
                    .map(|endpoint| records::put(None, &self.dispatch(&event, endpoint))),
            );
        }
        changes
    }

    pub(super) fn named(&self, body: EventBody) -> Event {
        let id = self.next_id();
        let expires_at = after(self.now(), self.0.events.settings.retention);
        Event { id, body, expires_at }
    }

    pub(super) fn dispatch(&self, event: &Event, endpoint: &Endpoint) -> Dispatch {
        Dispatch::new(event.id.clone(), endpoint.id.clone(), self.now(), event.expires_at)
    }

    fn next_id(&self) -> EventId {
        let random: [u8; 16] = self.0.entropy.bytes();
        self.0.events.shared.watermarks.next(self.now(), u128::from_be_bytes(random))
    }

    /// Reads the list of endpoints, which every write of this process looks at.
    /// To be done once before the first write.
    ///
    /// # Errors
    /// The store's.
    pub async fn learn_endpoints(&self) -> Result<(), AppError> {
        let endpoints = self.endpoints().await?;
        *lock(&self.0.events.endpoints) = Arc::new(endpoints);
        Ok(())
    }

    /// Keeps the list of endpoints fresh until `stop`, then ends the streams.
    pub async fn keep_endpoints(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            if let Err(error) = self.learn_endpoints().await {
                tracing::error!(%error, "cannot read the endpoints");
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(REFRESH) => {}
            }
        }
        self.0.events.close();
    }
}

pub(super) fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
