//! Whether a document has the shape that was published: which fields are unknown,
//! missing, of another type or format, or null where they never are.

use super::operations::{Is, Rule, Shape};
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The formats, by the names that Twilio has for them, and what they look like. A
/// telephone number is also what can stand for one: a short code, a name, an address
/// on WhatsApp.
const FORMATS: [(&str, &str); 12] = [
    ("currency", "^[A-Za-z]{3}$"),
    ("date", r"^\d{4}-\d\d-\d\d$"),
    ("date-time", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"),
    (
        "date-time-rfc-2822",
        r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$",
    ),
    ("email", "^[^@ ]+@[^@ ]+$"),
    ("http-method", "^(GET|POST|PUT|PATCH|DELETE|HEAD)$"),
    ("int32", ""),
    ("int64", ""),
    ("iso-country-code", "^[A-Z]{2}$"),
    (
        "phone-number",
        r"^((whatsapp:)?\+[1-9]\d{6,14}|\d{3,6}|[0-9() ./-]{6,20}|[0-9 +_&-]*[A-Za-z][A-Za-z0-9 +_&-]*)$",
    ),
    ("uri", "^(https?://[^/ ]+)?(/[^ ]*)?$"),
    ("uri-map", ""),
];

/// What is wrong with a document, each with its place; nothing when all is well.
pub fn faults(document: &Value, shape: &Shape, shapes: &BTreeMap<String, Shape>) -> Vec<String> {
    let mut judge = Judge { shapes, faults: Vec::new() };
    judge.look(document, shape, "");
    judge.faults
}

/// What is wrong with an answer that refuses: Twilio's error document has a code, a
/// message, the page about the code, and the status again.
pub fn faults_of_refusal(status: u16, content_type: &str, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |is_so: bool, what: &str| {
        if !is_so {
            faults.push(format!("{what}: {}", cut(document)));
        }
    };
    let code = document["code"].as_u64();
    let more = format!("https://www.twilio.com/docs/errors/{}", code.unwrap_or_default());
    let known = ["code", "detail", "details", "message", "more_info", "status"];
    let fields = document.as_object().cloned().unwrap_or_default();
    expect(content_type.starts_with("application/json"), "an error that is no JSON");
    expect(code.is_some_and(|code| code >= 10_000), "an error without its code");
    expect(document["message"].as_str().is_some_and(|text| !text.is_empty()), "an error without a message");
    expect(document["more_info"] == more.as_str(), "an error without the page about it");
    expect(document["status"] == status, "an error of another status");
    expect(fields.keys().all(|name| known.contains(&name.as_str())), "an error with a field of its own");
    faults
}

struct Judge<'s> {
    shapes: &'s BTreeMap<String, Shape>,
    faults: Vec<String>,
}

impl Judge<'_> {
    fn look(&mut self, value: &Value, shape: &Shape, place: &str) {
        if value.is_null() {
            if !shape.or_null {
                self.faults.push(format!("{place} is null"));
            }
            return;
        }
        match (&shape.is, value) {
            (Is::Any, _) => {}
            (Is::Named(name), _) => self.look(value, &self.shapes[name], place),
            (Is::Object(fields), Value::Object(there)) => self.object(there, fields, place),
            (Is::Array(item), Value::Array(rows)) => {
                for (at, row) in rows.iter().enumerate() {
                    self.look(row, item, &format!("{place}[{at}]"));
                }
            }
            (Is::Object(_), _) => self.faults.push(format!("{place} is no object: {}", cut(value))),
            (Is::Array(_), _) => self.faults.push(format!("{place} is no array: {}", cut(value))),
            (Is::Plain(kind, rule), _) => self.plain(value, kind, rule, place),
        }
    }

    fn object(&mut self, there: &Map<String, Value>, fields: &[(String, bool, Shape)], place: &str) {
        for (name, always, shape) in fields {
            match there.get(name) {
                Some(value) => self.look(value, shape, &format!("{place}.{name}")),
                None if *always => self.faults.push(format!("{place}.{name} is missing")),
                None => {}
            }
        }
        for name in there.keys().filter(|name| fields.iter().all(|(known, ..)| known != *name)) {
            self.faults.push(format!("{place}.{name} is unknown to Twilio"));
        }
    }

    fn plain(&mut self, value: &Value, kind: &str, rule: &Rule, place: &str) {
        let is_kind = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            other => panic!("no type: {other}"),
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let obeys = match rule {
            Rule::Nothing => true,
            Rule::Words(words) => words.contains(&text),
            Rule::Pattern(pattern) => pattern.is_match(&text),
            Rule::Format(name) if name == "uri-map" => {
                let uris = value.as_object().into_iter().flat_map(Map::values);
                uris.into_iter().all(|uri| uri.as_str().is_some_and(|uri| format("uri").is_match(uri)))
            }
            Rule::Format(name) => format(name).is_match(&text),
        };
        if !is_kind {
            self.faults.push(format!("{place} is no {kind}: {}", cut(value)));
        } else if !obeys {
            self.faults.push(format!("{place} has not its form: {}", cut(value)));
        }
    }
}

