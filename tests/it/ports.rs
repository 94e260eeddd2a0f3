//! Ports for programs that have to be told theirs before they listen.
//!
//! A port that the system hands out and that is let go again may be anybody's a
//! moment later, another test's first of all. These are below those that systems
//! hand out, and each is held by the same port of UDP, which nobody here uses,
//! until the test lets it go.

use std::net::{TcpListener, UdpSocket};

/// Below where Linux begins to hand out, and above what has a meaning.
const RANGE: std::ops::Range<u16> = 12_000..30_000;

/// A port that is nobody else's.
pub struct Port {
    pub number: u16,
    _held: UdpSocket,
}

/// Takes one.
pub fn take() -> Port {
    let few = RANGE.len();
    let first = std::process::id() as usize % few;
    let free = |n: usize| {
        let number = RANGE.start + u16::try_from((first + n) % few).unwrap();
        let held = UdpSocket::bind(("127.0.0.1", number)).ok()?;
        TcpListener::bind(("127.0.0.1", number)).ok()?;
        Some(Port { number, _held: held })
    };
    (0..few).find_map(free).expect("a port that is free")
}

#[test]
fn a_port_is_taken_once_and_can_be_listened_on() {
    let (one, other) = (take(), take());
    assert_ne!(one.number, other.number);
    TcpListener::bind(("127.0.0.1", one.number)).unwrap();
}
