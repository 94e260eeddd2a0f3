//! The one place where every command gets its configuration from, and what of it is
//! handed to the leaves.

use super::Global;
use crate::config::{self, Config, Env, Loaded, LogFormat, Problems};
use crate::server::Limits;
use crate::telemetry::Format;

/// The configuration that the arguments and the environment ask for.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn load(global: &Global) -> Result<Loaded, Problems> {
    config::load(global.config.as_deref(), &Env::of_process())
}

/// The same, with what is wrong told beside it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn look(global: &Global) -> Result<Loaded, Problems> {
    config::look(global.config.as_deref(), &Env::of_process())
}

// The pieces that are handed on: a leaf does not know the configuration, and the
// configuration does not know its users.

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let server = &config.server;
        Self {
            max_connections: server.max_connections,
            max_connections_per_peer: server.max_connections_per_peer,
            uncounted_peers: config.signature.trusted_proxies.as_slice().into(),
            max_body_bytes_in_flight: server.max_body_bytes_in_flight,
            max_head_bytes: server.max_head_bytes,
            max_headers: server.max_headers,
            head_timeout: server.head_timeout,
            idle_timeout: server.idle_timeout,
            request_timeout: server.request_timeout,
            write_stall_timeout: server.write_stall_timeout,
            drain_timeout: server.drain_timeout,
            over_tls: config.public_url.as_deref().is_some_and(|url| url.starts_with("https:")),
        }
    }
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Human => Self::Human,
            LogFormat::Json => Self::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_in_the_file_are_the_server_s_own() {
        let loaded = config::parse(None, &Env::default()).unwrap();
        assert_eq!(Limits::from(&loaded.config), Limits::default());
    }
}
