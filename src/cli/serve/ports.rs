//! Where is listened, and what bounds each of the listeners.

use super::{beside, room};
use crate::config::Config;
use crate::server::{self, Limits};
use anyhow::Context;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// What bounds each of the listeners.
pub(super) struct AllLimits {
    pub server: Limits,
    pub admin: Limits,
    pub sandbox: Limits,
}

/// The limits of the listeners, as far as there are descriptors.
pub(super) fn limits(config: &Config) -> anyhow::Result<AllLimits> {
    let (mut server, mut sandbox) = (Limits::from(config), beside::limits());
    match config.sandbox.enabled {
        true => room::fit(&mut [&mut server, &mut sandbox], room::kept(config))?,
        false => room::fit(&mut [&mut server], room::kept(config))?,
    }
    let admin = Limits {
        max_connections: room::ADMIN_CONNECTIONS,
        max_connections_per_peer: room::ADMIN_CONNECTIONS,
        uncounted_peers: [].into(),
        over_tls: false,
        ..Limits::from(config)
    };
    Ok(AllLimits { server, admin, sandbox })
}

/// Listens there.
///
/// # Errors
/// When it cannot, with the key to turn.
pub fn bind(addr: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    server::listen(addr)
        .with_context(|| format!("cannot listen on {addr}: set {key} to a free address, or port 0 for any"))
}

/// The address that a process on this machine can reach.
pub fn reachable(addr: SocketAddr) -> SocketAddr {
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    addr
}
