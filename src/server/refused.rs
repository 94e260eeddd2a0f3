//! What is answered and logged of requests that were refused before anybody looked
//! at where they go: too large a head, or none to the letter. Their senders are
//! anybody, so a line comes once in a while and says how many it stands for.

use super::head::Refusal;
use super::{Limits, Rate, secure};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::net::SocketAddr;
use std::time::Instant;
use warp::http::StatusCode;

static TOO_LARGE: Rate = Rate::new();
static NO_HTTP: Rate = Rate::new();

/// Tells why a request was refused.
pub(super) fn tell(refusal: &Refusal, peer: SocketAddr, limits: &Limits) {
    let (now, status, why) = (Instant::now(), refusal.status.as_u16(), refusal.what);
    if refusal.status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
        if let Some(untold) = TOO_LARGE.pass(now) {
            tracing::warn!(
                %peer,
                untold,
                why,
                max_headers = limits.max_headers,
                max_head_bytes = limits.max_head_bytes,
                "request refused with 431: more header lines than server.max_headers, or more bytes than \
                 server.max_head_bytes: raise the one that a proxy in front goes beyond"
            );
        }
    } else if let Some(untold) = NO_HTTP.pass(now) {
        tracing::warn!(
            %peer,
            untold,
            status,
            why,
            "request refused with 400 or 5xx: it is no HTTP/1.1 as RFC 9112 has it: a proxy in front may speak the \
             PROXY protocol, TLS or HTTP/2 to this port: have it speak plain HTTP/1.1"
        );
    }
}

/// The whole answer, after which the connection ends.
pub(super) fn answer(refusal: &Refusal, over_tls: bool) -> String {
    let Refusal { status, what } = refusal;
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
    let date = date.map_or_else(|_| String::new(), |date| format!("date: {date}\r\n"));
    format!(
        "HTTP/1.1 {status}\r\n{date}connection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: {}\r\n{}\r\n{what}\n",
        what.len() + 1,
        secure::lines(over_tls)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole() {
        let refusal = Refusal { status: StatusCode::BAD_REQUEST, what: "there is no host header" };
        let answer = answer(&refusal, true);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\ndate: "), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        for line in ["x-content-type-options: nosniff", "strict-transport-security: max-age=", " GMT\r\n"] {
            assert!(head.contains(line), "{head}");
        }
        assert!(!super::answer(&refusal, false).contains("strict-transport"));
    }
}
