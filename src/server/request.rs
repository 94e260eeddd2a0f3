//! One request: its own task, its deadline, its body on the way in.

use super::arrival::Arrival;
use super::caller;
use super::room::{Held, Sign, Wait};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tower_service::Service;
use warp::http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use warp::http::{Request, StatusCode};
use warp::reply::{Reply, Response};

/// A service that answers requests, cloned for each: `warp::service(filter)`, or any
/// tower service that is always ready.
pub trait Handler:
    Service<Request<RequestBody>, Response = Response, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + Unpin
    + 'static
{
}

impl<S> Handler for S where
    S: Service<Request<RequestBody>, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + Unpin
        + 'static
{
}

/// Runs the service in a task of its own and waits for it until the deadline.
///
/// The task outlives a client that leaves and a deadline that passes, so what a
/// handler began it also ends; only then does it let go of `in_flight`. But a
/// handler that still waits for the request's body at the deadline is dropped:
/// it can have begun nothing, and the connection cannot end while it listens. So
/// is one whose body has no room, or has lost it to others.
pub(super) async fn answer(
    mut service: impl Handler,
    request: Request<Incoming>,
    deadline: Duration,
    in_flight: mpsc::Sender<Infallible>,
    sign: Sign,
) -> Result<Response, Infallible> {
    let (request, arriving) = watch_body(request, &sign);
    let (_waits, handler) = caller::heard(async move {
        // The body's bytes are the handler's until it has answered.
        let held = request.body().held.clone();
        let answer = service.call(request).await;
        drop((held, in_flight));
        answer
    });
    let mut handler = tokio::spawn(handler);
    let answered = tokio::select! {
        biased;
        answered = tokio::time::timeout(deadline, &mut handler) => answered,
        () = lost(arriving.as_deref()) => {
            handler.abort();
            tracing::debug!("no room for a request body");
            return Ok(later());
        }
    };
    Ok(match answered {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(error)) => {
            tracing::error!(panicked = error.is_panic(), "request handler did not finish");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_elapsed) if arriving.is_some_and(|arriving| arriving.give_up()) => {
            handler.abort();
            tracing::debug!("request body did not arrive in time");
            last(StatusCode::REQUEST_TIMEOUT)
        }
        Err(_elapsed) => {
            tracing::warn!(deadline_ms = deadline.as_millis(), "request was not answered in time");
            last(StatusCode::SERVICE_UNAVAILABLE)
        }
    })
}

/// An answer after which the connection closes: where its request ends is not
/// known, or not worth waiting for.
fn last(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The last answer for now, while there is no room.
fn later() -> Response {
    let mut response = last(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Resolves when the body's room is gone; never when there is no body.
async fn lost(arriving: Option<&Arrival>) {
    match arriving {
        Some(arrival) => arrival.lost.notified().await,
        None => std::future::pending().await,
    }
}

/// Wraps the body so that it can be asked from outside whether it is still
/// coming; none to ask when there is no body.
fn watch_body(request: Request<Incoming>, sign: &Sign) -> (Request<RequestBody>, Option<Arc<Arrival>>) {
    let arrival = (!request.body().is_end_stream()).then(Arc::<Arrival>::default);
    let watched = arrival.clone();
    let held = arrival.clone().map(|arrival| Arc::new(sign.body(arrival)));
    (request.map(|body| RequestBody { body, arrival, held, sign: sign.clone() }), watched)
}

/// The body of a request on its way in.
#[derive(Debug)]
pub struct RequestBody {
    body: Incoming,
    /// Present until the last byte is here.
    arrival: Option<Arc<Arrival>>,
    /// The room its bytes have; the handler's task has it too.
    held: Option<Arc<Held>>,
    sign: Sign,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if let (Poll::Pending, Some(arrival)) = (&frame, &self.arrival)
            && arrival.wait()
        {
            self.sign.waits(Wait::Body);
        }
        if let (Poll::Ready(Some(Ok(frame))), Some(held), Some(arrival)) = (&frame, &self.held, &self.arrival)
            && !held.take(frame.data_ref().map_or(0, Bytes::len))
        {
            // Nobody waits for this task any more: it is about to be dropped.
            arrival.refuse();
            return Poll::Pending;
        }
        let over = matches!(frame, Poll::Ready(None | Some(Err(_)))) || self.body.is_end_stream();
        if over && let Some(arrival) = self.arrival.take() {
            if !arrival.arrive() {
                // Given up a moment ago: this task is about to be dropped.
                return Poll::Pending;
            }
            self.sign.works();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
