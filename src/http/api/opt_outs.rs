//! `/v1/opt-outs`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::search;
use super::views::things::{OptOutView, OptOuts, OptOutsOf};
use crate::app::admission;
use crate::app::fault::Fault;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use percent_encoding::percent_decode_str;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Opt-outs";
const NUMBER: Field = Field::needed(
    "number",
    "The number in international form, `+14155550123`, or an address like `whatsapp:+14155550123`.",
    Shape::Text { least: 1, most: 128 },
)
.example("\"+14155550123\"");
const SENDER: Field = Field::new(
    "sender",
    "A number of ours, or a messaging service; or `type:` and the type of messages that is not wanted, whoever sends them, as in `type:marketing`. Left out: all of them when deleting; when setting, the one that codes come from.",
    Shape::Chars { class: "0-9A-Za-z+:_-", least: 1, most: 64 },
);

/// `GET /v1/opt-outs`: who does not want to be texted, the newest first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listOptOuts",
    tag: TAG,
    summary: "List opt-outs",
    about: "What people told our senders, the newest first. One with `opted_out: false` came back.",
    scope: Scope::Admin,
    path: &[],
    query: &[
        Field::new(
            "number",
            "Those of this number, in any writing, or of an address like `whatsapp:+14155550123`.",
            Shape::Text { least: 1, most: 128 },
        ),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<OptOuts>("A page of them."),
    problems: &[&problem::INVALID_NUMBER],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/opt-outs/search`: the same list, with the number in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchOptOuts", "Search opt-outs");

/// Lists what numbers want of senders.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let number = call.query.text("number");
    let page = admission::opt_outs(&context.app.whole()?.admission, number.as_deref(), &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| OptOuts {
        opt_outs: items.iter().map(OptOutView::from).collect(),
        next_cursor,
    }))
}

/// `GET /v1/opt-outs/{number}`: what a number wants of all our senders.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchOptOuts",
    tag: TAG,
    summary: "Look at a number's opt-outs",
    about: "",
    scope: Scope::Admin,
    path: &[NUMBER],
    query: &[],
    body: Body::None,
    answer: Answer::json::<OptOutsOf>(200, "What it told each of our senders."),
    problems: &[&problem::NOT_FOUND, &problem::INVALID_NUMBER],
    repeats: Repeats::OnlyReads,
};

/// Looks at a number's.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    shown(&context, &number(&call)?).await
}

/// `PUT /v1/opt-outs/{number}`: sets what a number wants of a sender.
pub const SET: Operation = Operation {
    method: "PUT",
    id: "setOptOut",
    tag: TAG,
    summary: "Record that somebody opted out, or came back",
    about: "For wishes that reached you otherwise than by a text to us.",
    scope: Scope::Admin,
    path: &[NUMBER],
    query: &[],
    body: Body::Optional(&[
        Field::new("opted_out", "False for somebody who came back. Left out: true.", Shape::Flag),
        SENDER,
    ]),
    answer: Answer::json::<OptOutsOf>(200, "It is recorded."),
    problems: &[&problem::NOT_FOUND, &problem::INVALID_NUMBER],
    repeats: Repeats::Ignored,
};

/// Sets what a number wants of a sender, in its name.
pub async fn set(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let number = number(&call)?;
    let opted_out = call.body.flag("opted_out").unwrap_or(true);
    admission::set_opt_out(
        &context.app.whole()?.admission,
        context.app.actor(),
        &number,
        call.body.text("sender").as_deref(),
        opted_out,
    )
    .await?;
    shown(&context, &number).await
}

/// `DELETE /v1/opt-outs/{number}`: forgets what a number wants.
pub const DELETE: Operation = Operation {
    method: "DELETE",
    id: "deleteOptOuts",
    tag: TAG,
    summary: "Forget a number's opt-outs",
    about: "As if it had never said anything. To record that somebody came back, set `opted_out` to false instead.",
    scope: Scope::Admin,
    path: &[NUMBER],
    query: &[SENDER],
    body: Body::None,
    answer: Answer::nothing("They are gone."),
    problems: &[&problem::NOT_FOUND, &problem::INVALID_NUMBER],
    repeats: Repeats::Ignored,
};

/// Deletes a number's.
pub async fn delete(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let sender = call.query.text("sender");
    // A plus in a query means a space, and is easily meant as itself.
    let sender = sender.map(|sender| sender.replace(' ', "+"));
    admission::delete_opt_out(
        &context.app.whole()?.admission,
        context.app.actor(),
        &number(&call)?,
        sender.as_deref(),
    )
    .await?;
    Ok(reply::no_content())
}

async fn shown(context: &CallContext, number: &str) -> Result<Response, Error> {
    let found = admission::opt_outs_of(&context.app.whole()?.admission, number).await?;
    let number = found.first().map_or_else(|| number.to_owned(), |wish| wish.number.clone());
    let shown = OptOutsOf { number, opt_outs: found.iter().map(OptOutView::from).collect() };
    Ok(reply::json(StatusCode::OK, &shown))
}

/// The number in the path, which clients may have percent-encoded.
fn number(call: &Call) -> Result<String, Error> {
    let decoded = percent_decode_str(call.name()).decode_utf8().map_err(|_| Fault::NotFound)?;
    let is_one = decoded.chars().count() <= 128 && !decoded.chars().any(|c| c.is_control() || c == '|');
    if is_one { Ok(decoded.into_owned()) } else { Err(Fault::NotFound.into()) }
}
