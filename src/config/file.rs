//! A file's text as entries, and where each key and each item in it stands.
//!
//! It refuses to know which keys exist. A path is written as one reads it in
//! TOML: `services.shop.channels[0]`; a name that is no bare key is quoted.

use super::problem::{At, Origin, Problem};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// The name of a file and the text in it.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// What a file says.
pub(super) struct Said {
    /// The entries, `section.key`, `section.part.key` or `key`, with their values.
    pub(super) flat: Vec<(String, Value)>,
    /// Where everything stands.
    pub(super) places: Places,
}

/// Where keys and values stand, by their paths.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

#[derive(Clone, Copy, Debug)]
struct Place {
    key: At,
    value: At,
}

/// The path of a name below another.
pub(super) fn join(path: &str, name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_bare = !name.is_empty() && name.chars().all(bare);
    let name = if is_bare { name.to_owned() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// The path of an item of a list, counted from nought.
pub(super) fn item(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}

/// The path that a path is below.
pub(super) fn above(path: &str) -> Option<&str> {
    path.rfind(['.', '[']).map(|at| &path[..at])
}

impl Places {
    /// Where a value stands, or the nearest that holds it.
    pub(super) fn value(&self, path: &str) -> Option<At> {
        self.nearest(path).map(|place| place.value)
    }

    /// Where the name of a key stands, or the nearest above it.
    pub(super) fn key(&self, path: &str) -> Option<At> {
        self.nearest(path).map(|place| place.key)
    }

    fn nearest(&self, path: &str) -> Option<Place> {
        let mut path = Some(path);
        while let Some(here) = path {
            if let Some(place) = self.0.get(here) {
                return Some(*place);
            }
            path = above(here);
        }
        None
    }

    fn learn_table(&mut self, text: &str, path: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let path = join(path, name.get_ref());
            let key = at(text, name.span().start);
            self.learn(text, path, key, value);
        }
    }

    fn learn(&mut self, text: &str, path: String, key: At, spanned: &Spanned<DeValue<'_>>) {
        let value = match spanned.get_ref() {
            DeValue::Table(table) => {
                self.learn_table(text, &path, table);
                // A table may have many heads: it stands where it is first named.
                key
            }
            DeValue::Array(items) => {
                for (n, inner) in items.iter().enumerate() {
                    let start = inner.span().start;
                    self.learn(text, item(&path, n), at(text, start), inner);
                }
                if items.is_empty() || spanned.span().is_empty() {
                    key
                } else {
                    at(text, spanned.span().start)
                }
            }
            _ => at(text, spanned.span().start),
        };
        self.0.insert(path, Place { key, value });
    }
}

/// Takes a file apart. Tables whose paths `is_section` are sections or parts of one, and
/// what is in them is an entry each; every other is a value.
///
/// # Errors
/// All that is no TOML.
pub(super) fn read(file: &File<'_>, is_section: impl Fn(&str, &Table) -> bool) -> Result<Said, Vec<Problem>> {
    let broken = |error: &toml::de::Error| Problem {
        origin: Origin::File {
            path: file.name.into(),
            at: error.span().map(|span| at(file.text, span.start)),
        },
        key: String::new(),
        what: format!("is not TOML: {}", error.message().trim().replace('\n', ", ")),
        mend: "see https://toml.io for how it is written".to_owned(),
    };
    // Places and values come from two parsers of one crate: the first knows where
    // and finds all errors, the second gives values that own their text.
    let (spans, errors) = DeTable::parse_recoverable(file.text);
    if !errors.is_empty() {
        return Err(errors.iter().map(broken).collect());
    }
    let values: Table = toml::from_str(file.text).map_err(|error| vec![broken(&error)])?;
    let mut places = Places::default();
    places.learn_table(file.text, "", spans.get_ref());
    let mut flat = Vec::new();
    flatten("", values, &is_section, &mut flat);
    Ok(Said { flat, places })
}

fn flatten(
    above: &str,
    table: Table,
    is_section: &impl Fn(&str, &Table) -> bool,
    flat: &mut Vec<(String, Value)>,
) {
    for (name, value) in table {
        let path = join(above, &name);
        match value {
            Value::Table(inner) if is_section(&path, &inner) => flatten(&path, inner, is_section, flat),
            value => flat.push((path, value)),
        }
    }
}

/// The line and the column, in characters, of a byte of a text.
fn at(text: &str, byte: usize) -> At {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    At { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_stands_where_an_editor_shows_it() {
        let text = "a = 1\nü = { b = [1,\n  2] }\n[s]\nk.l = \"é\" # é\n[s.\"x.y\"]\nz = 5\n[[t]]\nu = 1\n[[t]]\nu = 2\n";
        let text = text.replace('ü', "\"ü\"");
        let file = File { name: "f", text: &text };
        let said = read(&file, |name, _| name == "s").unwrap_or_else(|problems| panic!("{problems:?}"));
        let keys: Vec<&str> = said.flat.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "s.k", "s.\"x.y\"", "t", "\"ü\""]);
        let at = |path: &str| {
            let At { line, column } = said.places.value(path).unwrap();
            (line, column)
        };
        for (path, place) in [
            ("a", (1, 5)),
            ("\"ü\".b", (2, 13)),
            ("\"ü\".b[1]", (3, 3)),
            ("s", (4, 2)),
            ("s.k.l", (5, 7)),
            ("s.\"x.y\".z", (7, 5)),
            ("s.\"x.y\".nothing.here[3]", (6, 4)),
            ("t[1].u", (11, 5)),
        ] {
            assert_eq!(at(path), place, "{path}");
        }
        assert!(said.places.value("nowhere").is_none());
    }
}
