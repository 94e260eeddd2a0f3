//! From entries to values of the right kind, noting what is not right.
//!
//! A reader never stops at a mistake: it notes it and goes on with the default,
//! so that everything that is wrong is said at once.

use super::file::{item, join};
use super::layers::Layers;
use super::loopback::is_loopback;
use super::problem::{Origin, Problem, did_you_mean, one_of};
use crate::model::id::is_sid;
use crate::secret::Secret;
use reqwest::Url;
use std::collections::BTreeSet;
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

    /// A question for the word that was probably meant, if there is one.
    fn meant(word: &str) -> String {
        did_you_mean(word, Self::ALL.iter().map(|(name, _)| *name))
            .map_or_else(String::new, |near| format!("did you mean {near:?}? else "))
    }
}

pub(super) struct Reader<'a> {
    layers: &'a Layers,
    /// Whether what is sent goes to the real Twilio.
    pub(super) live: bool,
    pub(super) problems: Vec<Problem>,
}

/// Characters of an auth token of Twilio's, all hexadecimal digits.
const TOKEN_LENGTH: usize = 32;

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        let value = |key: &str| layers.get(key).map(|entry| &entry.value);
        let sandboxed = value("sandbox.enabled").and_then(Value::as_bool).unwrap_or_default();
        let base_url = value("twilio.base_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        let live = !sandboxed && !base_url.is_some_and(|url| is_loopback(&url));
        Self { layers, live, problems: Vec::new() }
    }

    /// Notes what is wrong with a key, or with a part of it.
    pub(super) fn note(&mut self, key: &str, what: impl Display, mend: impl Display) {
        let origin = self.layers.place(key);
        self.problems.push(Problem {
            origin,
            key: key.into(),
            what: what.to_string(),
            mend: mend.to_string(),
        });
    }

    /// The same for a key that need not stand anywhere: then it is told where that
    /// stands by which it is wrong.
    pub(super) fn note_by(&mut self, key: &str, by: &[&str], what: impl Display, mend: impl Display) {
        self.note(key, what, mend);
        let is_placed = |origin: &Origin| matches!(origin, Origin::Env(_) | Origin::File { at: Some(_), .. });
        let is_set = |key: &&&str| self.layers.get(key).is_some_and(|entry| entry.origin != Origin::Default);
        let cause = by.iter().filter(is_set).map(|key| self.layers.place(key)).find(is_placed);
        if let (Some(problem), Some(cause)) = (self.problems.last_mut(), cause)
            && !is_placed(&problem.origin)
        {
            problem.origin = cause;
        }
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
            self.note(key, format_args!("{} does not fit here", shown(&format!("{text:?}"))), mend);
        }
        parsed
    }

    /// The same for a text that may not be empty; `fallback` after a mistake.
    pub(super) fn required<T: FromStr>(&mut self, key: &str, mend: &str, fallback: T) -> T {
        if self.text(key).is_none() {
            self.note(key, "is empty", mend);
        }
        self.parsed(key, mend).unwrap_or(fallback)
    }

    /// A SID of Twilio's; `None` when it is empty or is none.
    pub(super) fn sid(&mut self, key: &str, prefix: &str) -> Option<String> {
        let sid = self.text(key)?;
        self.checked_sid(key, &sid, prefix).then_some(sid)
    }

    /// Whether a text is a SID of that kind; what is wrong with it is noted.
    pub(super) fn checked_sid(&mut self, path: &str, sid: &str, prefix: &str) -> bool {
        if is_sid(sid, prefix) {
            return true;
        }
        let what = match sid.starts_with(prefix) {
            true => format!("is not {prefix} and 32 hexadecimal digits"),
            false => format!("does not begin with {prefix}"),
        };
        self.note(
            path,
            what,
            format_args!("copy it from twilio's console: {prefix} and 32 hexadecimal digits"),
        );
        false
    }

    /// One of the words of `T`.
    pub(super) fn choice<T: Choice>(&mut self, key: &str) -> T {
        let text = self.text(key).unwrap_or_default();
        T::of(&text).unwrap_or_else(|| {
            let what = format!("{} is none of its words", shown(&format!("{text:?}")));
            self.note(key, what, format_args!("{}write one of {}", T::meant(&text), T::words()));
            T::ALL[0].1
        })
    }

    /// Some of the words of `T`.
    pub(super) fn choices<T: Choice>(&mut self, key: &str) -> Vec<T> {
        self.list(key, |reader, path, item| {
            let word = item.as_str().unwrap_or_default();
            let choice = T::of(word);
            if choice.is_none() {
                let mend = format!("{}write any of {}", T::meant(word), T::words());
                reader.note(path, format_args!("{} is none of its words", shown(item)), mend);
            }
            choice
        })
    }

    /// Whether there is such a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.layers.get(key).is_some()
    }

    /// Whether nobody said anything of a key.
    pub(super) fn is_default(&self, key: &str) -> bool {
        self.layers.get(key).is_none_or(|entry| entry.origin == Origin::Default)
    }

    /// Whether it is known where a key, or a part of one, stands.
    pub(super) fn is_placed(&self, key: &str) -> bool {
        matches!(self.layers.place(key), Origin::Env(_) | Origin::File { at: Some(_), .. })
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
        let whole = value.as_integer();
        let number = whole.and_then(|number| N::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let what = if whole.is_some() { "is out of range" } else { "is no whole number" };
            self.note(key, format_args!("{} {what}", shown(value)), within(range));
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

    /// An address to which a secret may go.
    pub(super) fn safe_url(&mut self, key: &str, mend: &str) -> Option<String> {
        let text = self.text(key)?;
        let is_safe = |url: &Url| url.scheme() == "https" || url.scheme() == "http" && is_loopback(url);
        let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none();
        let sound = Url::parse(&text).is_ok_and(|url| url.has_host() && is_safe(&url) && is_plain(&url));
        if !sound {
            self.note(key, "is no address to which a secret may go", mend);
        }
        sound.then_some(text)
    }

    pub(super) fn seconds(&mut self, key: &str, range: RangeInclusive<u64>) -> Duration {
        Duration::from_secs(self.number(key, range))
    }

    /// A list of seconds; an empty one is not set. Numbers that a variable lists by
    /// commas come as texts.
    pub(super) fn seconds_list(&mut self, key: &str, range: RangeInclusive<u64>) -> Vec<Duration> {
        let is_env = self.layers.get(key).is_some_and(|entry| matches!(entry.origin, Origin::Env(_)));
        let number = |item: &Value| item.as_str().filter(|_| is_env)?.parse().ok().map(Value::Integer);
        self.list(key, |reader, path, item| {
            let item = number(item).unwrap_or_else(|| item.clone());
            Some(Duration::from_secs(reader.number_of(path, Some(&item), &range)?))
        })
    }

    /// The items of a list that `read` makes something of, each with its path.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Self, &str, &Value) -> Option<T>,
    ) -> Vec<T> {
        let items = self.value(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let items = items.iter().enumerate();
        items.filter_map(|(at, value)| read(self, &item(key, at), value)).collect()
    }

    /// A list of texts that mean something.
    pub(super) fn parsed_list<T>(
        &mut self,
        key: &str,
        mend: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.list(key, |reader, path, item| {
            let parsed = item.as_str().and_then(&parse);
            if parsed.is_none() {
                reader.note(path, format_args!("{} does not fit here", shown(item)), mend);
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
        let reason = self.text(key).filter(|reason| reason != "false" && !reason.trim().is_empty())?;
        if reason != NO_REASON && !is_reason(&reason) {
            let what = "is no reason that anybody could judge by";
            self.note(key, what, "say in some words why it has to be so, or leave it empty");
        }
        Some(reason)
    }

    /// A secret from `key`, or from the file that `key` + `_file` names.
    pub(super) fn secret(&mut self, key: &str) -> Option<Secret> {
        let (of, text) = self.secret_at(key)?;
        self.checked_secret(&of, text)
    }

    /// A token of Twilio's, from a key or its file.
    pub(super) fn token(&mut self, key: &str) -> Option<Secret> {
        let (of, text) = self.secret_at(key)?;
        self.checked_token(&of, text)
    }

    fn secret_at(&mut self, key: &str) -> Option<(String, String)> {
        let file_key = format!("{key}_file");
        match (self.text(key), self.text(&file_key)) {
            (Some(_), Some(_)) => {
                self.note(&file_key, format_args!("is set beside {key}"), "set one of the two");
                None
            }
            (Some(text), None) => Some((key.to_owned(), text)),
            (None, Some(file)) => Some((file_key.clone(), self.secret_file(&file_key, &file)?)),
            (None, None) => None,
        }
    }

    /// A secret in the table at `path`, `name = "…"` or `name_file = "…"`: where
    /// it was found, and its text.
    pub(super) fn secret_in(&mut self, path: &str, table: &Table, name: &str) -> Option<(String, String)> {
        let file_name = format!("{name}_file");
        let (own, file_own) = (join(path, name), join(path, &file_name));
        for (name, path) in [(name, &own), (file_name.as_str(), &file_own)] {
            if table.get(name).is_some_and(|value| !value.is_str()) {
                self.note(path, "is no text", "write it in quotation marks");
                return None;
            }
        }
        let text = |name: &str| table.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match (text(name), text(&file_name)) {
            (Some(secret), None) => Some((own, secret.to_owned())),
            (None, Some(file)) => Some((file_own.clone(), self.secret_file(&file_own, file)?)),
            (Some(_), Some(_)) => {
                self.note(&file_own, format_args!("is set beside {name}"), "set one of the two");
                None
            }
            (None, None) => {
                self.note(path, "has no secret", format_args!("give it {name} or {file_name}"));
                None
            }
        }
    }

    /// A list of texts in the table at `path`, each with its path; what is none may be a secret,
    /// and is not repeated.
    pub(super) fn texts_in(
        &mut self,
        path: &str,
        table: &Table,
        name: &str,
        mend: &str,
    ) -> Vec<(String, String)> {
        let path = join(path, name);
        let items = match table.get(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.note(&path, "is no list of texts", mend);
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for (at, value) in items.iter().enumerate() {
            let path = item(&path, at);
            match value.as_str() {
                Some(text) => texts.push((path, text.to_owned())),
                None => self.note(&path, "is no text", "write it in quotation marks"),
            }
        }
        texts
    }

    /// Notes names in a table that mean nothing.
    pub(super) fn only(&mut self, path: &str, table: &Table, names: &[&str]) {
        for name in table.keys().filter(|name| !names.contains(&name.as_str())) {
            let mend = one_of(name, names.iter().copied());
            self.note_key(&join(path, name), "there is no such key", mend);
        }
    }

    /// A secret that stands by itself.
    pub(super) fn checked_secret(&mut self, path: &str, text: String) -> Option<Secret> {
        let sound = !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains(is_unseen);
        if !sound {
            let what = "is empty or has blanks, line breaks or invisible characters in it";
            self.note(path, what, "copy the secret alone");
        }
        sound.then(|| Secret::new(text))
    }

    /// A token of Twilio's; with the sandbox any secret may stand for one.
    pub(super) fn checked_token(&mut self, path: &str, text: String) -> Option<Secret> {
        let token = self.checked_secret(path, text)?;
        let bytes = token.expose().as_bytes();
        if self.live && (bytes.len() != TOKEN_LENGTH || !bytes.iter().all(u8::is_ascii_hexdigit)) {
            let mend =
                format!("copy the whole of it from twilio's console: {TOKEN_LENGTH} hexadecimal digits");
            let why = match bytes.len() {
                TOKEN_LENGTH => "it has other characters".to_owned(),
                _ => format!("it has {} characters", token.expose().chars().count()),
            };
            self.note(path, format_args!("is no auth token of twilio's: {why}"), mend);
            return None;
        }
        Some(token)
    }

    fn secret_file(&mut self, path: &str, file: &str) -> Option<String> {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                // Editors put a byte-order mark in front of what they save.
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let text = text.strip_suffix('\n').unwrap_or(text);
                Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            Err(error) => {
                self.note(
                    path,
                    format_args!("cannot read {file}: {error}"),
                    "name a file that holds the secret",
                );
                None
            }
        }
    }

    /// Notes what is wrong with the name of a key, not with its value.
    pub(super) fn note_key(&mut self, path: &str, what: impl Display, mend: impl Display) {
        let origin = self.layers.place_of_key(path);
        let (what, mend) = (what.to_string(), mend.to_string());
        self.problems.push(Problem { origin, key: path.to_owned(), what, mend });
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        let entry = self.layers.get(key);
        // Every key that is read is in the embedded file: a test reads them all.
        debug_assert!(entry.is_some(), "config.toml lacks {key}");
        Some(&entry?.value)
    }
}

/// What a number may be. An end that nobody reaches is none.
fn within<N: Display>(range: &RangeInclusive<N>) -> String {
    const ENDLESS: usize = 16;
    let (start, end) = (range.start(), range.end().to_string());
    match end.len() < ENDLESS {
        true => format!("write a whole number from {start} to {end}"),
        false => format!("write a whole number of {start} or more"),
    }
}

/// What an old configuration says where a reason stands now.
pub(super) const NO_REASON: &str = "true";

/// Whether somebody who reads it learns something: some letters, in ten characters
/// that are seen, of which one of Chinese counts as two.
fn is_reason(text: &str) -> bool {
    const LEAST: usize = 10;
    const LEAST_VARIETY: usize = 4;
    // Letters to Unicode, and nothing to see: fillers of Hangul.
    let is_blank = |c: &char| matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    let is_seen = |c: &char| (c.is_alphanumeric() || c.is_ascii_punctuation()) && !is_blank(c);
    let seen: Vec<char> = text.chars().filter(is_seen).collect();
    let wide = seen.iter().filter(|c| **c >= '\u{2e80}').count();
    let different: BTreeSet<_> = seen.iter().collect();
    let letters = seen.iter().filter(|c| c.is_alphabetic()).count();
    seen.len() + wide >= LEAST && different.len() >= LEAST_VARIETY && letters > 2
}

/// A value in a complaint: short, for some are long.
pub(super) fn shown(value: &impl Display) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Characters that nobody sees, and that a copied text may bring along.
fn is_unseen(c: char) -> bool {
    let is_mark = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    c.is_control() || is_mark || matches!(c, '\u{ad}' | '\u{feff}')
}
