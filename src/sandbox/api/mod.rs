//! Twilio's REST API: who may ask, which operation it is, and how an answer looks
//! on the wire.
//!
//! A product is a folder with its table of routes and its resources, each a file
//! with its documents, its rules and its operations. What no table has is answered
//! with Twilio's own error document.

mod accounts_v1;
mod ask;
mod caller;
mod content_v1;
mod core;
mod events_v1;
mod hook;
mod iam_v1;
mod lookups;
mod messaging_v1;
mod messaging_v2;
mod monitor_v1;
mod outcome;
mod paging;
mod pricing;
mod route;
mod voice_v1;

use super::exchanges::Exchange;
use super::grounds;
use super::incoming::{Request, content, empty, json_reply};
use super::outgoing::note;
use super::refusal::Refusal;
use super::world::World;
use crate::secret::Secret;
use crate::twilio::url::may_name_a_number;
use ask::{Ask, Parts};
use outcome::{Done, Outcome};
pub(super) use route::product;
use route::{Found, Route};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use warp::http::HeaderValue;
use warp::reply::Response;

/// Every product. Where two have one path and `Host` names neither, the first has it.
const PRODUCTS: &[&[Route]] = &[
    core::ROUTES,
    accounts_v1::ROUTES,
    iam_v1::ROUTES,
    messaging_v1::ROUTES,
    messaging_v2::ROUTES,
    content_v1::ROUTES,
    voice_v1::ROUTES,
    lookups::ROUTES,
    pricing::ROUTES,
    events_v1::ROUTES,
    monitor_v1::ROUTES,
];

/// The one path whose `{Sid}` is an account.
const ACCOUNT: &str = "/2010-04-01/Accounts/{Sid}.json";

/// Every operation that there is.
pub(super) fn operations() -> Value {
    let all = PRODUCTS.iter().flat_map(|routes| routes.iter());
    all.map(|route| json!({ "host": route.host(), "method": route.method, "path": route.path })).collect()
}

/// Whether somebody is the main account's: by its SID and token, or by one of its
/// keys and that one's secret.
pub(super) fn opens(world: &World, user: &str, password: &Secret) -> bool {
    caller::caller(world, user, password).is_some_and(|caller| caller.account == world.settings.account_sid)
}

/// Answers a request to the REST API and notes it.
pub(super) async fn answer(world: &Arc<World>, request: &Request) -> Response {
    let (at, begun) = (world.clock.now(), std::time::Instant::now());
    let product = request.header("host").and_then(route::product);
    let found = route::find(PRODUCTS, request.method.as_str(), &request.segments(), product);
    let known = match &found {
        Found::Operation(route, _) | Found::OtherMethod(route) => Some(*route),
        Found::Nothing => None,
    };
    let outcome = run(world, request, found);
    let mut silence = Duration::ZERO;
    let (mut response, status, document) = match outcome {
        Ok(Done::Found(document)) => (json_reply(200, &document), 200, document.to_string()),
        Ok(Done::Created(document)) => (json_reply(201, &document), 201, document.to_string()),
        Ok(Done::Accepted(document)) => (json_reply(202, &document), 202, document.to_string()),
        Ok(Done::Content { content_type, bytes }) => (content(&content_type, bytes), 200, String::new()),
        Ok(Done::Gone) => (empty(204), 204, String::new()),
        Ok(Done::Silence(span)) => {
            silence = span;
            (empty(504), 504, String::new())
        }
        Err(refusal) => (refusal.reply(), refusal.status, refusal.document().to_string()),
    };
    let elapsed = begun.elapsed();
    let host = known.map_or_else(|| "api.twilio.com".to_owned(), Route::host);
    dress(world, &mut response, elapsed, &host);
    let document = without_secrets(document);
    let headers = request.headers.iter().filter(|(name, _)| *name != "authorization");
    note(
        world,
        Exchange {
            id: 0,
            kind: "api",
            sid: sid_in(&document),
            operation: known.map(|route| format!("{} {}{}", request.method, route.host(), route.path)),
            at,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            method: request.method.to_string(),
            url: request.target(),
            headers: headers
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: Some(status),
            verdict: verdict(known, status, &document),
            answer: document,
            webhook: None,
        },
    );
    // After it was noted: whoever gives up meanwhile ends this wait for good.
    tokio::time::sleep(silence).await;
    response
}

