//! The faces over HTTP: webhooks, the application's API, health.
//!
//! A handler returns a response or an error, and what an error looks like is
//! decided in one place. This
//! folder refuses to know sled, gateways and configuration files.

mod api;
mod auth;
mod caller;
mod context;
mod error;
mod explainer;
mod guesses;
mod health;
mod hosted;
mod near;
mod openapi;
mod operator;
mod pages;
mod problem;
mod queue;
mod rate_limit;
mod reconcile;
mod refusal;
mod reply;
mod request;
mod route;
mod service;
mod silence;
mod verify_v2;
mod webhooks;

pub use context::{Context, OpensAccount, Operator, Settings, SignatureMode};
pub use explainer::Explainer;
pub use pages::{BadTemplate, Pages};
pub use queue::view as queue_view;

use bytes::Bytes;
use error::Error;
use hosted::Action;
use request::Request;
use route::{PathRoute, api, get, get_or_post, post, route, search};
use service::service;
use std::sync::{Arc, LazyLock};
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;

/// Every route that others may reach, on one screen. The path is compared raw, as Twilio
/// signs it: no decoding, no forgiven slash.
fn table() -> Vec<PathRoute> {
    use api::{
        audit, blocks, channels, checks, decisions, deliveries, endpoints, erasures, keys, limits, messages,
        opt_outs, services, sessions,
    };
    use api::{test_numbers as numbers, verifications as v};
    use webhooks::{events, gateway, inbound, status, voice};
    vec![
        route("/twilio/status", post(status::message)),
        route("/twilio/call-status", post(status::call)),
        route("/twilio/voice/{verification}/{delivery}", get_or_post(voice::answered)),
        route("/twilio/voice/{verification}/{delivery}/code", get_or_post(voice::gate)),
        route("/twilio/voice/{verification}/{delivery}/read", get_or_post(voice::read)),
        route("/twilio/voice/{verification}/{delivery}/again", get_or_post(voice::again)),
        route("/twilio/sms", get_or_post(inbound::text)),
        route("/twilio/voice", get_or_post(inbound::call)),
        route("/twilio/events", post(events::batch)),
        route("/gateway/status", post(gateway::status)),
        route("/v1/verifications", api(&v::LIST, v::list).and(&v::CREATE, v::create)),
        route("/v1/verifications/search", search(&v::SEARCH, v::list)),
        route("/v1/verifications/{id}", api(&v::FETCH, v::fetch).and(&v::CANCEL, v::cancel)),
        route("/v1/verifications/{id}/check", api(&checks::CHECK, checks::check)),
        route("/v1/verifications/{id}/resend", api(&v::RESEND, v::resend)),
        route("/v1/verifications/{id}/stop-failover", api(&v::STOP_FAILOVER, v::stop_failover)),
        route("/v1/deliveries", api(&deliveries::LIST, deliveries::list)),
        route("/v1/deliveries/search", search(&deliveries::SEARCH, deliveries::list)),
        route("/v1/deliveries/{sid}", api(&deliveries::FETCH, deliveries::fetch)),
        route("/v1/messages", api(&messages::LIST, messages::list).and(&messages::CREATE, messages::create)),
        route("/v1/messages/search", search(&messages::SEARCH, messages::list)),
        route("/v1/messages/statistics", api(&messages::STATISTICS, messages::statistics)),
        route(
            "/v1/messages/{id}",
            api(&messages::FETCH, messages::fetch).and(&messages::CANCEL, messages::cancel),
        ),
        route("/v1/messages/{id}/retry", api(&messages::RETRY, messages::retry)),
        route("/v1/channels", api(&channels::LIST, channels::list)),
        route("/v1/services", api(&services::LIST, services::list).and(&services::CREATE, services::create)),
        route(
            "/v1/services/{id}",
            api(&services::FETCH, services::fetch)
                .and(&services::CHANGE, services::change)
                .and(&services::DELETE, services::delete),
        ),
        route("/v1/sessions", api(&sessions::CREATE, sessions::create)),
        route("/v1/sessions/{id}", api(&sessions::END, sessions::end)),
        route("/v1/sessions/{id}/result", api(&sessions::RESULT, sessions::result)),
        route("/v1/opt-outs", api(&opt_outs::LIST, opt_outs::list)),
        route("/v1/opt-outs/search", search(&opt_outs::SEARCH, opt_outs::list)),
        route(
            "/v1/opt-outs/{number}",
            api(&opt_outs::FETCH, opt_outs::fetch)
                .and(&opt_outs::SET, opt_outs::set)
                .and(&opt_outs::DELETE, opt_outs::delete),
        ),
        route("/v1/test-numbers", api(&numbers::LIST, numbers::list).and(&numbers::CREATE, numbers::refuse)),
        route("/v1/limits", api(&limits::LIST, limits::list)),
        route("/v1/limits/search", search(&limits::SEARCH, limits::list)),
        route("/v1/limits/reset", api(&limits::RESET, limits::reset)),
        route("/v1/blocks", api(&blocks::LIST, blocks::list).and(&blocks::CREATE, blocks::create)),
        route("/v1/blocks/search", search(&blocks::SEARCH, blocks::list)),
        route("/v1/blocks/{id}", api(&blocks::FETCH, blocks::fetch).and(&blocks::DELETE, blocks::delete)),
        route("/v1/decisions", api(&decisions::LIST, decisions::list)),
        route("/v1/decisions/search", search(&decisions::SEARCH, decisions::list)),
        route("/v1/decisions/report", api(&decisions::REPORT, decisions::report)),
        route("/v1/decisions/replay", api(&decisions::REPLAY, decisions::replay)),
        route("/v1/decisions/{id}", api(&decisions::FETCH, decisions::fetch)),
        route("/v1/keys", api(&keys::LIST, keys::list).and(&keys::CREATE, keys::create)),
        route("/v1/keys/{id}", api(&keys::FETCH, keys::fetch).and(&keys::REVOKE, keys::revoke)),
        route(
            "/v1/endpoints",
            api(&endpoints::LIST, endpoints::list).and(&endpoints::CREATE, endpoints::create),
        ),
        route(
            "/v1/endpoints/{id}",
            api(&endpoints::FETCH, endpoints::fetch)
                .and(&endpoints::CHANGE, endpoints::change)
                .and(&endpoints::DELETE, endpoints::delete),
        ),
        route("/v1/endpoints/{id}/rotate", api(&endpoints::ROTATE, endpoints::rotate)),
        route("/v1/endpoints/{id}/test", api(&endpoints::TEST, endpoints::test)),
        route("/v1/endpoints/{id}/dispatches", api(&endpoints::DISPATCHES, endpoints::dispatches)),
        route("/v1/endpoints/{id}/redrive", api(&endpoints::REDRIVE, endpoints::redrive)),
        route("/v1/audit", api(&audit::LIST, audit::list)),
        route("/v1/erasures", api(&erasures::CREATE, erasures::create)),
        route("/v1/erasures/{id}", api(&erasures::FETCH, erasures::fetch)),
        route("/v1/events", api(&api::events::LIST, api::events::list)),
        route("/v1/events/{id}", api(&api::events::FETCH, api::events::fetch)),
        route("/v1/events/{id}/redrive", api(&api::events::REDRIVE, api::events::redrive)),
        route("/verify/static/{file}", get(hosted::asset)),
        route("/verify/{session}", get(hosted::page)),
        route("/verify/{session}/events", get(hosted::events)),
        step("/verify/{session}/begin", Action::Begin),
        step("/verify/{session}/number", Action::Number),
        step("/verify/{session}/channel", Action::Channel),
        step("/verify/{session}/code", Action::Code),
        step("/verify/{session}/resend", Action::Resend),
        step("/verify/{session}/stay", Action::Stay),
        step("/verify/{session}/change", Action::Change),
        step("/verify/{session}/again", Action::Again),
        step("/verify/{session}/cancel", Action::Cancel),
        step("/verify/{session}/return", Action::Return),
        route("/healthz", get(health::live)),
        route("/readyz", get(health::ready)),
    ]
}

