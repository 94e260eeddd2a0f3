//! Every language says everything, in a voice that exists.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Deserialize)]
struct Voices {
    polly: HashMap<String, Vec<String>>,
    google: HashMap<String, HashMap<String, Vec<String>>>,
    say_languages: Vec<String>,
    all_voices: Vec<String>,
}

fn voices() -> Voices {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/voices.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_file_is_complete() {
    let found =
        SOURCES.map(|(name, source)| toml::from_str::<File>(source).map_err(|e| format!("{name}: {e}")));
    let errors: Vec<_> = found.iter().filter_map(|file| file.as_ref().err()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn every_file_in_the_folder_is_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/twilio/words");
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> =
        names.filter_map(|name| Some(name.strip_suffix(".toml")?.to_owned())).collect();
    assert_eq!(there, SOURCES.map(|(name, _)| name.to_owned()).into());
}

#[test]
fn a_file_that_lacks_a_prompt_or_a_digit_or_has_another_is_refused() {
    let good = SOURCES[0].1;
    let broken = [
        good.replacen("goodbye = ", "farewell = ", 1),
        good.replacen("no_key = \"No key was pressed. Goodbye.\"", "", 1),
        good.replacen("\"zero\", ", "", 1),
        good.replacen("language = ", "colour = \"red\"\nlanguage = ", 1),
    ];
    assert!(toml::from_str::<File>(good).is_ok());
    assert!(broken.iter().all(|file| toml::from_str::<File>(file).is_err()));
}

#[test]
fn every_template_has_its_slots_and_no_others() {
    fn slots(template: &str) -> Vec<&str> {
        let mut slots: Vec<_> = pieces(template)
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Slot(slot) => Some(slot),
                Piece::Words(_) => None,
            })
            .collect();
        slots.sort_unstable();
        slots
    }
    for File { locale, call, text, digits, .. } in FILES.iter() {
        assert_eq!(slots(&call.greeting), ["service"], "{locale}");
        assert_eq!(slots(&call.press_key), ["key"], "{locale}");
        assert_eq!(slots(&call.payment), ["amount", "payee"], "{locale}");
        for reply in [&text.stop, &text.start, &text.help] {
            assert_eq!(slots(reply), ["service"], "{locale}");
        }
        let plain = [
            &call.press_any,
            &call.no_key,
            &call.wrong_key,
            &call.intro,
            &call.repeat,
            &call.again,
            &call.goodbye,
            &call.not_valid,
            &call.inbound,
        ];
        for spoken in plain.into_iter().chain(digits) {
            assert!(!spoken.trim().is_empty() && slots(spoken).is_empty(), "{locale}: {spoken}");
            // A figure in a prompt would be heard as part of the code.
            assert!(!spoken.contains(|c: char| c.is_numeric() && c.is_ascii()), "{locale}: {spoken}");
        }
        assert_eq!(digits.iter().collect::<BTreeSet<_>>().len(), 10, "{locale}");
    }
}

#[test]
fn every_voice_exists_and_speaks_its_language() {
    let known = voices();
    for words in all() {
        let voice = words.voice();
        let is_listed = |tag: &str| known.say_languages.iter().any(|known| known == tag);
        // Without a language the voice's own is spoken.
        assert!(words.language().is_some() || !is_listed(words.locale()), "{voice}: {}", words.locale());
        let language = words.language().unwrap_or(words.locale());
        let name = voice.split_once('.').map_or(voice, |(_, name)| name).to_owned();
        let polly = known.polly.get(language).is_some_and(|names| names.contains(&name));
        let google = known.google.contains_key(language) && name.starts_with(&format!("{language}-"));
        assert!(known.all_voices.iter().any(|known| known == voice), "{voice}");
        assert!(words.language().is_none_or(is_listed), "{language}");
        assert!(polly || google, "{voice} does not speak {language}");
    }
}

#[test]
fn a_voice_is_borrowed_only_where_twilio_has_none_of_the_language() {
    let known = voices();
    let has = |locale: &str| {
        let language = format!("{}-", &locale[..2]);
        known.polly.keys().chain(known.google.keys()).any(|tag| tag.starts_with(&language))
    };
    let borrowed: Vec<_> = all().filter(|words| words.is_borrowed()).map(Words::locale).collect();
    assert_eq!(borrowed, ["et-EE", "hr-HR"]);
    assert!(borrowed.iter().all(|locale| !has(locale)));
}

