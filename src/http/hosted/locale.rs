//! Which language a page speaks: the person's choice on the page, what the
//! application asked for, what the browser says, the number's country, the
//! service's own, English. The first that there are words for.

use crate::http::pages::words::{self, Words};
use crate::model::phone::PhoneNumber;
use crate::model::region;

/// Ranges of an `Accept-Language` that are looked at.
const MOST_RANGES: usize = 20;

/// What is known about the person's language, the most certain first.
#[derive(Default)]
pub struct Hints<'a> {
    /// Chosen on the page.
    pub chosen: Option<&'a str>,
    /// The application's wish.
    pub session: Option<&'a str>,
    /// The browser's `Accept-Language`.
    pub browser: Option<&'a str>,
    /// The number, whose country says something too.
    pub number: Option<&'a PhoneNumber>,
    /// The service's language.
    pub service: Option<&'a str>,
}

impl Hints<'_> {
    /// The words to speak in.
    pub fn words(&self) -> &'static Words {
        let known = |tag: Option<&str>| tag.and_then(words::find);
        known(self.chosen)
            .or_else(|| known(self.session))
            .or_else(|| self.browser.and_then(|header| ranges(header).find_map(words::find)))
            // Last of what costs something: finding a number's country does.
            .or_else(|| words::of_country(&self.number?.region()?))
            .or_else(|| known(self.service))
            .unwrap_or_else(|| &words::all()[0])
    }
}

/// The country that a person most likely dials in. The first language decides,
/// of the application's wish and then of the browser's: by a region that it is
/// named with, else by its likely one. None is better than a wrong one.
pub fn region_for(session: Option<&str>, browser: Option<&str>) -> Option<String> {
    let tags = session.into_iter().chain(browser.into_iter().flat_map(ranges)).filter(|tag| *tag != "*");
    let tags: Vec<&str> = tags.collect();
    let language = language_of(tags.first()?);
    let mut own = tags.iter().filter(|tag| language_of(tag).eq_ignore_ascii_case(language));
    own.find_map(|tag| region_of(tag)).or_else(|| likely(tags[0]).map(str::to_owned))
}

/// The region that a tag names: `de-AT`, `zh_Hant_HK`. One that has no telephone
/// numbers is none: nothing could be chosen by it, and each would be another page
/// to keep (`start`).
pub fn region_of(tag: &str) -> Option<String> {
    let part = tag.split(['-', '_']).skip(1).find(|part| part.len() == 2)?;
    region::find(&part.to_ascii_uppercase()).map(|region| region.id.clone())
}

fn language_of(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or_default()
}

/// The likely region of a language (CLDR 48, likely subtags), where by far the
/// most of those who set it live there. Those of English, Spanish, Portuguese
/// and Arabic live in many countries, so none is likely enough.
fn likely(tag: &str) -> Option<&'static str> {
    let traditional = tag.split(['-', '_']).skip(1).any(|part| part.eq_ignore_ascii_case("hant"));
    if traditional && language_of(tag).eq_ignore_ascii_case("zh") {
        return Some("TW");
    }
    let language = language_of(tag).to_ascii_lowercase();
    LIKELY.iter().find(|(own, _)| *own == language).map(|(_, region)| *region)
}

const LIKELY: [(&str, &str); 58] = [
    ("af", "ZA"),
    ("am", "ET"),
    ("az", "AZ"),
    ("be", "BY"),
    ("bg", "BG"),
    ("bn", "BD"),
    ("bs", "BA"),
    ("ca", "ES"),
    ("cs", "CZ"),
    ("cy", "GB"),
    ("da", "DK"),
    ("de", "DE"),
    ("el", "GR"),
    ("et", "EE"),
    ("eu", "ES"),
    ("fa", "IR"),
    ("fi", "FI"),
    ("fil", "PH"),
    ("fr", "FR"),
    ("ga", "IE"),
    ("gl", "ES"),
    ("gu", "IN"),
    ("he", "IL"),
    ("hi", "IN"),
    ("hr", "HR"),
    ("hu", "HU"),
    ("hy", "AM"),
    ("id", "ID"),
    ("is", "IS"),
    ("it", "IT"),
    ("ja", "JP"),
    ("ka", "GE"),
    ("kk", "KZ"),
    ("km", "KH"),
    ("kn", "IN"),
    ("ko", "KR"),
    ("lt", "LT"),
    ("lv", "LV"),
    ("mk", "MK"),
    ("mr", "IN"),
    ("ms", "MY"),
    ("nb", "NO"),
    ("nl", "NL"),
    ("nn", "NO"),
    ("no", "NO"),
    ("pl", "PL"),
    ("ro", "RO"),
    ("ru", "RU"),
    ("sk", "SK"),
    ("sl", "SI"),
    ("sv", "SE"),
    ("te", "IN"),
    ("th", "TH"),
    ("tl", "PH"),
    ("tr", "TR"),
    ("uk", "UA"),
    ("vi", "VN"),
    ("zh", "CN"),
];

