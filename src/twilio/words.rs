//! What is said on the telephone, and written to who asks for help or to be
//! left alone: voices, prompts and digits in each language, as data files under
//! `words/`. The messages that carry codes are in `texts`.
//!
//! This module refuses to know XML and who is being called. Whatever locale it
//! is asked for, it has words: an unknown one is answered in the default
//! language, because an error here would be heard in somebody's ear.

mod keyword;

pub use keyword::keyword;

use crate::model::opt_out::Keyword;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The locale spoken when none was asked for, or one that we do not have.
pub const DEFAULT_LOCALE: &str = "en-US";

/// Shortest and longest code that is read aloud, in characters.
pub const CODE_LENGTH: std::ops::RangeInclusive<usize> = 4..=10;

/// Longest language tag that is looked at, in bytes (RFC 5646 §4.4.1 asks for
/// at least 35).
const TAG_MAX: usize = 35;

/// The words of one language in one voice.
#[derive(Clone)]
pub struct Words {
    locale: String,
    language: Option<String>,
    voice: String,
    file: &'static File,
}

/// The words for a requested locale: `de`, `de-DE`, `de_AT`, `DE-ch` …; never
/// fails. Case and `_` do not matter; a tag that is not known loses its last
/// part until one is, and what remains unknown is [`DEFAULT_LOCALE`].
pub fn resolve(requested: Option<&str>) -> &'static Words {
    requested.and_then(find).unwrap_or_else(|| {
        find(DEFAULT_LOCALE).expect("the default locale is one of the embedded files, and a test asks for it")
    })
}

/// The words for a locale, or nothing when no file speaks its language.
pub fn find(requested: &str) -> Option<&'static Words> {
    if requested.len() > TAG_MAX {
        return None;
    }
    let tag = key(requested.trim());
    let mut part = tag.as_str();
    loop {
        match (TABLE.by_tag.get(part), part.rfind('-')) {
            (Some(&index), _) => return TABLE.words.get(index),
            (None, Some(dash)) => part = &part[..dash],
            (None, None) => return None,
        }
    }
}

/// Every locale there are words for, regional variants included.
pub fn all() -> impl Iterator<Item = &'static Words> {
    TABLE.words.iter()
}

impl Words {
    /// The locale these words are for, as a BCP 47 tag: `pt-BR`.
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// `<Say language>`, in the spelling Twilio lists: `cmn-CN`. Nothing where
    /// Twilio has a voice of the language and no name for it there: the voice
    /// alone says it then.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// `<Say voice>`: `Polly.Zhiyu`, `Google.uk-UA-Wavenet-A`.
    pub fn voice(&self) -> &str {
        &self.voice
    }

    /// The same words in another voice of the same language.
    pub fn with_voice(&self, voice: impl Into<String>) -> Self {
        Self { voice: voice.into(), ..self.clone() }
    }

    /// Whether the voice understands SSML. The basic voices do not
    /// (<https://www.twilio.com/docs/voice/twiml/say/text-speech>).
    pub fn takes_ssml(&self) -> bool {
        !matches!(self.voice.as_str(), "man" | "woman" | "alice")
    }

    /// Whether the voice is one of another language, because Twilio has none of
    /// this: left to itself it would name digits in its own.
    pub fn is_borrowed(&self) -> bool {
        self.file.borrowed
    }

    /// The word for a digit: "four".
    pub fn digit(&self, digit: Digit) -> &str {
        &self.file.digits[usize::from(digit.0)]
    }

    /// The answer to a text that says `STOP`, `START` or `HELP`.
    pub fn reply(&self, keyword: Keyword, service: &str) -> String {
        let text = &self.file.text;
        let template = match keyword {
            Keyword::Stop => &text.stop,
            Keyword::Start => &text.start,
            Keyword::Help => &text.help,
        };
        fill(template, &[("service", service)])
    }

    /// Everything that calls say, with its slots.
    #[cfg(test)]
    pub fn prompts(&self) -> [String; 12] {
        let call = self.call();
        [
            &call.greeting,
            &call.press_any,
            &call.press_key,
            &call.no_key,
            &call.wrong_key,
            &call.payment,
            &call.intro,
            &call.repeat,
            &call.again,
            &call.goodbye,
            &call.not_valid,
            &call.inbound,
        ]
        .map(String::clone)
    }

    /// What is said in a call; templates with `{service}` and `{key}`.
    pub(in crate::twilio) fn call(&self) -> &CallWords {
        &self.file.call
    }
}

/// One decimal digit, spoken or pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digit(u8);

impl Digit {
    /// The digit of a value in `0..=9`.
    pub fn new(value: u8) -> Option<Self> {
        (value <= 9).then_some(Self(value))
    }

    /// The digit of an ASCII character, `'0'..='9'`.
    pub fn from_char(char: char) -> Option<Self> {
        char.is_ascii_digit().then(|| Self(char as u8 - b'0'))
    }

    /// The digit as an ASCII character.
    pub fn as_char(self) -> char {
        char::from(b'0' + self.0)
    }
}

/// One letter of the Latin alphabet, spoken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Letter(u8);

