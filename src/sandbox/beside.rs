//! What a service beside the sandbox answers: Twilio Verify, of which the sandbox
//! plays nothing itself. A request goes there as it came, credentials and all, and
//! the answer comes back as it is.
//!
//! It refuses to know what Verify is: paths and a base URL, and that another one stands
//! in its place once both have begun afresh.

use super::api;
use super::exchanges::Exchange;
use super::incoming::Request;
use super::outgoing::note;
use super::refusal::Refusal;
use super::world::World;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use warp::http::{HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// Verify's own host, and the operation's in the log.
const HOST: &str = "verify.twilio.com";
/// The beginnings of its paths, below `/v2/`.
const PATHS: [&str; 4] = ["Services", "Attempts", "Templates", "SafeList"];
/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// The longest answer that is handed back, in bytes.
const ANSWER: usize = 1024 * 1024;
/// The headers that are handed on, and back.
const ON: [HeaderName; 2] = [AUTHORIZATION, CONTENT_TYPE];
const BACK: [&str; 3] = ["content-type", "www-authenticate", "retry-after"];

/// Lets the service beside the sandbox begin afresh, if there is one; false when it does
/// not.
pub(super) async fn begin_afresh(world: &World) -> bool {
    let Some(service) = world.afresh.get() else { return true };
    let (tell, told) = oneshot::channel();
    if service.send(tell).await.is_err() {
        return false;
    }
    let Ok(base) = told.await else { return false };
    world.change(|state| state.verify = Some(base));
    true
}

/// Whether a request is for the service beside the sandbox, if there is one.
pub(super) fn takes(world: &World, request: &Request) -> bool {
    let segments = request.segments();
    let is_its = matches!(
        segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
        ["v2", first, ..] if PATHS.contains(first)
    );
    let named = request.header("host").and_then(api::product);
    is_its && named.is_none_or(|name| name == "verify") && world.with(|state| state.verify.is_some())
}

/// Hands a request on, and its answer back.
pub(super) async fn answer(world: &World, request: &Request) -> Response {
    let (at, begun) = (world.clock.now(), Instant::now());
    let (response, status, document) = match ask(world, request).await {
        Ok(answered) => answered,
        Err(refusal) => (refusal.reply(), refusal.status, refusal.document().to_string()),
    };
    let shown = request.headers.iter().filter(|(name, _)| *name != AUTHORIZATION);
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    note(
        world,
        Exchange {
            id: 0,
            kind: "api",
            sid: api::sid_in(&document),
            operation: Some(format!("{} {HOST}{}", request.method, request.path)),
            at,
            ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            method: request.method.to_string(),
            url: request.target(),
            headers: shown.map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: Some(status),
            verdict: if status < 400 { "answered" } else { "refused" }.to_owned(),
            answer: document,
            webhook: None,
        },
    );
    response
}

async fn ask(world: &World, request: &Request) -> Result<(Response, u16, String), Refusal> {
    let silent = || Refusal::new(503, 20503, "Service is unavailable. Please try again");
    let base = world.with(|state| state.verify.clone()).ok_or_else(silent)?;
    let url = format!("{}{}", base.trim_end_matches('/'), request.target());
    let mut outgoing = world.http.request(request.method.clone(), url).timeout(DEADLINE);
    for name in ON {
        if let Some(value) = request.headers.get(&name) {
            outgoing = outgoing.header(name, value);
        }
    }
    let mut answer = outgoing.body(request.body.clone()).send().await.map_err(|_| silent())?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| silent())? {
        if body.len() + chunk.len() > ANSWER {
            return Err(silent());
        }
        body.extend_from_slice(&chunk);
    }
    let status = answer.status().as_u16();
    let text = String::from_utf8_lossy(&body).into_owned();
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    for name in BACK {
        if let Some(value) = answer.headers().get(name) {
            response.headers_mut().insert(HeaderName::from_static(name), value.clone());
        }
    }
    Ok((response, status, text))
}
