//! The environment as a value, so that nothing below reads the process's own.

use super::file::{item, join};
use std::collections::{BTreeMap, BTreeSet};
use toml::Value;

/// What the variables of keys begin with.
pub(super) const PREFIX: &str = "DIALBACK_";

/// Environment variables. Of those that are not UTF-8 only the names exist here.
#[derive(Clone, Default)]
pub struct Env {
    set: BTreeMap<String, String>,
    unreadable: BTreeSet<String>,
}

impl Env {
    /// The process's environment, as it is now.
    pub fn of_process() -> Self {
        let mut env = Self::default();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(env.set.insert(name, value)),
                (Ok(name), Err(_)) => drop(env.unreadable.insert(name)),
                (Err(name), _) => drop(env.unreadable.insert(name.to_string_lossy().into_owned())),
            }
        }
        env
    }

    /// The value of a variable, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    pub(super) fn starting_with(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.set
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The names of those that begin so and are not UTF-8.
    pub(super) fn unreadable(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.unreadable.iter().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let set = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { set, unreadable: BTreeSet::new() }
    }
}

/// Replaces `${NAME}` and `${NAME:-default}` in every string of a value, and
/// says what could not be replaced, each with its path.
pub(super) fn expand(path: &str, value: &mut Value, env: &Env) -> Vec<(String, String)> {
    match value {
        Value::String(text) => match expanded(text, env) {
            Ok(new) => {
                *text = new;
                Vec::new()
            }
            Err(what) => vec![(path.to_owned(), what)],
        },
        Value::Array(items) => {
            let items = items.iter_mut().enumerate();
            items.flat_map(|(at, inner)| expand(&item(path, at), inner, env)).collect()
        }
        Value::Table(table) => {
            table.iter_mut().flat_map(|(name, inner)| expand(&join(path, name), inner, env)).collect()
        }
        _ => Vec::new(),
    }
}

/// The variables that the strings of a value refer to.
pub(super) fn named(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let inside = text.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
            inside.map(|inside| inside.split(":-").next().unwrap_or(inside).to_owned()).collect()
        }
        Value::Array(items) => items.iter().flat_map(named).collect(),
        Value::Table(table) => table.iter().flat_map(|(_, item)| named(item)).collect(),
        _ => Vec::new(),
    }
}

fn expanded(text: &str, env: &Env) -> Result<String, String> {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("${") {
        let (before, from) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = from;
            continue;
        }
        let (inside, after) = from.split_once('}').ok_or("has a ${ without its }")?;
        let (name, default) =
            inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
        let value = match (env.get(name), default) {
            // As in a shell, `:-` also stands in for what is set but empty.
            (Some(value), None) => value,
            (Some(value), Some(_)) if !value.is_empty() => value,
            (_, Some(default)) => default,
            (None, None) => return Err(format!("the environment variable {name} is not set")),
        };
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_inside_strings() {
        let env: Env = [("HOST", "example.com"), ("EMPTY", "")].into_iter().collect();
        let cases = [
            ("https://${HOST}/x", "https://example.com/x"),
            ("${HOST}${HOST}", "example.comexample.com"),
            ("${PORT:-443}", "443"),
            ("${EMPTY:-full}", "full"),
            ("[${EMPTY}]", "[]"),
            ("$${HOST} costs $5 and ü", "${HOST} costs $5 and ü"),
        ];
        for (text, expected) in cases {
            assert_eq!(expanded(text, &env).as_deref(), Ok(expected), "{text}");
        }
        for broken in ["${NOPE}", "${HOST", "a ${"] {
            assert!(expanded(broken, &env).is_err(), "{broken}");
        }
    }
}