/// What the listener for this machine's own has: nothing that others must see.
fn admin_table() -> Vec<PathRoute> {
    vec![
        route("/operator/export", get(operator::export)),
        route("/operator/import", post(operator::import)),
        route("/operator/store/check", post(operator::check)),
        route("/operator/store/stats", post(operator::stats)),
        route("/operator/store/compact", post(operator::compact)),
        route("/operator/reconcile", post(reconcile::reconcile)),
        route("/operator/queue", get(queue::list)),
        route("/operator/queue/retry", post(queue::retry)),
        route("/operator/queue/drop", post(queue::remove)),
        route("/operator/silence", get(silence::list)),
        description(),
        route("/healthz", get(health::live)),
        route("/readyz", get(health::ready_with_details)),
    ]
}

fn description() -> PathRoute {
    route("/openapi.json", get(described))
}

/// `GET /openapi.json`: the description of the API, made once.
async fn described(_: Arc<Context>, _: Request) -> Result<Response, Error> {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| openapi::of(&table()).to_string().into());
    Ok(reply::bytes(StatusCode::OK, "application/json", TEXT.clone()))
}

/// A delivery as the API shows it.
pub fn delivery_view(found: &crate::app::messaging::Found) -> serde_json::Value {
    // A plain type with text keys: writing it cannot fail.
    serde_json::to_value(api::views::delivery::Delivery::from(found)).unwrap_or_default()
}

