//! What is counted of requests that two policies differ about. It refuses to know how they
//! are found.

use crate::model::fraud::{Decision, DecisionId, Outcome};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Requests that differ in one way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FraudReplayChange")]
pub struct Change {
    /// How many requests.
    pub requests: u64,
    /// People among them who proved their number within a day, each once: probably honest.
    pub verified: u64,
    /// Requests that were not sent when they were recorded, by signals of that time: what
    /// would have become of them nobody knows. They count as not verified.
    pub unknown: u64,
    /// What they cost, in millionths of a US dollar, by the price table of their time.
    pub micros: u64,
}

/// Requests that differ, both ways.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FraudReplayDifferences")]
pub struct Differences {
    /// Those that would not be sent any more.
    pub now_refused: Change,
    /// Those that would be sent again.
    pub no_longer_refused: Change,
}

/// One request that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "FraudReplayExample")]
pub struct Example {
    /// The decision: `dialback fraud explain` tells the rest.
    pub decision: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// The range of the number.
    pub range: String,
    /// The country of the number, by its ISO 3166 code.
    pub country: String,
    /// What it came to when it was recorded.
    pub recorded: Outcome,
    /// What it comes to by the policy in force.
    pub current: Outcome,
    /// What it comes to by the other one.
    pub candidate: Outcome,
    /// The rules by which one of the two does not send it.
    pub rules: Vec<String>,
    /// Whether its number was proved within a day.
    pub verified: bool,
}

impl Example {
    /// A request with what it comes to by each policy.
    pub(super) fn of(decision: &Decision, current: Outcome, candidate: Outcome, rules: &[&str]) -> Self {
        let DecisionId(id) = decision.id.clone();
        Self {
            decision: id,
            at: decision.at,
            range: decision.about.range.clone(),
            country: decision.about.country.clone(),
            recorded: decision.outcome,
            current,
            candidate,
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            verified: false,
        }
    }
}
