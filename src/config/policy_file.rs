//! A file of its own with a `[fraud]` section, for a policy that is to be tried. It refuses
//! to know what is tried with it.

use super::file::{self, File};
use super::problem::{Origin, Problem, Problems, did_you_mean};
use crate::model::fraud::{Action, FraudChanges, RuleChanges};
use std::sync::Arc;
use toml::{Table, Value};

/// What a file with `[fraud]` says otherwise than the signals' own table. Mistakes have the
/// key, its line, and the mend.
///
/// # Errors
/// All that is wrong with it.
pub fn fraud_policy(name: &str, text: &str) -> Result<FraudChanges, Problems> {
    let path: Arc<str> = name.into();
    let said = file::read(&File { name, text }, |path, _| file::above(path).is_none()).map_err(Problems)?;
    let mut reading =
        Reading { path, places: said.places, changes: FraudChanges::default(), problems: Vec::new() };
    for (key, value) in &said.flat {
        match (key.as_str(), value) {
            ("fraud.action", value) => reading.changes.action = reading.action(key, value),
            ("fraud.signals", Value::Table(signals)) => reading.signals(signals),
            ("fraud.signals", _) => reading.note(key, "is no table", "write [fraud.signals.NAME]"),
            (other, _) => reading.stray(other),
        }
    }
    for (key, what) in reading.changes.mistakes() {
        let mend = format!("it {what}");
        reading.note(&format!("fraud.signals.{key}"), "does not fit here", &mend);
    }
    if said.flat.is_empty() {
        reading.note("", "says nothing", "write [fraud.signals.NAME] with action, seconds and thresholds");
    }
    if reading.problems.is_empty() {
        return Ok(reading.changes);
    }
    Err(Problems(reading.problems).in_order())
}

struct Reading {
    path: Arc<str>,
    places: file::Places,
    changes: FraudChanges,
    problems: Vec<Problem>,
}

impl Reading {
    fn signals(&mut self, signals: &Table) {
        for (name, value) in signals {
            let path = file::join("fraud.signals", name);
            let Value::Table(keys) = value else {
                self.note(&path, "is no table", &format!("write [{path}] and action = \"refuse\" below it"));
                continue;
            };
            let mut changes = RuleChanges::default();
            for (key, value) in keys {
                let path = file::join(&path, key);
                match (key.as_str(), value) {
                    ("action", value) => changes.action = self.action(&path, value),
                    ("seconds", Value::Integer(seconds)) => {
                        changes.seconds = Some(u32::try_from(*seconds).unwrap_or(u32::MAX));
                    }
                    ("seconds", _) => self.note(&path, "is no whole number", "write seconds, such as 1800"),
                    (_, Value::Integer(number)) => {
                        changes.values.insert(key.clone(), *number as f64);
                    }
                    (_, Value::Float(number)) => {
                        changes.values.insert(key.clone(), *number);
                    }
                    _ => self.note(&path, "is no number", "write a number without quotes"),
                }
            }
            self.changes.signals.insert(name.clone(), changes);
        }
    }

    fn action(&mut self, path: &str, value: &Value) -> Option<Action> {
        let action = value.as_str().and_then(|word| word.parse().ok());
        if action.is_none() {
            let words = Action::ALL.map(|action| format!("\"{action}\"")).join(", ");
            let near =
                did_you_mean(value.as_str().unwrap_or_default(), Action::ALL.map(Action::as_str).into_iter());
            let meant = near.map_or_else(String::new, |near| format!("did you mean {near:?}? else "));
            self.note(path, "is none of its words", &format!("{meant}write one of {words}"));
        }
        action
    }

    fn stray(&mut self, key: &str) {
        let mend = match key.split('.').next() {
            Some("limits") => {
                "take [limits] out: what limits refused is recorded, and a replay cannot know what they would \
                 have let through"
            }
            Some("fraud") => "[fraud] has action and signals alone",
            _ => "a policy has [fraud] alone: take all else out",
        };
        self.note(key, "does not belong here", mend);
    }

    fn note(&mut self, key: &str, what: &str, mend: &str) {
        let at = if key.is_empty() { None } else { self.places.value(key) };
        let origin = Origin::File { path: self.path.clone(), at };
        self.problems.push(Problem {
            origin,
            key: key.to_owned(),
            what: what.to_owned(),
            mend: mend.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_signals_and_an_action_for_those_that_name_none() {
        let text =
            "[fraud]\naction = \"refuse\"\n[fraud.signals.block_burst]\naction = \"slow\"\nseconds = 60\n";
        let changes = fraud_policy("policy.toml", text).unwrap();
        let burst = &changes.signals["block_burst"];
        assert_eq!((burst.action, burst.seconds), (Some(Action::Slow), Some(60)));
        assert_eq!((changes.action, changes.signals.len()), (Some(Action::Refuse), 1));
    }

    #[test]
    fn every_mistake_has_its_line_its_key_and_its_mend() {
        let text = "[fraud]\naction = \"refuze\"\n[fraud.signals.block_burst]\nseconds = 0\nno_such = 1\n\
                    [fraud.signals.nobody]\naction = \"refuse\"\n[limits]\nnumber_sends = []\n";
        let Err(Problems(problems)) = fraud_policy("p.toml", text) else { panic!("taken") };
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        for (at, part) in [
            (0, "p.toml:2:10: fraud.action: is none of its words; did you mean \"refuse\"?"),
            (1, "p.toml:4:11: fraud.signals.block_burst.seconds: does not fit here; it is from 1 to"),
            (
                2,
                "p.toml:5:11: fraud.signals.block_burst.no_such: does not fit here; it is one of action, seconds",
            ),
            (3, "p.toml:6:16: fraud.signals.nobody: does not fit here; it names a signal that there is"),
            (4, "p.toml:9:1: limits.number_sends: does not belong here; take [limits] out"),
        ] {
            assert!(said[at].starts_with(part), "{said:#?}");
        }
        assert_eq!(said.len(), 5);
        for text in ["", "[fraud]\nsignals = 1", "[fraud", "[fraud.signals]\nblock_burst = \"refuse\""] {
            assert!(fraud_policy("p.toml", text).is_err(), "{text:?}");
        }
    }
}
