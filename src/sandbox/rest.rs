//! Twilio's 2010 REST API: who may ask, which route it is, and how an answer
//! looks on the wire.
//!
//! Routes go by path alone and never by `Host`, because SDKs that were pointed
//! here may still call themselves guests of `api.twilio.com`.

use super::exchanges::Exchange;
use super::incoming::{Request, empty};
use super::outcome::{Done, Outcome, Proof};
use super::outgoing::note;
use super::refusal::Refusal;
use super::world::World;
use super::{accounts, calls, keys, messages};
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use warp::http::{HeaderValue, Method};
use warp::reply::Response;

/// Answers a request to `/2010-04-01/…` and notes it.
pub(super) async fn answer(world: &Arc<World>, request: &Request) -> Response {
    let (at, begun) = (world.clock.now(), std::time::Instant::now());
    let outcome = route(world, request);
    let mut silence = Duration::ZERO;
    let (mut response, status, document) = match outcome {
        Ok(Done::Found(document)) => (super::incoming::json_reply(200, &document), 200, document.to_string()),
        Ok(Done::Created(document)) => {
            (super::incoming::json_reply(201, &document), 201, document.to_string())
        }
        Ok(Done::Gone) => (empty(204), 204, String::new()),
        Ok(Done::Silence(span)) => {
            silence = span;
            (empty(504), 504, String::new())
        }
        Err(refusal) => (refusal.reply(), refusal.status, refusal.document().to_string()),
    };
    let elapsed = begun.elapsed();
    dress(world, &mut response, elapsed);
    let document = without_secrets(document);
    let headers = request.headers.iter().filter(|(name, _)| *name != "authorization");
    note(
        world,
        Exchange {
            id: 0,
            kind: "api",
            sid: sid_in(&document),
            at,
            ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            method: request.method.to_string(),
            url: match request.query.as_str() {
                "" => request.path.clone(),
                query => format!("{}?{query}", request.path),
            },
            headers: headers
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: Some(status),
            verdict: verdict(status, &document),
            answer: document,
            webhook: None,
        },
    );
    // After it was noted: whoever gives up meanwhile ends this wait for good.
    tokio::time::sleep(silence).await;
    response
}

/// What the log of exchanges shows of an answer: everybody on this machine can
/// read the log, and not everybody has the token.
fn without_secrets(text: String) -> String {
    let secrets = ["auth_token", "secret"];
    if !secrets.iter().any(|name| text.contains(&format!("\"{name}\""))) {
        return text;
    }
    let hide = |document: &mut Value| {
        for name in secrets {
            if let Some(secret) = document.get_mut(name).filter(|secret| secret.is_string()) {
                *secret = "(not shown here)".into();
            }
        }
    };
    let Ok(mut document) = serde_json::from_str::<Value>(&text) else { return String::new() };
    hide(&mut document);
    let rows = document.get_mut("accounts").and_then(Value::as_array_mut);
    rows.into_iter().flatten().for_each(hide);
    document.to_string()
}

fn sid_in(document: &str) -> Option<String> {
    let document: Value = serde_json::from_str(document).ok()?;
    document.get("sid")?.as_str().map(str::to_owned)
}

fn verdict(status: u16, document: &str) -> String {
    let refused = || {
        let document: Value = serde_json::from_str(document).ok()?;
        Some(format!("refused: {} {}", document["code"], document["message"].as_str()?))
    };
    match status {
        504 => "no answer, as wished".to_owned(),
        400.. => refused().unwrap_or_else(|| "refused".to_owned()),
        _ => "answered".to_owned(),
    }
}