/// Lets the operation answer, if it is one and who asks may ask it.
fn run(world: &Arc<World>, request: &Request, found: Found) -> Outcome {
    // What is not there is not there for anybody: a browser that looks for an icon
    // is not asked for a password.
    if matches!(found, Found::Nothing) {
        tracing::info!(path = without_numbers(&request.path), "sandbox was asked for what it does not play");
        return Err(Refusal::not_found(&request.path));
    }
    if let Found::Operation(route, parts) = &found
        && route.is_public
    {
        // Whoever knows where it is may have it, as at Twilio.
        let account = account(parts, route).unwrap_or_default().to_owned();
        let caller = caller::Caller { account: account.clone(), proof: outcome::Proof::Key };
        return (route.run)(&Ask {
            world,
            request,
            caller: &caller,
            account: &account,
            parts: parts.clone(),
        });
    }
    let caller = caller::authenticate(world, request)?;
    let Found::Operation(route, parts) = found else {
        return Err(Refusal::new(405, 20004, "Method not allowed"));
    };
    let account = account(&parts, route).unwrap_or(&caller.account).to_owned();
    // Of an account that is not active, its own document can still be changed.
    caller::may(world, &caller, &account, route.method == "GET" || route.path == ACCOUNT)?;
    let now = world.clock.now();
    if !world.with(|state| state.limits.take_request(&account, now)) {
        return Err(grounds::too_much());
    }
    (route.run)(&Ask { world, request, caller: &caller, account: &account, parts })
}

/// A path for the program's own log, which names nobody's number.
fn without_numbers(path: &str) -> String {
    let is_hidden = |part: &str| part.len() > 40 || may_name_a_number(part);
    let shown = path.split('/').take(12).map(|part| if is_hidden(part) { "…" } else { part });
    shown.collect::<Vec<_>>().join("/")
}

/// The account that a path is about, if it names one.
fn account<'a>(parts: &'a Parts, route: &Route) -> Option<&'a str> {
    let name = if route.path == ACCOUNT { "Sid" } else { "AccountSid" };
    parts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// What the log of exchanges shows of an answer: everybody on this machine can
/// read the log, and not everybody has the token.
fn without_secrets(text: String) -> String {
    if !SECRETS.iter().any(|name| text.contains(&format!("\"{name}\""))) {
        return text;
    }
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else { return String::new() };
    hide(&mut document);
    document.to_string()
}

/// The fields that are secrets, wherever they stand.
const SECRETS: [&str; 3] = ["auth_token", "secondary_auth_token", "secret"];

fn hide(document: &mut Value) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                if SECRETS.contains(&name.as_str()) && value.is_string() {
                    *value = "(not shown here)".into();
                } else {
                    hide(value);
                }
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(hide),
        _ => {}
    }
}

/// The `sid` of a document.
pub(super) fn sid_in(document: &str) -> Option<String> {
    let document: Value = serde_json::from_str(document).ok()?;
    document.get("sid")?.as_str().map(str::to_owned)
}

fn verdict(known: Option<&Route>, status: u16, document: &str) -> String {
    let refused = || {
        let document: Value = serde_json::from_str(document).ok()?;
        Some(format!("refused: {} {}", document["code"], document["message"].as_str()?))
    };
    match status {
        404 if known.is_none() => "nothing of Twilio's that is played here has this path".to_owned(),
        504 => "no answer, as wished".to_owned(),
        400.. => refused().unwrap_or_else(|| "refused".to_owned()),
        _ => "answered".to_owned(),
    }
}

/// Twilio's response headers. Those that open the API to any web page are left
/// out: a page elsewhere has no business with this machine.
fn dress(world: &World, response: &mut Response, elapsed: Duration, host: &str) {
    let id = world.sid("RQ");
    let took = format!("{:.3}", elapsed.as_secs_f64());
    let headers = [
        ("twilio-request-id", id.as_str()),
        ("twilio-request-duration", &took),
        ("twilio-concurrent-requests", "1"),
        ("x-home-region", "us1"),
        ("x-api-domain", host),
        ("x-powered-by", "AT-5000"),
        ("x-shenanigans", "none"),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
}
