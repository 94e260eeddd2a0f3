//! `/operator/…`: what the command line of the same machine asks of a running
//! server, which alone can read and write its store. Only the operator's key
//! opens it; an API key does not, not even an admin's: all secrets of the store
//! go through here.
//!
//! What takes long is answered as a stream of server-sent events: `progress`
//! with what was read so far, and at last `done` or `error`.

use super::context::Context;
use super::error::Error;
use super::request::Request;
use super::{auth, reply};
use crate::app::admin::{self, Exporting, ImportRules};
use crate::app::fault::Fault;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use warp::http::header::CACHE_CONTROL;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;
use warp::{Reply, sse};

/// Events that wait for the client to take them; of an export each is a page.
const AHEAD: usize = 1;
/// How often a stream without anything to tell says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The longest piece of an import, in bytes.
const MAX_PIECE: usize = 8 * 1024 * 1024;

pub(super) type Told = mpsc::Sender<sse::Event>;

/// Where an export begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Behind {
    kind: Option<String>,
    id: Option<String>,
}

/// What an import is to do.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct How {
    line: u64,
    overwrite: bool,
    dry_run: bool,
}

/// `GET /operator/export?kind=&id=`: all records behind that one, as lines of an
/// export; each event is a page of them.
pub async fn export(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let from: Behind = query(&request)?;
    let after = from.kind.as_deref().zip(from.id.as_deref());
    let exporting =
        admin::export(&context.app.base, after).map_err(|error| Error::invalid(error.to_string()))?;
    Ok(streamed(move |told| export_pages(exporting, told)))
}

async fn export_pages(mut exporting: Exporting, told: Told) {
    let mut records = 0;
    loop {
        match exporting.next().await {
            Ok(Some(page)) => {
                records += page.records;
                // Lines of JSON are text.
                let lines = String::from_utf8_lossy(&page.lines);
                let event = sse::Event::default().event("records").data(lines.trim_end_matches('\n'));
                if told.send(event).await.is_err() {
                    return;
                }
            }
            Ok(None) => return end(&told, Ok::<_, Infallible>(json!({ "records": records }))).await,
            Err(error) => return end(&told, Err::<Value, _>(error)).await,
        }
    }
}

/// `POST /operator/import?line=&overwrite=&dry_run=`: a piece of an export.
pub async fn import(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    let How { line, overwrite, dry_run } = query(&request)?;
    let body = request.body(MAX_PIECE, context.settings.body_timeout).await?;
    match admin::import(&context.app.telling, &body, line, ImportRules { overwrite, dry_run }).await {
        Ok(imported) => Ok(reply::json(StatusCode::OK, &imported)),
        Err(crate::app::admin::ImportError::File(bad)) => Err(Error::invalid(bad.to_string())),
        Err(crate::app::admin::ImportError::Store(error)) => Err(Fault::from(error).into()),
    }
}

/// `POST /operator/store/check`: reads everything and verifies it.
pub async fn check(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    Ok(streamed(move |told| async move {
        let told_so_far = progress(&told);
        tokio::select! {
            () = told.closed() => {}
            findings = admin::inspect(&context.app.privacy, &told_so_far) => end(&told, findings).await,
        }
    }))
}

/// `POST /operator/store/stats`: counts everything.
pub async fn stats(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    Ok(streamed(move |told| async move {
        let told_so_far = progress(&told);
        tokio::select! {
            () = told.closed() => {}
            census = admin::census(&context.app.base, &told_so_far) => end(&told, census).await,
        }
    }))
}

/// `POST /operator/store/compact`: gives back space.
pub async fn compact(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    auth::operator(&context, &request).await?;
    Ok(streamed(move |told| async move {
        let compacted = admin::compact(&context.app.base).await;
        let bytes = compacted.map(|(before, after)| json!({ "before": before, "after": after }));
        end(&told, bytes).await;
    }))
}

pub(super) fn query<T: for<'q> Deserialize<'q>>(request: &Request) -> Result<T, Error> {
    serde_urlencoded::from_str(request.query()).map_err(|error| Error::invalid(error.to_string()))
}

/// Tells how far it is, when the client has taken what was told before.
pub(super) fn progress(told: &Told) -> impl Fn(u64) + Send + Sync + 'static {
    let told = told.clone();
    move |records| {
        // The next one says the same and more.
        let _ = told.try_send(sse::Event::default().event("progress").data(records.to_string()));
    }
}

pub(super) async fn end<T: Serialize, E: Display>(told: &Told, verdict: Result<T, E>) {
    let event = sse::Event::default();
    let event = match verdict {
        // Plain data with text keys: writing it cannot fail.
        Ok(done) => event.event("done").data(serde_json::to_string(&done).unwrap_or_default()),
        Err(error) => {
            tracing::error!(%error, "what the operator asked for failed");
            event.event("error").data(error.to_string())
        }
    };
    // Who left does not want to know.
    let _ = told.send(event).await;
}

/// An answer that is told bit by bit by a task of its own. What changes
/// something is ended also when the client leaves.
pub(super) fn streamed<F: Future<Output = ()> + Send + 'static>(tell: impl FnOnce(Told) -> F) -> Response {
    let (told, mut heard) = mpsc::channel(AHEAD);
    tokio::spawn(tell(told));
    let events = stream::poll_fn(move |cx| heard.poll_recv(cx).map(|event| event.map(Ok::<_, Infallible>)));
    let alive = sse::keep_alive().interval(HEARTBEAT).text("alive");
    let mut response = sse::reply(alive.stream(events)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
