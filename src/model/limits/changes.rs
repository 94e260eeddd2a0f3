//! What a configuration or a service says otherwise than the rules themselves.

use super::allowance::Allowance;
use super::rule::{Action, LimitRule, Limits};
use super::subject::Counted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most windows that a rule has: its times are a minute, an hour and a day.
const MOST_WINDOWS: usize = 3;

/// Rules by name with other windows, and which of them refuse nobody. What is not named
/// stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChanges {
    /// Every rule that is only counted, by its name: the log tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_only: Option<Vec<String>>,
    /// Every rule that marks what is one too many, by its name, and refuses nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<Vec<String>>,
    /// After so many wrong codes since its last approval a number waits; 0 for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_lock_after: Option<u32>,
    /// The windows of rules by their names; an empty list is no limit.
    #[serde(flatten)]
    pub windows: BTreeMap<String, Vec<Allowance>>,
}

impl Limits {
    /// The same rules with some of them changed.
    pub fn with(&self, changes: &LimitChanges) -> Self {
        let mut changed = self.clone();
        for rule in &mut changed.rules {
            changes.change(rule);
        }
        changed.lock_after = changes.number_lock_after.unwrap_or(self.lock_after);
        changed
    }
}

impl LimitChanges {
    /// Whether everything stays as it was.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What cannot be: the key, and what is wrong with it, without its value.
    pub fn mistakes(&self) -> Vec<(String, String)> {
        let known = Limits::default();
        let mut wrong = Vec::new();
        for (name, windows) in &self.windows {
            let Some(rule) = known.rule(name) else {
                wrong.push((name.clone(), no_rule(&known)));
                continue;
            };
            let has_part = windows.iter().any(|window| window.millionths > 0);
            if has_part && rule.counted != Counted::Money {
                wrong
                    .push((name.clone(), "counts whole ones: only money has parts, as 12.50/day".to_owned()));
            }
            let is_twice = |(at, window): (usize, &Allowance)| {
                windows[..at].iter().any(|earlier| earlier.seconds == window.seconds)
            };
            if windows.len() > MOST_WINDOWS || windows.iter().enumerate().any(is_twice) {
                wrong.push((name.clone(), "names each of minute, hour and day once at most".to_owned()));
            }
        }
        for (list, names) in [("track_only", &self.track_only), ("flag", &self.flag)] {
            if names.iter().flatten().any(|name| known.rule(name).is_none()) {
                wrong.push((list.to_owned(), no_rule(&known)));
            }
        }
        wrong
    }

    /// Makes of a rule what is said of it.
    fn change(&self, rule: &mut LimitRule) {
        if let Some(windows) = self.windows.get(rule.name) {
            rule.windows.clone_from(windows);
        }
        let is_in =
            |list: &Option<Vec<String>>| list.as_ref().map(|list| list.iter().any(|name| name == rule.name));
        rule.action = match (is_in(&self.track_only), is_in(&self.flag)) {
            (Some(true), _) => Action::Track,
            (_, Some(true)) => Action::Flag,
            // What a list had before that is said anew has left it.
            (Some(false), None) if rule.action == Action::Track => Action::Refuse,
            (None, Some(false)) if rule.action == Action::Flag => Action::Refuse,
            (Some(false), Some(false)) => Action::Refuse,
            _ => rule.action,
        };
    }
}

fn no_rule(known: &Limits) -> String {
    let names: Vec<&str> = known.rules().iter().map(|rule| rule.name).collect();
    format!("names rules that there are: {}", names.join(", "))
}
