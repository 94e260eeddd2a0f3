//! `/v1/limits`: what is used of limits, and forgetting it.

use super::body::Fields;
use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::search;
use crate::app::admission::{self, Admission, Whose};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use crate::model::limits::Used;
use schemars::JsonSchema;
use serde::Serialize;
use std::net::IpAddr;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Limits";

const WHOSE: &[Field] = &[
    Field::new("number", "A number, in any writing.", Shape::Text { least: 1, most: 128 })
        .example("\"+14155550123\""),
    Field::new("ip", "An address of a person's device.", Shape::Ip),
    Field::new("key", "The id of an API key.", Shape::Chars { class: "0-9a-z", least: 1, most: 64 }),
    Field::new(
        "country",
        "A country, ISO 3166: its sends, calls and money.",
        Shape::Chars { class: "A-Z", least: 2, most: 2 },
    )
    .example("\"DE\""),
    Field::new("service", "A service, by its id.", Shape::Id(&["VA"])),
    Field::new("whole", "True for all that leaves here.", Shape::Flag),
];

const RESETS: &[Field] = &[
    WHOSE[0],
    WHOSE[1],
    WHOSE[2],
    WHOSE[3],
    WHOSE[4],
    WHOSE[5],
    Field::new(
        "everything",
        "True for all numbers, addresses and keys at once, and the rate limits of services: in the sandbox alone.",
        Shape::Flag,
    ),
];

/// What is used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LimitsUsed {
    /// One for each time of each rule of which something is used.
    pub limits: Vec<Used>,
}

/// Whether anything was.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LimitsReset {
    /// False where nothing was used.
    pub reset: bool,
}

/// `GET /v1/limits`: what is used of the limits of whom the query names.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listLimits",
    tag: TAG,
    summary: "Look at what is used of limits",
    about: "Of a number, an address, a key, a country, a service, the whole, or those of them that are named. A number's are its own and those of the thousand numbers around it. Money is in millionths of a US dollar, and in `dollars` as people write it.",
    scope: Scope::Admin,
    path: &[],
    query: WHOSE,
    body: Body::None,
    answer: Answer::json::<LimitsUsed>(200, "What is used, until when, by rule."),
    problems: &[&problem::INVALID_NUMBER],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/limits/search`: the same, named in the body.
pub const SEARCH: Operation = Operation {
    about: "As the list, with its filters in the body instead of the URL, where a number would be kept by logs.",
    ..search::of(&LIST, "searchLimits", "Search limits")
};

/// Looks at what is used of them, by rule.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let admission = &context.app.whole()?.admission;
    let mut limits = Vec::new();
    for whose in whose(admission, &mut call.query)? {
        limits.extend(admission::limits_of(admission, &whose).await?);
    }
    Ok(reply::json(StatusCode::OK, &LimitsUsed { limits }))
}

/// `POST /v1/limits/reset`: forgets what is used of the limits of whom the body names.
pub const RESET: Operation = Operation {
    method: "POST",
    id: "resetLimits",
    tag: TAG,
    summary: "Forget what is used of limits",
    about: "Of all that are named, as if nothing had been. The audit log keeps who did.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(RESETS),
    answer: Answer::json::<LimitsReset>(200, "Nothing is used any more."),
    problems: &[&problem::INVALID_NUMBER],
    repeats: Repeats::Ignored,
};

/// Forgets what is used, and says in the audit log who did.
pub async fn reset(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let admission = &context.app.whole()?.admission;
    if call.body.flag("everything") == Some(true) {
        if !context.settings.sandboxed {
            return Err(Error::field(
                "everything",
                "is for the sandbox alone: name a number, ip, key, country, service or the whole".to_owned(),
            ));
        }
        let reset = admission::forget_limits(admission, context.app.actor()).await?;
        return Ok(reply::json(StatusCode::OK, &LimitsReset { reset }));
    }
    let mut reset = false;
    for whose in whose(admission, &mut call.body)? {
        reset |= admission::reset_limits(admission, context.app.actor(), &whose).await?;
    }
    Ok(reply::json(StatusCode::OK, &LimitsReset { reset }))
}

/// Of whom: all that the fields name.
fn whose(admission: &Admission, fields: &mut Fields) -> Result<Vec<Whose>, Error> {
    let number =
        fields.text("number").map(|number| admission::number_of_form(admission, &number)).transpose()?;
    let ip = fields.parsed::<IpAddr>("ip")?;
    let named = [
        number.map(Whose::Number),
        ip.map(Whose::Address),
        fields.text("key").map(Whose::Key),
        fields.text("country").map(Whose::Country),
        fields.text("service").map(Whose::Service),
        fields.flag("whole").filter(|is_whole| *is_whole).map(|_| Whose::Whole),
    ];
    Ok(named.into_iter().flatten().collect())
}
