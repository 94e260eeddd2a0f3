//! The signals of fraud that a service sets, as the API reads and describes them: out of
//! the table of signals, so that none has to be named here.

use super::fields::Made;
use crate::model::fraud::{Action, FraudChanges, SIGNALS, SignalSpec};
use serde_json::{Map, Value, json};

/// What may be said of signals.
pub const FRAUD: Made = Made { schema, mistake };

/// The longest that something may hold, in seconds; the model checks the same.
const LONGEST: u32 = 30 * 86_400;

fn schema() -> Value {
    let signals: Map<String, Value> =
        SIGNALS.iter().map(|spec| (spec.name.to_owned(), schema_of(spec))).collect();
    let signals = json!({ "type": "object", "properties": signals, "additionalProperties": false });
    let properties = json!({ "action": action("What follows where a signal names nothing of its own."), "signals": signals });
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn schema_of(spec: &SignalSpec) -> Value {
    let seconds = json!({
        "type": "integer", "minimum": 1, "maximum": LONGEST,
        "description": "How long what follows holds, in seconds.",
    });
    let mut properties = Map::new();
    properties.insert("action".to_owned(), action("What follows."));
    properties.insert("seconds".to_owned(), seconds);
    for parameter in spec.parameters {
        let (least, most) = (parameter.least, parameter.most);
        let schema = json!({
            "type": "number", "minimum": least, "maximum": most, "description": parameter.about,
        });
        properties.insert(parameter.name.to_owned(), schema);
    }
    json!({
        "type": "object", "properties": properties, "additionalProperties": false, "description": spec.about,
    })
}

fn action(about: &str) -> Value {
    json!({ "type": "string", "enum": Action::ALL.map(Action::as_str), "description": about })
}

/// What is wrong with a value, and where in it, without the value.
fn mistake(value: &Value) -> Option<(String, String)> {
    match serde_json::from_value::<FraudChanges>(value.clone()) {
        Ok(changes) => {
            changes.mistakes().into_iter().next().map(|(key, what)| (format!("signals.{key}"), what))
        }
        Err(_) => Some((String::new(), SAID.to_owned())),
    }
}

const SAID: &str = "has to be an object with action, one of record, slow, captcha, refuse and shadow_block, and \
                    signals: an object that has for names of signals their action, seconds and numbers";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_told_where_it_stands_and_never_repeated() {
        let spec = &SIGNALS[0];
        let (name, parameter) = (spec.name, &spec.parameters[0]);
        for good in
            [json!({}), json!({ "action": "refuse" }), json!({ "signals": { name: { "seconds": 60 } } })]
        {
            assert_eq!(mistake(&good), None, "{good}");
        }
        for (bad, at) in [
            (json!({ "signals": { "314159": {} } }), "signals.314159"),
            (json!({ "signals": { name: { "seconds": 0 } } }), "seconds"),
            (json!({ "signals": { name: { parameter.name: parameter.most + 314_159.0 } } }), parameter.name),
            (json!({ "signals": { name: { "action": "314159" } } }), ""),
            (json!({ "314159": {} }), ""),
        ] {
            let (key, what) = mistake(&bad).unwrap();
            assert!(key.ends_with(at) && !what.contains("314159"), "{bad}: {key} {what}");
        }
    }
}
