//! `/v1/sessions`: the hosted pages, as an application sees them.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::verifications::{AMOUNT, FRIENDLY_NAME, PAYEE, SERVICE, TAGS, USER};
use super::views::session::{EndedSession, NewSession as NewSessionView, SessionResult};
use super::words::ChannelWord;
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{NewSession, SessionError};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::key::Scope;
use crate::model::session::{End, Step};
use crate::model::verification::Details;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Sessions";
const ID: Field = Field::needed("id", "The session's id.", Shape::Id(&["PS"]));

/// `POST /v1/sessions`: begins a person's way through the hosted pages.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createSession",
    tag: TAG,
    summary: "Begin a session of the hosted pages",
    about: "Send the person to `url`. They come back to `return_url` with `session`, `state` and `result`, which your application exchanges.",
    scope: Scope::Send,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::new(
            "return_url",
            "Where the person is sent back to: one that the service's `pages.return_urls` allow. Left out: the service's `pages.success_url`, once the number is proved.",
            Shape::Text { least: 1, most: 2048 },
        )
        .example("\"https://example.com/done\""),
        Field::new(
            "to",
            "The number. Left out: the person enters it, where the service lets them.",
            Shape::Typed { least: 0, most: 64 },
        )
        .example("\"+14155550123\""),
        Field::new(
            "channels",
            "The channels to offer, in this order. Left out: the service's.",
            Shape::List { of: &Shape::Word(ChannelWord::all), least: 1, most: 3, distinct: true },
        ),
        SERVICE,
        Field::new("state", "Comes back as it is.", Shape::Text { least: 0, most: 512 }),
        Field::new(
            "locale",
            "The language of the pages and messages, like `pt-BR`: one that there are texts in, in any region. Left out: the browser's.",
            Shape::Chars { class: "A-Za-z0-9_-", least: 2, most: 35 },
        ),
        Field::new(
            "purpose",
            "What the code is for, in the person's language: `to sign in`.",
            Shape::Text { least: 1, most: 100 },
        ),
        FRIENDLY_NAME,
        AMOUNT,
        PAYEE,
        USER,
        TAGS,
    ]),
    answer: Answer::json::<NewSessionView>(201, "It has begun.").leading_to(&[("endSession", "id", "/id")]),
    problems: &[
        &problem::CHANNEL_NOT_OFFERED,
        &problem::NO_CHANNEL,
        &problem::INVALID_NUMBER,
        &problem::NOT_ALLOWED,
        &problem::PAYMENT_MISSING,
        &problem::SERVICE_NOT_FOUND,
    ],
    repeats: Repeats::Kept,
};

/// Begins a session, and answers with the address of its page.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let body = &mut call.body;
    let channels = body.texts("channels").unwrap_or_default();
    let new = NewSession {
        to: body.text("to"),
        // Words of another kind were refused when the body was read.
        channels: channels.iter().filter_map(|word| word.parse::<Channel>().ok()).collect(),
        service: context.app.service_named(body.text("service")).await?,
        return_url: body.text("return_url"),
        state: body.text("state"),
        locale: body.text("locale"),
        details: Details {
            friendly_name: body.text("friendly_name"),
            purpose: body.text("purpose"),
            amount: body.text("amount"),
            payee: body.text("payee"),
            user: body.text("user"),
            tags: body.map("tags").unwrap_or_default(),
            ..Details::default()
        },
    };
    let session = keyed::create_session(&context.app, new).await?;
    let answer = NewSessionView {
        id: session.id.to_string(),
        url: context.settings.public_url.join(&format!("/verify/{}", session.id)),
        expires_at: session.expires_at,
    };
    Ok(reply::json(StatusCode::CREATED, &answer))
}

/// `DELETE /v1/sessions/{id}`: ends a session in the application's name.
pub const END: Operation = Operation {
    method: "DELETE",
    id: "endSession",
    tag: TAG,
    summary: "End a session",
    about: "Its pages say that it is over, and a code that is under way is worth nothing from then on. One that was called off stays so.\n\nTo a key without the scope `read`, a session that has ended otherwise is one that does not exist.",
    scope: Scope::Send,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<EndedSession>(200, "It has ended."),
    problems: &[&problem::NOT_FOUND, &problem::SESSION_ENDED],
    repeats: Repeats::Ignored,
};

/// Ends a session; its code is called off first.
pub async fn end(context: CallContext, call: Call) -> Result<Response, Error> {
    let ended = keyed::end_session(&context.app, &call.id()?).await.map_err(|error| match error {
        SessionError::Ended(_) if !call.caller.may(Scope::Read) => SessionError::Fault(Fault::NotFound),
        error => error,
    })?;
    let answer = EndedSession {
        id: ended.id.to_string(),
        status: ended.end.unwrap_or(End::CalledOff).into(),
        state: ended.state,
    };
    Ok(reply::json(StatusCode::OK, &answer))
}

/// `POST /v1/sessions/{id}/result`: exchanges, once, what a person brought back.
pub const RESULT: Operation = Operation {
    method: "POST",
    id: "exchangeSessionResult",
    tag: TAG,
    summary: "Exchange what a person brought back",
    about: "Once, for what came of the session. A second time, or with another session's, there is no such result; with an `Idempotency-Key` an answer that was lost can be asked for again.",
    scope: Scope::Check,
    path: &[ID],
    query: &[],
    body: Body::Needed(&[Field::needed(
        "result",
        "The `result` with which the person came back.",
        Shape::Text { least: 1, most: 128 },
    )]),
    answer: Answer::json::<SessionResult>(200, "What came of it."),
    problems: &[&problem::NO_SUCH_RESULT],
    repeats: Repeats::Kept,
};

/// Tells what came of one.
pub async fn result(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let result = call.body.needed("result")?;
    let id: SessionId = call.name().parse().map_err(|_| SessionError::NoSuchResult)?;
    let view = keyed::session_result(&context.app, &id, &result).await?;
    let end = match view.step {
        Step::Done(end) => end,
        _ => view.session.end.unwrap_or(End::Failed),
    };
    Ok(reply::json(StatusCode::OK, &SessionResult::new(&view, end)))
}
