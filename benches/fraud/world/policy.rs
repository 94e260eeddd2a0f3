//! The policy that is tried: what the program does where nobody says anything, with every
//! signal refusing, and what a file says otherwise.

use dialback::model::fraud::{Action, FraudChanges, FraudPolicy};
use dialback::model::limits::{LimitChanges, Limits};
use serde::Deserialize;

/// What refuses.
#[derive(Debug, Clone)]
pub struct Policy {
    pub fraud: FraudPolicy,
    pub limits: Limits,
    /// How old what the signals know may be.
    pub stale_seconds: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fraud: FraudPolicy::default().with_action(Action::Refuse),
            limits: Limits::default(),
            stale_seconds: 0,
        }
    }
}

/// What a file says otherwise, as `config.toml` would.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Changes {
    fraud: FraudChanges,
    limits: LimitChanges,
}

/// Reads a file of changes.
pub fn read(path: &str, text: &str) -> Result<Policy, String> {
    let changes: Changes = toml::from_str(text).map_err(|wrong| format!("{path}: {wrong}"))?;
    let of = |table: &str, wrong: Vec<(String, String)>| -> Vec<String> {
        wrong.into_iter().map(|(key, what)| format!("{table}.{key} {what}")).collect()
    };
    let mut wrong = of("fraud.signals", changes.fraud.mistakes());
    wrong.extend(of("limits", changes.limits.mistakes()));
    if !wrong.is_empty() {
        return Err(format!("{path}:\n  {}", wrong.join("\n  ")));
    }
    let Policy { fraud, limits, stale_seconds } = Policy::default();
    Ok(Policy { fraud: fraud.with(&changes.fraud), limits: limits.with(&changes.limits), stale_seconds })
}
