//! `/v1/keys`, for the operator on the same machine.

use super::Body;
use crate::http::auth::operator;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use serde_json::json as object;
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

/// `POST /v1/keys`: the one time that a key is shown.
pub async fn create(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    operator(&context, &request).await?;
    let name = Body::read(&context, &mut request, &["name"]).await?.needed("name")?;
    let (key, shown) = context.service.create_key(&name).await?;
    let answer =
        object!({ "id": key.id, "name": key.name, "created_at": key.created_at, "key": shown.expose() });
    Ok(reply::json(StatusCode::CREATED, &answer))
}
