//! `/v1/erasures`: erasing a person's data.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use crate::app::privacy::{self, EraseOptions};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::erasure::{Erasure, Kept, Left, State};
use crate::model::key::Scope;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use warp::http::StatusCode;
use warp::http::header::{HeaderValue, LOCATION};
use warp::reply::Response;

const TAG: &str = "Erasures";

/// An erasure, and its receipt.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Erasure")]
pub struct ErasureView {
    /// Its id: `ER` and 32 hexadecimal digits.
    pub id: String,
    /// The number, masked.
    pub number: String,
    /// How far it is.
    pub status: State,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was done, or given up; null before.
    pub finished_at: Option<Timestamp>,
    /// When what is left is tried again; null where nothing is.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether opt-outs are erased too.
    pub opt_outs: bool,
    /// Whether Twilio's records are deleted, beyond what was said in them.
    pub delete_at_twilio: bool,
    /// How many records were deleted here, by kind.
    pub deleted: BTreeMap<String, u64>,
    /// Out of how many other records the number was taken, by kind.
    pub scrubbed: BTreeMap<String, u64>,
    /// How many messages and calls were redacted at Twilio, or were gone there.
    pub redacted: u64,
    /// The first 200 of them.
    pub redacted_sids: Vec<String>,
    /// What was kept, and why.
    pub kept: Vec<Kept>,
    /// What could not be done yet, and why: 200 lines at most. It is tried again.
    pub left: Vec<Left>,
}

impl From<&Erasure> for ErasureView {
    fn from(erasure: &Erasure) -> Self {
        let is_left = erasure.state == State::Running && !erasure.left.is_empty();
        Self {
            id: erasure.id.to_string(),
            number: erasure.masked.clone(),
            status: erasure.state,
            asked_at: erasure.asked_at,
            finished_at: erasure.finished_at,
            next_attempt_at: erasure.next_at.filter(|_| is_left),
            opt_outs: erasure.opt_outs,
            delete_at_twilio: erasure.delete_at_twilio,
            deleted: erasure.deleted.clone(),
            scrubbed: erasure.scrubbed.clone(),
            redacted: erasure.redacted,
            redacted_sids: erasure.redacted_sids.iter().map(ToString::to_string).collect(),
            kept: erasure.kept.clone(),
            left: erasure.left.clone(),
        }
    }
}

/// `POST /v1/erasures`: begins to erase all that is kept under a number.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createErasure",
    tag: TAG,
    summary: "Erase a person's data",
    about: "Everything that is kept under a number is deleted in the background, here and, as to what was said in messages and calls, at Twilio. A pending verification is called off. Look at the erasure for its receipt. Asking twice does no harm.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::needed("number", "The number.", Shape::Typed { least: 1, most: 128 })
            .example("\"+14155550123\""),
        Field::new(
            "opt_outs",
            "Whether opt-outs are erased too. Left out: not, for they keep the person from being written to again.",
            Shape::Flag,
        ),
        Field::new(
            "delete_at_twilio",
            "Whether Twilio's own records of messages and calls are deleted too. Left out: they are redacted.",
            Shape::Flag,
        ),
    ]),
    answer: Answer::json::<ErasureView>(202, "It is being done.").leading_to(&[(
        "fetchErasure",
        "id",
        "/id",
    )]),
    problems: &[&problem::INVALID_NUMBER, &problem::NOT_ALLOWED],
    repeats: Repeats::Ignored,
};

/// Begins an erasure, and answers before it is done.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let number = call.body.text("number").unwrap_or_default();
    let options = EraseOptions {
        opt_outs: call.body.flag("opt_outs").unwrap_or(false),
        delete_at_twilio: call.body.flag("delete_at_twilio").unwrap_or(false),
    };
    let erasure =
        privacy::erase(&context.app.whole()?.privacy, context.app.actor(), &number, options).await?;
    let mut response = reply::json(StatusCode::ACCEPTED, &ErasureView::from(&erasure));
    if let Ok(path) = HeaderValue::from_str(&format!("/v1/erasures/{}", erasure.id)) {
        response.headers_mut().insert(LOCATION, path);
    }
    Ok(response)
}

/// `GET /v1/erasures/{id}`: how far it is, and in the end its receipt.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchErasure",
    tag: TAG,
    summary: "Look at an erasure",
    about: "How far it is; once it is done, its receipt, kept as long as the audit log.",
    scope: Scope::Admin,
    path: &[Field::needed("id", "The erasure's id.", Shape::Id(&["ER"]))],
    query: &[],
    body: Body::None,
    answer: Answer::json::<ErasureView>(200, "It, without the number."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows how far an erasure is.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let erasure = privacy::erasure(&context.app.whole()?.base, &call.id()?).await?;
    Ok(reply::json(StatusCode::OK, &ErasureView::from(&erasure)))
}
