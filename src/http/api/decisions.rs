//! `/v1/decisions`: what was decided about requests for codes, one by one, as a report,
//! and as another policy would have had it.

use super::body::Fields;
use super::fields::{Field, Shape};
use super::fraud_settings::FRAUD;
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::search;
use super::views::decision::{Decision, Decisions};
use crate::app::decisions::{DecisionQuery, Stretch};
use crate::app::keyed;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::fraud::{FraudChanges, Outcome, Replayed, Report};
use crate::model::key::Scope;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Decisions";
/// Characters of a rule's name.
const RULE: Shape = Shape::Chars { class: "a-z0-9_", least: 1, most: 64 };
const SINCE: Field = Field::new("since", "Not before this time.", Shape::Time);
const UNTIL: Field = Field::new("until", "Before this time.", Shape::Time);

const POLICY: Field = Field::needed(
    "fraud",
    "The policy: what it says otherwise than the signals' own table, as the configuration's `[fraud]`.",
    Shape::Made(&FRAUD),
)
.example("{\"action\":\"refuse\"}");

fn outcomes() -> Vec<&'static str> {
    Outcome::ALL.map(Outcome::as_str).to_vec()
}

/// `GET /v1/decisions`: decisions, the newest first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listDecisions",
    tag: TAG,
    summary: "List decisions",
    about: "What was decided about requests for codes, starts and further sends, sent or not; the newest first. A line is there some seconds after its request. Kept for `retention.decisions_days`. A key of some services sees theirs.",
    scope: Scope::Admin,
    path: &[],
    query: &[
        Field::new("number", "Those about this number, in any writing.", Shape::Text { least: 1, most: 128 })
            .example("\"+14155550123\""),
        Field::new("verification", "Those of this verification.", Shape::Id(&["VE"])),
        Field::new("outcome", "Those that came to this.", Shape::Word(outcomes)),
        Field::new(
            "rule",
            "Those that this rule had something to say of: a signal, a limit, or another.",
            RULE,
        )
        .example("\"block_burst\""),
        SINCE,
        UNTIL,
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Decisions>("A page of them."),
    problems: &[&problem::INVALID_NUMBER],
    repeats: Repeats::OnlyReads,
};

/// `POST /v1/decisions/search`: the same list, with its filters in the body.
pub const SEARCH: Operation = search::of(&LIST, "searchDecisions", "Search decisions");

/// Lists those that the query's filters take.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let query = &mut call.query;
    let word = query.text("outcome");
    let filter = DecisionQuery {
        number: query.text("number").map(|number| context.app.number_of_form(&number)).transpose()?,
        verification: query.parsed("verification")?,
        outcome: word.and_then(|word| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word)),
        rule: query.text("rule"),
        since: query.time("since"),
        until: query.time("until"),
    };
    let page = keyed::decisions(&context.app, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Decisions {
        decisions: items.iter().map(Decision::from).collect(),
        next_cursor,
    }))
}

/// `GET /v1/decisions/{id}`: one decision, with what became of it.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchDecision",
    tag: TAG,
    summary: "Look at a decision",
    about: "With what became of it.",
    scope: Scope::Admin,
    path: &[Field::needed("id", "Its id.", Shape::Chars { class: "0-9A-Za-z-", least: 1, most: 64 })],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Decision>(200, "It."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one, with what became of it.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let found = keyed::decision(&context.app, call.name()).await?;
    Ok(reply::json(StatusCode::OK, &Decision::from(&found)))
}

/// `GET /v1/decisions/report`: what they come to.
pub const REPORT: Operation = Operation {
    method: "GET",
    id: "reportDecisions",
    tag: TAG,
    summary: "Report on decisions",
    about: "How many requests were sent and how many not, by rule, country, range, address, service, channel and face, with their cost, and who of those that got no code proved their number within a day after all. Of the last seven days unless asked otherwise. A key of some services is told of theirs.",
    scope: Scope::Admin,
    path: &[],
    query: &[
        SINCE,
        UNTIL,
        Field::new(
            "rows",
            "How many rows of each table; 10 unless asked otherwise. The worst come first.",
            Shape::Number { least: 1, most: 1_000 },
        ),
    ],
    body: Body::None,
    answer: Answer::json::<Report>(200, "The report."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Rows of a table unless asked otherwise.
const ROWS: u64 = 10;

/// Reports on them.
pub async fn report(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let stretch = stretch(&mut call.query);
    let rows = call.query.number("rows").unwrap_or(ROWS);
    let report = keyed::report(&context.app, stretch, usize::try_from(rows).unwrap_or(1)).await?;
    Ok(reply::json(StatusCode::OK, &report))
}

/// `POST /v1/decisions/replay`: what another policy would have made of them.
pub const REPLAY: Operation = Operation {
    method: "POST",
    id: "replayDecisions",
    tag: TAG,
    summary: "Try another policy over recorded traffic",
    about: "Judges each recorded request by the policy in force and by the one that the body says, which is the configuration's with these signals otherwise, and answers where the two differ. Nothing is changed. What lists, limits and other rules refused stays refused. Of the last seven days unless asked otherwise; read from 14 days before on, so that signals know what is usual.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&[SINCE, UNTIL, POLICY]),
    answer: Answer::json::<Replayed>(200, "Where the two differ."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Tries a policy over recorded traffic.
pub async fn replay(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let stretch = stretch(&mut call.body);
    let said = call.body.rest().remove("fraud").unwrap_or_default();
    let changes: FraudChanges =
        serde_json::from_value(said).map_err(|_| Error::field("fraud", "this is no policy".to_owned()))?;
    let replayed = crate::app::decisions::replay(context.app.whole()?, stretch, &changes).await?;
    Ok(reply::json(StatusCode::OK, &replayed))
}

fn stretch(fields: &mut Fields) -> Stretch {
    // One that ends before it begins has nothing in it, as with every list.
    Stretch { since: fields.time("since"), until: fields.time("until") }
}
