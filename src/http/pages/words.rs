//! What the pages say, in each language, as data files under `words/`.
//!
//! A language is offered when it has a file. This module refuses to know who
//! reads them; which language that is, `locale` decides.

use crate::model::channel::Channel;
use crate::model::service::ChannelLabels;
use crate::texts::{self, Language, closest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The words of one language. Every field is required and no other is known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// The locale, as a BCP 47 tag: `pt-BR`.
    pub locale: String,
    /// The language's own name for itself.
    pub name: String,
    /// `ltr` or `rtl`.
    pub direction: Direction,
    /// On every page.
    pub common: Common,
    /// The first page.
    pub start: Start,
    /// The page that asks for a number.
    pub number: Number,
    /// The page that asks for a channel.
    pub channel: ChannelWords,
    /// The page that asks for a proof that a person is there.
    pub captcha: CaptchaWords,
    /// The page that asks for the code.
    pub code: Code,
    /// What is happening with a message.
    pub now: Now,
    /// The last pages.
    pub done: Done,
    /// The page that says nothing.
    pub gone: Gone,
    /// What is wrong.
    pub errors: Errors,
}

/// Which way a language is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From left to right.
    Ltr,
    /// From right to left.
    Rtl,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident)* }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: String,)* }
    };
}

section!(
    /// What several pages say: `[common]` in a file of words.
    Common { language cancel problem seconds minutes hours wait }
);
section!(
    /// The first page, where the person agrees to a message: `[start]`.
    Start {
        title lead payment_title payment_lead number purpose amount payee how enter receive r#type charges go
        go_sms go_call go_whatsapp
    }
);
section!(
    /// The page that asks for a number: `[number]`.
    Number { title lead country choose number hint go }
);
section!(
    /// The page that asks for a channel: `[channel]`.
    ChannelWords { title lead sms sms_note call call_note whatsapp whatsapp_note change }
);
section!(
    /// The page that asks for a proof that a person is there: `[captcha]`.
    CaptchaWords { title script }
);
section!(
    /// The page that asks for the code: `[code]`.
    Code {
        title sms call whatsapp code digits letters characters go none wait wait_sms wait_call wait_whatsapp again_sms again_call
        again_whatsapp other_sms other_call other_whatsapp no_call no_message expires attempts change
    }
);
section!(
    /// What is known of the message or call by now: `[now]`.
    Now {
        preparing queued delayed call_delayed sent delivered failed no_whatsapp calling ringing talking called busy no_answer
        call_failed then_call then_message test
    }
);
section!(
    /// The last page, however it ended: `[done]`.
    Done {
        approved_title approved_lead failed_title expired used_up invalid next_code next_number next_back
        canceled_title canceled_lead back again over_title over_lead ended_title payment_title payment_failed_title
        payment_canceled_lead
    }
);
section!(
    /// The page of a session that is not there: `[gone]`.
    Gone { title lead }
);
section!(
    /// What went wrong with a step: `[errors]`.
    Errors {
        code code_form code_digits code_several not_a_number no_country_code unknown_country_code too_short too_long
        no_such_range read_as extension refused_kind country opted_out too_soon limit refused sends numbers starts channel captcha captcha_away
        form cookies trouble
    }
);

impl Words {
    /// What a channel is called where people choose one: by the service's own words, else
    /// in this language.
    pub fn label_of<'a>(&'a self, labels: &'a ChannelLabels, channel: Channel) -> &'a str {
        labels.label_of(channel).unwrap_or(match channel {
            Channel::Sms => &self.channel.sms,
            Channel::Call => &self.channel.call,
            Channel::Whatsapp => &self.channel.whatsapp,
        })
    }
}

/// Every language there is, the default one first.
pub fn all() -> &'static [Words] {
    &ALL
}

/// The words closest to a tag: `de`, `de-AT`, `zh_Hant`; nothing when no file
/// speaks its language.
pub fn find(tag: &str) -> Option<&'static Words> {
    if let Some(known) = ALL.iter().find(|words| words.locale.eq_ignore_ascii_case(tag)) {
        return Some(known);
    }
    // Nothing is ever half-changed under this lock.
    let mut found = FOUND.lock().unwrap_or_else(|broken| broken.into_inner());
    if let Some(words) = found.get(tag) {
        return *words;
    }
    let words = closest(LANGUAGES.iter(), tag).and_then(of);
    if tag.len() <= MOST_TAG {
        if found.len() >= MOST_FOUND {
            found.clear();
        }
        found.insert(tag.to_owned(), words);
    }
    words
}

/// What was found for a tag: browsers send a few hundred different ones, each
/// with every page.
static FOUND: LazyLock<Mutex<HashMap<String, Option<&'static Words>>>> = LazyLock::new(Mutex::default);
/// Tags that are remembered, and the longest of them in bytes.
const MOST_FOUND: usize = 1000;
const MOST_TAG: usize = 35;

