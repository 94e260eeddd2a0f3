//! `/v1/sessions`: the hosted pages, as an application sees them.

use super::{Body, views};
use crate::http::auth::caller;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId};
use crate::model::session::{End, Step};
use crate::model::verification::Details;
use crate::service::{NewSession, ServiceError};
use serde_json::json as object;
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

/// Longest texts that pages and messages show, in characters.
const MOST_PURPOSE: usize = 200;
const MOST_AMOUNT: usize = 40;
const MOST_PAYEE: usize = 100;
/// The longest locale, in bytes.
const MAX_LOCALE: usize = 35;

/// `POST /v1/sessions`
pub async fn create(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let caller = caller(&context, &request).await?;
    context.pages.gate.pass(&caller.0)?;
    const FIELDS: [&str; 9] =
        ["to", "channels", "service", "return_url", "state", "locale", "purpose", "amount", "payee"];
    let mut body = Body::read(&context, &mut request, &FIELDS).await?;
    let details = Details {
        purpose: shown(&mut body, "purpose", MOST_PURPOSE)?,
        amount: shown(&mut body, "amount", MOST_AMOUNT)?,
        payee: shown(&mut body, "payee", MOST_PAYEE)?,
        ..Details::default()
    };
    let new = NewSession {
        to: body.text("to")?,
        channels: channels(&body.texts("channels")?)?,
        service: service(body.text("service")?)?,
        return_url: body.needed("return_url")?,
        state: body.text("state")?,
        locale: locale(body.text("locale")?)?,
        details,
    };
    let session = context.service.create_session(new).await?;
    let answer = object!({
        "id": session.id,
        "url": context.settings.public_url.join(&format!("/verify/{}", session.id)),
        "expires_at": session.expires_at,
    });
    Ok(reply::json(StatusCode::CREATED, &answer))
}

/// `POST /v1/sessions/{id}/result`: what came of it, told once.
pub async fn result(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let result = Body::read(&context, &mut request, &["result"]).await?.needed("result")?;
    let id = request.params.first().and_then(|id| id.parse::<SessionId>().ok());
    let id = id.ok_or(ServiceError::NoSuchResult)?;
    let view = context.service.session_result(&id, &result).await?;
    let session = &view.session;
    let end = match view.step {
        Step::Done(end) => end,
        _ => session.end.unwrap_or(End::Failed),
    };
    let answer = object!({
        "id": session.id,
        "status": end,
        "to": session.number.as_ref().or(session.to.as_ref()),
        "state": session.state,
        "verification": view.verification.as_ref().map(views::verification),
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

/// A text that people are shown: one line, not too long, none where it is empty.
fn shown(body: &mut Body, field: &'static str, most: usize) -> Result<Option<String>, Error> {
    let text = body.text(field)?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > most || text.chars().any(char::is_control)) {
        return Err(Error::field(field, format!("{field} is one line of at most {most} characters")));
    }
    Ok(text)
}

/// Each channel once, in the order that was asked for.
fn channels(words: &[String]) -> Result<Vec<Channel>, Error> {
    let mut channels = Vec::new();
    for word in words {
        let channel = word
            .parse()
            .map_err(|_| Error::field("channels", "channels is a list of sms, call and whatsapp"))?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

fn service(text: Option<String>) -> Result<Option<ServiceId>, Error> {
    let parse = |text: String| text.parse().map_err(|_| ServiceError::NoSuchService.into());
    text.filter(|text| !text.is_empty()).map(parse).transpose()
}

fn locale(text: Option<String>) -> Result<Option<String>, Error> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) if text.len() > MAX_LOCALE => {
            Err(Error::field("locale", format!("a locale has at most {MAX_LOCALE} characters, like pt-BR")))
        }
        text => Ok(text),
    }
}