/// The ranges of an `Accept-Language`, the most wanted first (RFC 9110 §12.5.4);
/// one with a weight of zero is not wanted at all.
fn ranges(header: &str) -> impl Iterator<Item = &str> {
    let mut ranges: Vec<(&str, f32)> = header
        .split(',')
        .take(MOST_RANGES)
        .filter_map(|range| {
            let (tag, weight) = range.split_once(";").unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok())?;
            Some((tag.trim(), weight)).filter(|(tag, weight)| *weight > 0.0 && !tag.is_empty())
        })
        .collect();
    // Stable: of equals the first one named comes first.
    ranges.sort_by(|one, other| other.1.total_cmp(&one.1));
    ranges.into_iter().map(|(tag, _)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(hints: Hints<'_>) -> &'static str {
        &hints.words().locale
    }

    #[test]
    fn the_most_certain_hint_that_has_words_decides() {
        let german: PhoneNumber = "+4930123456".parse().unwrap();
        let all = Hints {
            chosen: Some("en"),
            session: Some("de"),
            browser: Some("de"),
            number: Some(&german),
            service: Some("de"),
        };
        assert_eq!(spoken(all), "en");
        let unknown = Hints { chosen: Some("tlh"), session: Some("de-AT"), ..Hints::default() };
        assert_eq!(spoken(unknown), "de");
        assert_eq!(spoken(Hints { number: Some(&german), service: Some("en"), ..Hints::default() }), "de");
        assert_eq!(spoken(Hints { service: Some("de"), ..Hints::default() }), "de");
        assert_eq!(spoken(Hints::default()), "en");
    }

    #[test]
    fn a_browsers_languages_count_by_their_weight() {
        for (header, locale) in [
            ("tlh,de;q=0.5,en;q=0.9", "en"),
            ("de;q=0,en-GB;q=0.1", "en"),
            ("*, de-CH", "de"),
            ("de;q=x, ;;;,\u{fffd}", "en"),
        ] {
            assert_eq!(spoken(Hints { browser: Some(header), ..Hints::default() }), locale, "{header}");
        }
    }

    #[test]
    fn the_first_language_names_the_region_or_its_likely_one() {
        for (session, browser, expected) in [
            (None, "de-AT,de;q=0.9,en-US;q=0.8", Some("AT")),
            (None, "de,de-AT;q=0.9,en-US;q=0.8", Some("AT")),
            (None, "de,en-US;q=0.7", Some("DE")),
            (None, "en-US;q=0.7,de", Some("DE")),
            (None, "en-US;q=0,fr", Some("FR")),
            (None, "fr", Some("FR")),
            (None, "ja", Some("JP")),
            (None, "zh-Hant", Some("TW")),
            (None, "zh-Hant-HK", Some("HK")),
            (None, "en-GB,en;q=0.9", Some("GB")),
            // Spoken in many countries: no region, and not another language's.
            (None, "en,fr-FR;q=0.2", None),
            (None, "es", None),
            (None, "pt,en-US", None),
            (None, "ar", None),
            (None, "tlh", None),
            (None, "*", None),
            (None, "", None),
            (Some("pt_BR"), "de-AT", Some("BR")),
            (Some("de"), "de-CH,en;q=0.5", Some("CH")),
            (Some("en"), "de-AT", None),
        ] {
            assert_eq!(region_for(session, Some(browser)).as_deref(), expected, "{session:?} {browser}");
        }
        assert_eq!(region_for(None, None), None);
        assert!(LIKELY.iter().all(|(_, id)| region::find(id).is_some()));
        assert!(LIKELY.is_sorted());
    }

    #[test]
    fn a_region_that_has_no_numbers_is_none() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let pairs = letters().flat_map(|one| letters().map(move |other| format!("{one}{other}")));
        let named: Vec<String> = pairs.filter_map(|pair| region_of(&format!("en-{pair}"))).collect();
        let there: std::collections::BTreeSet<_> = region::all().iter().map(|it| it.id.clone()).collect();
        assert_eq!(named, there.into_iter().collect::<Vec<_>>());
        assert_eq!(region_for(None, Some("de-ZZ,de;q=0.9")).as_deref(), Some("DE"));
        assert_eq!(region_of("pt_br").as_deref(), Some("BR"));
    }
}
