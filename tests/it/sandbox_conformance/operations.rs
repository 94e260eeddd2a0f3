//! Twilio's published operations, as `fixtures/twilio/operations/make.py` wrote them
//! down: what goes in, and what an answer looks like. It refuses to know any answer.

use regex::Regex;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What one product has.
pub struct Product {
    /// Its file's name: `api_v2010`.
    pub name: String,
    /// Where Twilio has it: `api.twilio.com`.
    pub host: String,
    pub operations: Vec<Operation>,
    /// The shapes that have names.
    pub shapes: BTreeMap<String, Shape>,
}

/// One thing that can be asked.
#[derive(Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    /// With `{Names}` where `in_path` says what stands.
    pub path: String,
    pub in_path: BTreeMap<String, Shape>,
    /// The names of the parameters in the query, and in the form.
    pub in_query: Vec<String>,
    pub in_form: Vec<String>,
    /// Whether it takes JSON.
    pub takes_json: bool,
    /// Each status of success.
    pub statuses: Vec<u64>,
    /// What comes with it; nothing with 204.
    pub answer: Option<Shape>,
}

/// What a value looks like.
#[derive(Clone)]
pub struct Shape {
    /// Whether null may stand there.
    pub or_null: bool,
    pub is: Is,
}

/// The kinds of shapes.
#[derive(Clone)]
pub enum Is {
    /// Fields by name, and whether each is always there.
    Object(Vec<(String, bool, Shape)>),
    Array(Box<Shape>),
    Named(String),
    /// A JSON type, and what is known of it.
    Plain(String, Rule),
    Any,
}

/// What is known of a plain value besides its type.
#[derive(Clone)]
pub enum Rule {
    Nothing,
    /// One of these words.
    Words(Vec<String>),
    Pattern(Regex),
    /// A format by its name.
    Format(String),
}

/// Every product of `fixtures/twilio/operations`.
pub fn products() -> Vec<Product> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/twilio/operations");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect();
    files.sort();
    files.iter().map(|path| product(path)).collect()
}

fn product(path: &Path) -> Product {
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let shapes = whole["shapes"].as_object().unwrap();
    Product {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        host: whole["host"].as_str().unwrap().to_owned(),
        operations: whole["operations"].as_array().unwrap().iter().map(operation).collect(),
        shapes: shapes.iter().map(|(name, shape)| (name.clone(), Shape::read(shape))).collect(),
    }
}

fn operation(one: &Value) -> Operation {
    let text = |name: &str| one[name].as_str().unwrap().to_owned();
    let given = |name: &str| one[name].as_object().cloned().unwrap_or_default();
    let names = |given: Map<String, Value>| {
        given.keys().map(|name| name.strip_suffix('?').unwrap_or(name).to_owned()).collect()
    };
    Operation {
        id: text("id"),
        method: text("method"),
        path: text("path"),
        in_path: given("in_path").iter().map(|(name, shape)| (name.clone(), Shape::read(shape))).collect(),
        in_query: names(given("in_query")),
        in_form: names(given("in_form")),
        takes_json: one.get("in_json").is_some(),
        statuses: one["status"].as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect(),
        answer: one.get("answer").map(Shape::read),
    }
}

impl Shape {
    /// Reads the compact form.
    pub fn read(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::of_text(text),
            Value::Array(items) => match items.as_slice() {
                [Value::String(mark), item] if mark == "?" => Self { or_null: true, is: Is::array(item) },
                [item] => Self { or_null: false, is: Is::array(item) },
                _ => panic!("no shape: {value}"),
            },
            Value::Object(fields) => match fields.get("?") {
                Some(shape) => Self { or_null: true, ..Self::read(shape) },
                None => Self { or_null: false, is: Is::Object(fields.iter().map(field).collect()) },
            },
            _ => panic!("no shape: {value}"),
        }
    }

    fn of_text(text: &str) -> Self {
        let (or_null, text) = text.strip_prefix('?').map_or((false, text), |rest| (true, rest));
        let (kind, more) = text.split_once(' ').unwrap_or((text, ""));
        let is = match (kind, more) {
            ("any", _) => Is::Any,
            (kind, _) if kind.starts_with('@') => Is::Named(kind[1..].to_owned()),
            (kind, "") => Is::Plain(kind.to_owned(), Rule::Nothing),
            (kind, more) => Is::Plain(kind.to_owned(), Rule::read(more)),
        };
        Self { or_null: or_null || matches!(is, Is::Any), is }
    }
}

impl Is {
    fn array(item: &Value) -> Self {
        Self::Array(Box::new(Shape::read(item)))
    }
}

impl Rule {
    fn read(text: &str) -> Self {
        match text.as_bytes()[0] {
            b'=' => Self::Words(text[1..].split('|').map(str::to_owned).collect()),
            b'^' => Self::Pattern(Regex::new(text).unwrap()),
            _ => Self::Format(text.to_owned()),
        }
    }
}

fn field((name, shape): (&String, &Value)) -> (String, bool, Shape) {
    let (name, always) = name.strip_suffix('?').map_or((name.as_str(), true), |name| (name, false));
    (name.to_owned(), always, Shape::read(shape))
}
