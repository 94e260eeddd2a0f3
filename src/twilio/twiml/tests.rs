//! The golden documents, compared by their structure, and what holds for every document.

use super::tree::{self, Node};
use super::*;
use crate::model::opt_out::Keyword;
use crate::twilio::documents::{self, Before, GatePolicy};
use crate::twilio::words;
use proptest::prelude::*;

const ACTION: &str = "/twilio/voice/VE00000000000000000000000000000001/1/key";
const AGAIN: &str = "/twilio/voice/VE00000000000000000000000000000001/1/again?round=1&of=3";
const THEN: &str = "/twilio/voice/VE00000000000000000000000000000001/1/read";
const SERVICE: &str = "Dialback";

fn in_locale(locale: &str) -> &'static words::Words {
    words::find(locale).unwrap()
}

fn key(char: char) -> GatePolicy {
    GatePolicy::Key(Digit::from_char(char).unwrap())
}

fn tree_of(response: &Response) -> Node {
    tree::parse(&response.render().unwrap()).unwrap()
}

/// All that a call hears of a code, as one document.
fn read(
    words: &words::Words,
    code: &str,
    before: Before<'_>,
    again: Option<&str>,
) -> Result<Response, words::BadCode> {
    let mut whole = documents::read_code(words, code, before, THEN)?;
    assert!(matches!(whole.verbs.pop(), Some(Verb::Redirect(then)) if then == THEN));
    whole.verbs.extend(documents::read_code_once_more(words, code, again)?.verbs);
    Ok(whole)
}

/// The single digits said, each in a `<Say>` of its own, read from the XML.
fn digits_said(root: &Node) -> String {
    let said = root.children.iter().filter(|node| node.name == "Say").map(|node| node.text.as_str());
    said.filter(|text| text.len() == 1 && text.chars().all(|c| c.is_ascii_digit())).collect()
}

/// Every document that has a golden file, by the file's name.
fn goldens() -> Vec<(String, Response)> {
    let en = in_locale("en");
    let mut all = vec![
        ("gate-any-key".to_owned(), documents::gate(en, GatePolicy::AnyKey, ACTION, SERVICE)),
        ("gate-named-key".to_owned(), documents::gate(en, key('4'), ACTION, SERVICE)),
        ("gate-none".to_owned(), documents::gate(en, GatePolicy::None, ACTION, SERVICE)),
        ("gate-wrong-key".to_owned(), documents::wrong_key(en, key('7'), ACTION)),
        (
            "gate-escaped".to_owned(),
            documents::gate(en, GatePolicy::AnyKey, "/k?a=1&b=\"2\"", "A<b> & \"C\"\u{1}\u{b}"),
        ),
        ("not-valid".to_owned(), documents::not_valid(in_locale("de"))),
        ("not-for-you".to_owned(), documents::not_for_you()),
        ("machine".to_owned(), documents::machine()),
        ("no-key".to_owned(), documents::no_key(en)),
        ("inbound-call".to_owned(), documents::inbound_call(en)),
        ("inbound-stop".to_owned(), documents::inbound_text(en, Keyword::Stop, SERVICE)),
        ("inbound-start".to_owned(), documents::inbound_text(en, Keyword::Start, SERVICE)),
        ("inbound-help".to_owned(), documents::inbound_text(en, Keyword::Help, SERVICE)),
        ("empty".to_owned(), documents::empty()),
    ];
    for locale in ["en", "de", "ja", "uk", "ar"] {
        let words = in_locale(locale);
        let once = documents::read_code(words, "054321", Before::default(), THEN).unwrap();
        all.push((format!("read-{locale}"), once));
        let again = documents::read_code_once_more(words, "054321", Some(AGAIN)).unwrap();
        all.push((format!("read-{locale}-once-more"), again));
    }
    let basic = in_locale("de").with_voice("woman");
    all.push(("read-de-without-ssml".to_owned(), read(&basic, "054321", Before::default(), None).unwrap()));
    all
}

