//! What bounds the server.

use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;

/// What bounds the server. Every span is wall-clock time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once. For one more, whoever keeps us waiting longest
    /// for a request is cut; while all are busy, it waits in the kernel's backlog.
    pub max_connections: usize,
    /// Connections of one peer, an IPv4 address or 64 bits of IPv6. For one more,
    /// it loses one that keeps us waiting; while all are busy, the new one.
    pub max_connections_per_peer: usize,
    /// Peers of which this does not hold: proxies, behind which everybody is.
    pub uncounted_peers: Arc<[IpNet]>,
    /// Bytes of all requests' bodies at once, from when they are read until their
    /// handlers have answered. For more, the one that has been on its way longest
    /// is answered 503; while all are here, the new one.
    pub max_body_bytes_in_flight: usize,
    /// Bytes of a request's head, and of the read buffer. At least 8192.
    pub max_head_bytes: usize,
    /// Header lines in a request.
    pub max_headers: usize,
    /// From a head's first byte to its end. A connection that has sent nothing
    /// yet has this long to begin.
    pub head_timeout: Duration,
    /// How long a kept-alive connection may rest between two requests. Make it
    /// longer than the proxy in front keeps its connections, or the proxy will
    /// now and then send a request into a closing one.
    pub idle_timeout: Duration,
    /// From a request's head to its answer's head, the body's arrival included:
    /// then 408 while the body is still coming, else 503, whose handler is not
    /// dropped: it runs to its end, unheard.
    pub request_timeout: Duration,
    /// How long a client may take no byte of an answer that waits for it.
    pub write_stall_timeout: Duration,
    /// How long a stop waits for work in flight before it cuts connections.
    pub drain_timeout: Duration,
    /// Whether everybody comes over TLS, by way of a proxy in front: then answers
    /// tell browsers to come in no other way (HSTS).
    pub over_tls: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_connections_per_peer: 2048,
            uncounted_peers: [].into(),
            max_body_bytes_in_flight: 16 * 1024 * 1024,
            max_head_bytes: 16 * 1024,
            max_headers: 64,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            // Twilio waits 15 s at most: an answer after that is for nobody.
            request_timeout: Duration::from_secs(15),
            write_stall_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(20),
            over_tls: false,
        }
    }
}
