//! What a section of `services` sets: the model judges, and each of its
//! judgements is brought to the very part that it is about.
//!
//! It refuses to know the rules. A value that the model refuses is handed to it
//! again in parts, until no smaller part is refused.

use super::file::{item, join};
use super::problem::one_of;
use super::reader::{Reader, shown};
use crate::model::id::is_sid;
use crate::model::service::Settings;
use serde_json::{Map, Value, json};

const MEND: &str = "see `services` in `dialback config default`";

/// A key that begins as an id and is so long was meant to be one.
const LOOKS_LIKE_AN_ID: usize = 20;

/// Something that is wrong: its path, itself, and the model's words.
type Wrong = (String, Value, String);

/// The settings of a service: those of `base`, with what its section changes.
pub(super) fn with(r: &mut Reader<'_>, key: &str, base: &Settings, section: Option<toml::Value>) -> Settings {
    let path = join("services", key);
    let section = match section {
        None => return base.clone(),
        Some(toml::Value::Table(section)) => section,
        Some(_) => {
            r.note(&path, "is no table of settings", MEND);
            return base.clone();
        }
    };
    if key.is_empty() || is_broken_id(key) {
        let what = match key.len() {
            0 => "names no service".to_owned(),
            length => format!("names no service: it looks like an id, and has {length} characters"),
        };
        let mend = "did you mean an id, VA and 32 hexadecimal digits? else name it in your own words";
        r.note_key(&path, what, mend);
    }
    let known = base.all();
    let mut changes = Map::new();
    for (name, value) in section {
        let here = join(&path, &name);
        if !known.contains_key(&name) {
            r.note_key(&here, "there is no such setting", one_of(&name, known.keys().map(String::as_str)));
            continue;
        }
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        if let Some(value) = set(&name, value) {
            changes.insert(name, value);
        }
    }
    if let Ok(settings) = base.with(changes.clone()) {
        return settings;
    }
    refused(r, &path, base, changes)
}

/// Whether a key was meant to be an id and is none: cut, too long, or of another case.
fn is_broken_id(key: &str) -> bool {
    let begins = key.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("VA"));
    let rest = key.get(2..).unwrap_or_default();
    let is_hex = rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let has_digit = rest.bytes().any(|byte| byte.is_ascii_digit());
    let looks_so = key.starts_with("VA") && key.len() >= LOOKS_LIKE_AN_ID
        || is_hex && has_digit && (key.starts_with("VA") || rest.len() >= 16);
    begins && looks_so && !is_sid(key, "VA")
}

/// Notes what is wrong with changes, and makes those that are right.
fn refused(r: &mut Reader<'_>, path: &str, base: &Settings, changes: Map<String, Value>) -> Settings {
    let mut sound = Map::new();
    for (name, value) in changes {
        let refuse = |part: &Value| {
            base.with(Map::from_iter([(name.clone(), part.clone())])).err().map(|wrong| wrong.what)
        };
        let found = match told_exactly(base, path, (&name, &value)) {
            Some(wrong) => vec![wrong],
            None => wrong_parts(&join(path, &name), &value, &refuse),
        };
        if found.is_empty() {
            sound.insert(name, value);
            continue;
        }
        for (path, part, what) in found {
            note(r, &path, &part, &what);
        }
    }
    // Right one by one may be wrong together.
    base.with(sound).unwrap_or_else(|wrong| {
        let at = wrong.field.split('.').fold(path.to_owned(), |path, name| join(&path, name));
        note(r, &at, &Value::Null, &wrong.what);
        base.clone()
    })
}

/// What is wrong with a setting whose parts say nothing by themselves: of a template that has
/// no text the model says that first. It names the very part.
fn told_exactly(base: &Settings, path: &str, (name, value): (&str, &Value)) -> Option<Wrong> {
    if !name.starts_with("message_") {
        return None;
    }
    let wrong = base.with(Map::from_iter([(name.to_owned(), value.clone())])).err()?;
    let below = wrong.field.strip_prefix(name)?.strip_prefix('.')?.to_owned();
    let part = below.split('.').try_fold(value, |value, name| value.get(name)).cloned().unwrap_or_default();
    let at = below.split('.').fold(join(path, name), |path, name| join(&path, name));
    Some((at, part, wrong.what))
}

