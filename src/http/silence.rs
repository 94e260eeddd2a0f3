//! `/operator/silence`: for how long this process waits for news of a message before its
//! silence counts as a failure, by country and channel. Only the operator's key opens it.

use super::auth;
use super::context::Context;
use super::error::Error;
use super::reply;
use super::request::Request;
use crate::app::messaging::{LEAST_SILENCE, MOST_SILENCE, Silence, USUAL_SILENCE};
use serde_json::{Value, json};
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

/// `GET /operator/silence`: what was learned since the process began, and what holds where
/// nothing was.
pub async fn list(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let learned: Vec<Value> = context.app.messaging.pace.silences().iter().map(view).collect();
    let spans = [("least", LEAST_SILENCE), ("most", MOST_SILENCE), ("usual", USUAL_SILENCE)];
    let spans: serde_json::Map<String, Value> = spans
        .map(|(name, span)| (format!("{name}_seconds"), json!(span.as_secs_f64())))
        .into_iter()
        .collect();
    let mut body = json!({ "learned": learned });
    if let Value::Object(body) = &mut body {
        body.extend(spans);
    }
    Ok(reply::json(StatusCode::OK, &body))
}

fn view(silence: &Silence) -> Value {
    json!({
        "country": silence.region,
        "channel": silence.channel,
        "seen": silence.seen,
        "arrived_seconds": silence.arrived.map(|span| span.as_secs_f64()),
        "silence_seconds": silence.silence.as_secs_f64(),
    })
}
