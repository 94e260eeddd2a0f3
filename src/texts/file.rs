//! One set of texts as a TOML file: read, checked, and every mistake named by
//! its place.
//!
//! This module refuses to know directories and other sets; what of a file is
//! wrong can be seen in it alone.

use super::language::Language;
use super::template::{Fault, Kind, Template, Variable, near};
use icu_plurals::PluralCategory;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The names of plural categories, as CLDR writes them.
const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// Something that is wrong with a file of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// The line, counted from one.
    pub line: usize,
    /// In characters, counted from one.
    pub column: usize,
    /// The key, as in `sms.de`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub mend: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, key, what, mend } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        write!(f, "{what}; {mend}")
    }
}

/// The texts of one set, each kind in the order of its file.
#[derive(Debug, Default)]
pub struct Texts {
    templates: BTreeMap<Kind, Vec<(Language, Template)>>,
    units: BTreeMap<Kind, Vec<(Language, Forms)>>,
}

/// The words for a number of minutes, hours or seconds in one language, by
/// plural category.
#[derive(Debug)]
pub struct Forms(Vec<(PluralCategory, Template)>);

impl Texts {
    /// Reads a file. `minutes` has the words for minutes of other languages
    /// that a text may rely on.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(name: &str, source: &str, minutes: Option<&Self>) -> Result<Self, Vec<Mistake>> {
        let mut reader = Reader { name, source, mistakes: Vec::new() };
        let texts = reader.texts();
        reader.need_minutes(&texts, minutes);
        if reader.mistakes.is_empty() {
            return Ok(texts);
        }
        reader.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        Err(reader.mistakes)
    }

    /// The templates of a kind by language, in the file's order.
    pub fn of(&self, kind: Kind) -> &[(Language, Template)] {
        self.templates.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The words for a unit of time by language: minutes, hours or seconds.
    pub fn of_unit(&self, unit: Kind) -> &[(Language, Forms)] {
        self.units.get(&unit).map_or(&[], Vec::as_slice)
    }
}

