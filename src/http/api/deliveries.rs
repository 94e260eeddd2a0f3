//! `/v1/deliveries`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::search;
use super::views::delivery::{Deliveries, Delivery};
use super::words::{DeliveryChannelWord, DeliveryStatus};
use crate::app::keyed;
use crate::app::messaging::DeliveryFilter;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::key::Scope;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Deliveries";

/// `GET /v1/deliveries`: messages and calls, the newest first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listDeliveries",
    tag: TAG,
    summary: "List deliveries",
    about: "Every message and call: ours from the moment that it is promised, anybody's on the account once it was heard of; the newest first.",
    scope: Scope::Read,
    path: &[],
    query: &[
        Field::new(
            "to",
            "Those to this number, in any writing and on any channel; or those to this address, like `whatsapp:+14155550123` or a short code.",
            Shape::Text { least: 1, most: 128 },
        ),
        Field::new("verification", "Those of this verification.", Shape::Id(&["VE"])),
        Field::new("status", "Those in this status now.", Shape::Word(DeliveryStatus::all)),
        Field::new("channel", "Those by this channel.", Shape::Word(DeliveryChannelWord::all)),
        Field::new("since", "Those first heard of, or asked for, at this time or later.", Shape::Time),
        Field::new("until", "Those first heard of, or asked for, before this time.", Shape::Time),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Deliveries>("A page of them."),
    problems: &[&problem::INVALID_NUMBER],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/deliveries/search`: the same list, with its filters in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchDeliveries", "Search deliveries");

/// Lists the messages and calls that the query's filters take.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let query = &mut call.query;
    let filter = DeliveryFilter {
        to: query.text("to"),
        verification: query.parsed("verification")?,
        status: query.text("status"),
        channel: query.parsed("channel")?,
        since: query.time("since"),
        until: query.time("until"),
    };
    let page = keyed::deliveries(&context.app, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Deliveries {
        deliveries: items.iter().map(Delivery::from).collect(),
        next_cursor,
    }))
}

/// `GET /v1/deliveries/{sid}`: what is known of one message or call.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchDelivery",
    tag: TAG,
    summary: "Look at a delivery",
    about: "By Twilio's name (`SM…`, `MM…`, `CA…`) or by ours (`DL…`, `DM…`).",
    scope: Scope::Read,
    path: &[Field::needed("sid", "Its name.", Shape::Id(&["SM", "MM", "CA", "DL", "DM"]))],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Delivery>(200, "It, with everything that was reported of it."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one message or call, by either of its names.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let found = keyed::delivery(&context.app, call.name()).await?;
    let mut shown = Delivery::from(&found);
    if call.caller.is_operator() {
        shown.shadow_blocked = keyed::is_shadow(&context.app, &found).await?;
    }
    Ok(reply::json(StatusCode::OK, &shown))
}
