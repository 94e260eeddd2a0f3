//! Languages: tags read leniently, the closest of those there are, and what
//! CLDR knows of them: likely scripts and countries, directions, plurals.
//!
//! This module refuses to know texts and whose telephone it is.

use icu_locale::{LanguageIdentifier, Locale, LocaleDirectionality, LocaleExpander, TransformResult};
use icu_plurals::{PluralCategory, PluralRules};
use std::ops::RangeInclusive;

/// Longest language tag that is looked at, in bytes (RFC 5646 §4.4.1 asks for
/// at least 35).
const TAG_MAX: usize = 35;

/// CLDR's likely subtags, of every language that it has: "nb" is not among the
/// common ones.
const EXPANDER: LocaleExpander = LocaleExpander::new_extended();

/// Languages by other names: by the macrolanguage, an old code, or the written
/// language that their speakers read.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("no", "nb"),
    ("nn", "nb"),
    ("iw", "he"),
    ("in", "id"),
    ("tl", "fil"),
    ("arb", "ar"),
    ("cmn", "zh"),
    ("yue", "zh-Hant-HK"),
];

/// A language that there are texts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    tag: String,
    likely: LanguageIdentifier,
}

impl Language {
    /// The language of a tag that CLDR knows, in its usual spelling.
    pub fn parse(tag: &str) -> Option<Self> {
        let id = Locale::try_from_str(tag).ok()?.id;
        Some(Self { likely: likely(id.clone())?, tag: id.to_string() })
    }

    /// Its tag: `pt-BR`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether it is written from right to left.
    pub fn is_rtl(&self) -> bool {
        LocaleDirectionality::new_common().is_right_to_left(&self.likely)
    }

    /// The plural category of a number.
    pub fn plural(&self, number: u32) -> PluralCategory {
        self.rules().map_or(PluralCategory::Other, |rules| rules.category_for(number))
    }

    /// The rules are static data, found by a look-up; keeping them would only
    /// make whoever keeps them unfit for threads.
    fn rules(&self) -> Option<PluralRules> {
        PluralRules::try_new_cardinal((&self.likely).into()).ok()
    }

    /// The categories that numbers have in it, each with those that it stands
    /// for: how many, and the first.
    pub fn plurals(&self, numbers: RangeInclusive<u32>) -> Vec<(PluralCategory, usize, u32)> {
        let rules = self.rules();
        let mut found: Vec<(PluralCategory, usize, u32)> = Vec::new();
        for number in numbers {
            let category = rules.as_ref().map_or(PluralCategory::Other, |rules| rules.category_for(number));
            match found.iter_mut().find(|(known, ..)| *known == category) {
                Some((_, count, _)) => *count += 1,
                None => found.push((category, 1, number)),
            }
        }
        found
    }
}

/// The closest to a requested tag (`de`, `de_AT`, `DE-ch`, `zh-hant-mo` …) of
/// the languages there are, the first of equals: the same in language, script
/// and country, then in language and script, then in language. Nothing when the
/// language is not among them.
pub fn closest<'a>(languages: impl Iterator<Item = &'a Language>, requested: &str) -> Option<&'a Language> {
    nearest(languages, |language| language, &Wanted::tag(requested)?).map(|(_, language)| language)
}

/// The closest to what most people read in a country (`CH`, `BR`), by CLDR's
/// likely subtags.
pub fn of_country<'a>(languages: impl Iterator<Item = &'a Language>, country: &str) -> Option<&'a Language> {
    nearest(languages, |language| language, &Wanted::country(country)?).map(|(_, language)| language)
}

/// The tag, of those that there are, of the language that suits somebody best: by what was
/// requested, else by their country (`CH`), else by what is usual; else English, else the
/// first. Nothing where there is no tag of a language among them.
pub fn closest_tag<'a>(
    tags: impl Iterator<Item = &'a str>,
    (requested, country, usual): (Option<&str>, Option<&str>, Option<&str>),
) -> Option<&'a str> {
    let there: Vec<(Language, &str)> = tags.filter_map(|tag| Some((Language::parse(tag)?, tag))).collect();
    let wishes = [
        requested.and_then(Wanted::tag),
        country.and_then(Wanted::country),
        usual.and_then(Wanted::tag),
        Wanted::tag("en"),
    ];
    let wished = wishes.iter().flatten().find_map(|wanted| closest_in(&[&there], wanted));
    wished.or_else(|| there.first()).map(|(_, tag)| *tag)
}

