//! Event Streams: batches of CloudEvents, proved by `bodySHA256`.

use super::{Proved, inbound, prove_batch, record};
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
        let Some(report) = callback::cloud_event(event) else {
            tell_other(event);
            continue;
        };
        let is_taken = record(&context, proof.as_ref(), report).await?;
        // A text is a text, whichever way it came.
        if let (true, Some(proof), Some(text)) = (is_taken, &proof, callback::inbound_text(event)) {
            inbound::wishes(&context, proof, &text, inbound::keyword(&text)).await?;
        }
    }
    Ok(reply::no_content())
}

/// An event of another kind. That of a sink's test carries a word by which
/// Twilio's console wants it confirmed.
/// <https://www.twilio.com/docs/events/event-streams/sink-resource/test>
fn tell_other(event: &serde_json::Value) {
    let kind = event["type"].as_str();
    let test_id = event["data"]["test_id"].as_str().or(event["data"]["testId"].as_str());
    let is_plain = |id: &&str| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match test_id.filter(is_plain) {
        Some(test_id) => tracing::info!(test_id, "the test event of an event stream's sink"),
        None => tracing::debug!(kind, "an event of another kind"),
    }
}
