//! The table of signals is whole, and the documents say the same.

use super::scene::*;
use crate::model::fraud::{Action, FraudPolicy, Parameter, SIGNALS, SignalSpec};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../docs/signals.md");

#[test]
fn every_signal_has_a_name_of_its_own_and_thresholds_within_their_bounds() {
    let names: BTreeSet<&str> = SIGNALS.iter().map(|spec| spec.name).collect();
    assert_eq!(names.len(), SIGNALS.len());
    for spec in SIGNALS {
        assert_eq!(spec.action, Action::Record, "{} is new", spec.name);
        assert!((1..=30 * 86_400).contains(&spec.seconds), "{}", spec.name);
        for one in spec.parameters {
            let name = one.name;
            assert!(one.least <= one.default && one.default <= one.most, "{}.{name}", spec.name);
            assert!(!["action", "seconds"].contains(&name), "{}.{name}", spec.name);
        }
    }
}

#[test]
fn every_signal_is_looked_for_with_its_own_thresholds() {
    // `Values::get` asserts that a name is there, for what these requests come to.
    let mut scene = Scene::usual(20);
    scene.attack(120, NOON, 20, |place| about(7_700_000_000 + place, 9_000_000 + place % 3));
    assert!(!scene.names(&about(7_700_000_001, 9_000_000), NOON + 2_400).is_empty());
    assert_eq!(FraudPolicy::default().rules().len(), SIGNALS.len());
}

#[test]
fn the_page_has_every_signal_and_no_other() {
    let table = PAGE.lines().skip_while(|line| !line.starts_with("| signal | looks at |")).skip(2);
    let rows: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    let known: Vec<String> = SIGNALS.iter().map(row).collect();
    assert!(rows == known, "the rows of docs/signals.md are to be:\n{}", known.join("\n"));
}

/// A signal as the page has it.
fn row(spec: &SignalSpec) -> String {
    let parameter = |one: &Parameter| match one.name {
        // Said once, above the rows.
        "odds" | "suspicion" => format!("`{}` {}", one.name, one.default),
        name => format!("`{name}` {}: {}", one.default, one.about),
    };
    let parameters: Vec<String> = spec.parameters.iter().map(parameter).collect();
    let length = match spec.seconds {
        1_800 => "30 min",
        3_600 => "1 h",
        _ => "1 day",
    };
    let parameters = if parameters.is_empty() { "none".to_owned() } else { parameters.join("; ") };
    format!("| `{}` | {} | {} | {parameters} | {length} |", spec.name, spec.subject, spec.about)
}
