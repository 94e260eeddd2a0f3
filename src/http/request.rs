//! A request as handlers see it; its body is read once, with a limit.

use super::error::Error;
use crate::server::Incoming;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use std::net::IpAddr;
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

    /// The query as received, without its question mark.
    pub fn query(&self) -> &str {
        self.incoming.uri.query().unwrap_or("")
    }

    /// Who is at the other end of the connection.
    pub fn peer(&self) -> IpAddr {
        self.incoming.peer.ip()
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, whole.
    ///
    /// # Errors
    /// When it is longer than `limit` bytes, late, or broken off.
    pub async fn body(&mut self, limit: usize, deadline: Duration) -> Result<Bytes, Error> {
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
