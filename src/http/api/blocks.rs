//! `/v1/blocks`: who is allowed or blocked.

use super::body::Fields;
use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::search;
use super::views::block::{BlockView, Blocks};
use super::words::ChannelWord;
use crate::app::admission::{self, ListFilter, NamedTarget, NewEntry};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use crate::model::lists::{Effect, ListEntry};
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Blocks";
const ID: Field =
    Field::needed("id", "The entry's id, or the name of a safe number.", Shape::Id(&["LE", "GN"]));
const FROM_CREATE: &[(&str, &str, &str)] = &[("fetchBlock", "id", "/id"), ("deleteBlock", "id", "/id")];
const SERVICE: Shape = Shape::Text { least: 1, most: 64 };
const CHANNEL: Shape = Shape::Word(ChannelWord::all);
const TARGET: Shape = Shape::Text { least: 1, most: 128 };

fn effects() -> Vec<&'static str> {
    Effect::ALL.iter().map(|effect| effect.as_str()).collect()
}

fn kinds() -> Vec<&'static str> {
    vec!["number", "range", "network", "country"]
}

/// `POST /v1/blocks`: allows or blocks somebody.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createBlock",
    tag: TAG,
    summary: "Allow or block somebody",
    about: "Names one of a number, a range, a network and a country. Blocked, no code is sent, neither for a start nor for a resend, in any face: `blocked`. Codes that were sent before may still be checked. Allowed, signals of fraud and rules about countries let it pass; limits, opt-outs and what payments ask for do not.\n\nA number's own entry counts before all others. Otherwise the narrowest network of the person's address and the longest range of the number, or else its country, are asked, and a block of either is one. Of the same target an entry for the service counts before one for all, and then a block before an allowance.\n\nThe same said again is the same entry, with the reason and the end that were said last. A number that is allowed for all services and without an end is a safe number, as `/v2/SafeList/Numbers` has them. Another process knows of it after two seconds.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::new("effect", "What it does. Left out: `block`.", Shape::Word(effects)).example("\"block\""),
        Field::new("number", "A number, in any writing: a person's, under every spelling.", Shape::Typed { least: 1, most: 128 }),
        Field::new(
            "range",
            "What numbers begin with, in international form, the calling code and one digit more at least: `+4479*`. Or the ends of a block: `+14155550000-+14155550999`.",
            TARGET,
        )
        .example("\"+4479*\""),
        Field::new(
            "network",
            "A network, `203.0.113.0/24` or `2001:db8::/32`, in which a person's address may be. An address alone is itself, or of IPv6 its network of 64 bits.",
            TARGET,
        ),
        Field::new("country", "A country, by its ISO 3166 code.", Shape::Chars { class: "A-Za-z", least: 2, most: 3 }),
        Field::new("channel", "With `country`: codes by this channel alone. Left out: by all.", CHANNEL),
        Field::new("service", "For codes of this service alone, by its id or name. Left out: of all.", SERVICE),
        Field::new("reason", "Why, in words for other operators.", Shape::Text { least: 0, most: ListEntry::MAX_REASON })
            .example("\"pumping since Tuesday\""),
        Field::new("ends_at", "When it stops, to the second. Left out: when somebody takes it away.", Shape::Time),
    ]),
    answer: Answer::json::<BlockView>(201, "It is in force.").leading_to(FROM_CREATE),
    problems: &[&problem::INVALID_NUMBER, &problem::SERVICE_NOT_FOUND, &problem::LIST_FULL],
    repeats: Repeats::Kept,
};

/// Puts somebody on a list, or says anew why and until when.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let admission = &context.app.whole()?.admission;
    let new = NewEntry {
        effect: effect(&mut call.body).unwrap_or(Effect::Block),
        target: named(&mut call.body)?.target(admission)?,
        service: context.app.service_named(call.body.text("service")).await?,
        reason: call.body.text("reason"),
        ends_at: call.body.time("ends_at"),
    };
    let line = admission::add_entry(admission, context.app.actor(), &new).await?;
    Ok(reply::created(&format!("/v1/blocks/{}", line.id), &BlockView::new(&line, true)))
}

