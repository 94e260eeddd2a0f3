//! Which language a page speaks: the person's choice on the page, what the
//! application asked for, what the browser says, the number's country, the
//! service's own, English. The first that there are words for.

use super::words::{self, Words};
use crate::model::phone::PhoneNumber;

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

/// The country that a person most likely dials in: the region of the
/// application's wish or of the browser's first language that names one.
pub fn region(session: Option<&str>, browser: Option<&str>) -> Option<String> {
    let wish = session.into_iter().chain(browser.into_iter().flat_map(ranges));
    let region = |tag: &str| {
        let part = tag.split(['-', '_']).skip(1).find(|part| part.len() == 2)?;
        part.bytes().all(|byte| byte.is_ascii_alphabetic()).then(|| part.to_ascii_uppercase())
    };
    wish.filter_map(region).next()
}

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
    fn a_region_is_read_off_the_first_tag_that_has_one() {
        assert_eq!(region(None, Some("de,de-AT;q=0.9,en-US;q=0.8")).as_deref(), Some("AT"));
        assert_eq!(region(Some("pt_BR"), Some("de-AT")).as_deref(), Some("BR"));
        assert_eq!(region(Some("zh-Hant"), Some("en,fr;q=0.2")), None);
    }
}
