//! One connection from its first byte to its last.

use super::inspect::Inspector;
use super::io::{HeadTimer, Watched};
use super::request::{Handler, answer};
use super::room::{Place, Sign, Wait};
use super::{Incoming, Limits, refused, secure};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use warp::http::Request;

/// What a connection needs to know.
pub(super) struct Connection<S> {
    pub(super) peer: SocketAddr,
    pub(super) service: S,
    pub(super) limits: Limits,
    /// Turns true when the server stops.
    pub(super) stopping: watch::Receiver<bool>,
    /// Held by every handler while it runs.
    pub(super) in_flight: mpsc::Sender<Infallible>,
    /// Its seat, which comes free with it.
    pub(super) place: Place,
}

impl<S: Handler> Connection<S> {
    /// Answers the connection's requests until it ends, the server stops, or
    /// somebody else needs its seat more.
    pub(super) async fn run(self, stream: TcpStream) {
        let Self { peer, service, limits, stopping, in_flight, place } = self;
        let sign = place.sign();
        let driven = drive(stream, Requests { peer, service, in_flight, sign }, limits, stopping);
        tokio::select! {
            () = driven => {}
            () = place.cut() => tracing::debug!(%peer, "connection cut to make room"),
        }
    }
}

/// What requests are answered with.
struct Requests<S> {
    peer: SocketAddr,
    service: S,
    in_flight: mpsc::Sender<Infallible>,
    sign: Sign,
}

async fn drive<S: Handler>(
    stream: TcpStream,
    requests: Requests<S>,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    {
        let Requests { peer, service, in_flight, sign } = requests;
        // Answers are small and whole: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set tcp_nodelay");
        }
        let timer = HeadTimer::new(limits.head_timeout, limits.idle_timeout, sign.clone());
        let inspector = Inspector::new(limits.max_head_bytes, limits.max_headers);
        let io = Watched::new(stream, timer.clone(), inspector, limits.write_stall_timeout);
        let (at, met) = (sign.clone(), timer.clone());
        let serve = service_fn(move |mut request: Request<hyper::body::Incoming>| {
            at.works();
            met.met();
            let incoming = Incoming { peer, uri: request.uri().clone() };
            request.extensions_mut().insert(incoming);
            let answered =
                answer(service.clone(), request, limits.request_timeout, in_flight.clone(), at.clone());
            Box::pin(async move {
                let mut response = answered.await?;
                secure::dress(response.headers_mut(), limits.over_tls);
                Ok::<_, Infallible>(response)
            })
        });
        let mut connection = http1::Builder::new()
            .timer(timer)
            // The timer adds what an idle connection is given on top of this.
            .header_read_timeout(limits.head_timeout)
            .max_header_size(limits.max_head_bytes + HEADROOM)
            .max_buf_size(limits.max_head_bytes.max(SMALLEST_BUFFER) + HEADROOM)
            .max_headers(limits.max_headers)
            .serve_connection(io, serve);

        let ended = {
            let mut told = false;
            let mut stop = pin!(stopping.wait_for(|stopping| *stopping));
            loop {
                tokio::select! {
                    biased;
                    ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
                    _ = &mut stop, if !told => {
                        told = true;
                        std::pin::Pin::new(&mut connection).graceful_shutdown();
                    }
                }
            }
        };
        sign.waits(Wait::End);
        let (mut stream, refusal) = connection.into_parts().io.into_parts();
        match (ended, refusal) {
            (_, Some(refusal)) => {
                refused::tell(&refusal, peer, &limits);
                let answer = refused::answer(&refusal, limits.over_tls);
                // Who does not take so few bytes is not waited for.
                let _ = tokio::time::timeout(LINGER, stream.write_all(answer.as_bytes())).await;
            }
            (Err(error), None) => tracing::debug!(%peer, %error, "connection ended early"),
            (Ok(()), None) => {}
        }
        linger(stream).await;
    }
}

/// What hyper may buffer beyond the longest head, in bytes: it refuses a full buffer
/// by itself, barely and unlogged, before the inspector has seen the byte too many.
const HEADROOM: usize = 4096;

/// hyper refuses a smaller read buffer than this, in bytes.
const SMALLEST_BUFFER: usize = 8192;

/// How long, and for how many bytes, a closing connection still listens.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 256 * 1024;

/// Says goodbye and hears the other side out. Closing a socket with unread
/// bytes in it sends a reset, which can overtake the 413 or 431 that explains
/// why they were not read (RFC 9112 §9.6).
async fn linger(mut stream: TcpStream) {
    let heard_out = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let (mut scrap, mut heard) = ([0; 4096], 0);
        while heard < LINGER_BYTES {
            match stream.read(&mut scrap).await {
                Ok(1..) => heard += scrap.len(),
                Ok(0) | Err(_) => return,
            }
        }
    };
    // Not heard out in time: then it is cut, which is all that is left.
    let _ = tokio::time::timeout(LINGER, heard_out).await;
}
