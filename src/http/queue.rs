//! `/operator/queue…`: what waits to be done, what was set aside, and trying that
//! again or dropping it. Only the operator's key opens it. It refuses to know who
//! does what when.

use super::context::Context;
use super::error::Error;
use super::request::Request;
use super::{auth, reply};
use crate::app::admin::{self, Queue};
use crate::app::board::Trouble;
use crate::model::audit::Actor;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

/// What is meant, as the list calls it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    key: String,
}

/// `GET /operator/queue`: what waits, by lane and kind, and what was set aside.
pub async fn list(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    Ok(reply::json(StatusCode::OK, &view(&admin::queue(&context.app.base).await?)))
}

/// `POST /operator/queue/retry?key=`: puts what was set aside back.
pub async fn retry(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let key = which(&request)?;
    admin::retry_job(&context.app.base, &Actor::operator(), &key).await?;
    Ok(reply::json(StatusCode::OK, &json!({ "retried": key })))
}

/// `POST /operator/queue/drop?key=`: deletes what was set aside, with its record.
pub async fn remove(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let key = which(&request)?;
    admin::drop_job(&context.app.base, &Actor::operator(), &key).await?;
    Ok(reply::json(StatusCode::OK, &json!({ "dropped": key })))
}

fn which(request: &Request) -> Result<String, Error> {
    let which: Result<Which, _> = serde_urlencoded::from_str(request.query());
    which.map(|which| which.key).map_err(|error| Error::invalid(error.to_string()))
}

/// The queue as the operator's routes and `dialback queue --json` show it.
pub fn view(queue: &Queue) -> Value {
    let lanes = queue.depths.iter().map(|depth| {
        json!({
            "lane": depth.lane,
            "kind": depth.kind,
            "waiting": depth.waiting,
            "oldest_due": depth.oldest,
            "oldest_seconds": queue.at.duration_since(depth.oldest).as_secs(),
        })
    });
    let trouble = |trouble: &Trouble| json!({ "failures": trouble.failures, "reason": trouble.reason, "at": trouble.at });
    let troubled = queue.troubled.iter().map(|(name, one)| json!({ "key": name, "trouble": trouble(one) }));
    let aside = queue.aside.iter().map(|one| {
        json!({
            "key": one.name,
            "kind": one.kind,
            "due": one.due,
            "trouble": one.trouble.as_ref().map(trouble),
        })
    });
    json!({
        "at": queue.at,
        "lanes": lanes.collect::<Vec<_>>(),
        "troubled": troubled.collect::<Vec<_>>(),
        "aside": aside.collect::<Vec<_>>(),
    })
}