impl Letter {
    /// The letter of an ASCII character; a small one is spoken like a capital.
    pub fn from_char(char: char) -> Option<Self> {
        char.is_ascii_alphabetic().then(|| Self(char.to_ascii_uppercase() as u8))
    }

    /// The letter as an ASCII character, a capital.
    pub fn as_char(self) -> char {
        char::from(self.0)
    }
}

/// One character of a code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Character {
    /// `0` to `9`.
    Digit(Digit),
    /// `A` to `Z`.
    Letter(Letter),
}

impl Character {
    fn from_char(char: char) -> Option<Self> {
        let letter = || Letter::from_char(char).map(Self::Letter);
        Digit::from_char(char).map(Self::Digit).or_else(letter)
    }
}

/// A code that cannot be read aloud. It does not say what the code was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    /// Shorter or longer than [`CODE_LENGTH`].
    #[error("a code has 4 to 10 characters")]
    Length,
    /// Something else in it than ASCII digits and letters.
    #[error("a code is made of the digits 0 to 9 and the letters A to Z")]
    Character,
}

/// The characters of a code, leading zeros like any other.
///
/// # Errors
/// [`BadCode`] when it is not 4 to 10 ASCII digits and letters.
pub fn characters(code: &str) -> Result<Vec<Character>, BadCode> {
    if !CODE_LENGTH.contains(&code.len()) {
        return Err(BadCode::Length);
    }
    code.chars().map(|char| Character::from_char(char).ok_or(BadCode::Character)).collect()
}

/// One piece of a template: words, or the name of what belongs there.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::twilio) enum Piece<'a> {
    Words(&'a str),
    Slot(&'a str),
}

/// Takes a template apart at its `{slots}`.
pub(in crate::twilio) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some((before, (slot, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        if !before.is_empty() {
            found.push(Piece::Words(before));
        }
        found.push(Piece::Slot(slot));
        rest = after;
    }
    if !rest.is_empty() {
        found.push(Piece::Words(rest));
    }
    found
}

/// Fills a template in one pass, so that a value that looks like a slot stays
/// as it is.
pub(in crate::twilio) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let value = |slot| values.iter().find(|(name, _)| *name == slot).map_or("", |(_, value)| value);
    pieces(template)
        .into_iter()
        .map(|piece| match piece {
            Piece::Words(words) => words,
            Piece::Slot(slot) => value(slot),
        })
        .collect()
}

fn key(tag: &str) -> String {
    tag.replace('_', "-").to_ascii_lowercase()
}

// --- the data files ---

/// One file under `words/`. Every field is required and no other is known, so
/// that a forgotten prompt fails the tests and not a call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    locale: String,
    aliases: Vec<String>,
    language: String,
    voice: String,
    /// Whether the voice is another language's; left out where it is not.
    #[serde(default)]
    borrowed: bool,
    digits: [String; 10],
    variants: BTreeMap<String, Variant>,
    call: CallWords,
    text: TextWords,
}

/// The same words spoken in another region's voice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    language: String,
    voice: String,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::twilio) struct CallWords {
    pub greeting: String,
    pub press_any: String,
    pub press_key: String,
    pub no_key: String,
    pub wrong_key: String,
    pub payment: String,
    pub intro: String,
    pub repeat: String,
    pub again: String,
    pub goodbye: String,
    pub not_valid: String,
    pub inbound: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextWords {
    stop: String,
    start: String,
    help: String,
}

struct Table {
    words: Vec<Words>,
    by_tag: HashMap<String, usize>,
}

impl Table {
    fn add(&mut self, words: Words, aliases: &[String]) {
        for tag in aliases.iter().chain([&words.locale]) {
            self.by_tag.insert(key(tag), self.words.len());
        }
        self.words.push(words);
    }
}

macro_rules! sources {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("words/", $name, ".toml")))),*]
    };
}

/// The data files, embedded: name and text.
const SOURCES: [(&str, &str); 42] = sources![
    "en" "de" "fr" "es" "it" "pt-BR" "pt-PT" "nl" "pl" "sv" "da" "nb" "fi" "ja" "ko" "zh-CN" "zh-TW" "ru"
    "tr" "uk" "ar" "hi" "af" "bg" "ca" "cs" "el" "et" "he" "hr" "hu" "id" "kn" "lt" "mr" "ms" "ro" "sk" "te"
    "th" "tl" "vi"
];

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(_, source)| {
            toml::from_str(source).expect("the embedded files are complete: a test reads each")
        })
        .collect()
});

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { words: Vec::new(), by_tag: HashMap::new() };
    for file in FILES.iter() {
        let words = |locale: &String, language: &String, voice: &String| Words {
            locale: locale.clone(),
            language: Some(language.clone()).filter(|language| !language.is_empty()),
            voice: voice.clone(),
            file,
        };
        table.add(words(&file.locale, &file.language, &file.voice), &file.aliases);
        for (locale, variant) in &file.variants {
            table.add(words(locale, &variant.language, &variant.voice), &variant.aliases);
        }
    }
    table
});

#[cfg(test)]
mod tests;
