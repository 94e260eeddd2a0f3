//! News for the telephones page, as server-sent events.

use super::world::{Event, World};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use warp::reply::{Reply, Response};
use warp::sse;

/// A stream of events that ends with the sandbox. A listener that fell behind
/// is told to `resync`: to read `GET /sandbox/state` again.
pub(super) fn stream(world: &Arc<World>) -> Response {
    let receiver = world.listen();
    let hello = Event { kind: "hello", data: serde_json::json!({}) };
    let events = stream::unfold((Some(hello), receiver), |(first, mut receiver)| async move {
        let event = match first {
            Some(event) => event,
            None => match receiver.recv().await {
                Ok(event) if event.kind == "closing" => return None,
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => Event { kind: "resync", data: serde_json::json!({}) },
                Err(RecvError::Closed) => return None,
            },
        };
        let event = sse::Event::default().event(event.kind).data(event.data.to_string());
        Some((Ok::<_, Infallible>(event), (None, receiver)))
    });
    sse::reply(sse::keep_alive().stream(events)).into_response()
}
