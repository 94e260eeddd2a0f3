//! Endpoints, and what was sent to them.

use crate::app::events::Trial;
use crate::model::dispatch::{Dispatch, State, Try};
use crate::model::endpoint::{Endpoint, Why};
use crate::secret::Secret;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Where an application wants to hear of events.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
pub struct EndpointView {
    /// Its id, `EP` and 32 hexadecimal digits.
    pub id: String,
    /// The address that events are posted to.
    pub url: String,
    /// What people say about it.
    pub description: Option<String>,
    /// What it wants to hear of.
    pub events: Vec<String>,
    /// Whether it is told numbers in full.
    pub full_numbers: bool,
    /// Whether it is sent to.
    pub enabled: bool,
    /// Why it is not.
    pub disabled_reason: Option<Why>,
    /// Since when it is not.
    pub disabled_at: Option<Timestamp>,
    /// Since when nothing but failures came back.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the current one signs, too.
    pub old_secret_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An endpoint and its new secret, which is shown this once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndpointWithSecret {
    /// The endpoint as it is now.
    #[serde(flatten)]
    pub endpoint: EndpointView,
    /// `whsec_…`: what signatures are checked with.
    pub secret: String,
}

/// A page of endpoints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Endpoints {
    /// The newest first.
    pub endpoints: Vec<EndpointView>,
    /// Always null: there are few.
    pub next_cursor: Option<String>,
}

/// The sending of one event to one endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Dispatch")]
pub struct DispatchView {
    /// The id of the event.
    pub event: String,
    /// The id of the endpoint.
    pub endpoint: String,
    /// Where it stands.
    pub status: State,
    /// How often it was tried since it was last asked for.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What came of the last attempt.
    pub last_attempt: Option<Try>,
    /// When it was first asked for.
    pub created_at: Timestamp,
}

/// A page of dispatches.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dispatches {
    /// The newest first.
    pub dispatches: Vec<DispatchView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// What came of a trial.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndpointTrial")]
pub struct TrialView {
    /// The id of the event that was sent.
    pub event: String,
    /// Whether the endpoint took it.
    pub delivered: bool,
    /// The HTTP status that came back.
    pub status: Option<u16>,
    /// Why none came back.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// What is sent again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Redriven {
    /// How many dispatches are sent again.
    pub redriven: usize,
    /// Whether there may be more: ask again with the cursor.
    pub more: bool,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl EndpointWithSecret {
    /// An endpoint with its new secret.
    pub fn new(endpoint: &Endpoint, secret: &Secret) -> Self {
        Self { endpoint: endpoint.into(), secret: secret.expose().to_owned() }
    }
}

impl From<&Endpoint> for EndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        let disabled = endpoint.disabled.as_ref();
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.filters.iter().map(|filter| filter.as_str().to_owned()).collect(),
            full_numbers: endpoint.full_numbers,
            enabled: disabled.is_none(),
            disabled_reason: disabled.map(|disabled| disabled.why),
            disabled_at: disabled.map(|disabled| disabled.at),
            failing_since: endpoint.failing_since,
            old_secret_until: endpoint.keys.iter().filter_map(|key| key.until).max(),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl From<&Dispatch> for DispatchView {
    fn from(dispatch: &Dispatch) -> Self {
        Self {
            event: dispatch.event.to_string(),
            endpoint: dispatch.endpoint.to_string(),
            status: dispatch.state,
            attempts: dispatch.attempts,
            next_attempt_at: dispatch.next_at,
            last_attempt: dispatch.last.clone(),
            created_at: dispatch.created_at,
        }
    }
}

impl From<Trial> for TrialView {
    fn from(trial: Trial) -> Self {
        let status = trial.outcome.as_ref().ok().map(|receipt| receipt.status);
        Self {
            event: trial.event,
            delivered: status.is_some_and(|status| (200..300).contains(&status)),
            status,
            error: trial.outcome.err().map(|error| error.to_string()),
            millis: trial.millis,
        }
    }
}
