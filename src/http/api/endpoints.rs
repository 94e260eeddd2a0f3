//! `/v1/endpoints`: where events are sent to.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::views::endpoint::{
    DispatchView, Dispatches, EndpointView, EndpointWithSecret, Endpoints, Redriven, TrialView,
};
use crate::app::events::{self, EndpointChange};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::dispatch::State;
use crate::model::endpoint::Endpoint;
use crate::model::event::EventType;
use crate::model::id::EndpointId;
use crate::model::key::Scope;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Endpoints";
const ID: Field = Field::needed("id", "The endpoint's id.", Shape::Id(&["EP"]));
const FROM_CREATE: &[(&str, &str, &str)] = &[
    ("fetchEndpoint", "id", "/id"),
    ("changeEndpoint", "id", "/id"),
    ("deleteEndpoint", "id", "/id"),
    ("listDispatches", "id", "/id"),
];
const URL: Shape = Shape::Text { least: 1, most: Endpoint::MAX_URL };
const URL_ABOUT: &str = "Where to: `https://…`, not in a private network.";
const DESCRIPTION: Field = Field::new(
    "description",
    "What people call it. An empty text takes it away.",
    Shape::Text { least: 0, most: Endpoint::MAX_DESCRIPTION },
);
const EVENTS: Field = Field::new(
    "events",
    "What it wants to hear of: names, all below a name, or `*`. Left out of a new one: `verification.*`.",
    Shape::List { of: &Shape::Word(filters), least: 1, most: 20, distinct: true },
);
const FULL_NUMBERS: Field = Field::new(
    "full_numbers",
    "Whether it is told numbers in full. Left out of a new one: not.",
    Shape::Flag,
);

/// Every word that says what somebody wants to hear of.
pub(super) fn filters() -> Vec<&'static str> {
    let groups = ["*", "verification.*", "message.*", "session.*", "delivery.*", "opt_out.*", "endpoint.*"];
    let of_decisions = ["admission.*", "fraud.*", "budget.*", "operator.*"];
    let groups = groups.into_iter().chain(of_decisions);
    groups.chain(EventType::ALL.iter().map(|event_type| event_type.as_str())).collect()
}

fn states() -> Vec<&'static str> {
    State::ALL.iter().map(|state| state.as_str()).collect()
}

/// `POST /v1/endpoints`: says where events are to be sent to.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createEndpoint",
    tag: TAG,
    summary: "Send events somewhere",
    about: "Events are posted as JSON and signed as Standard Webhooks says: `webhook-id`, `webhook-timestamp`, `webhook-signature`. What is not taken with a 2xx is sent again at once, after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10 and 10 hours. An event may come more than once, under the same `webhook-id`, and events may come in any order. A 410 disables the endpoint. The answer is the only time that the secret is shown, so an `Idempotency-Key` is not honoured here.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::needed("url", URL_ABOUT, URL).example("\"https://example.com/hooks\""),
        DESCRIPTION,
        EVENTS,
        FULL_NUMBERS,
    ]),
    answer: Answer::json::<EndpointWithSecret>(201, "It is made.").leading_to(FROM_CREATE),
    problems: &[&problem::NOT_ALLOWED],
    repeats: Repeats::Ignored,
};

/// Makes one: the one time that its secret is shown.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let (endpoint, secret) =
        events::create_endpoint(&context.app.whole()?.telling, context.app.actor(), change_of(&mut call))
            .await?;
    let path = format!("/v1/endpoints/{}", endpoint.id);
    Ok(reply::created(&path, &EndpointWithSecret::new(&endpoint, &secret)))
}

/// `GET /v1/endpoints`: all endpoints, of which there are few.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listEndpoints",
    tag: TAG,
    summary: "List endpoints",
    about: "All of them, the newest first, without their secrets.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Endpoints>(200, "All of them."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Lists all endpoints that the caller may see.
pub async fn list(context: CallContext, _: Call) -> Result<Response, Error> {
    let endpoints =
        events::endpoints(&context.app.whole()?.base).await?.iter().map(EndpointView::from).collect();
    Ok(reply::json(StatusCode::OK, &Endpoints { endpoints, next_cursor: None }))
}

/// `GET /v1/endpoints/{id}`: one endpoint, without its secret.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchEndpoint",
    tag: TAG,
    summary: "Look at an endpoint",
    about: "",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<EndpointView>(200, "It, without its secret."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one endpoint, without its secret.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let endpoint = events::endpoint(&context.app.whole()?.base, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &EndpointView::from(&endpoint)))
}

/// `PATCH /v1/endpoints/{id}`: changes the fields that are named.
pub const CHANGE: Operation = Operation {
    method: "PATCH",
    id: "changeEndpoint",
    tag: TAG,
    summary: "Change an endpoint",
    about: "What is left out stays as it is. One that is enabled again gets what happens from then on; `redrive` with `since` sends what it missed.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::Needed(&[
        Field::new("url", URL_ABOUT, URL),
        DESCRIPTION,
        EVENTS,
        FULL_NUMBERS,
        Field::new("enabled", "Whether it is sent to.", Shape::Flag),
    ]),
    answer: Answer::json::<EndpointView>(200, "As it is now."),
    problems: &[&problem::NOT_FOUND, &problem::NOT_ALLOWED],
    repeats: Repeats::Ignored,
};

