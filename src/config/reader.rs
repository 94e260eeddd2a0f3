//! From entries to values of the right kind, noting what is not right.
//!
//! A reader never stops at a mistake: it notes it and goes on with the default,
//! so that everything that is wrong is said at once.

use super::layers::Layers;
use super::problem::Problem;
use crate::secret::Secret;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;
use toml::{Table, Value};

/// A word out of a fixed list.
pub(super) trait Choice: Copy + 'static {
    const ALL: &'static [(&'static str, Self)];

    fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice)
    }

    fn words() -> String {
        Self::ALL.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    }
}

pub(super) struct Reader<'a> {
    layers: &'a Layers,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { layers, problems: Vec::new() }
    }

    /// Notes what is wrong with a key.
    pub(super) fn note(&mut self, key: &str, what: impl Display, mend: impl Display) {
        let origin = self.layers.place(key);
        self.problems.push(Problem {
            origin,
            key: key.into(),
            what: what.to_string(),
            mend: mend.to_string(),
        });
    }

    /// A text; `None` when it is empty.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let text = self.value(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A text that means something; `None` when it is empty or means nothing.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &str, mend: &str) -> Option<T> {
        let text = self.text(key)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.note(key, format_args!("{text:?} does not fit here"), mend);
        }
        parsed
    }

    /// The same for a text that may not be empty.
    pub(super) fn required<T: FromStr>(&mut self, key: &str, mend: &str) -> Option<T> {
        if self.text(key).is_none() {
            self.note(key, "is empty", mend);
        }
        self.parsed(key, mend)
    }

    /// One of the words of `T`.
    pub(super) fn choice<T: Choice>(&mut self, key: &str) -> T {
        let text = self.text(key).unwrap_or_default();
        T::of(&text).unwrap_or_else(|| {
            self.note(
                key,
                format_args!("{text:?} is none of its words"),
                format_args!("write one of {}", T::words()),
            );
            T::ALL[0].1
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> bool {
        self.value(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A whole number within `range`; its highest one after a mistake.
    pub(super) fn number<N>(&mut self, key: &str, range: RangeInclusive<N>) -> N
    where
        N: TryFrom<i64> + PartialOrd + Copy + Display,
    {
        let value = self.value(key).cloned();
        self.number_of(key, value.as_ref(), &range).unwrap_or(*range.end())
    }

    fn number_of<N>(&mut self, key: &str, value: Option<&Value>, range: &RangeInclusive<N>) -> Option<N>
    where
        N: TryFrom<i64> + PartialOrd + Copy + Display,
    {
        let value = value?;
        let number = value.as_integer().and_then(|number| N::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let mend = format!("write a whole number from {} to {}", range.start(), range.end());
            self.note(key, format_args!("{value} is out of range"), mend);
        }
        number
    }

    /// A number within `range`; its highest one after a mistake.
    pub(super) fn fraction(&mut self, key: &str, range: RangeInclusive<f64>) -> f64 {
        let value = self.value(key).and_then(Value::as_float).unwrap_or(*range.end());
        if range.contains(&value) {
            return value;
        }
        let mend = format!("write a number from {} to {}", range.start(), range.end());
        self.note(key, format_args!("{value} is out of range"), mend);
        *range.end()
    }

    pub(super) fn seconds(&mut self, key: &str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(key, range))
    }

    /// A list of seconds, at least one.
    pub(super) fn seconds_list(&mut self, key: &str, range: RangeInclusive<u64>) -> Vec<Duration> {
        let spans = self.list(key, |reader, item| {
            Some(Duration::from_secs(reader.number_of(key, Some(item), &range)?))
        });
        if spans.is_empty() {
            self.note(key, "has no number", "write at least one, such as [30]");
        }
        spans
    }

    /// The items of a list that `read` makes something of.
    pub(super) fn list<T>(&mut self, key: &str, read: impl Fn(&mut Self, &Value) -> Option<T>) -> Vec<T> {
        let items = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().filter_map(|item| read(self, item)).collect()
    }

    /// A list of texts that mean something.
    pub(super) fn parsed_list<T>(
        &mut self,
        key: &str,
        mend: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.list(key, |reader, item| {
            let parsed = item.as_str().and_then(&parse);
            if parsed.is_none() {
                reader.note(key, format_args!("{item} does not fit here"), mend);
            }
            parsed
        })
    }

    pub(super) fn table(&mut self, key: &str) -> Table {
        self.value(key).and_then(Value::as_table).cloned().unwrap_or_default()
    }

    /// Why something dangerous is allowed; `None` when it is not. The answer of old
    /// configurations, true or false, counts for as much.
    pub(super) fn reason(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|reason| reason != "false" && !reason.trim().is_empty())
    }

    /// A secret from `key`, or from the file that `key` + `_file` names.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        match (self.text(key), self.text(&file_key)) {
            (Some(_), Some(_)) => {
                self.note(&file_key, format_args!("is set beside {key}"), "set one of the two");
                None
            }
            (Some(text), None) => self.checked_secret(key, text),
            (None, Some(path)) => self.secret_file(&file_key, &path),
            (None, None) => None,
        }
    }

    /// A secret in a table: `name = "…"` or `name_file = "…"`.
    pub(super) fn secret_in(&mut self, key: &str, table: &Table, name: &str) -> Option<Secret> {
        let text = |name: &str| table.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (text(name), text(&format!("{name}_file"))) {
            (Some(secret), None) => self.checked_secret(key, secret.to_owned()),
            (None, Some(path)) => self.secret_file(key, path),
            _ => {
                self.note(key, "has an item without a secret", format_args!("give it {name} or {name}_file"));
                None
            }
        }
    }

    /// Notes names in a table that mean nothing.
    pub(super) fn only(&mut self, key: &str, table: &Table, names: &[&str]) {
        for name in table.keys().filter(|name| !names.contains(&name.as_str())) {
            let mend = format!("its items have {}", names.join(", "));
            self.note(key, format_args!("has an item with {name}, which does not exist"), mend);
        }
    }

    /// A secret that stands by itself.
    pub(super) fn checked_secret(&mut self, key: &str, text: String) -> Option<Secret> {
        let sound = !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains(is_unseen);
        if !sound {
            let what = "is empty or has blanks, line breaks or invisible characters in it";
            self.note(key, what, "copy the secret alone");
        }
        sound.then(|| Secret::new(text))
    }

    fn secret_file(&mut self, key: &str, path: &str) -> Option<Secret> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                // Editors put a byte-order mark in front of what they save.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let text = text.strip_suffix('\n').unwrap_or(text);
                self.checked_secret(key, text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            Err(error) => {
                self.note(
                    key,
                    format_args!("cannot read {path}: {error}"),
                    "name a file that holds the secret",
                );
                None
            }
        }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        let entry = self.layers.get(key);
        // Every key that is read is in the embedded file: a test reads them all.
        debug_assert!(entry.is_some(), "config.toml lacks {key}");
        Some(&entry?.value)
    }
}

/// Characters that nobody sees, and that a copied text may bring along.
fn is_unseen(c: char) -> bool {
    let is_mark = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || is_mark || matches!(c, '\u{ad}' | '\u{feff}')
}
