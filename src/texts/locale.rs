//! Whether a tag that an application or an operator asks for is a language that
//! there are texts in, and which was meant where it is not.
//!
//! What a person's browser says is never judged: pages find the closest. This
//! module refuses to know sets and settings.

use super::language::{Language, closest};
use super::template::near;
use crate::model::region;
use icu_locale::Locale;

/// Regions of ISO 3166 where nobody has a telephone number, so that they are
/// not among those of numbers.
const NO_NUMBERS: [&str; 6] = ["AQ", "BV", "GS", "HM", "TF", "UM"];

/// Whether a tag is one of BCP 47 for a language of these lists, of whatever
/// script and region, as long as there is such a region.
///
/// # Errors
/// What is wrong with it, and which was meant or which there are.
pub(super) fn judge<'a, L>(lists: &[L], tag: &str) -> Result<(), String>
where
    L: Iterator<Item = &'a Language> + Clone,
{
    let languages = || lists.iter().cloned().flatten();
    let what = match tag_of(tag) {
        Some(locale) if closest(languages(), tag).is_none() => {
            return Err(unknown(languages().map(Language::tag), tag, locale.id.language.as_str().len()));
        }
        Some(locale) if !locale.id.region.is_none_or(|region| is_region(region.as_str())) => {
            "names a country that does not exist"
        }
        Some(_) => return Ok(()),
        None => "is no language tag",
    };
    let mended = mended(tag).filter(|mended| judge(lists, mended).is_ok());
    match mended {
        Some(meant) => Err(format!("{tag:?} {what}; did you mean {meant:?}?")),
        None => Err(unknown(languages().map(Language::tag), tag, tag.len())),
    }
}

/// A tag as BCP 47 has it: with hyphens, and no encoding after it.
fn tag_of(tag: &str) -> Option<Locale> {
    Locale::try_from_str(tag).ok().filter(|_| !tag.contains('_'))
}

fn is_region(region: &str) -> bool {
    // A number is a part of the world: `es-419`.
    let is_number = region.bytes().all(|byte| byte.is_ascii_digit());
    is_number || region::find(region).is_some() || NO_NUMBERS.contains(&region)
}

/// What was probably meant: `de-DE` by `de_DE.UTF-8`, `en` by `en-ZZ`.
fn mended(tag: &str) -> Option<String> {
    let plain = tag.trim().split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    let mut id = Locale::try_from_str(&plain).ok()?.id;
    id.region = id.region.filter(|region| is_region(region.as_str()));
    Some(id.to_string()).filter(|mended| mended != tag)
}

/// A language that there are no texts in. One of two letters is hardly ever
/// another of two letters that was mistyped.
fn unknown<'a>(known: impl Iterator<Item = &'a str>, tag: &str, letters: usize) -> String {
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    known.dedup();
    // One of three is another language, unless it is the longer code of the same one.
    let is_near = |meant: &&str| match letters {
        2 => false,
        3 => tag.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(meant)),
        _ => true,
    };
    let meant = near(tag, known.iter().copied()).filter(is_near);
    let mend = match meant {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => format!("there are {}", known.join(", ")),
    };
    format!("{tag:?} is no language that there are texts in; {mend}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(tag: &str) -> Result<(), String> {
        let there = ["de", "en", "pt-BR", "zh-TW", "tl"].map(|tag| Language::parse(tag).unwrap());
        judge(&[there.iter()], tag)
    }

    #[test]
    fn a_language_that_there_are_texts_in_may_have_any_region() {
        for tag in
            ["de", "de-DE", "DE-at", "de-JP", "en-001", "en-AQ", "pt", "pt-PT", "zh-Hant-HK", "fil-PH", "tl"]
        {
            assert_eq!(judged(tag), Ok(()), "{tag}");
        }
    }

    #[test]
    fn a_tag_that_is_none_is_told_which_was_meant_or_which_there_are() {
        let there = "is no language that there are texts in; there are de, en, pt-BR, tl, zh-TW";
        for (tag, told) in [
            ("de_DE", "\"de_DE\" is no language tag; did you mean \"de-DE\"?".to_owned()),
            ("de_AT.UTF-8", "\"de_AT.UTF-8\" is no language tag; did you mean \"de-AT\"?".to_owned()),
            ("en-ZZ", "\"en-ZZ\" names a country that does not exist; did you mean \"en\"?".to_owned()),
            ("de_ZZ", "\"de_ZZ\" is no language tag; did you mean \"de\"?".to_owned()),
            ("deu", "\"deu\" is no language that there are texts in; did you mean \"de\"?".to_owned()),
            (
                "pt-BRR",
                "\"pt-BRR\" is no language that there are texts in; did you mean \"pt-BR\"?".to_owned(),
            ),
            ("xx", format!("\"xx\" {there}")),
            ("fa-IR", format!("\"fa-IR\" {there}")),
            ("xx_DE", format!("\"xx_DE\" {there}")),
            ("", format!("\"\" {there}")),
            ("und", format!("\"und\" {there}")),
            ("klingon", format!("\"klingon\" {there}")),
        ] {
            assert_eq!(judged(tag), Err(told), "{tag}");
        }
    }
}
