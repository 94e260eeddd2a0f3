//! The accept loop around a warp service: limits, deadlines, drain.
//!
//! warp's own server sets no header timer and no connection limit, takes heads
//! of 100 KB and cleartext HTTP/2, and its graceful stop may never return. This
//! one speaks HTTP/1 only (a TLS proxy stands in front) and bounds every wait.
//!
//! It refuses to know what is served: routes, body sizes, configuration, whose
//! requests these are. The one thing it tells the service is [`Incoming`].

mod arrival;
mod caller;
mod connection;
mod head;
mod incoming;
mod inspect;
mod io;
mod limits;
mod local;
mod rate;
mod refused;
mod request;
mod room;
mod secure;

use self::connection::Connection;
use self::room::{Admission, Most, Place, Room};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

pub use self::caller::gone as caller_gone;
pub use self::incoming::Incoming;
pub use self::limits::Limits;
pub use self::local::{Stranger, is_local, stranger};
pub use self::rate::{PACE, Rate};
pub use self::request::{Handler, RequestBody};

/// How a stop went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections cut at the deadline.
    pub connections_cut: usize,
    /// Requests whose handlers were still running at the deadline. They are
    /// left to the runtime, whose end is theirs.
    pub requests_unfinished: usize,
}

/// Connections that may wait in the kernel to be accepted, as far as its own
/// limit (`net.core.somaxconn`) allows. Past the 128 that are usual a burst of
/// connections loses some, whose clients try again after a second.
const BACKLOG: u32 = 4096;

/// Listens on an address, with room for a burst of connections.
///
/// # Errors
/// Those of the socket: the address is taken, or not ours.
pub fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again finds connections of the last one in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves `service` on `listener` until `shutdown` resolves, then drains.
///
/// The service is `warp::service(filter)`, or any tower service that is always
/// ready. Each request runs in a task of its own: a panic is answered with 500,
/// and a client that leaves does not drop its handler half-way; one that only reads
/// can ask by [`caller_gone`].
///
/// The drain takes what already waits in the backlog, closes the listener, lets
/// every connection finish the request it is in, waits also for handlers whose
/// client has left, and is over after `limits.drain_timeout` at the latest.
pub async fn serve<S: Handler>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let room = Room::new(Most {
        connections: limits.max_connections,
        connections_per_peer: limits.max_connections_per_peer,
        uncounted: limits.uncounted_peers.clone(),
        body_bytes: limits.max_body_bytes_in_flight,
    });
    let mut door = Door { listener, room, held: None };
    let (stop, stopping) = watch::channel(false);
    // Every handler holds a sender; when all are gone nothing is in flight.
    let (in_flight, mut all_done) = mpsc::channel::<Infallible>(1);
    let mut connections = JoinSet::new();
    let open = |accepted: Accepted, connections: &mut JoinSet<()>| {
        let connection = Connection {
            peer: accepted.peer,
            service: service.clone(),
            limits: limits.clone(),
            stopping: stopping.clone(),
            in_flight: in_flight.clone(),
            place: accepted.place,
        };
        connections.spawn(connection.run(accepted.stream));
    };

    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = door.next() => open(accepted, &mut connections),
        }
    }

    // A connection in the backlog was made in good faith; one that comes after
    // the listener is closed is refused, which clients know how to repeat. Then
    // the last ones get as long to show their request.
    let settle = SETTLE.min(limits.drain_timeout);
    let backlog = async {
        loop {
            open(door.next().await, &mut connections);
        }
    };
    let _over: Result<(), _> = tokio::time::timeout(settle, backlog).await;
    drop(door);
    tokio::time::sleep(settle).await;
    // Nobody listens when no connection is left, and that is fine.
    let _ = stop.send(true);

    let handlers = in_flight.downgrade();
    drop(in_flight);
    let drained = tokio::time::timeout(limits.drain_timeout, async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
        all_done.recv().await;
    });
    if drained.await.is_ok() {
        return Drained::default();
    }
    // Each open connection holds one sender besides its handler's.
    let connections_cut = connections.len();
    let requests_unfinished = handlers.strong_count().saturating_sub(connections_cut);
    connections.shutdown().await;
    tracing::warn!(connections_cut, requests_unfinished, "stopped with work in flight");
    Drained { connections_cut, requests_unfinished }
}

/// How long a stop goes on accepting, and then again how long it waits before it
/// tells connections to finish: handshakes and requests may still be on their
/// way through the kernel.
const SETTLE: Duration = Duration::from_millis(50);

/// How long to rest when the machine can give no more connections.
const BACK_OFF: Duration = Duration::from_millis(100);

/// A connection with the seat it has.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
}

/// Where connections come in.
struct Door {
    listener: TcpListener,
    room: Arc<Room>,
    /// One that came and found no room.
    held: Option<(TcpStream, SocketAddr)>,
}

impl Door {
    /// The next connection that has a seat. While everybody is busy one stands at
    /// the door, and the rest wait in the kernel and cost us nothing. Safe to drop
    /// at any time.
    async fn next(&mut self) -> Accepted {
        loop {
            if self.held.is_none() {
                self.held = Some(self.accept().await);
            }
            let Some((stream, peer)) = self.held.take() else { continue };
            match self.room.admit(peer.ip()) {
                Admission::Seat(place) => return Accepted { stream, peer, place },
                Admission::Refused => tracing::debug!(%peer, "connection refused: its peer has too many"),
                Admission::Full => {
                    self.held = Some((stream, peer));
                    self.room.freed().await;
                }
            }
        }
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {
                    tracing::debug!(%error, "connection lost before it was accepted");
                }
                // Out of descriptors or memory: accepting at once would spin.
                Err(error) => {
                    tracing::warn!(%error, back_off_ms = BACK_OFF.as_millis(), "cannot accept connections");
                    self.room.make();
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

/// True for errors of the one connection that was to be accepted (accept(2)).
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "connection task panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_descriptors_is_not_the_fault_of_one_connection() {
        let (emfile, aborted) = (24, 103);
        assert!(!is_of_one_connection(&std::io::Error::from_raw_os_error(emfile)));
        assert!(is_of_one_connection(&std::io::Error::from_raw_os_error(aborted)));
    }
}
