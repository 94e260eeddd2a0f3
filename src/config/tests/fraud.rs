//! Signals of fraud in the configuration: an action for all of them, others for some, and
//! what is wrong with each, with its key and its mend.

use super::*;
use crate::model::fraud::{Action, SIGNALS, SignalSpec};

fn with_parameters() -> Vec<&'static SignalSpec> {
    SIGNALS.iter().filter(|spec| !spec.parameters.is_empty()).collect()
}

#[test]
fn what_a_file_names_is_otherwise_and_the_rest_as_in_the_table() {
    let usual = load("", &[]).unwrap().config;
    assert!(
        usual
            .fraud
            .rules()
            .iter()
            .all(|rule| (rule.action, rule.seconds) == (rule.spec.action, rule.spec.seconds))
    );
    let (first, second) = (with_parameters()[0], with_parameters()[1]);
    let text = format!(
        "[fraud]\naction = \"refuse\"\n[fraud.signals.{}]\naction = \"slow\"\nseconds = 60\n{} = {}\n",
        first.name, first.parameters[0].name, first.parameters[0].least
    );
    let fraud = load(&text, &[]).unwrap().config.fraud;
    let rule = |name: &str| fraud.rules().iter().find(|rule| rule.spec.name == name).unwrap().clone();
    let changed = rule(first.name);
    assert_eq!((changed.action, changed.seconds), (Action::Slow, 60));
    assert!((changed.values[0] - first.parameters[0].least).abs() < f64::EPSILON);
    assert_eq!((rule(second.name).action, rule(second.name).seconds), (Action::Refuse, second.seconds));
    let shadow = load("", &[("DIALBACK_FRAUD__ACTION", "shadow_block")]).unwrap().config.fraud;
    assert!(shadow.rules().iter().all(|rule| rule.action == Action::ShadowBlock));
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let spec = with_parameters()[0];
    let (name, parameter) = (spec.name, &spec.parameters[0]);
    let more = parameter.most + 1.0;
    for (text, key, what) in [
        ("[fraud]\naction = \"block\"\n".to_owned(), "fraud.action".to_owned(), "does not fit here"),
        (
            "[fraud.signals.nothing]\naction = \"slow\"\n".to_owned(),
            "fraud.signals.nothing".to_owned(),
            "no such signal",
        ),
        (
            format!("[fraud.signals.{name}]\naction = 1\n"),
            format!("fraud.signals.{name}.action"),
            "does not fit here",
        ),
        (
            format!("[fraud.signals.{name}]\nseconds = 0\n"),
            format!("fraud.signals.{name}.seconds"),
            "does not fit here",
        ),
        (
            format!("[fraud.signals.{name}]\nseconds = 1.5\n"),
            format!("fraud.signals.{name}.seconds"),
            "is no number",
        ),
        (format!("[fraud.signals.{name}]\nodd = 5\n"), format!("fraud.signals.{name}.odd"), "no such key"),
        (
            format!("[fraud.signals.{name}]\n{} = {more:?}\n", parameter.name),
            format!("fraud.signals.{name}.{}", parameter.name),
            "does not fit here",
        ),
        (
            format!("[fraud.signals.{name}]\n{} = \"many\"\n", parameter.name),
            format!("fraud.signals.{name}.{}", parameter.name),
            "is no number",
        ),
        (format!("[fraud.signals]\n{name} = 5\n"), format!("fraud.signals.{name}"), "is no table"),
        (
            format!("[services.shop]\nfraud = {{ signals = {{ {name} = {{ seconds = 0 }} }} }}\n"),
            "services.shop.fraud".to_owned(),
            "",
        ),
    ] {
        let Err(Problems(problems)) = load(&text, &[]).and_then(Loaded::fit_to_serve) else {
            panic!("{text}")
        };
        let found = problems.iter().find(|problem| problem.key.starts_with(&key));
        let told = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
        let found = found.unwrap_or_else(|| panic!("{key}: {told}"));
        assert!(found.what.contains(what) && !found.mend.is_empty(), "{told}");
    }
}
