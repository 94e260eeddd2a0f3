//! What a service of the operator's own tells of the messages that it was given: recorded,
//! durably, and then acknowledged with 204. It refuses to know what proves it.

use crate::app::messaging::{
    CallbackHead, NotHeard, ProviderError, judge_provider_head as judge_head, told_by_provider as told,
};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::server::Rate;
use std::sync::Arc;
use std::time::Instant;
use warp::reply::Response;

/// The longest callback, in bytes.
const LONGEST: usize = 16 * 1024;

/// One line a second about what is not proved, whoever sends it.
static UNPROVED: Rate = Rate::new();

/// `POST /gateway/status`: what became of a message, written down before it is answered.
pub async fn status(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let messaging = &context.app.messaging;
    let [id, timestamp, signature] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| only(&request, name));
    let head = CallbackHead { id: &id, timestamp: &timestamp, signature: &signature };
    judge_head(messaging, &head).map_err(|error| refused(&context, error))?;
    let most = context.settings.max_body.min(LONGEST);
    let body = request.body(most, context.settings.body_timeout).await?;
    told(messaging, &head, &body).await.map_err(|error| refused(&context, error))?;
    Ok(reply::no_content())
}

/// A header's value; empty where there is none, or more than one.
fn only(request: &Request, name: &str) -> String {
    match request.headers.get_all(name).iter().count() {
        1 => request.header(name).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

/// Whoever proves nothing is told nothing, but that; the log has why.
fn refused(context: &Context, error: ProviderError) -> Error {
    match error {
        ProviderError::Nobody => Error::NoRoute,
        ProviderError::NotHeard(NotHeard::Unproved(cause)) => {
            context.count_rejected(cause);
            if let Some(untold) = UNPROVED.pass(Instant::now()) {
                tracing::warn!(
                    cause,
                    untold,
                    "a callback of the gateway is not proved: see gateway.http.secret"
                );
            }
            Error::Unproved
        }
        ProviderError::NotHeard(NotHeard::Malformed { field: Some(field), what }) => {
            Error::field(field, what)
        }
        ProviderError::NotHeard(NotHeard::Malformed { field: None, what }) => Error::invalid(what),
        ProviderError::Messaging(error) => error.into(),
    }
}
