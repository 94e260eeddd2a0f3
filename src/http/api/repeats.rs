//! `Idempotency-Key`: the same request with the same key gets the same answer.

use super::fields::{Field, Shape};
use super::operation::Call;
use crate::app::App;
use crate::app::verification::{self, Idempotency, Repeat};
use crate::http::caller::Caller;
use crate::http::error::Error;
use crate::http::reply::{self, Whole};
use serde::{Deserialize, Serialize};
use std::future::Future;
use warp::http::header::LOCATION;
use warp::http::{HeaderMap, HeaderValue, StatusCode};
use warp::reply::Response;

/// The longest `Idempotency-Key`, in bytes.
const MAX_KEY: usize = 255;
/// The longest answer that is kept, in bytes; a record has at most 64 KiB.
const MAX_REPLY: usize = 60 * 1024;

/// The header by which a request is known again.
pub const KEY: Field = Field::new(
    "Idempotency-Key",
    "A name for this request, such as a random UUID: the same request with the same name gets the same answer for 24 hours.",
    Shape::Chars { class: "!-~", least: 1, most: MAX_KEY },
);

/// What is kept of an answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    location: Option<String>,
    body: String,
}

/// The key of a request, if it has one.
///
/// # Errors
/// [`Error::Invalid`] for a key that is none.
pub fn key(headers: &HeaderMap, caller: &Caller) -> Result<Option<Idempotency>, Error> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let is_alone = keys.next().is_none();
    match key.to_str() {
        Ok(key)
            if is_alone
                && (1..=MAX_KEY).contains(&key.len())
                && key.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(Some(Idempotency { caller: caller.name.clone(), key: key.to_owned() }))
        }
        _ => Err(Error::field(
            "Idempotency-Key",
            format!("Idempotency-Key has to be 1 to {MAX_KEY} printable ASCII characters without spaces"),
        )),
    }
}

/// Does a request once for its key, or says again what was answered.
///
/// # Errors
/// The handler's, which are not kept, or those of the key.
pub async fn once<F, Fut>(app: &App, call: Call, handler: F) -> Result<Response, Error>
where
    F: FnOnce(Call) -> Fut,
    Fut: Future<Output = Result<Response, Error>>,
{
    let Some(key) = key(&call.headers, &call.caller)? else {
        return handler(call).await;
    };
    let request = format!("{}?{} {}", call.path, call.raw_query, call.body);
    let claim = match verification::claim(&app.verifying, &key, &request).await? {
        Repeat::First(claim) => claim,
        Repeat::Again(kept) => return again(&kept),
    };
    let answer = handler(call).await;
    let kept = answer.as_ref().ok().and_then(kept);
    verification::settle_claim(&app.base, claim, kept).await?;
    answer
}

/// The mark of an answer that was given before.
pub fn mark(response: &mut Response) {
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
}

fn kept(response: &Response) -> Option<String> {
    let Whole(body) = response.extensions().get()?;
    let is_good = response.status().is_success() && body.len() <= MAX_REPLY;
    let location = response.headers().get(LOCATION).and_then(|path| path.to_str().ok());
    let kept = Kept {
        status: response.status().as_u16(),
        location: location.map(str::to_owned),
        body: String::from_utf8(body.to_vec()).ok()?,
    };
    serde_json::to_string(&kept).ok().filter(|_| is_good)
}

fn again(kept: &str) -> Result<Response, Error> {
    let damaged = |_| Error::Internal("a kept answer does not read".into());
    let kept: Kept = serde_json::from_str(kept).map_err(damaged)?;
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut response = reply::bytes(status, "application/json", kept.body.into());
    if let Some(path) = kept.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
        response.headers_mut().insert(LOCATION, path);
    }
    mark(&mut response);
    Ok(response)
}