impl Forms {
    /// The number with its word, in the language of these forms.
    pub fn phrase(&self, language: &Language, number: u32) -> String {
        let category = language.plural(number);
        let form = |wanted| self.0.iter().find(|(category, _)| *category == wanted);
        let form = form(category).or_else(|| form(PluralCategory::Other));
        form.map_or_else(|| number.to_string(), |(_, form)| form.fill(|_| number.to_string()))
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

struct Reader<'a> {
    name: &'a str,
    source: &'a str,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    fn texts(&mut self) -> Texts {
        let mut texts = Texts::default();
        let table = match DeTable::parse(self.source) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let what = error.message().trim().to_lowercase().replace('\n', ", ");
                self.note(error.span().map_or(0, |span| span.start), "", what, "write it as toml");
                return texts;
            }
        };
        for (name, value) in in_order(&table) {
            let (start, key) = (name.span().start, name.get_ref().as_ref());
            let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.table() == key) else {
                let tables = Kind::ALL.map(Kind::table);
                let mend = near(key, tables.into_iter()).map_or_else(
                    || format!("there are [{}]", tables.join("], [")),
                    |meant| format!("did you mean [{meant}]?"),
                );
                self.note(start, key, "is no table of texts", mend);
                continue;
            };
            let DeValue::Table(table) = value.get_ref() else {
                self.note(start, key, "is not a table", format!("write [{key}] and the texts below it"));
                continue;
            };
            self.table(kind, table, &mut texts);
        }
        texts
    }

    fn table(&mut self, kind: Kind, table: &DeTable<'_>, texts: &mut Texts) {
        for (tag, value) in in_order(table) {
            let (start, tag) = (tag.span().start, tag.get_ref().as_ref());
            let key = format!("{}.{tag}", kind.table());
            let Some(language) = Language::parse(tag) else {
                let mend = near(tag, KNOWN.into_iter())
                    .map_or("write a tag such as de or pt-BR".to_owned(), |meant| {
                        format!("did you mean {meant}?")
                    });
                self.note(start, &key, "is no language", mend);
                continue;
            };
            let twice = texts.of(kind).iter().any(|(known, _)| *known == language)
                || texts.of_unit(kind).iter().any(|(known, _)| *known == language);
            if twice {
                self.note(start, &key, "stands here twice", "take one of them out");
            } else if let Some(numbers) = kind.numbers() {
                let forms = self.forms(&key, kind, &language.plurals(numbers), value);
                let of_unit = texts.units.entry(kind).or_default();
                of_unit.extend(forms.map(|forms| (language, forms)));
            } else {
                let template = self.template(&key, kind, value);
                let of_kind = texts.templates.entry(kind).or_default();
                of_kind.extend(template.map(|template| (language, template)));
            }
        }
    }

    fn template(&mut self, key: &str, kind: Kind, value: &Value<'_>) -> Option<Template> {
        let DeValue::String(text) = value.get_ref() else {
            self.note(value.span().start, key, "is not a text", "write it in quotation marks");
            return None;
        };
        match Template::parse(text, kind) {
            Ok(template) => Some(template),
            Err(faults) => {
                for Fault { brace, what, mend } in faults {
                    self.note(self.place(&value.span(), brace), key, what, mend);
                }
                None
            }
        }
    }

    fn forms(
        &mut self,
        key: &str,
        unit: Kind,
        plurals: &[(PluralCategory, usize, u32)],
        value: &Value<'_>,
    ) -> Option<Forms> {
        let start = value.span().start;
        let name_of =
            |wanted| CATEGORIES.iter().find(|(_, category)| *category == wanted).map_or("", |(name, _)| name);
        let needed = plurals.iter().map(|(category, ..)| format!("{} = \"…\"", name_of(*category)));
        let example = format!("write {{ {} }}", needed.collect::<Vec<_>>().join(", "));
        let DeValue::Table(table) = value.get_ref() else {
            self.note(start, key, "is not a table of plural forms", example);
            return None;
        };
        let mut forms = Vec::new();
        for (name, value) in in_order(table) {
            let (at, name) = (name.span().start, name.get_ref().as_ref());
            let key = format!("{key}.{name}");
            let Some((_, category)) = CATEGORIES.iter().find(|(known, _)| *known == name) else {
                let names = CATEGORIES.map(|(name, _)| name);
                let mend = near(name, names.into_iter()).map_or_else(
                    || format!("there are {}", names.join(", ")),
                    |meant| format!("did you mean {meant}?"),
                );
                self.note(at, &key, "is no plural form", mend);
                continue;
            };
            let Some(form) = self.template(&key, unit, value) else { continue };
            // A form may say its number in a word only where it has one.
            let many = plurals.iter().find(|(known, count, _)| known == category && *count > 1);
            if let (Some((_, count, first)), false) = (many, form.holds(Variable::N)) {
                let what = format!("lacks {{n}}, though it stands for {count} numbers from {first} on");
                self.note(value.span().start, &key, what, "put {n} where the number belongs");
            }
            forms.push((*category, form));
        }
        let lacking: Vec<_> = plurals
            .iter()
            .filter(|(category, ..)| !forms.iter().any(|(known, _)| known == category))
            .map(|(category, ..)| name_of(*category))
            .collect();
        if !lacking.is_empty() {
            self.note(start, key, format!("lacks the form {}", lacking.join(" and ")), example);
        }
        Some(Forms(forms))
    }

    /// Every text that says for how many minutes must have words for them.
    fn need_minutes(&mut self, texts: &Texts, others: Option<&Texts>) {
        for (kind, templates) in &texts.templates {
            for (language, _) in templates.iter().filter(|(_, text)| text.holds(Variable::Minutes)) {
                let known = texts
                    .of_unit(Kind::Minutes)
                    .iter()
                    .chain(others.map_or(&[][..], |others| others.of_unit(Kind::Minutes)))
                    .map(|(known, _)| known);
                if super::language::closest(known, language.tag()).is_none() {
                    let key = format!("{}.{}", kind.table(), language.tag());
                    let what = "has {minutes}, and there are no words for minutes in this language";
                    let mend =
                        format!("write their plural forms under [minutes], {} = {{ … }}", language.tag());
                    self.note(self.start_of(&key), &key, what, mend);
                }
            }
        }
    }

    /// Where the value of a key begins; the file is sound when this is asked.
    fn start_of(&self, key: &str) -> usize {
        let find = || {
            let (kind, tag) = key.split_once('.')?;
            let table = DeTable::parse(self.source).ok()?.into_inner();
            let DeValue::Table(table) = table.get(kind)?.get_ref().clone() else { return None };
            let is_it = |name: &str| Language::parse(name).is_some_and(|language| language.tag() == tag);
            table.iter().find(|(name, _)| is_it(name.get_ref())).map(|(_, value)| value.span().start)
        };
        find().unwrap_or(0)
    }

    /// Where a brace of a text stands in the file.
    fn place(&self, span: &Range<usize>, brace: Option<usize>) -> usize {
        let text = self.source.get(span.clone()).unwrap_or_default();
        let at = brace.and_then(|brace| text.match_indices(['{', '}']).nth(brace));
        span.start + at.map_or(0, |(at, _)| at)
    }

    fn note(&mut self, at: usize, key: &str, what: impl Into<String>, mend: impl Into<String>) {
        let before = self.source.get(..at).unwrap_or_default();
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        self.mistakes.push(Mistake {
            file: self.name.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            key: key.to_owned(),
            what: what.into(),
            mend: mend.into(),
        });
    }
}

/// The tags that people mistype: those of the shipped texts.
const KNOWN: [&str; 42] = [
    "en", "af", "ar", "bg", "ca", "cs", "da", "de", "el", "es", "et", "fi", "fr", "he", "hi", "hr", "hu",
    "id", "it", "ja", "kn", "ko", "lt", "mr", "ms", "nb", "nl", "pl", "pt-BR", "pt-PT", "ro", "ru", "sk",
    "sv", "te", "th", "tl", "tr", "uk", "vi", "zh-CN", "zh-TW",
];

/// The entries of a table as they stand in the file; the first of equally good
/// languages wins, so their order means something.
fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<toml::de::DeString<'a>>, &'t Value<'a>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}