/// A decision about a request for a code as the API shows it.
pub fn decision_view(found: &crate::app::decisions::Followed) -> serde_json::Value {
    serde_json::to_value(api::views::decision::Decision::from(found)).unwrap_or_default()
}

/// An erasure as the API shows it.
pub fn erasure_view(erasure: &crate::model::erasure::Erasure) -> serde_json::Value {
    serde_json::to_value(api::erasures::ErasureView::from(erasure)).unwrap_or_default()
}

/// A line of the audit log as the API shows it.
pub fn audit_view(entry: &crate::model::audit::AuditEntry) -> serde_json::Value {
    serde_json::to_value(api::audit::AuditView::from(entry)).unwrap_or_default()
}

/// A form of the pages.
fn step(pattern: &'static str, action: Action) -> PathRoute {
    route(pattern, post(move |context, request| hosted::take(context, request, action)))
}

/// The whole service as a filter, for a listener that others may reach.
pub fn filter(context: Arc<Context>) -> BoxedFilter<(Response,)> {
    let mut table = table();
    table.extend(verify_v2::table());
    if context.settings.shows_description {
        table.push(description());
    }
    service(table, context, None)
}

/// What the operator and this machine's own tools ask, for a listener of its own:
/// it answers to this machine's names and to `hosts`.
pub fn admin(context: Arc<Context>, hosts: Vec<String>) -> BoxedFilter<(Response,)> {
    service(admin_table(), context, Some(hosts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Which scope each operation needs is tried from outside, line by line of
    /// this table; here, that no operation is missing in it.
    const SCOPES: &str = include_str!("../../fixtures/scopes.txt");

    #[test]
    fn every_operation_stands_in_the_table_of_scopes() {
        let lines = SCOPES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let written: BTreeSet<String> =
            lines.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
        let mut all = table();
        all.extend(verify_v2::table());
        let there: BTreeSet<String> = all
            .iter()
            .filter(|route| ["/v1/", verify_v2::PREFIX].iter().any(|face| route.pattern().starts_with(face)))
            .flat_map(|route| route.methods().map(|method| format!("{method} {}", route.pattern())))
            .collect();
        assert_eq!(written, there);
    }
}