/// Changes an endpoint by the fields that the body has.
pub async fn change(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let id: EndpointId = call.id()?;
    let endpoint = events::change_endpoint(
        &context.app.whole()?.telling,
        context.app.actor(),
        &id,
        change_of(&mut call),
    )
    .await?;
    Ok(reply::json(StatusCode::OK, &EndpointView::from(&endpoint)))
}

/// `DELETE /v1/endpoints/{id}`: nothing is sent there any more.
pub const DELETE: Operation = Operation {
    method: "DELETE",
    id: "deleteEndpoint",
    tag: TAG,
    summary: "Delete an endpoint",
    about: "What was still to be sent to it is dropped.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::nothing("It is gone."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Deletes an endpoint.
pub async fn delete(context: CallContext, call: Call) -> Result<Response, Error> {
    events::remove_endpoint(&context.app.whole()?.telling, context.app.actor(), &call.id()?).await?;
    Ok(reply::no_content())
}

/// `POST /v1/endpoints/{id}/rotate`: makes a new secret, beside which the old one holds for a while.
pub const ROTATE: Operation = Operation {
    method: "POST",
    id: "rotateEndpoint",
    tag: TAG,
    summary: "Make a new secret",
    about: "The answer is the only time that it is shown. For 24 hours the old one signs too, so that receivers can change over.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<EndpointWithSecret>(200, "It is in force."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Makes a new secret.
pub async fn rotate(context: CallContext, call: Call) -> Result<Response, Error> {
    let (endpoint, secret) =
        events::rotate_endpoint(&context.app.whole()?.telling, context.app.actor(), &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &EndpointWithSecret::new(&endpoint, &secret)))
}

/// `POST /v1/endpoints/{id}/test`: sends a made-up event there.
pub const TEST: Operation = Operation {
    method: "POST",
    id: "testEndpoint",
    tag: TAG,
    summary: "Try an endpoint",
    about: "Sends an `endpoint.test` event at once, and tells what came back. It is not recorded and not repeated.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<TrialView>(200, "What came back."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Sends an endpoint a made-up event, once.
pub async fn test(context: CallContext, call: Call) -> Result<Response, Error> {
    let trial = events::try_endpoint(&context.app.whole()?.telling, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &TrialView::from(trial)))
}

/// `GET /v1/endpoints/{id}/dispatches`: what was sent there, and what came of it.
pub const DISPATCHES: Operation = Operation {
    method: "GET",
    id: "listDispatches",
    tag: TAG,
    summary: "List what was sent to an endpoint",
    about: "The newest first, with what came back. Kept as long as events are.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[LIMIT, CURSOR, Field::new("status", "In this status.", Shape::Word(states))],
    body: Body::None,
    answer: Answer::list::<Dispatches>("A page of them."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Lists what was sent to one.
pub async fn dispatches(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let (id, asked) = (call.id()?, paging::asked(&mut call)?);
    let word = call.query.text("status");
    let state = word.and_then(|word| State::ALL.into_iter().find(|state| state.as_str() == word));
    let page = events::dispatches(&context.app.whole()?.base, &id, state, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Dispatches {
        dispatches: items.iter().map(DispatchView::from).collect(),
        next_cursor,
    }))
}

/// `POST /v1/endpoints/{id}/redrive`: sends again what was not taken.
pub const REDRIVE: Operation = Operation {
    method: "POST",
    id: "redriveEndpoint",
    tag: TAG,
    summary: "Send again what an endpoint did not take",
    about: "Everything that was given up; with `since`, everything since then that it wants and did not take, also what was never sent because it was disabled. One request takes a step, the newest first; ask again with `next_cursor` until it is null, which is as far back as events are kept.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::Optional(&[
        Field::new("since", "Since when; the same in each step.", Shape::Time),
        Field::new(
            "cursor",
            "Where to go on: `next_cursor` of the step before.",
            Shape::Text { least: 1, most: paging::MAX_CURSOR },
        ),
    ]),
    answer: Answer::json::<Redriven>(200, "It is on its way."),
    problems: &[&problem::NOT_FOUND, &problem::NOT_ALLOWED, &problem::INVALID_CURSOR],
    repeats: Repeats::Ignored,
};

/// Asks again for what an endpoint did not take, a step of it.
pub async fn redrive(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let id: EndpointId = call.id()?;
    let since = call.body.time("since");
    let list =
        format!("redrive {} {}", id.as_str(), since.map(|since| since.as_millisecond()).unwrap_or_default());
    let after =
        call.body.text("cursor").map(|cursor| paging::read(&cursor, &paging::short(&list))).transpose()?;
    let (redriven, next) = events::redrive_endpoint(&context.app.whole()?.base, &id, since, after).await?;
    let next_cursor = next.map(|place| paging::write(&place, &paging::short(&list)));
    Ok(reply::json(StatusCode::OK, &Redriven { redriven, more: next_cursor.is_some(), next_cursor }))
}

fn change_of(call: &mut Call) -> EndpointChange {
    let body = &mut call.body;
    EndpointChange {
        url: body.text("url"),
        description: body.text("description"),
        // Words of another kind were refused when the body was read.
        filters: body
            .texts("events")
            .map(|words| words.iter().filter_map(|word| word.parse().ok()).collect()),
        full_numbers: body.flag("full_numbers"),
        enabled: body.flag("enabled"),
    }
}
