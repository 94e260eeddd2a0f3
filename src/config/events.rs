//! `[events]`: what applications are told, and how.
//!
//! It refuses to know who is told.

use super::reader::Reader;
use crate::model::event::EventFilter;
use std::time::Duration;

/// What applications are told, and how.
#[derive(Clone, Debug)]
pub struct Events {
    /// What is recorded whether an endpoint wants it or not.
    pub record: Vec<EventFilter>,
    /// Why endpoints may be in private networks, and without TLS.
    pub allow_private_addresses: Option<String>,
    /// Endpoints at most.
    pub max_endpoints: usize,
    /// Requests to endpoints at once.
    pub max_in_flight: usize,
    /// Streams of events at once.
    pub max_streams: usize,
    /// To connect to an endpoint.
    pub connect_timeout: Duration,
    /// For a whole request to an endpoint.
    pub request_timeout: Duration,
    /// How long nothing but failures may come back.
    pub disable_after: Duration,
}

impl Events {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mend = "write names such as \"verification.approved\", or \"verification.*\"";
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self {
            record: r.parsed_list("events.record", mend, |text| text.parse().ok()),
            allow_private_addresses: r.reason("events.allow_private_addresses"),
            max_endpoints: r.number("events.max_endpoints", 1..=10),
            max_in_flight: r.number("events.max_in_flight", 1..=256),
            max_streams: r.number("events.max_streams", 1..=10_000),
            connect_timeout: r.seconds("events.connect_timeout_seconds", 1..=60),
            request_timeout: r.seconds("events.request_timeout_seconds", 1..=60),
            disable_after: hours(r.number("events.disable_after_hours", 1..=8760)),
        }
    }
}
