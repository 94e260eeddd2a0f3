//! The languages that Verify's texts are in. One that it does not have it refuses; without
//! any it goes by the number's country.
//!
//! Source: <https://www.twilio.com/docs/verify/supported-languages>.

const LOCALES: [&str; 43] = [
    "af", "ar", "ca", "zh", "zh-CN", "zh-HK", "hr", "cs", "da", "nl", "en", "en-GB", "et", "fi", "fr", "de",
    "el", "he", "hi", "hu", "id", "it", "ja", "kn", "ko", "lt", "ms", "mr", "nb", "pl", "pt", "pt-BR", "ro",
    "ru", "sk", "es", "sv", "te", "th", "tl", "tr", "uk", "vi",
];

/// The language that a tag asks for, as Verify writes it: with its region, or else without.
pub(super) fn closest(tag: &str) -> Option<&'static str> {
    let find = |wanted: &str| LOCALES.into_iter().find(|locale| locale.eq_ignore_ascii_case(wanted));
    let language = tag.split('-').next().unwrap_or_default();
    find(tag).or_else(|| match language {
        // Traditional characters are those of Hong Kong; Norwegian is written as Bokmål.
        "zh" if tag.contains("Hant") || tag.ends_with("TW") => Some("zh-HK"),
        "no" => Some("nb"),
        "fil" => Some("tl"),
        language => find(language),
    })
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_language_is_asked_for_as_verify_writes_it() {
        for (tag, locale) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("EN-gb", Some("en-GB")),
            ("en-US", Some("en")),
            ("zh-Hant", Some("zh-HK")),
            ("zh-TW", Some("zh-HK")),
            ("no", Some("nb")),
            ("fil", Some("tl")),
            ("uk", Some("uk")),
            ("sw", None),
            ("", None),
        ] {
            assert_eq!(closest(tag), locale, "{tag}");
        }
    }
}
