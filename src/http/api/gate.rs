//! The way into every operation of the API: who asks, may they, how often;
//! then its query and body are read. On the way out an answer gets what every
//! answer has.

use super::body::Fields;
use super::operation::{Body, Call, Operation, Repeats};
use super::repeats;
use crate::http::auth;
use crate::http::caller::Caller;
use crate::http::context::{CallContext, Context};
use crate::http::error::Error;
use crate::http::rate_limit::Standing;
use crate::http::reply::Whole;
use crate::http::request::Request;
use sha2::{Digest, Sha256};
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;
use warp::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

/// Answers a request to an operation.
///
/// # Errors
/// What the caller did wrong before anybody knew who it was.
pub async fn answer<F, Fut>(
    operation: &'static Operation,
    context: Arc<Context>,
    request: Request,
    handler: F,
) -> Result<Response, Error>
where
    F: FnOnce(CallContext, Call) -> Fut,
    Fut: Future<Output = Result<Response, Error>>,
{
    let caller = auth::caller(&context, &request).await?;
    let standing = context.limiter.take(&caller.name, Instant::now());
    let known = request.headers.get_all(IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = match standing {
        Some(Standing { wait: Some(seconds), per_minute, .. }) => {
            Err(Error::RateLimited { per_minute, seconds })
        }
        _ => done(operation, context, caller, request, handler).await.map_err(|error| match error {
            Error::Refused(refusal) if refusal.is_not_found() => Error::Nothing(operation.nothing()),
            error => error,
        }),
    };
    let mut response = response.unwrap_or_else(Error::into_response);
    tell_if_undocumented(operation, &response);
    if operation.method == "GET" && response.status() == StatusCode::OK {
        response = tagged(response, &known);
    }
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    Ok(response)
}

async fn done<F, Fut>(
    operation: &'static Operation,
    context: Arc<Context>,
    caller: Caller,
    mut request: Request,
    handler: F,
) -> Result<Response, Error>
where
    F: FnOnce(CallContext, Call) -> Fut,
    Fut: Future<Output = Result<Response, Error>>,
{
    if !caller.may(operation.scope) {
        return Err(Error::ScopeMissing(operation.scope));
    }
    let query = Fields::from_query(request.query(), operation.query)?;
    let body = body(&operation.body, &context, &mut request).await?;
    let call = Call {
        caller,
        path: request.path().to_owned(),
        raw_query: request.query().to_owned(),
        params: request.params,
        query,
        body,
        headers: request.headers,
        is_linked: true,
    };
    let seen = context.seen_by(&call.caller);
    match operation.repeats {
        Repeats::Kept => repeats::once(&context.app, call, |call| handler(seen, call)).await,
        // What only reads stops when nobody waits for it any more.
        Repeats::OnlyReads => tokio::select! {
            biased;
            answer = handler(seen, call) => answer,
            () = crate::server::caller_gone() => Ok(Response::default()),
        },
        Repeats::Ignored | Repeats::KeptByHandler => handler(seen, call).await,
    }
}

async fn body(body: &Body, context: &Context, request: &mut Request) -> Result<Fields, Error> {
    let (fields, may_be_empty) = match body {
        Body::None => return Ok(Fields::default()),
        Body::Needed(fields) => (fields, false),
        Body::Optional(fields) => (fields, true),
    };
    let bytes = request.body(context.settings.max_body, context.settings.body_timeout).await?;
    if may_be_empty && bytes.is_empty() {
        return Ok(Fields::default());
    }
    Fields::from_json(&bytes, fields)
}

/// A defect of the documentation is found by whoever meets it first.
fn tell_if_undocumented(operation: &Operation, response: &Response) {
    let code = response.extensions().get::<&'static crate::http::problem::Kind>();
    if let Some(kind) = code.filter(|kind| !operation.all_problems().contains(kind)) {
        tracing::error!(operation = operation.id, code = kind.code, "this problem is not documented");
    }
}

/// The answer with its `ETag`, or 304 when the caller has it already.
fn tagged(mut response: Response, known: &[HeaderValue]) -> Response {
    let Some(Whole(body)) = response.extensions().get::<Whole>() else {
        return response;
    };
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(body)));
    let Ok(tag) = HeaderValue::from_str(&tag) else {
        return response;
    };
    if known.iter().any(|known| names(known, &tag)) {
        let mut unchanged = Response::default();
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        keep(&mut unchanged, &response, CACHE_CONTROL);
        response = unchanged;
    }
    response.headers_mut().insert(ETAG, tag);
    response
}

/// Whether `If-None-Match` names this tag: weakly, as RFC 9110 §13.1.2 says.
fn names(known: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(known), Ok(tag)) = (known.to_str(), tag.to_str()) else {
        return false;
    };
    let same = |one: &str| one.trim().trim_start_matches("W/") == tag;
    known.trim() == "*" || known.split(',').any(same)
}

fn keep(new: &mut Response, old: &Response, name: HeaderName) {
    let old: &HeaderMap = old.headers();
    if let Some(value) = old.get(&name) {
        new.headers_mut().insert(name, value.clone());
    }
}
