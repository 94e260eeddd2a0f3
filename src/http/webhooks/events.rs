//! Event Streams: batches of CloudEvents, proved by `bodySHA256`.

use super::prove_batch;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::twilio::callback;
use std::sync::Arc;
use warp::reply::Response;

/// `POST /twilio/events`
pub async fn batch(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let body = prove_batch(&context, &mut request).await?.body;
    let events: Vec<serde_json::Value> = serde_json::from_slice(&body).map_err(|error| Error::Invalid {
        field: None,
        detail: format!("a batch is a JSON array of events: {error}"),
    })?;
    // All of them, for 204 says that all are recorded; the body's limit bounds them.
    for event in &events {
        if let Some(report) = callback::cloud_event(event) {
            context.service.record(report).await?;
        } else {
            tracing::debug!(kind = event["type"].as_str(), "an event of another kind");
        }
    }
    Ok(reply::no_content())
}
