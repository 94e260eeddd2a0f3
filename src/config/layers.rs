//! The layers of a configuration laid over one another: embedded file, file,
//! environment. What comes out is flat: one entry for each key that exists,
//! with its value and where it was found.
//!
//! It refuses to know what a key means. Which keys exist, and of what type they
//! are, it learns from the embedded file, which has every one of them.

use super::env::{Env, PREFIX, expand, named};
use super::file::{self, File, Places, Said, above};
use super::problem::{Origin, Problem, did_you_mean};
use super::stray::strays;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use toml::{Table, Value};

/// A value and where it was found.
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Its place in the embedded file, to list entries in that order.
    place: usize,
}

/// Every key there is, as `section.key` or `section.part.key`, with its value in force.
pub(super) struct Layers {
    entries: BTreeMap<String, Entry>,
    /// The file that was laid over the defaults, and where everything stands in it.
    file: Option<(Arc<str>, Places)>,
    /// The variables that the file refers to.
    named: BTreeSet<String>,
    /// Whether the file is no TOML, so that nothing is known of what it wants.
    pub(super) broken: bool,
}

/// Without the values: some are secret, and this level does not know which.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers")
            .field("file", &self.file.as_ref().map(|(path, _)| path))
            .finish_non_exhaustive()
    }
}

impl Layers {
    /// Lays `file`, if there is one, and `env` over the embedded file.
    pub(super) fn new(
        embedded: &str,
        file: Option<File<'_>>,
        env: &Env,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let (entries, named) = (BTreeMap::new(), BTreeSet::new());
        let mut layers = Self { entries, file: None, named, broken: false };
        layers.entries = defaults(embedded, problems);
        if let Some(file) = file {
            layers.lay_file(&file, env, problems);
        }
        layers.lay_env(env, problems);
        layers.lay_twilio_env(env);
        layers
    }

    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// All entries, in the order of the embedded file.
    pub(super) fn in_order(&self) -> Vec<(&str, &Entry)> {
        let mut all: Vec<_> = self.entries.iter().map(|(key, entry)| (key.as_str(), entry)).collect();
        all.sort_by_key(|(_, entry)| entry.place);
        all
    }

    /// Where the value at a path stands, or where it would have to be written.
    /// A path may lead into an entry: `services.shop.channels[0]`.
    pub(super) fn place(&self, path: &str) -> Origin {
        let mut root = Some(path);
        let entry = loop {
            let Some(key) = root else { break None };
            match self.get(key) {
                Some(entry) => break Some(entry),
                None => root = above(key),
            }
        };
        match (entry.map(|entry| &entry.origin), &self.file) {
            (Some(Origin::File { .. }), Some((file, places))) => {
                Origin::File { path: file.clone(), at: places.value(path) }
            }
            (None | Some(Origin::Default), Some((file, places))) => {
                let section = path.split_once('.').and_then(|(section, _)| places.key(section));
                Origin::File { path: file.clone(), at: section }
            }
            (found, _) => found.cloned().unwrap_or(Origin::Default),
        }
    }

    /// The same for the name of the key.
    pub(super) fn place_of_key(&self, path: &str) -> Origin {
        match (self.place(path), &self.file) {
            (Origin::File { path: file, at: Some(at) }, Some((_, places))) => {
                Origin::File { path: file, at: places.key(path).or(Some(at)) }
            }
            (place, _) => place,
        }
    }

    fn lay_file(&mut self, file: &File<'_>, env: &Env, problems: &mut Vec<Problem>) {
        let path: Arc<str> = file.name.into();
        let Said { flat, places } = match file::read(file, |name, _| self.is_section(name)) {
            Ok(said) => said,
            Err(errors) => {
                self.broken = true;
                return problems.extend(errors);
            }
        };
        for (key, mut value) in flat {
            let at = |at| Origin::File { path: path.clone(), at };
            let (named_at, set_at) = (at(places.key(&key)), at(places.value(&key)));
            self.named.extend(named(&value));
            let unset = expand(&key, &mut value, env);
            for (key, what) in &unset {
                let mend = "set the variable, or give a default with ${NAME:-text}".to_owned();
                let origin = at(places.value(key));
                problems.push(Problem { origin, key: key.clone(), what: what.clone(), mend });
            }
            // Half a text would be complained of once more.
            if !unset.is_empty() {
                continue;
            }
            self.lay(key, value, named_at, set_at, problems);
        }
        self.file = Some((path, places));
    }

    /// Lays a value over the one before; the key stands at `origin`, the value at
    /// `set_at`.
    fn lay(
        &mut self,
        key: String,
        value: Value,
        origin: Origin,
        set_at: Origin,
        problems: &mut Vec<Problem>,
    ) {
        if self.is_section(&key) {
            let (what, mend) =
                ("is a section, not a key".to_owned(), format!("write [{key}] on a line of its own"));
            problems.push(Problem { origin, key, what, mend });
            return;
        }
        let Some(entry) = self.entries.get_mut(&key) else {
            let known = self.entries.keys().map(String::as_str).chain(self.sections());
            problems.push(unknown(key, origin, known));
            return;
        };
        let value = worded(&key, widened(value, &entry.value), &entry.value);
        if entry.value.same_type(&value) {
            entry.value = value;
            entry.origin = origin;
        } else {
            let (expected, found) = (entry.value.type_str(), value.type_str());
            let what = format!("expected {} {expected}, found {} {found}", article(expected), article(found));
            let mend = format!("write it like `{}`", example(&key, &entry.value));
            problems.push(Problem { origin: set_at, key, what, mend });
        }
    }