/// `DIALBACK_BLESS=1` writes the files anew; look at the difference then.
#[test]
fn documents_are_as_the_golden_files_have_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/twiml");
    let mut wrong = Vec::new();
    for (name, response) in goldens() {
        let path = folder.join(format!("{name}.xml"));
        if std::env::var_os("DIALBACK_BLESS").is_some() {
            std::fs::write(&path, one_verb_a_line(&response.render().unwrap())).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        if tree::parse(&golden) != Ok(tree_of(&response)) {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn one_verb_a_line(xml: &str) -> String {
    let verbs =
        ["Say", "Pause", "Gather", "Redirect", "Hangup", "Message", "/Gather", "/Response", "Response"];
    verbs.iter().fold(xml.to_owned(), |xml, verb| xml.replace(&format!("><{verb}"), &format!(">\n<{verb}")))
        + "\n"
}

#[test]
fn every_golden_file_belongs_to_a_document() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/twiml");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut names: Vec<_> = goldens().into_iter().map(|(name, _)| format!("{name}.xml")).collect();
    files.sort();
    names.sort();
    assert_eq!(files, names);
}

#[test]
fn a_document_starts_with_its_declaration_and_root() {
    let xml = documents::machine().render().unwrap();
    assert_eq!(xml, r#"<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>"#);
    assert_eq!(documents::empty().render().unwrap(), r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#);
}

#[test]
fn the_gate_waits_fifteen_seconds_for_one_key_and_any_key_counts() {
    let root = tree_of(&documents::gate(in_locale("en"), GatePolicy::AnyKey, ACTION, SERVICE));
    let gather = &root.children[0];
    assert_eq!(root.shape(), ["Gather"]);
    assert_eq!(gather.shape(), ["Say"]);
    let attribute = |name: &str| gather.attributes[name].as_str();
    assert_eq!((attribute("timeout"), attribute("numDigits"), attribute("finishOnKey")), ("15", "1", ""));
    assert_eq!(attribute("action"), ACTION);
    assert_eq!(attribute("actionOnEmptyResult"), "true", "that nobody pressed a key is told, too");
}

#[test]
fn a_named_key_is_said_as_a_digit() {
    let root = tree_of(&documents::gate(in_locale("de"), key('4'), ACTION, SERVICE));
    let spoken = root.children[0].children[0].clone();
    assert!(spoken.text.ends_with("die Taste 4."));
    assert_eq!(spoken.shape(), ["prosody"]);
    assert_eq!(spoken.children[0].children[0].attributes["interpret-as"], "digits");
    let basic = documents::gate(&in_locale("de").with_voice("man"), key('4'), ACTION, SERVICE);
    assert!(basic.spoken()[0].ends_with("die Taste vier."));
}

#[test]
fn the_key_opens_only_its_own_gate() {
    let opened = ["4", "5", "", "#", "44"].map(|pressed| key('4').opens(pressed));
    assert_eq!(opened, [true, false, false, false, false]);
    assert_eq!(["4", "#", ""].map(|pressed| GatePolicy::AnyKey.opens(pressed)), [true, true, false]);
    assert!(GatePolicy::None.opens(""));
}

#[test]
fn leading_zeros_are_said() {
    for code in ["054321", "000000", "07654321", "000042", "0000"] {
        let root = tree_of(&read(in_locale("en"), code, Before::default(), Some(AGAIN)).unwrap());
        assert_eq!(digits_said(&root), code.repeat(2));
    }
}

#[test]
fn the_key_to_hear_it_again_is_called_by_its_word() {
    let again = Digit::from_char(documents::AGAIN_KEY.parse().unwrap()).unwrap();
    let unnamed = words::all().filter(|words| !words.call().again.contains(words.digit(again)));
    assert_eq!(unnamed.map(|words| words.locale()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_call_that_may_not_repeat_offers_nothing() {
    let root = tree_of(&read(in_locale("en"), "1234", Before::default(), None).unwrap());
    assert!(!root.shape().contains(&"Gather"));
    assert_eq!(root.shape().last(), Some(&"Hangup"));
}

#[test]
fn letters_are_said_one_by_one_as_capitals() {
    let root = tree_of(&read(in_locale("de"), "a1B2", Before::default(), None).unwrap());
    let says: Vec<&Node> = root.children.iter().filter(|node| node.name == "Say").collect();
    let said: Vec<_> = says[1..5]
        .iter()
        .map(|say| {
            let kind = say.children[0].children[0].attributes["interpret-as"].as_str();
            (say.text.as_str(), kind)
        })
        .collect();
    assert_eq!(said, [("A", "characters"), ("1", "digits"), ("B", "characters"), ("2", "digits")]);
    let basic = in_locale("de").with_voice("alice");
    let spoken = read(&basic, "AB12", Before::default(), None).unwrap().spoken();
    assert_eq!(spoken[1..5], ["A", "B", "eins", "zwei"]);
}

#[test]
fn a_payment_is_told_before_its_code_and_a_service_may_introduce_it() {
    let before = Before { payment: Some(("12,50 €", "<Shop> & Co")), intro: Some("Der Code:") };
    let heard = read(in_locale("de"), "0421", before, None).unwrap().spoken();
    assert_eq!(
        heard[..3],
        ["Mit diesem Code bestätigen Sie die Zahlung von 12,50 € an <Shop> & Co.", "Der Code:", "0"]
    );
}

#[test]
fn what_is_not_a_code_is_not_read() {
    let refused = ["123", "12345678901", "12ä", "", "１２３４", "-123"];
    assert!(refused.iter().all(|code| read(in_locale("en"), code, Before::default(), None).is_err()));
}

#[test]
fn a_stranger_hears_what_a_spent_code_answers() {
    let spent = documents::not_valid(words::resolve(None));
    assert_eq!(documents::not_for_you().render(), spent.render());
}

#[test]
fn what_twilio_would_refuse_for_its_length_is_an_error() {
    let en = in_locale("en");
    let say = documents::gate(en, GatePolicy::AnyKey, ACTION, &"a".repeat(SAY_MAX));
    let message = documents::inbound_text(en, Keyword::Help, &"a".repeat(MESSAGE_MAX));
    let document = documents::gate(en, GatePolicy::None, &"&".repeat(DOCUMENT_MAX / 4), SERVICE);
    let elements = [say, message, document].map(|response| response.render().map_err(|e| e.element));
    assert_eq!(elements, [Err("Say"), Err("Message"), Err("Response")]);
}

#[test]
fn the_other_verbs_are_written_too() {
    let response = Response::new()
        .then(Verb::Reject(Reason::Busy))
        .then(Prompt::Play("https://example.org/a.mp3?b=1&c=2".to_owned()))
        .then(Gather {
            action: "/g".to_owned(),
            method: Method::Get,
            num_digits: 4,
            timeout: 5,
            finish_on_key: Some('#'),
            action_on_empty_result: true,
            prompts: vec![Prompt::pause(0)],
        });
    let root = tree_of(&response);
    assert_eq!(root.shape(), ["Reject", "Play", "Gather"]);
    assert_eq!(root.children[0].attributes["reason"], "busy");
    assert_eq!(root.children[1].text, "https://example.org/a.mp3?b=1&c=2");
    let gather = &root.children[2];
    assert_eq!(
        (gather.attributes["method"].as_str(), gather.attributes["finishOnKey"].as_str()),
        ("GET", "#")
    );
    assert_eq!(gather.attributes["actionOnEmptyResult"], "true");
    assert_eq!(gather.children[0].attributes["length"], "1");
}

#[test]
fn a_document_does_not_show_in_debug_output() {
    let response = read(in_locale("en"), "8642", Before::default(), None).unwrap();
    assert_eq!(format!("{response:?}"), "Response(22 verbs)");
}

#[test]
fn every_locale_reads_every_digit_with_and_without_ssml() {
    for words in words::all() {
        let code = "0123456789";
        let root = tree_of(&read(words, code, Before::default(), Some(AGAIN)).unwrap());
        // A borrowed voice would name the digits in its own language.
        let said = if words.is_borrowed() { String::new() } else { code.repeat(2) };
        assert_eq!(digits_said(&root), said, "{}", words.locale());
        let says = root.children.iter().filter(|child| child.name == "Say");
        assert!(
            says.clone().all(|say| say.attributes.get("voice").map(String::as_str) == Some(words.voice())
                && say.attributes.get("language").map(String::as_str) == words.language()),
            "{}",
            words.locale()
        );
        let basic = words.with_voice("woman");
        let said = read(&basic, code, Before::default(), None).unwrap().spoken();
        let digits = code.chars().filter_map(Digit::from_char);
        let expected: Vec<_> = digits.map(|digit| words.digit(digit)).collect();
        let named: Vec<_> = said.iter().filter(|text| expected.contains(&text.as_str())).collect();
        assert_eq!(named, expected.repeat(2).iter().collect::<Vec<_>>(), "{}", words.locale());
    }
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

proptest! {
    #[test]
    fn any_code_in_any_locale_is_read_twice(locale in any::<String>(), code in "[0-9]{4,10}", again in any::<String>()) {
        let response = read(words::resolve(Some(&locale)), &code, Before::default(), Some(&again)).unwrap();
        let xml = response.render().unwrap();
        let root = tree::parse(&xml).unwrap();
        prop_assert!(xml.len() < DOCUMENT_MAX / 4);
        prop_assert_eq!(digits_said(&root), code.repeat(2));
        // No other figure is heard that could be taken for part of the code.
        let heard = response.spoken().concat();
        prop_assert_eq!(heard.matches(|c: char| c.is_ascii_digit()).collect::<String>(), code.repeat(2));
    }

    #[test]
    fn anything_makes_a_well_formed_gate(service in any::<String>(), action in any::<String>(), value in 0u8..10) {
        for policy in [GatePolicy::AnyKey, GatePolicy::Key(Digit::new(value).unwrap()), GatePolicy::None] {
            let xml = documents::gate(words::resolve(None), policy, &action, &service).render().unwrap();
            prop_assert!(xml.chars().all(is_xml_char));
            prop_assert!(tree::parse(&xml).is_ok());
        }
    }

    #[test]
    fn a_service_name_is_said_as_it_is_written(service in "[\u{20}-\u{2fff}]{0,60}") {
        let response = documents::gate(in_locale("en"), GatePolicy::AnyKey, ACTION, &service);
        let said = tree_of(&response).children[0].children[0].text.clone();
        prop_assert_eq!(said, response.spoken()[0].clone());
    }

    #[test]
    fn the_length_of_a_document_is_an_error_and_never_a_panic(length in 0usize..100_000) {
        let response = documents::gate(in_locale("en"), GatePolicy::None, &"a".repeat(length), SERVICE);
        prop_assert!(response.render().map_or_else(|e| e.length > e.limit, |xml| xml.len() <= DOCUMENT_MAX));
    }
}
