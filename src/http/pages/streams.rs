//! Whose live news are open. A session has two, of which a newer takes the place of
//! an older; an address has its share, and the last are for addresses that have
//! none. Who gets no place is told by what else there is (`events`). It refuses to
//! know what is told.

use crate::model::id::SessionId;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Streams of all sessions at once.
const MOST: usize = 1000;
/// Those of one session: a page, and one that is closing.
const OF_SESSION: usize = 2;
/// Those of one address, or of 64 bits of an IPv6 address.
const OF_ADDRESS: usize = MOST / 8;
/// Those that only addresses without any may still take.
const RESERVE: usize = MOST / 4;

/// The open streams.
#[derive(Default, Clone)]
pub struct Streams(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    sessions: HashMap<SessionId, Vec<Arc<Notify>>>,
    addresses: HashMap<IpAddr, usize>,
}

/// A stream's place among them, given back when it ends.
pub struct Seat {
    streams: Streams,
    id: SessionId,
    address: IpAddr,
    ends: Arc<Notify>,
}

impl Streams {
    /// A place for a session's page that is looked at from an address.
    pub fn open(&self, id: &SessionId, address: IpAddr) -> Option<Seat> {
        let address = network(address);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { sessions, addresses } = &mut *open;
        let (all, own) = (addresses.values().sum::<usize>(), addresses.get(&address).copied().unwrap_or(0));
        let is_left = if own == 0 { all < MOST } else { own < OF_ADDRESS && all < MOST - RESERVE };
        let seats = sessions.get(id).map_or(0, Vec::len);
        // One that takes another's place needs none.
        if !is_left && seats < OF_SESSION {
            return None;
        }
        *addresses.entry(address).or_default() += 1;
        let ends = Arc::new(Notify::new());
        let seats = sessions.entry(id.clone()).or_default();
        if seats.len() >= OF_SESSION {
            seats.remove(0).notify_one();
        }
        seats.push(ends.clone());
        Some(Seat { streams: self.clone(), id: id.clone(), address, ends })
    }
}

impl Seat {
    /// Resolves when a newer stream has taken this place.
    pub async fn lost(&self) {
        self.ends.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = open.sessions.get_mut(&self.id) {
            seats.retain(|ends| !Arc::ptr_eq(ends, &self.ends));
            if seats.is_empty() {
                open.sessions.remove(&self.id);
            }
        }
        match open.addresses.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.addresses.remove(&self.address)),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(own) => Ipv6Addr::from_bits(own.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: usize) -> SessionId {
        SessionId::from_random((n as u128).to_be_bytes())
    }

    #[tokio::test]
    async fn in_a_session_the_newest_win() {
        let (streams, address) = (Streams::default(), IpAddr::from([192, 0, 2, 1]));
        let one = streams.open(&session(1), address).unwrap();
        let two = streams.open(&session(1), address).unwrap();
        let three = streams.open(&session(1), address).unwrap();
        one.lost().await;
        let four = streams.open(&session(1), address).unwrap();
        two.lost().await;
        drop((one, two, three, four));
        let open = streams.0.lock().unwrap();
        assert!(open.sessions.is_empty() && open.addresses.is_empty());
    }

    #[test]
    fn no_address_takes_more_than_its_share_and_all_together_leave_some() {
        let streams = Streams::default();
        let of = |address: [u8; 4], sessions: std::ops::Range<usize>| -> Vec<Seat> {
            sessions.filter_map(|n| streams.open(&session(n), address.into())).collect()
        };
        let first = of([192, 0, 2, 1], 0..2000);
        assert_eq!(first.len(), OF_ADDRESS);
        let others: Vec<_> = (2..30)
            .map(|n| of([192, 0, 2, n], 2000 * usize::from(n)..2000 * usize::from(n) + 2000))
            .collect();
        assert_eq!(others.iter().filter(|own| own.len() == OF_ADDRESS).count(), 5);
        assert!(others.iter().all(|own| !own.is_empty()));
        assert_eq!(of([198, 51, 100, 1], 900_000..900_002).len(), 1, "of the reserve each gets one");
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        assert_eq!(network(v6(1)), network(v6(2)));
    }
}
