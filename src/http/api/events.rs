//! `/v1/events`: what happened, as a list or as it happens.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::views::endpoint::Redriven;
use crate::app::events::{self, EventQuery, Feed};
use crate::app::keyed;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::event::{Event, EventFilter, Payload};
use crate::model::id::EventId;
use crate::model::key::Scope;
use crate::twilio::errors;
use futures_util::{Stream, stream};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc;
use warp::http::header::CACHE_CONTROL;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;
use warp::{Reply, sse};

const TAG: &str = "Events";
const ID: Field = Field::needed("id", "The event's id.", Shape::Id(&["EV"]));
const NUMBERS: Field = Field::new(
    "numbers",
    "Whether telephone numbers are shown in `full`. Left out: `masked`.",
    Shape::Word(|| vec!["masked", "full"]),
);

/// How often a stream without events says that it lives, so that proxies do not
/// close it.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again, by its own protocol.
const RECONNECT: Duration = Duration::from_secs(2);
/// Events that wait for a client to take them.
const AHEAD: usize = 64;

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Events {
    /// The newest first.
    pub events: Vec<Payload>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// `GET /v1/events`: what happened, as a list or as a stream.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listEvents",
    tag: TAG,
    summary: "List events, or follow them",
    about: "The newest first. With `Accept: text/event-stream` the answer is a stream of server-sent events instead, in the order of their ids, from now on or after the one that `Last-Event-ID` or `after` names; nothing is left out and nothing comes twice. Events are kept for `retention.events_days`.",
    scope: Scope::Read,
    path: &[],
    query: &[
        LIMIT,
        CURSOR,
        Field::new(
            "type",
            "Of this type: a name, all below a name, or `*`.",
            Shape::Word(super::endpoints::filters),
        ),
        Field::new("since", "Not before this time.", Shape::Time),
        Field::new("until", "Before this time.", Shape::Time),
        NUMBERS,
        Field::new("after", "For a stream: begin after this event.", Shape::Id(&["EV"])),
    ],
    body: Body::None,
    answer: Answer::list::<Events>("A page of them."),
    problems: &[&problem::NO_STREAM],
    repeats: Repeats::OnlyReads,
};

/// Lists them, or streams them.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let filters: BTreeSet<EventFilter> = call.query.parsed("type")?.into_iter().collect();
    let full_numbers = full_numbers(&mut call);
    let accept = call.headers.get("accept").and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return streamed(&context, &mut call, filters, full_numbers);
    }
    let filter = EventQuery { filters, since: call.query.time("since"), until: call.query.time("until") };
    let page = keyed::events(&context.app, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Events {
        events: items.iter().map(|event| shown(event, full_numbers)).collect(),
        next_cursor,
    }))
}

/// `GET /v1/events/{id}`: one event, as it was sent.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchEvent",
    tag: TAG,
    summary: "Look at an event",
    about: "",
    scope: Scope::Read,
    path: &[ID],
    query: &[NUMBERS],
    body: Body::None,
    answer: Answer::json::<Payload>(200, "It."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one event, as it was sent.
pub async fn fetch(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let event = keyed::event(&context.app, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &shown(&event, full_numbers(&mut call))))
}

/// `POST /v1/events/{id}/redrive`: sends an event again.
pub const REDRIVE: Operation = Operation {
    method: "POST",
    id: "redriveEvent",
    tag: TAG,
    summary: "Send an event again",
    about: "To the endpoint that is named, or to each that wants it, whether it took it before or not.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::Optional(&[Field::new("endpoint", "To this one alone.", Shape::Id(&["EP"]))]),
    answer: Answer::json::<Redriven>(200, "It is on its way."),
    problems: &[&problem::NOT_FOUND, &problem::NOT_ALLOWED],
    repeats: Repeats::Ignored,
};

/// Sends one again.
pub async fn redrive(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let (id, endpoint) = (call.id()?, call.body.parsed("endpoint")?);
    let redriven = events::redrive_event(&context.app.whole()?.base, &id, endpoint.as_ref()).await?;
    Ok(reply::json(StatusCode::OK, &Redriven { redriven, more: false, next_cursor: None }))
}

fn streamed(
    context: &CallContext,
    call: &mut Call,
    filters: BTreeSet<EventFilter>,
    full_numbers: bool,
) -> Result<Response, Error> {
    const LAST: &str = "Last-Event-ID";
    let last = call.headers.get(LAST).filter(|id| !id.is_empty());
    let after: Option<EventId> = match last {
        None => call.query.parsed("after")?,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse().ok());
            Some(id.ok_or_else(|| Error::field(LAST, "this is no event's id: EV and 32 hexadecimal digits"))?)
        }
    };
    let feed = keyed::feed(&context.app, after, filters).ok_or(Error::NoStream)?;
    let alive = sse::keep_alive().interval(HEARTBEAT).text("alive");
    let mut response = sse::reply(alive.stream(lines(feed, full_numbers))).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would keep events until its buffer is full.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The feed as the lines of a stream. It ends with the service, or when the
/// store cannot be read; the client comes back with the last id it saw.
fn lines(feed: Feed, full_numbers: bool) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send + Sync {
    let (told, mut heard) = mpsc::channel(AHEAD);
    tokio::spawn(tell(feed, full_numbers, told));
    stream::poll_fn(move |cx| heard.poll_recv(cx).map(|line| line.map(Ok)))
}

/// Tells what comes, until nobody listens any more or nothing more comes.
async fn tell(mut feed: Feed, full_numbers: bool, told: mpsc::Sender<sse::Event>) {
    let hello = sse::Event::default().retry(RECONNECT).comment("events follow");
    if told.send(hello).await.is_err() {
        return;
    }
    loop {
        let next = tokio::select! {
            () = told.closed() => return,
            next = feed.next() => next,
        };
        let events = match next {
            Ok(Some(events)) => events,
            Ok(None) => return,
            Err(error) => return tracing::error!(%error, "a stream of events ends"),
        };
        for event in &events {
            if told.send(line(event, full_numbers)).await.is_err() {
                return;
            }
        }
    }
}

fn line(event: &Event, full_numbers: bool) -> sse::Event {
    // Plain data with text keys: writing it cannot fail.
    let data = serde_json::to_string(&shown(event, full_numbers)).unwrap_or_default();
    sse::Event::default().id(event.id.as_str()).event(event.body.event_type.as_str()).data(data)
}

fn shown(event: &Event, full_numbers: bool) -> Payload {
    Payload::new(event, full_numbers, errors::told)
}

fn full_numbers(call: &mut Call) -> bool {
    call.query.text("numbers").as_deref() == Some("full")
}
