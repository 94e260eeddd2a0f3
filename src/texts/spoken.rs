//! Which of the languages that are spoken a call is in.
//!
//! The words themselves are `twilio::words`; this module adds what CLDR knows
//! of countries, and refuses to know calls.

use super::language::{self, Language};
use crate::twilio::words::{self, Words};
use std::sync::LazyLock;

/// The languages that are spoken, in the order of the words' files.
static SPOKEN: LazyLock<Vec<(Language, &'static Words)>> = LazyLock::new(|| {
    words::all().filter_map(|words| Some((Language::parse(words.locale())?, words))).collect()
});

/// The words of a call, chosen like those of a message: by what was asked for,
/// else by the number's country (`CH`), else by the service's own language; else
/// the default.
pub fn spoken(requested: Option<&str>, country: Option<&str>, default: Option<&str>) -> &'static Words {
    let there = || SPOKEN.iter().map(|(language, _)| language);
    let of_country = |country| {
        let closest = language::of_country(there(), country)?;
        SPOKEN.iter().find(|(language, _)| language == closest).map(|(_, words)| *words)
    };
    requested
        .and_then(words::find)
        .or_else(|| country.and_then(of_country))
        .unwrap_or_else(|| words::resolve(default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_in_the_language_asked_for_else_the_country_s_else_the_service_s() {
        let locale = |requested, country, default| spoken(requested, country, default).locale();
        assert_eq!(locale(Some("fr-CA"), Some("DE"), Some("it")), "fr-CA");
        assert_eq!(locale(Some("xx"), Some("AT"), Some("it")), "de-AT");
        assert_eq!(locale(None, Some("CH"), None), "de-DE");
        assert_eq!(locale(None, Some("GB"), None), "en-GB");
        assert_eq!(locale(None, Some("MX"), None), "es-MX");
        assert_eq!(locale(None, Some("HK"), None), "zh-HK");
        assert_eq!(locale(None, Some("IS"), Some("it")), "it-IT");
        assert_eq!(locale(None, None, None), "en-US");
        assert_eq!(SPOKEN.len(), words::all().count(), "CLDR knows every language that is spoken");
    }
}
