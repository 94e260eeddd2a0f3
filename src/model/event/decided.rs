//! What an event says of a decision about a request for a code. It refuses to know how one
//! comes to be told.

use crate::model::fraud::{Action, Outcome};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an event says of a decision; fields that do not apply are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "EventAdmission")]
pub struct Decided {
    /// The decision: `GET /v1/decisions/{id}` and `dialback fraud explain` tell the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What it came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The code of the refusal, as the API's problems have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The rule that came first: a signal, a limit, or another rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the rule asks for, where it is a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Of whom or what, where that is nobody's: a range, a country, a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The range of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// The country of the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What there was, where the rule counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// From what on it says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Until when it holds, where time changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How many like it were not told before it, for there were too many in a minute.
    #[serde(skip_serializing_if = "is_none")]
    pub left_out: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}