#[test]
fn a_locale_is_found_by_its_tag_its_language_and_its_other_names() {
    let cases = [
        ("en", "en-US"),
        ("EN_us", "en-US"),
        ("en-gb", "en-GB"),
        ("en_GB", "en-GB"),
        ("en-CA", "en-US"),
        ("de", "de-DE"),
        ("de-CH", "de-DE"),
        ("de-at", "de-AT"),
        ("de_DE.UTF-8", "de-DE"),
        ("fr-ca", "fr-CA"),
        ("es-419", "es-MX"),
        ("es-AR", "es-ES"),
        ("pt", "pt-BR"),
        ("pt-pt", "pt-PT"),
        ("no", "nb-NO"),
        ("nn-NO", "nb-NO"),
        ("nb", "nb-NO"),
        ("zh", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh-Hant-TW", "zh-TW"),
        ("zh-Hant-HK", "zh-HK"),
        ("zh-hk", "zh-HK"),
        ("ar", "ar"),
        ("ar-EG", "ar"),
        ("pl", "pl-PL"),
        ("tr", "tr-TR"),
        (" uk ", "uk-UA"),
        ("hi-IN-x-any", "hi-IN"),
        ("cs", "cs-CZ"),
        ("ca-AD", "ca-ES"),
        ("iw", "he-IL"),
        ("fil-PH", "tl-PH"),
    ];
    let got = cases.map(|(asked, _)| resolve(Some(asked)).locale());
    assert_eq!(got, cases.map(|(_, expected)| expected));
}

#[test]
fn what_is_not_a_known_locale_gets_the_default() {
    let long = "de-".repeat(40);
    let asked =
        ["xx", "", "-", "fy-nl", "is", "fa", "../../etc/passwd", "<Say>de</Say>", "dé", "\u{0}", &long];
    assert!(asked.iter().all(|asked| resolve(Some(asked)).locale() == DEFAULT_LOCALE));
    assert_eq!(resolve(None).locale(), DEFAULT_LOCALE);
}

#[test]
fn what_is_not_a_code_is_refused() {
    let verdict = |code| characters(code).err();
    assert_eq!(verdict("123"), Some(BadCode::Length));
    assert_eq!(verdict("12345678901"), Some(BadCode::Length));
    assert_eq!(verdict(""), Some(BadCode::Length));
    assert_eq!(verdict("12-4"), Some(BadCode::Character));
    assert_eq!(verdict(" 1234"), Some(BadCode::Character));
    assert_eq!(verdict("１２"), Some(BadCode::Character));
    assert_eq!(verdict("٤٥٦"), Some(BadCode::Character));
    assert_eq!((verdict("0000"), verdict("A1b2")), (None, None));
    assert_eq!(verdict("ÄBC"), Some(BadCode::Character));
}

#[test]
fn a_keyword_is_a_whole_text() {
    let cases = [
        ("STOP", None, Some(Keyword::Stop)),
        (" stop\n", None, Some(Keyword::Stop)),
        ("Unsubscribe.", None, Some(Keyword::Stop)),
        ("optout", None, Some(Keyword::Stop)),
        ("start", None, Some(Keyword::Start)),
        ("Yes!", None, Some(Keyword::Start)),
        ("info", None, Some(Keyword::Help)),
        ("please stop by", None, None),
        ("", None, None),
        ("ARRET", Some("STOP"), Some(Keyword::Stop)),
        ("STOP", Some("nonsense"), Some(Keyword::Stop)),
    ];
    assert_eq!(
        cases.map(|(body, kind, _)| super::keyword(body, kind)),
        cases.map(|(_, _, expected)| expected)
    );
}

proptest! {
    #[test]
    fn any_locale_has_words(locale in any::<String>()) {
        prop_assert!(!resolve(Some(&locale)).call().intro.is_empty());
    }

    #[test]
    fn a_template_is_what_its_pieces_say(template in "[a-z{} é]{0,40}") {
        let again: String = pieces(&template)
            .into_iter()
            .map(|piece| match piece {
                Piece::Words(words) => words.to_owned(),
                Piece::Slot(slot) => format!("{{{slot}}}"),
            })
            .collect();
        prop_assert_eq!(again, template);
    }
}
