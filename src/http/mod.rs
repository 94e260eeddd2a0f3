//! The faces over HTTP: webhooks, the application's API, health.
//!
//! A handler returns a response or an error, and what an error looks like is
//! decided in one place. This
//! folder refuses to know sled, gateways and configuration files.

mod api;
mod auth;
mod context;
mod error;
mod health;
mod pages;
mod reply;
mod request;
mod route;
mod webhooks;

pub use api::views::found as delivery_view;
pub use context::{Context, Operator, Settings, SignatureMode};
pub use pages::{BadTemplate, Pages};
pub use webhooks::explainer::Explainer;

use pages::Act;
use route::{Route, get, get_or_post, post, route};
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Every route there is, on one screen. The path is compared raw, as Twilio
/// signs it: no decoding, no forgiven slash.
fn table() -> Vec<Route> {
    use api::{deliveries, keys, sessions, verifications};
    use webhooks::{events, inbound, status, voice};
    vec![
        route("/twilio/status", post(status::message)),
        route("/twilio/call-status", post(status::call)),
        route("/twilio/voice/{verification}/{delivery}", get_or_post(voice::answered)),
        route("/twilio/voice/{verification}/{delivery}/code", get_or_post(voice::gate)),
        route("/twilio/voice/{verification}/{delivery}/again", get_or_post(voice::again)),
        route("/twilio/sms", get_or_post(inbound::text)),
        route("/twilio/voice", get_or_post(inbound::call)),
        route("/twilio/events", post(events::batch)),
        route("/v1/verifications", post(verifications::create)),
        route("/v1/verifications/{id}", get(verifications::fetch).delete(verifications::cancel)),
        route("/v1/verifications/{id}/check", post(verifications::check)),
        route("/v1/verifications/{id}/resend", post(verifications::resend)),
        route("/v1/deliveries", get(deliveries::list)),
        route("/v1/deliveries/{sid}", get(deliveries::fetch)),
        route("/v1/sessions", post(sessions::create)),
        route("/v1/sessions/{id}/result", post(sessions::result)),
        route("/verify/static/{file}", get(pages::asset)),
        route("/verify/{session}", get(pages::page)),
        route("/verify/{session}/events", get(pages::events)),
        step("/verify/{session}/begin", Act::Begin),
        step("/verify/{session}/number", Act::Number),
        step("/verify/{session}/channel", Act::Channel),
        step("/verify/{session}/code", Act::Code),
        step("/verify/{session}/resend", Act::Resend),
        step("/verify/{session}/change", Act::Change),
        step("/verify/{session}/again", Act::Again),
        step("/verify/{session}/cancel", Act::Cancel),
        step("/verify/{session}/return", Act::Return),
        route("/v1/keys", post(keys::create)),
        route("/healthz", get(health::live)),
        route("/readyz", get(health::ready)),
    ]
}

/// A form of the pages.
fn step(pattern: &'static str, act: Act) -> Route {
    route(pattern, post(move |context, request| pages::take(context, request, act)))
}

/// The whole service as a filter.
pub fn filter(context: Arc<Context>) -> BoxedFilter<(Response,)> {
    route::service(table(), context)
}
