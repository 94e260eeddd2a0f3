//! `/v1/verifications`

use super::{Body, views};
use crate::http::auth::{Caller, caller};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::channel::Channel;
use crate::model::id::VerificationId;
use crate::service::{Idempotency, ServiceError, StartRequest};
use serde_json::{Value, json as object};
use std::sync::Arc;
use warp::http::header::LOCATION;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;
/// The longest locale, in bytes: the longest tag that means something is far shorter.
const MAX_LOCALE: usize = 35;

/// `POST /v1/verifications`
pub async fn create(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let caller = caller(&context, &request).await?;
    let idempotency = idempotency(&request, caller)?;
    let mut body = Body::read(&context, &mut request, &["to", "channel", "locale"]).await?;
    let (to, channel) = (body.needed("to")?, channel(&body.needed("channel")?)?);
    let locale = body.text("locale")?.filter(|locale| !locale.is_empty());
    if locale.as_ref().is_some_and(|locale| locale.len() > MAX_LOCALE) {
        return Err(Error::field(
            "locale",
            format!("a locale has at most {MAX_LOCALE} characters, like pt-BR"),
        ));
    }
    let started = context
        .service
        .start(StartRequest { channel: Some(channel), locale, ..StartRequest::to(to) }, idempotency)
        .await?;
    let mut response = reply::json(StatusCode::CREATED, &views::verification(&started.view));
    let headers = response.headers_mut();
    if let Ok(location) =
        HeaderValue::from_str(&format!("/v1/verifications/{}", started.view.verification.id))
    {
        headers.insert(LOCATION, location);
    }
    if started.replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// `GET /v1/verifications/{id}`
pub async fn fetch(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let view = context.service.fetch(&id(&request)?).await?;
    Ok(reply::json(StatusCode::OK, &views::verification(&view)))
}

/// `POST /v1/verifications/{id}/check`
pub async fn check(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let code = Body::read(&context, &mut request, &["code"]).await?.needed("code")?;
    let checked = context.service.check(&id, &code).await?;
    let mut answer = views::verification(&checked.view);
    if let Value::Object(answer) = &mut answer {
        answer.insert("valid".into(), object!(checked.valid));
    }
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `POST /v1/verifications/{id}/resend`; the body may be left out.
pub async fn resend(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let mut body = match request.header("content-length") {
        Some("0") | None if request.header("transfer-encoding").is_none() => Body::empty(),
        _ => Body::read(&context, &mut request, &["channel"]).await?,
    };
    let channel = body.text("channel")?.as_deref().map(channel).transpose()?;
    let view = context.service.resend(&id, channel).await?;
    Ok(reply::json(StatusCode::OK, &views::verification(&view)))
}

/// `DELETE /v1/verifications/{id}`
pub async fn cancel(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let view = context.service.cancel(&id(&request)?).await?;
    Ok(reply::json(StatusCode::OK, &views::verification(&view)))
}

/// An id that is none is one that does not exist.
fn id(request: &Request) -> Result<VerificationId, Error> {
    let id = request.params.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| ServiceError::NotFound.into())
}

fn channel(text: &str) -> Result<Channel, Error> {
    text.parse().map_err(|_| Error::field("channel", "the channel is sms, call or whatsapp"))
}

fn idempotency(request: &Request, caller: Caller) -> Result<Option<Idempotency>, Error> {
    let Some(key) = request.headers.get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= MAX_KEY => {
            Ok(Some(Idempotency { caller: caller.0, key: key.to_owned() }))
        }
        _ => Err(Error::field(
            "Idempotency-Key",
            format!("the key has 1 to {MAX_KEY} printable ASCII characters"),
        )),
    }
}
