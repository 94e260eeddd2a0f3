//! What is said in the log of requests that were refused before anybody looked
//! at where they went: too large a head, or no HTTP at all. Their senders are
//! anybody, so a line comes once in a while and says how many it stands for.

use super::Limits;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The least time between two lines of one kind.
const PACE: Duration = Duration::from_secs(1);

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

/// Lets one line pass in each span, and counts the others.
struct Rate(Mutex<(Option<Instant>, u64)>);

impl Rate {
    const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// How many were not told since the last line, when it is time for one.
    fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, untold) = &mut *state;
        if last.is_some_and(|last| now.duration_since(last) < PACE) {
            *untold += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_a_line_a_second_that_counts_the_others() {
        let (rate, start) = (Rate::new(), Instant::now());
        assert_eq!(rate.pass(start), Some(0));
        assert!((0..50).all(|_| rate.pass(start).is_none()));
        assert_eq!(rate.pass(start + PACE), Some(50));
        assert_eq!(rate.pass(start + PACE), None);
        assert_eq!(rate.pass(start + 3 * PACE), Some(1));
    }
}
