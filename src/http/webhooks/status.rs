//! Status callbacks: recorded, durably, and then acknowledged with 204.

use super::{Proved, inbound, prove, query_value};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::delivery::Source;
use crate::model::id::DeliveryId;
use crate::twilio::callback;
use std::sync::Arc;
use warp::reply::Response;

/// `POST /twilio/status`: what became of a message, or a text that somebody sent.
pub async fn message(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    record(&context, &request, &proved, "/twilio/status", Source::StatusCallback).await
}

/// `POST /twilio/call-status`, which also takes what machine detection and
/// recordings report.
pub async fn call(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let proved = prove(&context, &mut request).await?;
    let has = |name| callback::first(&proved.params, name).is_some();
    let source = match () {
        () if has("RecordingSid") && !has("CallStatus") => Source::Recording,
        () if has("AnsweredBy") && !has("CallStatus") => Source::AsyncAmd,
        () => Source::StatusCallback,
    };
    record(&context, &request, &proved, "/twilio/call-status", source).await
}

/// Records what is reported; a text that strayed here is taken for what it is.
async fn record(
    context: &Context,
    request: &Request,
    proved: &Proved,
    path: &'static str,
    source: Source,
) -> Result<Response, Error> {
    if inbound::is_text(&proved.params) {
        inbound::strayed(context, path, proved).await?;
        return Ok(reply::no_content());
    }
    let id = query_value(request, "delivery").and_then(|id| id.parse::<DeliveryId>().ok());
    match callback::report(&proved.params, source, id) {
        Ok(report) => {
            super::record(context, proved.proof.as_ref(), report).await?;
        }
        // It is Twilio's, and says nothing that we could keep; to refuse it
        // would only make Twilio log a warning about us.
        Err(error) => tracing::warn!(%error, "a callback names nothing"),
    }
    Ok(reply::no_content())
}
