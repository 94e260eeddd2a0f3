//! What is said in the log of requests that were refused before anybody looked
//! at where they went: too large a head, or no HTTP at all. Their senders are
//! anybody, so a line comes once in a while and says how many it stands for.

use super::{Limits, Rate};
use std::net::SocketAddr;
use std::time::Instant;

static TOO_LARGE: Rate = Rate::new();
static NO_HTTP: Rate = Rate::new();

/// Tells why a connection ended early, when its request was refused.
pub(super) fn tell(error: &hyper::Error, peer: SocketAddr, limits: &Limits) {
    let now = Instant::now();
    if error.is_parse_too_large() {
        if let Some(untold) = TOO_LARGE.pass(now) {
            tracing::warn!(
                %peer,
                untold,
                max_headers = limits.max_headers,
                max_head_bytes = limits.max_head_bytes,
                "request refused with 431: more header lines than server.max_headers, or more bytes than \
                 server.max_head_bytes: raise the one that a proxy in front goes beyond"
            );
        }
    } else if error.is_parse()
        && let Some(untold) = NO_HTTP.pass(now)
    {
        tracing::warn!(
            %peer,
            untold,
            %error,
            "request refused with 400: it is no HTTP/1: a proxy in front may speak the PROXY protocol, TLS or \
             HTTP/2 to this port: have it speak plain HTTP/1.1"
        );
    }
}
