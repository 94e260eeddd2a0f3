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
pub use webhooks::explainer::Explainer;

use route::{Route, get, get_or_post, post, route};
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Every route there is, on one screen. The path is compared raw, as Twilio
/// signs it: no decoding, no forgiven slash.
fn table() -> Vec<Route> {
    use api::{deliveries, endpoints, keys, sessions, verifications};
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
        route("/v1/keys", post(keys::create)),
        route("/v1/endpoints", get(endpoints::list).post(endpoints::create)),
        route("/v1/endpoints/{id}", get(endpoints::fetch).patch(endpoints::change).delete(endpoints::remove)),
        route("/v1/endpoints/{id}/rotate", post(endpoints::rotate)),
        route("/v1/endpoints/{id}/test", post(endpoints::test)),
        route("/v1/endpoints/{id}/dispatches", get(endpoints::dispatches)),
        route("/v1/endpoints/{id}/redrive", post(endpoints::redrive)),
        route("/v1/events", get(api::events::list)),
        route("/v1/events/{id}", get(api::events::fetch)),
        route("/v1/events/{id}/redrive", post(api::events::redrive)),
        route("/healthz", get(health::live)),
        route("/readyz", get(health::ready)),
    ]
}

/// The whole service as a filter.
pub fn filter(context: Arc<Context>) -> BoxedFilter<(Response,)> {
    route::service(table(), context)
}
