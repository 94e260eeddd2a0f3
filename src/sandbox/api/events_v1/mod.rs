//! `events.twilio.com`: Event Streams.

mod event_types;
mod schemas;
mod sinks;
mod subscribed_events;
mod subscriptions;

use super::route::{Route, delete, get, post};

const PRODUCT: &str = "events";
const EVENTS: &str = "/v1/Subscriptions/{SubscriptionSid}/SubscribedEvents";
const EVENT: &str = "/v1/Subscriptions/{SubscriptionSid}/SubscribedEvents/{Type}";

/// What is played of Event Streams: methods, paths and who answers.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Schemas/{Id}", schemas::fetch),
    get(PRODUCT, "/v1/Schemas/{Id}/Versions", schemas::versions),
    get(PRODUCT, "/v1/Schemas/{Id}/Versions/{SchemaVersion}", schemas::version),
    get(PRODUCT, "/v1/Sinks", sinks::list),
    post(PRODUCT, "/v1/Sinks", sinks::create),
    get(PRODUCT, "/v1/Sinks/{Sid}", sinks::fetch),
    post(PRODUCT, "/v1/Sinks/{Sid}", sinks::update),
    delete(PRODUCT, "/v1/Sinks/{Sid}", sinks::delete),
    post(PRODUCT, "/v1/Sinks/{Sid}/Test", sinks::test),
    post(PRODUCT, "/v1/Sinks/{Sid}/Validate", sinks::validate),
    get(PRODUCT, "/v1/Subscriptions", subscriptions::list),
    post(PRODUCT, "/v1/Subscriptions", subscriptions::create),
    get(PRODUCT, "/v1/Subscriptions/{Sid}", subscriptions::fetch),
    post(PRODUCT, "/v1/Subscriptions/{Sid}", subscriptions::update),
    delete(PRODUCT, "/v1/Subscriptions/{Sid}", subscriptions::delete),
    get(PRODUCT, EVENTS, subscribed_events::list),
    post(PRODUCT, EVENTS, subscribed_events::create),
    get(PRODUCT, EVENT, subscribed_events::fetch),
    post(PRODUCT, EVENT, subscribed_events::update),
    delete(PRODUCT, EVENT, subscribed_events::delete),
    get(PRODUCT, "/v1/Types", event_types::list),
    get(PRODUCT, "/v1/Types/{Type}", event_types::fetch),
];
