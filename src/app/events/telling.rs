//! Who is told what: the settings, the endpoints that are known, and the places for
//! requests and streams.

use super::seats::{Seat, Seats};
use super::watermarks::{Shared, lock};
use crate::app::base::Base;
use crate::app::services::Directory;
use crate::gateway::webhook::Courier;
use crate::model::audit::Actor;
use crate::model::endpoint::Endpoint;
use crate::model::event::{EventFilter, EventType};
use crate::model::id::EndpointId;
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

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
        let filters = ["verification.*", "message.*", "session.*", "opt_out.*", "endpoint.*"];
        let of_decisions = ["admission.*", "fraud.*", "budget.*", "operator.*"];
        Self {
            record: filters.iter().chain(&of_decisions).filter_map(|filter| filter.parse().ok()).collect(),
            retention: SignedDuration::from_hours(30 * 24),
            max_endpoints: Self::MOST_ENDPOINTS,
            max_in_flight: 16,
            max_streams: 100,
            timeout: Duration::from_secs(10),
            disable_after: SignedDuration::from_hours(5 * 24),
        }
    }
}

/// Who tells applications what happened.
pub struct Telling {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services, for those that events name.
    pub directory: Arc<Directory>,
    /// Who is told, and what is on its way.
    pub events: Events,
}

/// The telling: who is told, and what is on its way.
pub struct Events {
    pub(in crate::app) courier: Arc<dyn Courier>,
    pub(in crate::app) settings: EventSettings,
    pub(in crate::app) endpoints: Mutex<Arc<Vec<Endpoint>>>,
    busy: Mutex<HashMap<EndpointId, usize>>,
    /// A request ended.
    freed: Notify,
    seats: Seats,
    pub(in crate::app) shared: Arc<Shared>,
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

    /// Sees from now on when an event is written.
    pub(in crate::app) fn watch(&self, store: &dyn Store) {
        let shared = Arc::downgrade(&self.shared);
        store.watch(shared);
    }

    /// Something to dispatch was written.
    pub(in crate::app) fn wake(&self) -> Arc<Notify> {
        self.shared.wake.clone()
    }

    /// A place to send to an endpoint, if it does not have its share already.
    pub(in crate::app) fn turn(&self, endpoint: &EndpointId) -> Option<Turn<'_>> {
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
    pub(in crate::app) fn share(&self) -> usize {
        self.settings.max_in_flight.div_ceil(2)
    }

    /// The same, waited for.
    pub(in crate::app) async fn turn_in(
        &self,
        endpoint: &EndpointId,
        patience: Duration,
    ) -> Option<Turn<'_>> {
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

    pub(in crate::app) fn stream(&self, who: &Actor) -> Option<Seat> {
        self.seats.take(who)
    }

    pub(in crate::app) fn known(&self) -> Arc<Vec<Endpoint>> {
        lock(&self.endpoints).clone()
    }

    pub(in crate::app) fn is_told(&self, event_type: EventType, endpoints: &[Endpoint]) -> bool {
        self.settings.record.iter().any(|filter| filter.takes(event_type))
            || endpoints.iter().any(|endpoint| endpoint.takes(event_type))
    }

    /// Ends every stream: nothing more is told here.
    pub(in crate::app) fn close(&self) {
        self.shared.written.send_replace(None);
    }
}

/// A place among the requests to an endpoint, until it is dropped.
pub(in crate::app) struct Turn<'e> {
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

pub(in crate::app) fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