fn format(name: &str) -> Regex {
    let known = FORMATS.iter().find(|(known, _)| *known == name);
    Regex::new(known.unwrap_or_else(|| panic!("no format: {name}")).1).unwrap()
}

/// So much of a value as a line has room for.
fn cut(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

#[test]
fn every_kind_of_fault_is_found_and_none_where_there_is_none() {
    let shape = |text: &str| Shape::read(&serde_json::from_str(text).unwrap());
    let person =
        r#"{"sid":"string ^PE[0-9a-f]{4}$","name?":"?string","age":"integer","state":"string =here|gone"}"#;
    let shapes = BTreeMap::from([("person".to_owned(), shape(person))]);
    let whole = shape(
        r#"{"people":["@person"],"next":"?string uri","since":"string date-time-rfc-2822","at":"string date-time",
            "number":"string phone-number","links":"object uri-map","tags":["?","string"],"extra":"any"}"#,
    );
    let good = serde_json::json!({
        "people": [{ "sid": "PE01af", "name": null, "age": 3, "state": "here" }, { "sid": "PE01ae", "age": 0, "state": "gone" }],
        "next": null, "since": "Thu, 24 Aug 2023 05:01:45 +0000", "at": "2015-07-30T19:00:00Z",
        "number": "whatsapp:+14155550123", "links": { "self": "/2010-04-01/x.json" }, "tags": null, "extra": [1],
    });
    assert_eq!(faults(&good, &whole, &shapes), [""; 0]);
    let wrong = [
        ("/people/0/sid", "\"PE01\"", ".people[0].sid has not its form: \"PE01\""),
        ("/people/1/age", "\"0\"", ".people[1].age is no integer: \"0\""),
        ("/people/0/state", "\"away\"", ".people[0].state has not its form: \"away\""),
        ("/people/0/age", "null", ".people[0].age is null"),
        ("/people", "{}", ".people is no array: {}"),
        ("/people/0", "\"x\"", ".people[0] is no object: \"x\""),
        ("/next", "\"next page\"", ".next has not its form: \"next page\""),
        ("/since", "\"2015-07-30T19:00:00Z\"", ".since has not its form: \"2015-07-30T19:00:00Z\""),
        ("/at", "\"2015-07-30\"", ".at has not its form: \"2015-07-30\""),
        ("/number", "\"+0123\"", ".number has not its form: \"+0123\""),
        ("/links/self", "7", ".links has not its form: {\"self\":7}"),
        ("/tags", "[null]", ".tags[0] is null"),
    ];
    for (place, value, fault) in wrong {
        let mut document = good.clone();
        *document.pointer_mut(place).unwrap() = serde_json::from_str(value).unwrap();
        assert_eq!(faults(&document, &whole, &shapes), [fault], "{place}");
    }
    let mut document = good.clone();
    let fields = document.as_object_mut().unwrap();
    fields.remove("at");
    fields.insert("more".to_owned(), Value::Null);
    assert_eq!(faults(&document, &whole, &shapes), [".at is missing", ".more is unknown to Twilio"]);
}

#[test]
fn a_refusal_is_twilios_document_and_nothing_else() {
    let json = "application/json;charset=utf-8";
    let good = serde_json::json!({
        "code": 20404, "message": "not found", "more_info": "https://www.twilio.com/docs/errors/20404", "status": 404
    });
    assert_eq!(faults_of_refusal(404, json, &good), [""; 0]);
    assert_eq!(faults_of_refusal(404, "text/html", &good).len(), 1);
    assert_eq!(faults_of_refusal(400, json, &good).len(), 1);
    for (name, value) in [("code", "7"), ("message", "\"\""), ("more_info", "null"), ("hint", "\"try\"")] {
        let mut document = good.clone();
        document[name] = serde_json::from_str(value).unwrap();
        assert!(!faults_of_refusal(404, json, &document).is_empty(), "{name}");
    }
    assert!(faults_of_refusal(404, json, &Value::String("<html>".to_owned())).len() > 3);
}
