//! `/v1/sessions`: the hosted pages, as an application sees them.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::views::session::{NewSession as Shown, SessionResult};
use super::views::{ChannelWord, verification::Verification};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::problem;
use crate::http::reply;
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::key::Scope;
use crate::model::session::{End, MOST_STATE, Step};
use crate::model::verification::Details;
use crate::service::{NewSession, ServiceError};
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Sessions";

/// `POST /v1/sessions`
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createSession",
    tag: TAG,
    summary: "Begin a session",
    about: "Send the person to `url`. In the end they come back to `return_url` with a result that this application exchanges, once.",
    scope: Scope::Send,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::new(
            "to",
            "The number to be proved. Left out: the person enters it.",
            Shape::Text { least: 0, most: 64 },
        )
        .example("\"+14155550123\""),
        Field::new(
            "channels",
            "The channels to choose from. Left out: all of the service's.",
            Shape::List { of: &Shape::Word(ChannelWord::all), least: 0, most: 3, distinct: true },
        ),
        Field::new("service", "The service's id. Left out: the default one.", Shape::Id(&["VA"])),
        Field::needed(
            "return_url",
            "Where the person goes in the end; the service lists it in `pages.return_urls`.",
            Shape::Text { least: 1, most: 2000 },
        ),
        Field::new(
            "state",
            "Your own word, given back as it came.",
            Shape::Text { least: 0, most: MOST_STATE },
        ),
        Field::new(
            "locale",
            "The language of the pages and messages, like `pt-BR`.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 2, most: 35 },
        ),
        Field::new(
            "purpose",
            "What the code is for, in the person's language.",
            Shape::Text { least: 1, most: 200 },
        ),
        Field::new("amount", "What is to be paid, as it is shown.", Shape::Text { least: 1, most: 40 }),
        Field::new("payee", "Who is to be paid.", Shape::Text { least: 1, most: 100 }),
    ]),
    answer: Answer::json::<Shown>(201, "It has begun."),
    problems: &[
        &problem::INVALID_NUMBER,
        &problem::CHANNEL_NOT_OFFERED,
        &problem::NOT_ALLOWED,
        &problem::SERVICE_NOT_FOUND,
        &problem::TOO_MANY_SESSIONS,
    ],
    repeats: Repeats::Kept,
};

/// Begins one.
pub async fn create(context: Arc<Context>, mut call: Call) -> Result<Response, Error> {
    context.pages.gate.pass(&call.caller.name)?;
    let body = &mut call.body;
    let words = body.texts("channels").unwrap_or_default();
    let new = NewSession {
        to: body.text("to"),
        channels: words.iter().filter_map(|word| word.parse::<Channel>().ok()).collect(),
        service: body.parsed("service")?,
        return_url: body.needed("return_url")?,
        state: body.text("state"),
        locale: body.text("locale"),
        details: Details {
            purpose: shown(body.text("purpose")),
            amount: shown(body.text("amount")),
            payee: shown(body.text("payee")),
            ..Details::default()
        },
    };
    let session = context.service.create_session(new).await?;
    let answer = Shown {
        id: session.id.to_string(),
        url: context.settings.public_url.join(&format!("/verify/{}", session.id)),
        expires_at: session.expires_at,
    };
    Ok(reply::json(StatusCode::CREATED, &answer))
}

/// `POST /v1/sessions/{id}/result`
pub const RESULT: Operation = Operation {
    method: "POST",
    id: "exchangeResult",
    tag: TAG,
    summary: "Exchange a result",
    about: "Tells what came of a session, once. With an `Idempotency-Key` an answer that was lost can be asked for again.",
    scope: Scope::Check,
    path: &[Field::needed("id", "The session's id.", Shape::Id(&["PS"]))],
    query: &[],
    body: Body::Needed(&[Field::needed(
        "result",
        "The result that the person came back with.",
        Shape::Text { least: 0, most: 256 },
    )]),
    answer: Answer::json::<SessionResult>(200, "What came of it."),
    problems: &[&problem::NO_SUCH_RESULT],
    repeats: Repeats::Kept,
};

/// What came of one, told once.
pub async fn result(context: Arc<Context>, mut call: Call) -> Result<Response, Error> {
    let result = call.body.needed("result")?;
    let id = call.name().parse::<SessionId>().map_err(|_| ServiceError::NoSuchResult)?;
    let view = context.service.session_result(&id, &result).await?;
    let session = &view.session;
    let end = match view.step {
        Step::Done(end) => end,
        _ => session.end.unwrap_or(End::Failed),
    };
    let number = session.number.as_ref().or(session.to.as_ref());
    let answer = SessionResult {
        id: session.id.to_string(),
        status: end.into(),
        to: number.map(|number| number.in_full().to_owned()),
        state: session.state.clone(),
        verification: view.verification.as_ref().map(Verification::from),
    };
    Ok(reply::json(StatusCode::OK, &answer))
}

/// A text that people are shown: none where it is empty.
fn shown(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
