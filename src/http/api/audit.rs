//! `/v1/audit`: who did what to keys, settings and people's data.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use crate::app::audit::{self, AuditFilter};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::model::audit::{Action, AuditEntry};
use crate::model::key::Scope;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use warp::reply::Response;

/// A page of the log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Audit")]
pub struct Audit {
    /// The newest first.
    pub entries: Vec<AuditView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// A line of the log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct AuditView {
    /// Its id, `AU` and 32 hexadecimal digits, which sort by time.
    pub id: String,
    /// When it was done.
    pub at: Timestamp,
    /// Who: an API key's id, `operator`, `environment` for the key of
    /// `DIALBACK_API_KEY`, or `configuration`.
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// To what: an id, or a masked number; empty for the whole.
    pub subject: String,
    /// What else there is to say: names of settings and counts, no values.
    pub details: BTreeMap<String, String>,
}

impl From<&AuditEntry> for AuditView {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            at: entry.at,
            actor: entry.actor.to_string(),
            action: entry.action,
            subject: entry.subject.clone(),
            details: entry.details.clone(),
        }
    }
}

fn actions() -> Vec<&'static str> {
    Action::ALL.iter().map(|action| action.as_str()).collect()
}

/// `GET /v1/audit`: the audit log, the newest lines first.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listAudit",
    tag: "Audit",
    summary: "List the audit log",
    about: "Who made and revoked keys, changed services, endpoints, opt-outs and the safe list, erased people's data, and when the configuration was another one than before; the newest first. Kept for `retention.audit_days`.",
    scope: Scope::Admin,
    path: &[],
    query: &[
        Field::new("action", "Those of this action.", Shape::Word(actions)),
        Field::new("actor", "Those by this actor.", Shape::Text { least: 1, most: 64 }),
        Field::new("since", "Those written at this time or later.", Shape::Time),
        Field::new("until", "Those written before this time.", Shape::Time),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answer: Answer::list::<Audit>("A page of it."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Lists the lines that the query's filters take.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let query = &mut call.query;
    let word = query.text("action");
    let filter = AuditFilter {
        since: query.time("since"),
        until: query.time("until"),
        action: word.and_then(|word| Action::ALL.iter().copied().find(|action| action.as_str() == word)),
        actor: query.text("actor"),
    };
    let page = audit::audit(&context.app.whole()?.base, &filter, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Audit {
        entries: items.iter().map(AuditView::from).collect(),
        next_cursor,
    }))
}