/// The smallest parts of a value that are refused by themselves.
fn wrong_parts(path: &str, value: &Value, refuse: &dyn Fn(&Value) -> Option<String>) -> Vec<Wrong> {
    let Some(what) = refuse(value) else { return Vec::new() };
    // Where an empty one is refused for the same reason, no part is to blame.
    let blames_a_part = |empty: Value| refuse(&empty).as_ref() != Some(&what);
    let parts: Vec<Wrong> = match value {
        Value::Array(items) if blames_a_part(json!([])) => wrong_items(path, items, refuse),
        Value::Object(inner) if blames_a_part(json!({})) => {
            let part = |(name, inner): (&String, &Value)| {
                wrong_parts(&join(path, name), inner, &|part| refuse(&json!({ name: part })))
            };
            inner.iter().flat_map(part).collect()
        }
        _ => Vec::new(),
    };
    if parts.is_empty() { vec![(path.to_owned(), value.clone(), what)] } else { parts }
}

/// The same of a list: each item by itself, and then those that are right together.
fn wrong_items(path: &str, items: &[Value], refuse: &dyn Fn(&Value) -> Option<String>) -> Vec<Wrong> {
    let (mut wrong, mut sound) = (Vec::new(), Vec::new());
    for (at, inner) in items.iter().enumerate() {
        let found = wrong_parts(&item(path, at), inner, &|part| refuse(&json!([part])));
        if found.is_empty() {
            sound.push(inner.clone());
        }
        wrong.extend(found);
    }
    if !wrong.is_empty() && !sound.is_empty() {
        let together = refuse(&Value::Array(sound));
        wrong.extend(together.map(|what| (path.to_owned(), Value::Null, what)));
    }
    wrong
}

fn note(r: &mut Reader<'_>, path: &str, value: &Value, what: &str) {
    let quoted: Vec<&str> = what.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((name, known)) if what.starts_with("unknown field") => {
            r.note_key(path, "there is no such setting", one_of(name, known.iter().copied()));
        }
        Some((name, known)) if what.starts_with("unknown variant") => {
            r.note(path, format_args!("{name:?} does not fit here"), one_of(name, known.iter().copied()));
        }
        _ => {
            let what = plainly(what);
            match value {
                Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                    r.note(
                        path,
                        format_args!("{} does not fit here", shown(value)),
                        format_args!("it {what}"),
                    );
                }
                _ => r.note(path, "does not fit here", format_args!("it {what}")),
            }
        }
    }
}

/// The model's words for kinds of values, in those of a file.
pub(super) fn plainly(what: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("has to be u8", "has to be a whole number"),
        ("has to be u32", "has to be a whole number"),
        ("has to be struct Pages", "has to be a table"),
        ("has to be struct Countries", "has to be a table"),
        ("has to be a map", "has to be a table"),
        ("has to be a sequence", "has to be a list"),
        ("has to be a string", "has to be a text in quotation marks"),
        ("has to be a boolean", "has to be true or false"),
    ];
    let found = WORDS.iter().find(|(theirs, _)| *theirs == what);
    let what = found.map_or(what, |(_, ours)| ours);
    // The model says what a right one is like; a complaint, what this one needs.
    const TURNS: [(&str, &str); 6] = [
        ("has to ", "has to "),
        ("has neither ", "may have neither "),
        ("has no ", "may have no "),
        ("has ", "needs "),
        ("is ", "has to be "),
        ("names ", "has to name "),
    ];
    let turned = TURNS.iter().find_map(|(theirs, ours)| Some((ours, what.strip_prefix(theirs)?)));
    turned.map_or_else(|| what.to_owned(), |(ours, rest)| format!("{ours}{rest}"))
}

/// What a value sets: an empty text is not set.
fn set(name: &str, value: Value) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::Object(mut inner) if name == "pages" => {
            inner.retain(|_, value| value != "");
            Some(Value::Object(inner))
        }
        value => Some(value),
    }
}