/// `GET /v1/blocks`: who is allowed or blocked now, safe numbers among them.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listBlocks",
    tag: TAG,
    summary: "List who is allowed or blocked",
    about: "Those that are in force, the newest first, numbers masked unless `full_numbers` asks for them.",
    scope: Scope::Admin,
    path: &[],
    query: &[
        Field::new("effect", "Those that do this.", Shape::Word(effects)),
        Field::new("kind", "Those that name such a thing.", Shape::Word(kinds)),
        Field::new(
            "number",
            "Those that name this number, in any writing.",
            Shape::Text { least: 1, most: 128 },
        ),
        Field::new("range", "Those that name this very range.", TARGET),
        Field::new("network", "Those that name this very network.", TARGET),
        Field::new(
            "country",
            "Those that name this country.",
            Shape::Chars { class: "A-Za-z", least: 2, most: 3 },
        ),
        Field::new("channel", "With `country`: for this channel alone.", CHANNEL),
        Field::new("service", "Those for this service alone, by its id or name.", SERVICE),
        Field::new("full_numbers", "True for numbers in full.", Shape::Flag),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Blocks>("A page of them."),
    problems: &[&problem::INVALID_NUMBER, &problem::SERVICE_NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/blocks/search`: the same list, with its filters in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchBlocks", "Search who is allowed or blocked");

/// Lists who is allowed or blocked.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let admission = &context.app.whole()?.admission;
    let asked = paging::asked(&mut call)?;
    let is_full = call.query.flag("full_numbers").unwrap_or(false);
    let filter = ListFilter {
        effect: effect(&mut call.query),
        kind: call.query.text("kind"),
        target: named(&mut call.query)?.sought(admission)?,
        service: context.app.service_named(call.query.text("service")).await?,
    };
    let page = admission::list_entries(admission, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Blocks {
        blocks: items.iter().map(|line| BlockView::new(line, is_full)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/blocks/{id}`: one entry, with its number in full.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchBlock",
    tag: TAG,
    summary: "Look at who is allowed or blocked by an entry",
    about: "With its number in full.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<BlockView>(200, "It, as it is in force."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Looks at one entry.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let line = admission::list_entry(&context.app.whole()?.admission, call.name()).await?;
    Ok(reply::json(StatusCode::OK, &BlockView::new(&line, true)))
}

/// `DELETE /v1/blocks/{id}`: takes an entry away.
pub const DELETE: Operation = Operation {
    method: "DELETE",
    id: "deleteBlock",
    tag: TAG,
    summary: "Take an entry away",
    about: "It is in force nowhere any more after two seconds. The audit log keeps who took it away. A safe number is taken from `/v2/SafeList/Numbers`, too.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::nothing("It is gone."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Takes one entry away.
pub async fn delete(context: CallContext, call: Call) -> Result<Response, Error> {
    admission::remove_entry(&context.app.whole()?.admission, context.app.actor(), call.name()).await?;
    Ok(reply::no_content())
}

fn effect(fields: &mut Fields) -> Option<Effect> {
    Effect::named(&fields.text("effect")?)
}

fn named(fields: &mut Fields) -> Result<NamedTarget, Error> {
    Ok(NamedTarget {
        number: fields.text("number"),
        range: fields.text("range").map(|text| plus(&text)),
        network: fields.text("network"),
        country: fields.text("country"),
        channel: fields.parsed("channel")?,
    })
}

/// A plus in a query means a space, and is easily meant as itself.
fn plus(text: &str) -> String {
    text.strip_prefix(' ').map_or_else(|| text.to_owned(), |rest| format!("+{rest}").replace("- ", "-+"))
}
