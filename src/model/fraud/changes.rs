//! What a configuration, a service or a policy to be tried says otherwise than the
//! signals' own table.

use super::{Action, SIGNALS};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Signals by name with another action or other thresholds. What is not named stays as
/// it was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FraudChanges {
    /// What follows where a signal is not named with an action of its own.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// By the signal's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signals: BTreeMap<String, RuleChanges>,
}

/// What is otherwise with one signal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleChanges {
    /// What follows where it fires; nothing where that stays as it was.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// How long what follows holds, in seconds.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Thresholds by their names.
    #[serde(flatten)]
    pub values: BTreeMap<String, f64>,
}

/// What is there: a null is nothing that may be written, in any form of these.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The longest that something may hold, in seconds: thirty days.
const LONGEST: u32 = 30 * 86_400;

impl FraudChanges {
    /// Whether everything stays as it was.
    pub fn is_empty(&self) -> bool {
        self.action.is_none() && self.signals.is_empty()
    }

    /// What cannot be: the key, and what is wrong with it, without its value.
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        for (name, changes) in &self.signals {
            let Some(spec) = SIGNALS.iter().find(|spec| spec.name == name) else {
                let names: Vec<&str> = SIGNALS.iter().map(|spec| spec.name).collect();
                wrong.push((name.clone(), format!("names a signal that there is: {}", names.join(", "))));
                continue;
            };
            if changes.seconds.is_some_and(|seconds| !(1..=LONGEST).contains(&seconds)) {
                wrong.push((format!("{name}.seconds"), format!("is from 1 to {LONGEST}")));
            }
            for (key, value) in &changes.values {
                let key_of = format!("{name}.{key}");
                match spec.parameters.iter().find(|parameter| parameter.name == key) {
                    None => {
                        let names: Vec<&str> = spec.parameters.iter().map(|known| known.name).collect();
                        wrong.push((key_of, format!("is one of action, seconds, {}", names.join(", "))));
                    }
                    Some(known) if !(known.least..=known.most).contains(value) => {
                        wrong.push((key_of, format!("is from {} to {}", known.least, known.most)));
                    }
                    Some(_) => {}
                }
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_says_nothing_and_is_refused_wherever_it_stands() {
        for (text, is_taken) in [
            (r#"{"action":"refuse","signals":{"range_burst":{"seconds":60,"numbers":30}}}"#, true),
            (r#"{"action":null}"#, false),
            (r#"{"signals":{"range_burst":{"action":null}}}"#, false),
            (r#"{"signals":{"range_burst":{"seconds":null}}}"#, false),
            (r#"{"signals":{"range_burst":{"numbers":null}}}"#, false),
        ] {
            assert_eq!(serde_json::from_str::<FraudChanges>(text).is_ok(), is_taken, "{text}");
        }
    }
}