/// The words closest to what most people read in a country (`CH`).
pub fn of_country(country: &str) -> Option<&'static Words> {
    of(texts::of_country(LANGUAGES.iter(), country)?)
}

fn of(language: &Language) -> Option<&'static Words> {
    ALL.iter().find(|words| words.locale == language.tag())
}

/// Fills a text's `{slots}` in one pass, so that a value that looks like a slot
/// stays as it is.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, (slot, after))) =
        rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
    {
        filled.push_str(before);
        filled.push_str(values.iter().find(|(name, _)| *name == slot).map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

macro_rules! sources {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("words/", $name, ".toml")))),*] };
}

/// The data files. A new language is a file and its name here.
const SOURCES: [(&str, &str); 42] = sources![
    "en" "de" "fr" "es" "it" "pt-BR" "pt-PT" "nl" "pl" "sv" "da" "nb" "fi" "ja" "ko" "zh-CN" "zh-TW" "ru"
    "tr" "uk" "ar" "hi" "af" "bg" "ca" "cs" "el" "et" "he" "hr" "hu" "id" "kn" "lt" "mr" "ms" "ro" "sk" "te"
    "th" "tl" "vi"
];

static LANGUAGES: LazyLock<Vec<Language>> =
    LazyLock::new(|| ALL.iter().filter_map(|words| Language::parse(&words.locale)).collect());

static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    // The files are embedded and a test reads each; one that did not read would
    // leave its language out and the others as they are.
    SOURCES.iter().filter_map(|(_, source)| toml::from_str(source).ok()).collect()
});

#[cfg(test)]
mod tests {
    mod care;

    use super::*;
    use std::collections::BTreeMap;

    /// Every text of a file under its path, `start.title`.
    fn texts(source: &str) -> BTreeMap<String, String> {
        fn walk(path: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
            match value {
                toml::Value::Table(table) => {
                    for (name, value) in table {
                        walk(&format!("{path}.{name}"), value, found);
                    }
                }
                value => {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    found.insert(path.trim_start_matches('.').to_owned(), text);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk("", &toml::Value::Table(toml::from_str(source).unwrap()), &mut found);
        found
    }

    fn slots(text: &str) -> Vec<&str> {
        let mut slots: Vec<_> =
            text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).collect();
        slots.sort_unstable();
        slots
    }

    #[test]
    fn every_language_says_everything_with_the_same_slots() {
        let english = texts(SOURCES[0].1);
        let mut wrong = Vec::new();
        for (name, source) in SOURCES {
            let own = texts(source);
            for (path, text) in &english {
                match own.get(path) {
                    None => wrong.push(format!("{name}: {path} is missing")),
                    Some(own) if slots(own) != slots(text) => {
                        wrong.push(format!("{name}: {path} has {:?}, not {:?}", slots(own), slots(text)));
                    }
                    Some(own) if own.trim().is_empty() => wrong.push(format!("{name}: {path} is empty")),
                    Some(_) => {}
                }
            }
            let unknown = own.keys().filter(|path| !english.contains_key(*path));
            wrong.extend(unknown.map(|path| format!("{name}: {path} is no text of the pages")));
            if own.get("locale").map(String::as_str) != Some(name) {
                wrong.push(format!("{name}: its locale is another than its file's name"));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        assert_eq!(ALL.len(), SOURCES.len(), "every file reads as words");
        for words in all() {
            let language = LANGUAGES.iter().find(|language| language.tag() == words.locale);
            let rtl = language.map(Language::is_rtl);
            assert_eq!(rtl, Some(words.direction == Direction::Rtl), "{}: its direction", words.locale);
        }
        let catalog = texts::Catalog::shipped();
        for locale in catalog.languages(None, texts::Kind::Sms) {
            assert_eq!(find(locale).map(|words| words.locale.as_str()), Some(locale), "written, and no page");
        }
    }

    #[test]
    fn a_tag_finds_the_closest_words() {
        for (tag, locale) in [("de", "de"), ("de-AT", "de"), ("DE_ch", "de"), ("en-GB", "en")] {
            assert_eq!(find(tag).map(|words| words.locale.as_str()), Some(locale), "{tag}");
        }
        for tag in ["", "-", "tlh", &"de-".repeat(30)] {
            assert!(find(tag).is_none(), "{tag}");
        }
    }

    #[test]
    fn a_country_has_a_language() {
        for (country, locale) in [("AT", Some("de")), ("US", Some("en")), ("JP", None), ("??", None)] {
            let found = of_country(country).map(|words| words.locale.as_str());
            // More languages may come.
            assert!(found == locale || locale.is_none(), "{country}: {found:?}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_slot_stays() {
        assert_eq!(fill("{a} and {b}, {", &[("a", "{b}"), ("b", "2")]), "{b} and 2, {");
    }
}
