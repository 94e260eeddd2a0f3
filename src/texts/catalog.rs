//! All sets of texts: the shipped one and the operator's, and which text of
//! which set a message is made of.
//!
//! This module refuses to know values and messages.

use super::file::{Forms, Mistake, Texts};
use super::language::{self, Language, Wanted};
use super::locale;
use super::template::{Kind, Template, Variable, WHATSAPP_VARIABLES, near};
use crate::model::channel::Channel;
use crate::model::service::{BadSetting, ContentSids, Settings};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The name of the set that is shipped, and used where none is named.
pub const DEFAULT_SET: &str = "default";

/// Most files in a directory of texts, and bytes in one of them.
const SETS_MAX: usize = 200;
const FILE_MAX: u64 = 256 * 1024;

/// Longest name of a set, in characters; Twilio's limit for a template's name.
const NAME_MAX: usize = 32;

/// Every set of texts there is. The shipped one is always among them.
pub struct Catalog {
    sets: Vec<Set>,
}

/// The texts of one name.
pub struct Set {
    name: String,
    sid: String,
    texts: Texts,
}

/// A text of a set in one language, as Twilio Verify lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation<'a> {
    /// The language's tag.
    pub locale: &'a str,
    /// The text, with its variables in braces.
    pub text: &'a str,
    /// Whether it is the one for whoever asks for none.
    pub is_default: bool,
}

/// Why the texts of a directory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError(pub Vec<Mistake>);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(Mistake::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for LoadError {}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.sets.iter().map(Set::name)).finish()
    }
}

impl Catalog {
    /// The shipped texts alone.
    pub fn shipped() -> Self {
        let texts = Texts::read("default.toml", include_str!("default.toml"), None)
            .expect("the embedded texts are checked by every test here");
        Self { sets: vec![Set::new(DEFAULT_SET, texts)] }
    }

    /// The shipped texts, and a set for each `NAME.toml` in a directory.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn load(directory: &Path) -> Result<Self, LoadError> {
        let mut catalog = Self::shipped();
        let mut mistakes = Vec::new();
        let shown = directory.display().to_string();
        let files = files(directory).map_err(|what| {
            LoadError(vec![of_file(&shown, what, "name a directory of toml files in messages.dir")])
        })?;
        for path in files {
            match read(&path, catalog.shipped_set()) {
                Ok(set) => catalog.sets.push(set),
                Err(found) => mistakes.extend(found),
            }
        }
        if mistakes.is_empty() { Ok(catalog) } else { Err(LoadError(mistakes)) }
    }

    /// The sets, the shipped one first, then by name.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The set of a name, or of a SID (`HJ…`).
    pub fn find(&self, name_or_sid: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name_or_sid || set.sid == name_or_sid)
    }

    /// The set that a message is made of: the one that was named, else the
    /// shipped one.
    pub fn set(&self, name_or_sid: Option<&str>) -> &Set {
        name_or_sid.and_then(|name| self.find(name)).unwrap_or_else(|| self.shipped_set())
    }

    /// What a service names that does not exist, each with the setting, and with
    /// what would be right: its set of texts, its language, and the variables of
    /// its template at WhatsApp.
    pub fn wrong_in(&self, settings: &Settings) -> Vec<BadSetting> {
        let guess = |name: &str, known: Vec<&str>| match near(name, known.iter().copied()) {
            Some(meant) => format!("did you mean {meant:?}?"),
            None => format!("there are {}", known.join(", ")),
        };
        let mut wrong = Vec::new();
        if let Some(name) = settings.template.as_deref().filter(|name| self.find(name).is_none()) {
            let mend = guess(name, self.sets.iter().map(Set::name).collect());
            wrong.push(bad("template", format!("{name:?} is no set of texts; {mend}")));
        }
        if let Some(tag) = settings.locale.as_deref() {
            let judged = self.judge_locale(settings.template.as_deref(), tag);
            wrong.extend(judged.err().map(|what| bad("locale", what)));
        }
        for (tag, _) in settings.whatsapp_content_sid.iter().flat_map(ContentSids::all) {
            if let Some(tag) = tag.filter(|tag| Language::parse(tag).is_none()) {
                let what = format!("{tag:?} is no language tag, such as \"de\" or \"pt-BR\"");
                wrong.push(bad("whatsapp_content_sid", what));
            }
        }
        let known = WHATSAPP_VARIABLES.map(Variable::name);
        for (name, variable) in &settings.whatsapp_variables {
            if !known.contains(&variable.as_str()) {
                let mend = guess(variable, known.to_vec());
                let field = format!("whatsapp_variables.{name}");
                wrong.push(bad(&field, format!("{variable:?} is no variable; {mend}")));
            }
        }
        wrong
    }

    /// Whether messages of a set can be in the language of a tag, by its own
    /// texts or the shipped ones.
    ///
    /// # Errors
    /// What is wrong with the tag, and which was meant or which there are.
    pub fn judge_locale(&self, set: Option<&str>, tag: &str) -> Result<(), String> {
        let sets = [self.shipped_set(), self.set(set)].map(|set| set.texts.of(Kind::Sms));
        locale::judge(&sets.map(|texts| texts.iter().map(|(language, _)| language)), tag)
    }

    /// The texts that stand in for each other, language by language: those of a
    /// kind in a set, what stands in for the kind there, the shipped ones.
    pub(super) fn texts<'a>(&'a self, set: &'a Set, kind: Kind) -> [&'a [(Language, Template)]; 3] {
        let stand_in = if kind == Kind::Whatsapp { Kind::Sms } else { kind };
        [(set, kind), (set, stand_in), (self.shipped_set(), stand_in)].map(|(set, kind)| set.texts.of(kind))
    }

    /// The languages that a set has texts of its own in, by their tags; those of
    /// the shipped texts where it has none. In every other language messages are
    /// the shipped ones.
    pub fn languages(&self, set: Option<&str>, kind: Kind) -> Vec<&str> {
        let own = self.texts(self.set(set), kind).into_iter().find(|texts| !texts.is_empty());
        own.unwrap_or_default().iter().map(|(language, _)| language.tag()).collect()
    }

    /// The sentence that the code is for nobody else, in a language of the set
    /// or of the shipped texts.
    pub(super) fn do_not_share<'a>(&'a self, set: &'a Set, language: &Language) -> Option<&'a Template> {
        let texts = [set, self.shipped_set()].map(|set| set.texts.of(Kind::DoNotShare));
        language::closest_in(&texts, &Wanted::of(language)).map(|(_, template)| template)
    }

    /// The words for a unit of time, with the language whose plurals they follow.
    pub(super) fn unit<'a>(
        &'a self,
        set: &'a Set,
        unit: Kind,
        language: &Language,
    ) -> Option<&'a (Language, Forms)> {
        let forms = [set, self.shipped_set()].map(|set| set.texts.of_unit(unit));
        language::closest_in(&forms, &Wanted::of(language))
    }

    /// What a call says before the digits, in a language close to the one it is
    /// spoken in; nothing where the set has no such text.
    pub fn call_intro(&self, set: Option<&str>, locale: &str, service: &str) -> Option<String> {
        let template = pick(self.set(set).texts.of(Kind::Call), locale)?;
        Some(template.fill(|_| super::clean::clean(service)))
    }

    fn shipped_set(&self) -> &Set {
        &self.sets[0]
    }
}

