//! Both sides of a proxy: a client that sends a request's own characters, by HTTP/1.1
//! or HTTP/2, and a server that answers with what reached it.

use super::start::{HOST, Proxy};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// What an upstream got.
#[derive(Debug, Serialize, Deserialize)]
pub struct Seen {
    pub version: String,
    pub method: String,
    /// Path and query, as they stood in the request.
    pub target: String,
    /// By lower-case names, in order, each line by itself.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// The lines of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// A request as a client sends it.
#[derive(Clone)]
pub struct Sent {
    pub version: Version,
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// In the pieces in which it is sent; more than one goes without a length.
    pub body: Vec<Bytes>,
}

impl Sent {
    pub fn get(version: Version, target: &str) -> Self {
        Self { version, method: "GET".into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn post(version: Version, target: &str, body: &str) -> Self {
        let form = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        let body = vec![Bytes::copy_from_slice(body.as_bytes())];
        Self { method: "POST".into(), headers: vec![form], body, ..Self::get(version, target) }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn request(&self) -> Request<BoxBody<Bytes, Infallible>> {
        let uri: Uri = match self.version {
            Version::HTTP_2 => format!("https://{HOST}{}", self.target).parse().unwrap(),
            _ => self.target.parse().unwrap(),
        };
        let mut request = Request::builder().method(self.method.as_str()).uri(uri).version(self.version);
        if self.version == Version::HTTP_11 {
            request = request.header("host", HOST);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = match self.body.as_slice() {
            [] => Full::new(Bytes::new()).boxed(),
            [whole] => Full::new(whole.clone()).boxed(),
            pieces => {
                let pieces: Vec<Result<_, Infallible>> =
                    pieces.iter().cloned().map(Frame::data).map(Ok).collect();
                BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
            }
        };
        request.body(body).unwrap()
    }
}

/// Sends a request through a proxy, on a connection of its own.
pub async fn send(proxy: &Proxy, sent: &Sent) -> Response<Incoming> {
    let alpn = if sent.version == Version::HTTP_2 { "h2" } else { "http/1.1" };
    let stream = TcpStream::connect(proxy.addr()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(proxy.tls(alpn)));
    let stream = connector.connect(HOST.try_into().unwrap(), stream).await;
    let stream = stream.unwrap_or_else(|error| panic!("{error}: {}", proxy.said()));
    let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    assert_eq!(agreed, Some(alpn.as_bytes().to_vec()), "the protocol that was agreed upon");
    let (io, request) = (TokioIo::new(stream), sent.request());
    let answered = match sent.version {
        Version::HTTP_2 => {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await
        }
        _ => {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await
        }
    };
    answered.unwrap_or_else(|error| panic!("{} {}: {error}: {}", sent.method, sent.target, proxy.said()))
}

/// The same, read to its end: the status and the body.
pub async fn answer(proxy: &Proxy, sent: &Sent) -> (u16, String) {
    let response = send(proxy, sent).await;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// The same, where the upstream says what it got.
pub async fn seen(proxy: &Proxy, sent: &Sent) -> Seen {
    let (status, body) = answer(proxy, sent).await;
    assert_eq!(status, 200, "{} {}: {body}", sent.method, sent.target);
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The header by which the upstream is told to take seconds, or for ever.
pub const WAIT: &str = "x-upstream-wait";
/// The header by which it is told to begin an answer and not to end it.
pub const STREAM: &str = "x-upstream-stream";

/// An upstream that answers with what reached it; where it listens.
pub async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(told);
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    addr
}

async fn told(request: Request<Incoming>) -> hyper::Result<Response<BoxBody<Bytes, Infallible>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    if let Some(wait) = head.headers.get(WAIT).and_then(|wait| wait.to_str().ok()) {
        tokio::time::sleep(Duration::from_secs(wait.parse().unwrap())).await;
    }
    if head.headers.contains_key(STREAM) {
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"data: first\n\n")))]);
        let body = BodyExt::boxed(StreamBody::new(first.chain(stream::pending())));
        return Ok(Response::builder().header("content-type", "text/event-stream").body(body).unwrap());
    }
    let lines = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let seen = Seen {
        version: format!("{:?}", head.version),
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: lines.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    Ok(Response::new(Full::new(Bytes::from(serde_json::to_vec(&seen).unwrap())).boxed()))
}