    fn lay_env(&mut self, env: &Env, problems: &mut Vec<Problem>) {
        let names: BTreeMap<String, String> =
            self.entries.keys().map(|key| (variable(key), key.clone())).collect();
        for (name, text) in env.starting_with(PREFIX) {
            let origin = Origin::Env(name.to_owned());
            if let Some(key) = names.get(name) {
                let Some(like) = self.get(key).map(|entry| entry.value.clone()) else { continue };
                match typed(text, &like) {
                    Some(value) => self.lay(key.clone(), value, origin.clone(), origin, problems),
                    None => problems.push(Problem {
                        origin,
                        key: key.clone(),
                        what: format!("is not {} {}", article(like.type_str()), like.type_str()),
                        mend: format!("write it like {name}={like}"),
                    }),
                }
            }
        }
        let known: Vec<String> = self.in_order().iter().map(|(key, _)| variable(key)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        problems.extend(strays(env, &known, &self.named));
    }

    /// Twilio's own variables speak where nothing else did.
    fn lay_twilio_env(&mut self, env: &Env) {
        for (key, unless, name) in TWILIO_ENV {
            let silent = |key: &str| self.get(key).is_some_and(|entry| entry.value.as_str() == Some(""));
            if !silent(key) || !silent(unless) {
                continue;
            }
            let Some(text) = env.get(name).filter(|text| !text.is_empty()) else { continue };
            if let Some(entry) = self.entries.get_mut(key) {
                entry.value = Value::String(text.to_owned());
                entry.origin = Origin::Env(name.to_owned());
            }
        }
    }

    /// Sections, and parts of sections that have keys of their own.
    fn sections(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().flat_map(|key| std::iter::successors(above(key), |path| above(path)))
    }

    fn is_section(&self, name: &str) -> bool {
        self.sections().any(|section| section == name)
    }
}

/// A key, the key that may stand in for it, and Twilio's variable for it.
const TWILIO_ENV: [(&str, &str, &str); 6] = [
    ("twilio.account_sid", "twilio.account_sid", "TWILIO_ACCOUNT_SID"),
    ("twilio.auth_token", "twilio.auth_token_file", "TWILIO_AUTH_TOKEN"),
    ("twilio.api_key_sid", "twilio.api_key_sid", "TWILIO_API_KEY"),
    ("twilio.api_key_secret", "twilio.api_key_secret_file", "TWILIO_API_SECRET"),
    ("twilio.from", "twilio.from", "TWILIO_PHONE_NUMBER"),
    ("twilio.messaging_service_sid", "twilio.messaging_service_sid", "TWILIO_MESSAGING_SERVICE_SID"),
];

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

fn unknown<'a>(key: String, origin: Origin, known: impl Iterator<Item = &'a str>) -> Problem {
    let mend = match did_you_mean(&key, known) {
        Some(near) => format!("did you mean {near}?"),
        None => "`dialback config default` lists them all".to_owned(),
    };
    Problem { origin, key, what: "there is no such key".to_owned(), mend }
}

/// The embedded file's entries: the keys that exist.
fn defaults(embedded: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, Entry> {
    let file = File { name: "the embedded config.toml", text: embedded };
    let entry = |places: &Places, key: String, value| {
        let place = places.key(&key).map_or(0, |at| at.line);
        (key, Entry { value, origin: Origin::Default, place })
    };
    match file::read(&file, |_, table| !table.is_empty()) {
        Ok(Said { flat, places }) => {
            flat.into_iter().map(|(key, value)| entry(&places, key, value)).collect()
        }
        Err(errors) => {
            problems.extend(errors);
            BTreeMap::new()
        }
    }
}

/// A variable's text as a value of the same type as `like`.
fn typed(text: &str, like: &Value) -> Option<Value> {
    let toml = |text: &str| toml::from_str::<Table>(&format!("value = {text}")).ok()?.remove("value");
    match like {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Array(_) if !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let numbers = like.as_array().is_some_and(|like| like.iter().any(Value::is_integer));
            let item = |item: &str| match item.parse() {
                Ok(number) if numbers => Value::Integer(number),
                _ => Value::String(item.to_owned()),
            };
            Some(Value::Array(items.map(item).collect()))
        }
        _ => toml(text.trim()).map(|value| widened(value, like)).filter(|value| value.same_type(like)),
    }
}

/// A whole number where one with a fraction could stand is that number: TOML
/// tells `1` from `1.0`, people do not.
fn widened(value: Value, like: &Value) -> Value {
    match (value, like) {
        (Value::Integer(number), Value::Float(_)) => Value::Float(number as f64),
        (value, _) => value,
    }
}

/// A reason where older configurations had true or false.
fn worded(key: &str, value: Value, like: &Value) -> Value {
    let is_reason = key.rsplit('.').next().is_some_and(|name| name.starts_with("allow_"));
    match (value, like) {
        (Value::Boolean(is_allowed), Value::String(_)) if is_reason => Value::String(is_allowed.to_string()),
        (value, _) => value,
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'i']) { "an" } else { "a" }
}

/// A line that sets the key to its default, or to something of the right form.
fn example(key: &str, default: &Value) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    format!("{name} = {default}")
}
