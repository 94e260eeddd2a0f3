//! The room there is, for connections and for bodies on their way in, and who
//! has it. When there is none left, whoever keeps us waiting gives theirs up to
//! whoever comes: many that say nothing must not keep out one that does.
//!
//! What a handler is busy with is never cut here. It refuses to know sockets,
//! HTTP and what is served.

use super::arrival::Arrival;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How much there is.
#[derive(Debug)]
pub(super) struct Most {
    pub(super) connections: usize,
    pub(super) connections_per_peer: usize,
    /// Networks whose connections are not counted by peer: proxies, behind which
    /// everybody is.
    pub(super) uncounted: Arc<[IpNet]>,
    pub(super) body_bytes: usize,
}

/// What a connection keeps us waiting for, in the order in which it has to go:
/// of those that wait for the same, the one that has waited longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// Its end: it was answered for the last time.
    End,
    /// Its first request's head.
    Head,
    /// The rest of a body.
    Body,
    /// Another request, or none: it was answered, and may rest.
    Rest,
}

/// The room of a server.
#[derive(Debug)]
pub(super) struct Room {
    most: Most,
    state: Mutex<State>,
    /// Told when it is worth asking for a seat again.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Counts everything that happens, so that what was first is known.
    now: u64,
    seats: HashMap<u64, Seat>,
    peers: HashMap<IpAddr, Peer>,
    waiting: BTreeSet<Turn>,
    /// Somebody stands at the door.
    is_wanted: bool,
    body_bytes: usize,
    bodies: BTreeMap<u64, Body>,
    cut: Cut,
}

/// A connection that waits: in which order it goes, and its number.
type Turn = (Wait, u64, u64);

