//! `/v1/events`: what happened, as a list or as it happens.

use super::endpoints::{DEFAULT_LIMIT, Redriven, body, limit, wishes};
use super::query;
use crate::http::auth::caller;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::id::NoticeId;
use crate::model::notice::{Notice, Payload};
use crate::service::{EventFilter, Feed, ServiceError};
use crate::twilio::errors;
use futures_util::{Stream, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use warp::Reply;
use warp::http::header::CACHE_CONTROL;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;
use warp::sse;

/// How often a stream without news says that it lives, so that proxies do not
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

/// Where an event is to be sent again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Where {
    /// The endpoint; without it, every one that wants the event.
    endpoint: Option<String>,
}

/// What a query says.
#[derive(Default)]
struct Asked {
    filter: EventFilter,
    full_numbers: bool,
    after: Option<NoticeId>,
}

/// `GET /v1/events`: a list, or a stream where `text/event-stream` is accepted.
pub async fn list(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let asked = asked(&request)?;
    if request.header("accept").is_some_and(|accept| accept.contains("text/event-stream")) {
        return streamed(&context, &request, asked);
    }
    let (found, next) = context.service.events(&asked.filter).await?;
    let events = found.iter().map(|notice| shown(notice, asked.full_numbers)).collect();
    Ok(reply::json(StatusCode::OK, &Events { events, next_cursor: next.map(String::from) }))
}

/// `GET /v1/events/{id}`
pub async fn fetch(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let full_numbers = asked(&request)?.full_numbers;
    let notice = context.service.event(&id(&request)?).await?;
    Ok(reply::json(StatusCode::OK, &shown(&notice, full_numbers)))
}

/// `POST /v1/events/{id}/redrive`; the body may be left out.
pub async fn redrive(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let Where { endpoint } = body(&context, &mut request).await?;
    let endpoint = endpoint.map(|id| id.parse().map_err(|_| ServiceError::NotFound)).transpose()?;
    let redriven = context.service.redrive_event(&id, endpoint.as_ref()).await?;
    Ok(reply::json(StatusCode::OK, &Redriven { redriven, more: false }))
}

fn streamed(context: &Context, request: &Request, asked: Asked) -> Result<Response, Error> {
    let after = match request.header("last-event-id").filter(|id| !id.is_empty()) {
        None => asked.after,
        Some(id) => Some(event_id("Last-Event-ID", id)?),
    };
    let feed = context.service.feed(after, asked.filter.wishes).ok_or(Error::NoStream)?;
    let alive = sse::keep_alive().interval(HEARTBEAT).text("alive");
    let mut response = sse::reply(alive.stream(lines(feed, asked.full_numbers))).into_response();
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
        let news = tokio::select! {
            () = told.closed() => return,
            news = feed.next() => news,
        };
        let notices = match news {
            Ok(Some(notices)) => notices,
            Ok(None) => return,
            Err(error) => return tracing::error!(%error, "a stream of events ends"),
        };
        for notice in &notices {
            if told.send(line(notice, full_numbers)).await.is_err() {
                return;
            }
        }
    }
}

fn line(notice: &Notice, full_numbers: bool) -> sse::Event {
    // Plain data with text keys: writing it cannot fail.
    let data = serde_json::to_string(&shown(notice, full_numbers)).unwrap_or_default();
    sse::Event::default().id(notice.id.as_str()).event(notice.news.topic.as_str()).data(data)
}

fn shown(notice: &Notice, full_numbers: bool) -> Payload {
    Payload::new(notice, full_numbers, errors::fault)
}

fn asked(request: &Request) -> Result<Asked, Error> {
    let mut asked = Asked::default();
    asked.filter.limit = DEFAULT_LIMIT;
    let known = ["type", "since", "until", "cursor", "limit", "after", "numbers"];
    for (name, value) in query(request, &known)? {
        match name.as_str() {
            "type" => {
                let names: Vec<String> = value.split(',').map(str::to_owned).collect();
                asked.filter.wishes = wishes(&names)?;
            }
            "since" => asked.filter.since = Some(time("since", &value)?),
            "until" => asked.filter.until = Some(time("until", &value)?),
            "cursor" => asked.filter.before = Some(event_id("cursor", &value)?),
            "after" => asked.after = Some(event_id("after", &value)?),
            "limit" => asked.filter.limit = limit(&value)?,
            _ => match value.as_str() {
                "full" => asked.full_numbers = true,
                "masked" => {}
                _ => return Err(Error::field("numbers", "numbers are full or masked")),
            },
        }
    }
    Ok(asked)
}

fn id(request: &Request) -> Result<NoticeId, Error> {
    let id = request.params.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| ServiceError::NotFound.into())
}

fn event_id(field: &'static str, text: &str) -> Result<NoticeId, Error> {
    text.parse().map_err(|_| Error::field(field, "this is no event's id: EV and 32 hexadecimal digits"))
}

fn time(field: &'static str, text: &str) -> Result<Timestamp, Error> {
    // A plus in a query means a space, and is easily meant as itself.
    text.replace(' ', "+")
        .parse()
        .map_err(|_| Error::field(field, "a time is written as in RFC 3339, like 2026-11-20T09:30:00Z"))
}