/// A language that is looked for.
pub(super) struct Wanted(LanguageIdentifier);

impl Wanted {
    /// That of a tag; nothing for one that CLDR does not know.
    pub(super) fn tag(tag: &str) -> Option<Self> {
        read(tag).map(Self)
    }

    /// One that there are texts in.
    pub(super) fn of(language: &Language) -> Self {
        Self(language.likely.clone())
    }

    /// What most people read in a country.
    pub(super) fn country(country: &str) -> Option<Self> {
        let is_code = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mut id = LanguageIdentifier::try_from_str(&format!("und-{country}")).ok().filter(|_| is_code)?;
        if EXPANDER.maximize(&mut id) == TransformResult::Unmodified {
            // CLDR lists no country where it would say what it says of the world.
            id = LanguageIdentifier::try_from_str(&format!("en-Latn-{country}")).ok()?;
        }
        Some(Self(id))
    }
}

/// The closest of several lists, of which the earlier go first: of the first
/// that has the language in the script that is wanted, else of the first that
/// has the language.
pub(super) fn closest_in<'a, T>(lists: &[&'a [(Language, T)]], wanted: &Wanted) -> Option<&'a (Language, T)> {
    let found = || lists.iter().filter_map(|list| nearest(list.iter(), |entry| &entry.0, wanted));
    found().find(|(rank, _)| *rank > OTHER_SCRIPT).or_else(|| found().next()).map(|(_, entry)| entry)
}

fn nearest<'a, T>(
    entries: impl Iterator<Item = &'a T>,
    language: impl Fn(&T) -> &Language,
    wanted: &Wanted,
) -> Option<(u8, &'a T)> {
    let mut best = None;
    for entry in entries {
        let rank = rank(&language(entry).likely, &wanted.0);
        if rank > best.map_or(0, |(rank, _)| rank) {
            best = Some((rank, entry));
        }
    }
    best
}

/// The rank of the same language in another script.
const OTHER_SCRIPT: u8 = 1;

fn rank(one: &LanguageIdentifier, other: &LanguageIdentifier) -> u8 {
    let is_same = [one.language == other.language, one.script == other.script, one.region == other.region];
    match is_same {
        [false, ..] => 0,
        [true, false, _] => OTHER_SCRIPT,
        [true, true, false] => 2,
        [true, true, true] => 3,
    }
}

/// A tag as people and systems write it: `de_DE.UTF-8`. What cannot be read
/// loses its last part until it can.
fn read(requested: &str) -> Option<LanguageIdentifier> {
    let tag = requested.trim().split('.').next().filter(|tag| tag.len() <= TAG_MAX)?.replace('_', "-");
    let mut part = tag.as_str();
    loop {
        match (Locale::try_from_str(part), part.rfind('-')) {
            (Ok(locale), _) => return likely(locale.id),
            (Err(_), Some(dash)) => part = &part[..dash],
            (Err(_), None) => return None,
        }
    }
}

/// The identifier with its likely script and country; nothing for a language
/// that CLDR does not know.
fn likely(id: LanguageIdentifier) -> Option<LanguageIdentifier> {
    let mut id = renamed(id);
    let mut alone = LanguageIdentifier { language: id.language, ..LanguageIdentifier::UNKNOWN };
    let is_known = !alone.language.is_unknown() && EXPANDER.maximize(&mut alone) == TransformResult::Modified;
    EXPANDER.maximize(&mut id);
    is_known.then_some(id)
}

