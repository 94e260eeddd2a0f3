//! Event Streams: batches of CloudEvents, proved by `bodySHA256`.

use super::{Proved, prove_batch, record};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::twilio::callback;
use std::sync::Arc;
use warp::reply::Response;

/// `POST /twilio/events`
pub async fn batch(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let Proved { proof, body, .. } = prove_batch(&context, &mut request).await?;
    let events: Vec<serde_json::Value> = serde_json::from_slice(&body).map_err(|error| Error::Invalid {
        field: None,
        detail: format!("a batch is a JSON array of events: {error}"),
    })?;
    // All of them, for 204 says that all are recorded; the body's limit bounds them.
    for event in &events {
        if let Some(report) = callback::cloud_event(event) {
            record(&context, proof.as_ref(), report).await?;
        } else {
            tracing::debug!(kind = event["type"].as_str(), "an event of another kind");
        }
    }
    Ok(reply::no_content())
}
