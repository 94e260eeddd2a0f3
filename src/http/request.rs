//! A request as handlers see it; its body is read once, with a limit.

use super::error::Error;
use crate::server::Incoming;
use crate::twilio::form;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use warp::http::{HeaderMap, Method};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// A request.
pub struct Request {
    /// The segments that stand for names in the route's pattern, raw.
    pub params: Vec<String>,
    /// The method.
    pub method: Method,
    /// All headers.
    pub headers: HeaderMap,
    incoming: Incoming,
    body: Chunks,
}

impl Request {
    /// A request from what the filters extract.
    pub fn new<S, B>(
        params: Vec<String>,
        method: Method,
        incoming: Incoming,
        headers: HeaderMap,
        body: S,
    ) -> Self
    where
        S: Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
        B: Buf,
    {
        let body = body.map(|chunk| chunk.map(|mut chunk| chunk.copy_to_bytes(chunk.remaining())));
        Self { params, method, headers, incoming, body: Box::pin(body) }
    }

    /// Path and query exactly as received.
    pub fn raw_path_and_query(&self) -> &str {
        self.incoming.uri.path_and_query().map_or("/", |raw| raw.as_str())
    }

    /// The path exactly as received.
    pub fn path(&self) -> &str {
        self.incoming.uri.path()
    }

    /// The query as received, without its question mark.
    pub fn query(&self) -> &str {
        self.incoming.uri.query().unwrap_or("")
    }

    /// Who is at the other end of the connection: an IPv4 address as one, also
    /// where a listener on `[::]` has it as a part of an IPv6 address.
    pub fn peer(&self) -> IpAddr {
        self.incoming.peer.ip().to_canonical()
    }

    /// Whose share a request is of: the peer, or whom a proxy saw last that is trusted
    /// or on this machine. Good for sharing out, and proof of nothing.
    pub fn client(&self, trusted: &[IpNet]) -> IpAddr {
        self.behind(|ip| ip.is_loopback() || trusted.iter().any(|net| net.contains(ip)))
    }

    /// The address of the person whose browser sent a request: the peer, or whom a proxy
    /// saw last that is trusted. No other header says it.
    pub fn person(&self, trusted: &[IpNet]) -> IpAddr {
        self.behind(|hop| trusted.iter().any(|net| net.contains(hop)))
    }

    /// The last address on a request's way that is no proxy.
    pub fn behind(&self, is_proxy: impl Fn(&IpAddr) -> bool) -> IpAddr {
        let peer = self.peer();
        if !is_proxy(&peer) {
            return peer;
        }
        let lines = self.headers.get_all("x-forwarded-for").into_iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        let mut way =
            lines.iter().rev().flat_map(|line| line.rsplit(',')).map_while(|hop| address(hop.trim()));
        way.find(|hop| !is_proxy(hop)).unwrap_or(peer)
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The form of a POST, whole, its query being bounded too. `limit` and
    /// [`form::MAX_BYTES`] both hold.
    ///
    /// # Errors
    /// Those of [`Request::body`], and when there are too many pairs.
    pub async fn form(&mut self, limit: usize, deadline: Duration) -> Result<Bytes, Error> {
        let too_many = Error::TooManyPairs { limit: form::MAX_PAIRS };
        if form::has_too_many(self.query().as_bytes()) {
            return Err(too_many);
        }
        let body = self.body(limit.min(form::MAX_BYTES), deadline).await?;
        if form::has_too_many(&body) { Err(too_many) } else { Ok(body) }
    }

    /// The body, whole. One that says it is too long is not waited for.
    ///
    /// # Errors
    /// When it is longer than `limit` bytes, late, or broken off.
    pub async fn body(&mut self, limit: usize, deadline: Duration) -> Result<Bytes, Error> {
        let told = self.header("content-length").and_then(|length| length.parse::<u64>().ok());
        if told.is_some_and(|told| told > limit as u64) {
            return Err(Error::BodyTooLarge { limit });
        }
        let collect = async {
            let mut whole = BytesMut::new();
            while let Some(chunk) = self.body.next().await {
                let chunk = chunk.map_err(|_| Error::BodyBroken)?;
                if whole.len() + chunk.len() > limit {
                    return Err(Error::BodyTooLarge { limit });
                }
                whole.extend_from_slice(&chunk);
            }
            Ok(whole.freeze())
        };
        tokio::time::timeout(deadline, collect).await.unwrap_or(Err(Error::BodyLate))
    }
}

/// An address as proxies write it, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.trim_matches(['[', ']']).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    #[test]
    fn an_ipv4_peer_of_a_dual_stack_listener_is_one() {
        let peer = |text: &str| {
            let incoming = Incoming { peer: text.parse().unwrap(), uri: "/".parse().unwrap() };
            let body = futures_util::stream::empty::<Result<Bytes, warp::Error>>();
            Request::new(Vec::new(), Method::GET, incoming, HeaderMap::new(), body).peer().to_string()
        };
        assert_eq!(peer("[::ffff:127.0.0.1]:9"), "127.0.0.1");
        assert_eq!(peer("10.0.0.1:9"), "10.0.0.1");
        assert_eq!(peer("[2001:db8::1]:9"), "2001:db8::1");
    }

    #[tokio::test]
    async fn a_body_that_says_it_is_too_long_is_not_waited_for() {
        let incoming = Incoming { peer: ([127, 0, 0, 1], 1).into(), uri: "/".parse().unwrap() };
        let headers = HeaderMap::from_iter([(
            warp::http::header::CONTENT_LENGTH,
            HeaderValue::from_static("99999999999"),
        )]);
        let never = futures_util::stream::pending::<Result<Bytes, warp::Error>>();
        let mut request = Request::new(Vec::new(), Method::POST, incoming, headers, never);
        let refused = request.body(10, Duration::from_secs(600)).await;
        assert!(matches!(refused, Err(Error::BodyTooLarge { limit: 10 })));
    }
}
