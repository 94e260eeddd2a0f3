//! What an operator can do about a decision. It refuses to know how it is shown.

use crate::model::fraud::{Decision, SIGNALS, is_by_signals};
use crate::model::limits::Limits;

/// What an operator can do about a decision, a sentence each; nothing where nothing was
/// found.
pub fn advice(decision: &Decision) -> Vec<String> {
    let mut advice: Vec<String> = Vec::new();
    let limits = Limits::default();
    for reason in &decision.reasons {
        let said = match SIGNALS.iter().find(|spec| spec.name == reason.rule) {
            Some(spec) => {
                let mut keys = vec!["action", "seconds"];
                keys.extend(spec.parameters.iter().map(|parameter| parameter.name));
                Some(format!(
                    "[fraud.signals.{}] in config.toml, or the service's setting `fraud`, changes {}; try it \
                     first with `dialback fraud replay`",
                    spec.name,
                    keys.join(", ")
                ))
            }
            None if limits.rule(&reason.rule).is_some() => Some(format!(
                "`dialback limits show` and `reset`, with the number, the address or the key, tell what was used \
                 and forget it; {} under [limits] changes the limit",
                reason.rule
            )),
            None => of_rule(&reason.rule).map(str::to_owned),
        };
        advice.extend(said.filter(|said| !advice.contains(said)));
    }
    if is_by_signals(decision) {
        let range = &decision.about.range;
        let said = format!(
            "`dialback allow NUMBER`, or `dialback allow '{range}*'` for its whole range, lets it pass signals"
        );
        advice.insert(0, said);
    }
    advice
}

fn of_rule(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "lists" => "`dialback block list` shows what is blocked, and `dialback block remove` takes it away",
        "country" => "the service's setting `countries` says which countries it reaches by this channel",
        "opt_out" => "`dialback opt-out remove` forgets what a person said, if they want to be texted again",
        "kind" => "[numbers] refuse says which kinds of numbers get no codes",
        "cooldown" => "the service's resend_cooldown_seconds says how long to wait between two sends",
        "sends" => "the service's max_sends says how often one verification is sent",
        "one_per_number" => "the verification that stands open ends by itself, or is called off",
        "wrong_codes" => "`dialback limits reset` forgets wrong codes of a number",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fraud::made::decision;
    use crate::model::fraud::{Action, Outcome};

    #[test]
    fn advice_names_the_key_the_command_and_the_list_once_each() {
        let reasons = [
            ("block_burst", Some(Action::Refuse)),
            ("number_sends", None),
            ("country", None),
            ("country", None),
            ("a_rule_of_tomorrow", None),
        ];
        let said = advice(&decision(0, 1, Outcome::Refused, &reasons));
        let has = |part: &str| said.iter().filter(|said| said.contains(part)).count();
        assert_eq!((has("dialback allow '+4479*'"), has("[fraud.signals.block_burst]")), (1, 1));
        assert_eq!((has("dialback limits"), has("number_sends under [limits]"), has("countries")), (1, 1, 1));
        assert_eq!(said.len(), 4, "{said:#?}");
        assert!(said.iter().any(|said| said.contains("action, seconds, numbers")));
    }
}
