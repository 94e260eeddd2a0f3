//! For machines that ask whether we live.

use super::context::Context;
use super::error::Error;
use super::reply;
use super::request::Request;
use serde_json::json;
use std::sync::Arc;
use warp::http::header::RETRY_AFTER;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// The process runs, and goes on: one whose store takes no more writes, ever, is
/// about to end.
pub async fn live(context: Arc<Context>, _: Request) -> Result<Response, Error> {
    let (status, word) = match context.app.base.failure() {
        None => (StatusCode::OK, "ok"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    Ok(reply::json(status, &json!({ "status": word })))
}

/// Whether the store takes writes, in a word: requests can be served. Anybody may
/// ask, so why not is not said.
pub async fn ready(context: Arc<Context>, _: Request) -> Result<Response, Error> {
    let is_ready = context.app.base.ready().await.is_ok();
    let (status, word) = match is_ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let mut response = reply::json(status, &json!({ "status": word }));
    if !is_ready {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// The same for this machine's own, with the reason, the counts of rejected
/// webhooks, which a roll-out in report-only mode watches, those of wrong keys, and
/// those of events of streams that are not read, for a subscription to them costs money.
pub async fn ready_with_details(context: Arc<Context>, _: Request) -> Result<Response, Error> {
    context.app.base.ready().await.map_err(crate::app::fault::Fault::from)?;
    let (webhooks, keys) = (context.rejected(), context.guesses.counts());
    let unread = context.unread();
    let ready = json!({
        "status": "ready", "rejected_webhooks": webhooks, "wrong_keys": keys, "unread_events": unread,
    });
    Ok(reply::json(StatusCode::OK, &ready))
}