/// Twilio's response headers. Those that open the API to any web page are left
/// out: a page elsewhere has no business with this machine.
fn dress(world: &World, response: &mut Response, elapsed: Duration) {
    let id = world.sid("RQ");
    let took = format!("{:.3}", elapsed.as_secs_f64());
    let headers = [
        ("twilio-request-id", id.as_str()),
        ("twilio-request-duration", &took),
        ("twilio-concurrent-requests", "1"),
        ("x-home-region", "us1"),
        ("x-api-domain", "api.twilio.com"),
        ("x-powered-by", "AT-5000"),
        ("x-shenanigans", "none"),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// The whole API on one screen.
fn route(world: &Arc<World>, request: &Request) -> Outcome {
    let proof = authorize(world, request)?;
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let missing = || Refusal::not_found(&request.path);
    let sid = |last: &'_ str| last.strip_suffix(".json").map(str::to_owned).ok_or_else(missing);
    let not_allowed = || Err(Refusal::new(405, 20004, "Method not allowed"));
    let (account, rest) = match segments.as_slice() {
        ["2010-04-01", "Accounts.json"] if request.method == Method::GET => {
            return accounts::list(world, request, proof);
        }
        ["2010-04-01", "Accounts.json"] => return not_allowed(),
        ["2010-04-01", "Accounts", last] => (sid(last)?, &[][..]),
        ["2010-04-01", "Accounts", account, rest @ ..] => ((*account).to_owned(), rest),
        _ => return Err(missing()),
    };
    if account != world.settings.account_sid {
        return Err(Refusal::unauthorized("Authenticate"));
    }
    match (&request.method, rest) {
        (&Method::GET, []) => Ok(accounts::fetch(world, proof)),
        (&Method::POST, []) => accounts::update(world, &request.form(), proof),
        (&Method::POST, ["Keys.json"]) => keys::create(world, &request.form()),
        (&Method::GET, ["Keys.json"]) => keys::list(world, request),
        (&Method::GET, ["Keys", last]) => keys::fetch(world, &sid(last)?).ok_or_else(missing),
        (&Method::POST, ["Keys", last]) => {
            keys::update(world, &sid(last)?, &request.form())?.ok_or_else(missing)
        }
        (&Method::DELETE, ["Keys", last]) => keys::delete(world, &sid(last)?).ok_or_else(missing),
        (&Method::POST, ["Messages.json"]) => messages::create(world, &request.form()),
        (&Method::GET, ["Messages.json"]) => messages::list(world, request),
        (&Method::GET, ["Messages", last]) => messages::fetch(world, &sid(last)?).ok_or_else(missing),
        (&Method::POST, ["Messages", last]) => {
            messages::update(world, &sid(last)?, &request.form())?.ok_or_else(missing)
        }
        (&Method::DELETE, ["Messages", last]) => messages::delete(world, &sid(last)?)?.ok_or_else(missing),
        (&Method::POST, ["Messages", message, "Feedback.json"]) => {
            messages::feedback(world, message, &request.form())?.ok_or_else(missing)
        }
        (&Method::POST, ["Calls.json"]) => calls::create(world, &request.form()),
        (&Method::GET, ["Calls.json"]) => calls::list(world, request),
        (&Method::GET, ["Calls", last]) => calls::fetch(world, &sid(last)?).ok_or_else(missing),
        (&Method::POST, ["Calls", last]) => {
            calls::update(world, &sid(last)?, &request.form())?.ok_or_else(missing)
        }
        (&Method::DELETE, ["Calls", last]) => calls::delete(world, &sid(last)?)?.ok_or_else(missing),
        (&Method::GET, ["Calls", call, "Recordings.json"]) => {
            calls::recordings(world, call, request)?.ok_or_else(missing)
        }
        (
            _,
            []
            | ["Messages.json" | "Calls.json" | "Keys.json"]
            | ["Messages" | "Calls" | "Keys", _]
            | ["Messages", _, "Feedback.json"],
        ) => not_allowed(),
        _ => Err(missing()),
    }
}

/// HTTP Basic with the account's token or with an API key.
fn authorize(world: &World, request: &Request) -> Result<Proof, Refusal> {
    let header = request.header("authorization").ok_or_else(|| Refusal::unauthorized("Authenticate"))?;
    let wrong = || Refusal::unauthorized("Authentication Error - invalid username");
    let (scheme, encoded) = header.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
    let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
    proof(world, user, &Secret::new(password)).ok_or_else(wrong)
}

/// What this user and password prove, if anything.
pub(super) fn proof(world: &World, user: &str, password: &Secret) -> Option<Proof> {
    let settings = &world.settings;
    let by_token = user == settings.account_sid && *password == settings.auth_token;
    let by_key = settings.api_key.as_ref().is_some_and(|(sid, secret)| user == sid && password == secret);
    match password.is_empty() {
        false if by_token => Some(Proof::Token),
        false if by_key || keys::opens(world, user, password) => Some(Proof::Key),
        _ => None,
    }
}
