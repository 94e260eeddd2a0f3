//! `/v1/endpoints`: where events are sent to.

use super::query;
use crate::http::auth::caller;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::dispatch::{Attempt, Dispatch, State};
use crate::model::endpoint::{Endpoint, Why};
use crate::model::id::EndpointId;
use crate::model::notice::Wish;
use crate::service::{DispatchFilter, EndpointChange, ServiceError, Trial};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use warp::http::header::LOCATION;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Things on a page unless asked otherwise, and at most.
pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const MAX_LIMIT: usize = 200;

/// What may be said of an endpoint.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "EndpointChange")]
pub struct Said {
    /// Its address, `https://…`; needed for a new one.
    url: Option<String>,
    /// What people say about it.
    description: Option<String>,
    /// What it wants to hear of: names, `verification.*` or `*`.
    events: Option<Vec<String>>,
    /// Whether it is told numbers in full.
    full_numbers: Option<bool>,
    /// Whether it is sent to.
    enabled: Option<bool>,
}

/// Since when something is to be sent again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Since {
    /// Everything since then that was not taken or never sent; without it, all
    /// that was given up.
    since: Option<Timestamp>,
}

/// An endpoint.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Endpoint")]
pub struct EndpointView {
    /// Its id, `EP` and 32 hexadecimal digits.
    pub id: String,
    /// Its address.
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
    /// The endpoint.
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
    /// The event.
    pub event: String,
    /// The endpoint.
    pub endpoint: String,
    /// Where it stands.
    pub status: State,
    /// How often it was tried since it was last asked for.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What came of the last attempt.
    pub last_attempt: Option<Attempt>,
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
    /// How many.
    pub redriven: usize,
    /// Whether there are more: ask again.
    pub more: bool,
}

/// `POST /v1/endpoints`
pub async fn create(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let said: Said = body(&context, &mut request).await?;
    if said.url.is_none() {
        return Err(Error::field("url", "url is missing"));
    }
    let (endpoint, secret) = context.service.create_endpoint(said.try_into()?).await?;
    let location = HeaderValue::from_str(&format!("/v1/endpoints/{}", endpoint.id));
    let shown = EndpointWithSecret { endpoint: (&endpoint).into(), secret: secret.expose().to_owned() };
    let mut response = reply::json(StatusCode::CREATED, &shown);
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /v1/endpoints`
pub async fn list(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    query(&request, &[])?;
    let endpoints = context.service.endpoints().await?.iter().map(EndpointView::from).collect();
    Ok(reply::json(StatusCode::OK, &Endpoints { endpoints, next_cursor: None }))
}

/// `GET /v1/endpoints/{id}`
pub async fn fetch(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let endpoint = context.service.endpoint(&id(&request)?).await?;
    Ok(reply::json(StatusCode::OK, &EndpointView::from(&endpoint)))
}

/// `PATCH /v1/endpoints/{id}`
pub async fn change(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let said: Said = body(&context, &mut request).await?;
    let endpoint = context.service.change_endpoint(&id, said.try_into()?).await?;
    Ok(reply::json(StatusCode::OK, &EndpointView::from(&endpoint)))
}

/// `DELETE /v1/endpoints/{id}`
pub async fn remove(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    context.service.remove_endpoint(&id(&request)?).await?;
    Ok(reply::no_content())
}

/// `POST /v1/endpoints/{id}/rotate`
pub async fn rotate(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let (endpoint, secret) = context.service.rotate_endpoint(&id(&request)?).await?;
    let shown = EndpointWithSecret { endpoint: (&endpoint).into(), secret: secret.expose().to_owned() };
    Ok(reply::json(StatusCode::OK, &shown))
}

/// `POST /v1/endpoints/{id}/test`
pub async fn test(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let trial = context.service.try_endpoint(&id(&request)?).await?;
    Ok(reply::json(StatusCode::OK, &TrialView::from(trial)))
}

/// `GET /v1/endpoints/{id}/dispatches`
pub async fn dispatches(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let mut filter = DispatchFilter { limit: DEFAULT_LIMIT, ..DispatchFilter::default() };
    for (name, value) in query(&request, &["status", "cursor", "limit"])? {
        match name.as_str() {
            "status" => filter.state = Some(state(&value)?),
            "cursor" => filter.cursor = Some(place(&id, &value)?),
            _ => filter.limit = limit(&value)?,
        }
    }
    let (found, next) = context.service.dispatches(&id, &filter).await?;
    // The event's id is all that is not known already.
    let next =
        next.and_then(|(at, name)| Some(format!("{}.{}", at.as_millisecond(), name.split_once('.')?.0)));
    let dispatches = found.iter().map(DispatchView::from).collect();
    Ok(reply::json(StatusCode::OK, &Dispatches { dispatches, next_cursor: next }))
}

/// `POST /v1/endpoints/{id}/redrive`; the body may be left out.
pub async fn redrive(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let id = id(&request)?;
    let Since { since } = body(&context, &mut request).await?;
    let (redriven, more) = context.service.redrive_endpoint(&id, since).await?;
    Ok(reply::json(StatusCode::OK, &Redriven { redriven, more }))
}

/// A body; an empty one says nothing.
pub(super) async fn body<T: DeserializeOwned + Default>(
    context: &Context,
    request: &mut Request,
) -> Result<T, Error> {
    let bytes = request.body(context.settings.max_body, context.settings.body_timeout).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::Invalid { field: None, detail: format!("the body: {error}") })
}

pub(super) fn limit(text: &str) -> Result<usize, Error> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Error::field("limit", format!("the limit is a number from 1 to {MAX_LIMIT}")))
}

pub(super) fn wishes(names: &[String]) -> Result<BTreeSet<Wish>, Error> {
    let parsed = names.iter().map(|name| name.parse::<Wish>());
    parsed.collect::<Result<_, _>>().map_err(|error| Error::field("events", error.to_string()))
}

fn state(text: &str) -> Result<State, Error> {
    let found = State::ALL.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| Error::field("status", "the status is pending, delivered or failed"))
}

fn id(request: &Request) -> Result<EndpointId, Error> {
    let id = request.params.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| ServiceError::NotFound.into())
}

fn place(endpoint: &EndpointId, cursor: &str) -> Result<(Timestamp, String), Error> {
    let parse = || {
        let (at, event) = cursor.split_once('.')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        Some((at, Dispatch::id_of(&event.parse().ok()?, endpoint)))
    };
    let none = "use the next_cursor of the page before, as it was given";
    parse().ok_or_else(|| Error::field("cursor", none))
}

impl TryFrom<Said> for EndpointChange {
    type Error = Error;

    fn try_from(said: Said) -> Result<Self, Error> {
        Ok(Self {
            url: said.url,
            description: said.description,
            wishes: said.events.as_deref().map(wishes).transpose()?,
            full_numbers: said.full_numbers,
            enabled: said.enabled,
        })
    }
}

impl From<&Endpoint> for EndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        let disabled = endpoint.disabled.as_ref();
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            events: endpoint.wishes.iter().map(|wish| wish.as_str().to_owned()).collect(),
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
