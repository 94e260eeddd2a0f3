//! The page's form: hands verifications on to the service beside the sandbox,
//! with its API key, so that the key never reaches a browser.

use super::incoming::{Request, complaint, not_allowed, typed};
use super::world::World;
use reqwest::Method as Outgoing;
use std::time::Duration;
use warp::http::Method;
use warp::reply::Response;

/// How long the service may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// The longest answer that is handed back, in bytes.
const ANSWER: usize = 1024 * 1024;

/// Answers `/sandbox/app/…` with what the service answers to `/v1/…`.
pub(super) async fn answer(world: &World, request: &Request, rest: &[&str]) -> Response {
    let post = match rest {
        ["verifications"] | ["verifications", _, "check" | "resend"] => true,
        ["verifications", _] | ["deliveries", _] => false,
        _ => return complaint(404, "no such form", "the page's form knows verifications and deliveries"),
    };
    let wanted = if post { Method::POST } else { Method::GET };
    if request.method != wanted {
        return not_allowed(if post { "POST" } else { "GET" });
    }
    let Some(app) = world.with(|state| state.app.clone()) else {
        let hint = "run `dialback serve`, which has the service and the sandbox in one";
        return complaint(503, "the sandbox runs alone", hint);
    };
    // One segment each, so that nothing can climb out of /v1/.
    let plain = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if !rest.iter().all(plain) {
        return complaint(400, "not an id", "use the id that the form was given");
    }
    let url = format!("{}/v1/{}", app.base_url.trim_end_matches('/'), rest.join("/"));
    let method = if post { Outgoing::POST } else { Outgoing::GET };
    let mut outgoing = world.http.request(method, url).bearer_auth(app.api_key.expose()).timeout(DEADLINE);
    if post {
        outgoing = outgoing.header("content-type", "application/json").body(request.body.clone());
    }
    match outgoing.send().await {
        Ok(response) => hand_back(response).await,
        Err(_) => complaint(502, "the service does not answer", "is it running?"),
    }
}

/// Has the service beside forget what is used of its limits, so that whoever starts afresh
/// is not refused for what was before. One that does not answer keeps them.
pub(super) async fn forget_limits(world: &World) {
    let Some(app) = world.with(|state| state.app.clone()) else { return };
    let url = format!("{}/v1/limits/reset", app.base_url.trim_end_matches('/'));
    let asked = world.http.request(Outgoing::POST, url).bearer_auth(app.api_key.expose()).timeout(DEADLINE);
    let asked = asked.header("content-type", "application/json").body(r#"{"everything":true}"#);
    if let Err(error) = asked.send().await {
        tracing::debug!(%error, "the service did not forget its limits");
    }
}

async fn hand_back(mut response: reqwest::Response) -> Response {
    let status = response.status().as_u16();
    let problem = response
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem"));
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > ANSWER {
            return complaint(502, "the service said too much", "look at its log");
        }
        body.extend_from_slice(&chunk);
    }
    let kind = if problem { "application/problem+json" } else { "application/json" };
    typed(status, kind, String::from_utf8_lossy(&body).into_owned())
}