#[derive(Debug)]
struct Seat {
    peer: Option<IpAddr>,
    /// Nobody has looked whether its first request is here already.
    is_new: bool,
    waits: Option<Turn>,
    cut: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Peer {
    seats: usize,
    new: usize,
    waiting: BTreeSet<Turn>,
}

#[derive(Debug)]
struct Body {
    bytes: usize,
    arrival: Arc<Arrival>,
}

/// What was cut since it was last told.
#[derive(Debug, Default)]
struct Cut {
    connections: u64,
    told: Option<Instant>,
}

/// How often it is told at most that there is no room.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What becomes of a connection at the door.
#[derive(Debug)]
pub(super) enum Admission {
    Seat(Place),
    /// Its peer has as many as a peer may have, all of them busy.
    Refused,
    /// There is no room, and nobody who could make any: [`Room::freed`] tells.
    Full,
}

impl Room {
    pub(super) fn new(most: Most) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), freed: Notify::new() })
    }

    /// A seat for a connection of this peer; who has to go for it is told.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Admission {
        let peer = self.counted(peer);
        let mut state = self.state();
        if let Some(own) = peer.and_then(|peer| state.peers.get(&peer))
            && own.seats >= self.most.connections_per_peer
        {
            match own.waiting.first().copied() {
                Some((.., number)) => state.cut(number),
                // One of those will wait, or work, in a moment.
                None if own.new > 0 => {
                    state.is_wanted = true;
                    return Admission::Full;
                }
                None => return Admission::Refused,
            }
        }
        if state.seats.len() >= self.most.connections && !state.cut_first() {
            state.is_wanted = true;
            return Admission::Full;
        }
        state.is_wanted = false;
        let (number, cut) = (state.tick(), Arc::new(Notify::new()));
        state.seats.insert(number, Seat { peer, is_new: true, waits: None, cut: cut.clone() });
        if let Some(peer) = peer {
            let own = state.peers.entry(peer).or_default();
            (own.seats, own.new) = (own.seats + 1, own.new + 1);
        }
        Admission::Seat(Place { room: self.clone(), number, cut })
    }

    /// Cuts whoever keeps us waiting longest, for the machine has no more to give.
    pub(super) fn make(&self) {
        self.state().cut_first();
    }

    /// Resolves when a seat may have come free since [`Room::admit`] found none.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// What a peer is counted as: a home or a machine has an IPv4 address, or
    /// 64 bits of IPv6.
    fn counted(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if self.most.uncounted.iter().any(|net| net.contains(&peer)) {
            return None;
        }
        Some(match peer {
            IpAddr::V4(_) => peer,
            IpAddr::V6(own) => Ipv6Addr::from_bits(own.to_bits() >> 64 << 64).into(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Writes down what a connection does; true when that may let somebody in.
    fn set_waits(&mut self, number: u64, wait: Option<Wait>) -> bool {
        let now = self.tick();
        let Some(seat) = self.seats.get_mut(&number) else { return false };
        let turn = wait.map(|wait| (wait, now, number));
        let before = std::mem::replace(&mut seat.waits, turn);
        let was_new = std::mem::take(&mut seat.is_new);
        exchange(&mut self.waiting, before, turn);
        if let Some(own) = seat.peer.and_then(|peer| self.peers.get_mut(&peer)) {
            own.new -= usize::from(was_new);
            exchange(&mut own.waiting, before, turn);
        }
        self.is_wanted && (turn.is_some() || was_new)
    }

    fn cut_first(&mut self) -> bool {
        let Some((_, _, number)) = self.waiting.first().copied() else { return false };
        self.cut(number);
        true
    }

    fn cut(&mut self, number: u64) {
        if let Some(seat) = self.leave(number) {
            seat.cut.notify_one();
            self.cut.connections += 1;
            if self.cut.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                let connections = std::mem::take(&mut self.cut.connections);
                self.cut.told = Some(Instant::now());
                tracing::warn!(
                    connections,
                    "no room for more connections: those that kept us waiting longest were cut"
                );
            }
        }
    }

    fn leave(&mut self, number: u64) -> Option<Seat> {
        self.set_waits(number, None);
        let seat = self.seats.remove(&number)?;
        if let Some(peer) = seat.peer
            && let Some(own) = self.peers.get_mut(&peer)
        {
            own.seats -= 1;
            if own.seats == 0 {
                self.peers.remove(&peer);
            }
        }
        Some(seat)
    }

    /// Takes the room of the body that has been on its way longest and is not
    /// here yet; false when there is none but this one.
    fn shed_first(&mut self, but: u64) -> bool {
        let mut others = self.bodies.iter().filter(|(number, body)| **number != but && body.bytes > 0);
        let Some((&number, _)) = others.find(|(_, body)| body.arrival.shed()) else { return false };
        self.release(number);
        true
    }

    fn release(&mut self, number: u64) {
        let bytes = self.bodies.remove(&number).map_or(0, |body| body.bytes);
        self.body_bytes -= bytes;
    }
}

fn exchange(queue: &mut BTreeSet<Turn>, before: Option<Turn>, now: Option<Turn>) {
    if let Some(before) = before {
        queue.remove(&before);
    }
    queue.extend(now);
}

/// A connection's seat; it comes free when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
    cut: Arc<Notify>,
}

impl Place {
    /// Resolves when the seat is somebody else's by now.
    pub(super) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// For whoever knows what the connection does.
    pub(super) fn sign(&self) -> Sign {
        Sign { room: self.room.clone(), number: self.number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.state().leave(self.number);
        self.room.freed.notify_one();
    }
}

/// Says what a connection does, for as long as it is there.
#[derive(Debug, Clone)]
pub(super) struct Sign {
    room: Arc<Room>,
    number: u64,
}

impl Sign {
    /// We wait for it from now on.
    pub(super) fn waits(&self, wait: Wait) {
        self.set(Some(wait));
    }

    /// It waits for us.
    pub(super) fn works(&self) {
        self.set(None);
    }

    fn set(&self, wait: Option<Wait>) {
        if self.room.state().set_waits(self.number, wait) {
            self.room.freed.notify_one();
        }
    }

    /// Counts a body from now on until the answer is dropped.
    pub(super) fn body(&self, arrival: Arc<Arrival>) -> Held {
        let mut state = self.room.state();
        let number = state.tick();
        state.bodies.insert(number, Body { bytes: 0, arrival });
        Held { room: self.room.clone(), number }
    }
}

/// The room that a body has; it comes free when this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Room>,
    number: u64,
}

impl Held {
    /// Takes room for so many bytes more; false when there is none, even after
    /// all that keep us waiting have given theirs up.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let mut state = self.room.state();
        while state.body_bytes + bytes > self.room.most.body_bytes {
            if !state.shed_first(self.number) {
                return false;
            }
        }
        let Some(body) = state.bodies.get_mut(&self.number) else { return false };
        body.bytes += bytes;
        state.body_bytes += bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.state().release(self.number);
    }
}

#[cfg(test)]
mod tests;
