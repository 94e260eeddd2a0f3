//! `[fraud]`: what is taken for a sign of fraud, and what follows.
//!
//! It refuses to know the signals; the model has them in a table, with their thresholds.

use super::file::join;
use super::problem::one_of;
use super::reader::{Reader, shown};
use crate::model::fraud::{Action, FraudChanges, FraudPolicy, RuleChanges, SIGNALS};
use toml::Value;

/// What the actions are, for whoever wrote another word.
const ACTIONS: &str = "write \"record\", \"slow\", \"captcha\", \"refuse\" or \"shadow_block\"";

/// The policy of the configuration.
pub(super) fn read(r: &mut Reader<'_>) -> FraudPolicy {
    let mut changes = FraudChanges { action: r.parsed("fraud.action", ACTIONS), ..FraudChanges::default() };
    for (name, value) in r.table("fraud.signals") {
        let path = join("fraud.signals", &name);
        if SIGNALS.iter().all(|spec| spec.name != name) {
            r.note_key(&path, "there is no such signal", one_of(&name, SIGNALS.iter().map(|spec| spec.name)));
            continue;
        }
        let Value::Table(table) = value else {
            r.note(&path, "is no table", format_args!("write it below [{path}]"));
            continue;
        };
        changes.signals.insert(name, rule(r, &path, table));
    }
    for (key, what) in changes.mistakes() {
        let Some((name, of)) = key.split_once('.') else { continue };
        r.note(&format!("fraud.signals.{key}"), "does not fit here", format_args!("it {what}"));
        if let Some(rule) = changes.signals.get_mut(name) {
            rule.values.remove(of);
            rule.seconds = rule.seconds.filter(|_| of != "seconds");
        }
    }
    FraudPolicy::default().with(&changes)
}

/// What a table says of one signal.
fn rule(r: &mut Reader<'_>, path: &str, table: toml::Table) -> RuleChanges {
    let mut changes = RuleChanges::default();
    let name = path.rsplit('.').next().unwrap_or_default().to_owned();
    let parameters = SIGNALS.iter().find(|spec| spec.name == name).map_or(&[][..], |spec| spec.parameters);
    for (key, value) in table {
        let here = join(path, &key);
        match (key.as_str(), &value) {
            ("action", Value::String(word)) if word.parse::<Action>().is_ok() => {
                changes.action = word.parse().ok();
            }
            ("action", other) => r.note(&here, format_args!("{} does not fit here", shown(other)), ACTIONS),
            ("seconds", Value::Integer(seconds)) => {
                changes.seconds = Some(u32::try_from(*seconds).unwrap_or(0));
            }
            (known, value) if known == "seconds" || parameters.iter().any(|one| one.name == known) => {
                let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
                match number.filter(|_| known != "seconds") {
                    Some(number) => drop(changes.values.insert(key, number)),
                    None => r.note(&here, format_args!("{} is no number", shown(value)), "write a number"),
                }
            }
            _ => {
                let known = ["action", "seconds"].into_iter().chain(parameters.iter().map(|one| one.name));
                r.note_key(&here, "there is no such key", one_of(&key, known));
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// What the embedded file says of the signals, behind `#`.
    fn commented() -> String {
        let mut text = String::new();
        for spec in SIGNALS {
            let _ = writeln!(text, "#\n# {}: {}.", spec.subject, spec.about);
            let _ = writeln!(text, "# [fraud.signals.{}]", spec.name);
            let _ = writeln!(text, "# action = \"{}\"\n# seconds = {}", spec.action, spec.seconds);
            for parameter in spec.parameters {
                let _ = writeln!(text, "# {} = {} # {}", parameter.name, parameter.default, parameter.about);
            }
        }
        text
    }

    #[test]
    fn the_embedded_file_says_every_signal_as_it_is() {
        let embedded = include_str!("../../config.toml");
        let text = commented();
        assert!(embedded.contains(&text), "below `[fraud.signals]` config.toml has to say:\n{text}");
    }
}