impl Set {
    fn new(name: &str, texts: Texts) -> Self {
        let digest = Sha256::digest(format!("dialback texts\0{name}"));
        Self { name: name.to_owned(), sid: format!("HJ{}", hex::encode(&digest[..16])), texts }
    }

    /// Its name: the file's, without `.toml`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its name for Twilio Verify: `HJ` and 32 hexadecimal digits, which depend
    /// on the name alone.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The channels that it has texts of its own for. The shipped set speaks on
    /// all.
    pub fn channels(&self) -> Vec<Channel> {
        let has = |kind| !self.texts.of(kind).is_empty();
        let mut channels = Vec::new();
        channels.extend((has(Kind::Sms) || has(Kind::Payment)).then_some(Channel::Sms));
        channels.extend((self.name == DEFAULT_SET || has(Kind::Call)).then_some(Channel::Call));
        channels
    }

    /// Its texts of a kind, in the file's order. The one that is the default is
    /// English, or the first where there is none.
    pub fn translations(&self, kind: Kind) -> Vec<Translation<'_>> {
        let texts = self.texts.of(kind);
        let default = fallback(texts).map(|(language, _)| language);
        texts
            .iter()
            .map(|(language, template)| Translation {
                locale: language.tag(),
                text: template.source(),
                is_default: Some(language) == default,
            })
            .collect()
    }

    /// The languages that it has words for a unit of time in.
    #[cfg(test)]
    pub(super) fn units(&self, unit: Kind) -> impl Iterator<Item = &str> {
        self.texts.of_unit(unit).iter().map(|(language, _)| language.tag())
    }
}

/// The text for whoever asks for none that there is: English, else the first.
pub(super) fn fallback(texts: &[(Language, Template)]) -> Option<&(Language, Template)> {
    let english = language::closest(texts.iter().map(|(language, _)| language), "en");
    texts.iter().find(|(language, _)| Some(language) == english).or_else(|| texts.first())
}

fn pick<'a>(texts: &'a [(Language, Template)], tag: &str) -> Option<&'a Template> {
    language::closest_in(&[texts], &Wanted::tag(tag)?).map(|(_, template)| template)
}

/// The files of a directory, by name.
fn files(directory: &Path) -> Result<Vec<Arc<Path>>, String> {
    let entries = std::fs::read_dir(directory).map_err(|error| format!("cannot be read: {error}"))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("cannot be read: {error}"))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(Arc::from(path));
        }
        if files.len() > SETS_MAX {
            return Err(format!("has more than {SETS_MAX} files"));
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path, shipped: &Set) -> Result<Set, Vec<Mistake>> {
    let shown = path.display().to_string();
    let wrong = |what: String, mend: &str| vec![of_file(&shown, what, mend)];
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_name) {
        let mend = "name it by up to 32 letters, digits, - and _, and .toml";
        return Err(wrong("has a name that no set can have".to_owned(), mend));
    }
    if name == DEFAULT_SET {
        let mend = "give it another name, and set that as the service's template";
        return Err(wrong("has the name of the texts that are shipped".to_owned(), mend));
    }
    let unreadable =
        |error: std::io::Error| wrong(format!("cannot be read: {error}"), "see to its permissions");
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX {
        return Err(wrong(format!("is longer than {FILE_MAX} bytes"), "split it into several sets"));
    }
    let source = std::fs::read_to_string(path).map_err(unreadable)?;
    Ok(Set::new(name, Texts::read(&shown, &source, Some(&shipped.texts))?))
}

fn of_file(file: &str, what: String, mend: &str) -> Mistake {
    Mistake { file: file.to_owned(), line: 1, column: 1, key: String::new(), what, mend: mend.to_owned() }
}

fn bad(field: &str, what: String) -> BadSetting {
    BadSetting { field: field.to_owned(), what }
}

#[cfg(test)]
mod tests;
