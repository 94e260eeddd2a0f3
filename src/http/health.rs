//! For machines that ask whether we live.

use super::context::Context;
use super::error::Error;
use super::reply;
use super::request::Request;
use serde_json::json;
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

/// The process runs.
pub async fn live(_: Arc<Context>, _: Request) -> Result<Response, Error> {
    Ok(reply::json(StatusCode::OK, &json!({ "status": "ok" })))
}

/// The store takes writes: requests can be served. The counts of rejected
/// webhooks are here because a roll-out in report-only mode watches them, those of
/// events because a subscription to more than is read costs money.
pub async fn ready(context: Arc<Context>, _: Request) -> Result<Response, Error> {
    context.service.ready().await.map_err(crate::service::ServiceError::from)?;
    Ok(reply::json(
        StatusCode::OK,
        &json!({
            "status": "ready", "rejected_webhooks": context.rejected(), "unread_events": context.unread(),
        }),
    ))
}
