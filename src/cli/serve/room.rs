//! How many connections the process has descriptors for. Whatever comes in, some
//! are kept back: what sends, the store and the database need theirs, or a crowd
//! at the door would stop all that the service is for.

use crate::cli::process::descriptors;
use crate::config::Config;
use crate::server::Limits;
use anyhow::ensure;

/// For files, pipes, look-ups of names, and what opens one for a moment.
const KEPT: u64 = 64;
/// Connections of this machine's own tools at once, which have a listener of theirs.
pub const ADMIN_CONNECTIONS: usize = 32;
/// With fewer it is no server.
const LEAST: u64 = 64;

/// Descriptors that no client may have: each request that goes out has one, and
/// as many rest in pools.
pub fn kept(config: &Config) -> u64 {
    let out = config.twilio.max_in_flight + config.events.max_in_flight;
    let callbacks = if config.sandbox.enabled { KEPT } else { 0 };
    // One more connection to a database looks after it now and then.
    KEPT + ADMIN_CONNECTIONS as u64 + callbacks + 2 * out as u64 + config.store.connections as u64 + 1
}

/// Raises the process's limit as far as it goes, and lowers what does not fit in
/// it, each server's in the same proportion.
///
/// # Errors
/// When there are too few to serve at all, with the mend.
pub fn fit(servers: &mut [&mut Limits], kept: u64) -> anyhow::Result<()> {
    let Some(descriptors) = descriptors() else {
        return Ok(());
    };
    ensure!(
        descriptors >= LEAST,
        "the process may have {descriptors} descriptors, and needs {LEAST} to serve: raise the limit \
         (`ulimit -n`, LimitNOFILE= of systemd)"
    );
    let wanted: u64 = servers.iter().map(|limits| limits.max_connections as u64).sum();
    let there = share(descriptors, kept);
    if wanted <= there {
        return Ok(());
    }
    for limits in &mut *servers {
        let lowered = |own: usize| usize::try_from(own as u64 * there / wanted).unwrap_or(own).max(1);
        limits.max_connections = lowered(limits.max_connections);
        limits.max_connections_per_peer = lowered(limits.max_connections_per_peer);
    }
    let connections: Vec<_> = servers.iter().map(|limits| limits.max_connections).collect();
    tracing::warn!(
        descriptors,
        wanted,
        ?connections,
        "too few descriptors for server.max_connections, which is lowered: raise the limit (ulimit -n)"
    );
    Ok(())
}

/// What connections may have; where little is there, half of it.
fn share(descriptors: u64, kept: u64) -> u64 {
    descriptors - kept.min(descriptors / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_kept_back_whatever_the_limit() {
        assert_eq!(share(20_000, 204), 19_796);
        assert_eq!(share(1024, 204), 820);
        assert_eq!(share(64, 204), 32);
        let config = crate::config::parse(None, &crate::config::Env::default()).unwrap().config;
        assert_eq!(kept(&config), 64 + 64 + 32 + 2 * 32 + 8 + 1);
    }
}