fn renamed(mut id: LanguageIdentifier) -> LanguageIdentifier {
    let name = OTHER_NAMES.iter().find(|(name, _)| *name == id.language.as_str());
    let known = name.and_then(|(_, known)| LanguageIdentifier::try_from_str(known).ok());
    if let Some(known) = known {
        id.language = known.language;
        id.script = id.script.or(known.script);
        // "no" in Norway and "nn" in Norway are both read as "nb" is.
        id.region = id.region.or(known.region);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THERE: [&str; 12] =
        ["en", "de", "fr", "es", "pt-BR", "pt-PT", "nb", "zh-CN", "zh-TW", "ar", "he", "id"];

    fn there() -> Vec<Language> {
        THERE.iter().map(|tag| Language::parse(tag).unwrap()).collect()
    }

    #[test]
    fn a_language_is_found_by_its_tag_its_script_and_its_other_names() {
        let cases = [
            ("en", "en"),
            ("EN_us", "en"),
            ("en-gb", "en"),
            ("de-CH", "de"),
            ("de_DE.UTF-8", "de"),
            ("de-DE-x-formal", "de"),
            ("fr-ca", "fr"),
            ("es-419", "es"),
            ("pt", "pt-BR"),
            ("pt-pt", "pt-PT"),
            ("pt-AO", "pt-BR"),
            ("no", "nb"),
            ("nn-NO", "nb"),
            ("zh", "zh-CN"),
            ("zh-Hans-CN", "zh-CN"),
            ("zh-SG", "zh-CN"),
            ("zh-Hant", "zh-TW"),
            ("zh-hk", "zh-TW"),
            ("zh_MO", "zh-TW"),
            ("yue", "zh-TW"),
            ("cmn-TW", "zh-TW"),
            ("ar-EG", "ar"),
            ("arb", "ar"),
            ("iw", "he"),
            (" in ", "id"),
        ];
        let languages = there();
        for (asked, expected) in cases {
            assert_eq!(closest(languages.iter(), asked).map(Language::tag), Some(expected), "{asked}");
        }
        for asked in ["xx", "", "-", "fy-NL", "vi", "und", "../../etc/passwd", "dé", &"de-".repeat(40)] {
            assert_eq!(closest(languages.iter(), asked), None, "{asked}");
        }
    }

    #[test]
    fn a_country_has_the_language_that_most_read_there() {
        let cases = [
            ("DE", "de"),
            ("CH", "de"),
            ("AT", "de"),
            ("US", "en"),
            ("CA", "en"),
            ("GB", "en"),
            ("AU", "en"),
            ("BR", "pt-BR"),
            ("PT", "pt-PT"),
            ("MX", "es"),
            ("NO", "nb"),
            ("CN", "zh-CN"),
            ("HK", "zh-TW"),
            ("EG", "ar"),
            ("IL", "he"),
        ];
        let languages = there();
        for (country, expected) in cases {
            assert_eq!(of_country(languages.iter(), country).map(Language::tag), Some(expected), "{country}");
        }
        assert!(["JP", "001", "", "??"].iter().all(|asked| of_country(languages.iter(), asked).is_none()));
    }

    #[test]
    fn what_cldr_does_not_know_is_no_language() {
        assert!(
            ["xx", "eng", "eng-Latn", "", "und", "de_", "english"]
                .iter()
                .all(|tag| Language::parse(tag).is_none())
        );
        assert_eq!(Language::parse("PT-br").unwrap().tag(), "pt-BR");
    }

    #[test]
    fn directions_and_plurals_are_known() {
        let language = |tag| Language::parse(tag).unwrap();
        assert!(language("ar").is_rtl() && language("he").is_rtl() && !language("de").is_rtl());
        let names = |tag| {
            language(tag)
                .plurals(1..=1440)
                .into_iter()
                .map(|(c, n, first)| (c, n > 1, first))
                .collect::<Vec<_>>()
        };
        use PluralCategory::{Few, Many, One, Other, Two};
        assert_eq!(names("de"), [(One, false, 1), (Other, true, 2)]);
        assert_eq!(names("ja"), [(Other, true, 1)]);
        assert_eq!(names("ru"), [(One, true, 1), (Few, true, 2), (Many, true, 5)]);
        assert_eq!(
            names("ar"),
            [(One, false, 1), (Two, false, 2), (Few, true, 3), (Many, true, 11), (Other, true, 100)]
        );
    }

    proptest! {
        #[test]
        fn any_tag_is_read_or_not(tag in any::<String>(), country in any::<String>()) {
            let languages = there();
            closest(languages.iter(), &tag);
            of_country(languages.iter(), &country);
        }
    }
}
