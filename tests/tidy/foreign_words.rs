//! Whose words a part may have: only `twilio` knows Twilio's, so `model`, which
//! everybody imports, has none but those that records and settings hold.

use crate::sources::{Source, outside_quotes, sources, words};
use crate::verdict;
use std::collections::BTreeSet;
use std::path::Path;

/// Where such a word is one of ours: the file, the word, and why.
const OURS: [(&str, &str, &str); 8] = [
    ("src/model/delivery/said.rs", "ChannelPrefix", "records hold under this name what was said so"),
    ("src/model/delivery/said.rs", "ErrorMessage", "records hold under this name what was said so"),
    ("src/model/erasure.rs", "delete_at_twilio", "a field of the record, and of the API's too"),
    ("src/model/id.rs", "SM", "records hold messages' names as they were given"),
    ("src/model/id.rs", "MM", "records hold messages' names as they were given"),
    ("src/model/id.rs", "CA", "records hold calls' names as they were given"),
    ("src/model/id.rs", "MG", "settings hold messaging services' names as they were given"),
    ("src/model/id.rs", "HX", "settings hold templates' names as they were given"),
];

/// What a SID of Twilio's begins with. Our own ids (`VA`, `VE`, `DL`, `PS`, `EV`, `EP`,
/// `AU`, `ER`) are the model's.
const PREFIXES: [&str; 14] =
    ["AC", "BL", "CA", "CR", "GN", "HX", "MG", "MM", "PN", "RK", "SK", "SM", "VL", "YW"];

/// Where Twilio's error codes are.
const ERROR_CODES: std::ops::RangeInclusive<u32> = 11_000..=69_999;

#[test]
fn the_model_has_no_word_of_twilios_but_those_that_records_hold() {
    let parameters = parameters();
    let mut violations = Vec::new();
    let mut met = BTreeSet::new();
    for file in sources("src/model") {
        for (line, text) in file.code() {
            for (word, what) in foreign(text, &parameters) {
                let is_it =
                    |(path, own, _): &(&str, &str, &str)| file.path == Path::new(path) && *own == word;
                match OURS.iter().position(is_it) {
                    Some(nth) => drop(met.insert(nth)),
                    None => violations.push(file.at(line, format!("`{word}` {what}"))),
                }
            }
        }
    }
    for (nth, (path, word, why)) in OURS.iter().enumerate() {
        if !met.contains(&nth) {
            let file = Source { path: path.into(), text: String::new() };
            violations
                .push(file.at(1, format!("`{word}` is not there any more ({why}): take it off the list")));
        }
    }
    verdict(violations);
}

/// The words of Twilio's in a line of code, and what is wrong with each.
fn foreign<'t>(text: &'t str, parameters: &BTreeSet<String>) -> Vec<(&'t str, &'static str)> {
    const NAME: &str = "is Twilio's name: say `the provider`, or move what needs it to `twilio`";
    const PARAMETER: &str = "is a parameter of Twilio's: read it in `twilio`, into a field";
    const PREFIX: &str = "begins SIDs of Twilio's: what reads or makes them belongs in `twilio`";
    const CODE: &str = "is in the range of Twilio's error codes: let `twilio` say what it means, and pass that \
        in; a number that is none is a product of what it is made of";
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for word in text.split(|c| !is_part(c)) {
        if word.to_ascii_lowercase().contains("twilio") {
            found.push((word, NAME));
        }
        let number = word.replace('_', "").parse::<u32>();
        if number.is_ok_and(|number| ERROR_CODES.contains(&number)) && is_outside_quotes(text, word) {
            found.push((word, CODE));
        }
    }
    for literal in text.split('"').skip(1).step_by(2) {
        for word in literal.split(|c| !is_part(c)) {
            if PREFIXES.contains(&word) {
                found.push((word, PREFIX));
            }
            if parameters.contains(word) {
                found.push((word, PARAMETER));
            }
        }
    }
    found
}

fn is_outside_quotes(text: &str, word: &str) -> bool {
    words(&outside_quotes(text), word).next().is_some()
}

/// Every parameter that `twilio` reads or writes: a literal of several words, each
/// with its capital.
fn parameters() -> BTreeSet<String> {
    let is_parameter = |literal: &&str| {
        literal.starts_with(|c: char| c.is_ascii_uppercase())
            && literal.chars().all(|c| c.is_ascii_alphanumeric())
            && literal.chars().any(|c| c.is_ascii_lowercase())
            && literal[1..].contains(|c: char| c.is_ascii_uppercase())
    };
    let mut all = BTreeSet::new();
    for file in sources("src/twilio") {
        for (_, text) in file.code() {
            all.extend(text.split('"').skip(1).step_by(2).filter(is_parameter).map(str::to_owned));
        }
    }
    all
}

#[test]
fn the_finder_of_words_finds_them() {
    let parameters = parameters();
    for known in ["MessageStatus", "CallSid", "AnsweredBy", "ChannelPrefix", "StatusCallback"] {
        assert!(parameters.contains(known), "{known}");
    }
    let found = |text| foreign(text, &parameters).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    for (text, word) in [
        ("const OPTED_OUT: u32 = 21610;", "21610"),
        ("code == Some(30_003)", "30_003"),
        ("format!(\"SK{id:0>32}\")", "SK"),
        ("sid.strip_prefix(\"AC\")", "AC"),
        ("pairs.get(\"CallStatus\")", "CallStatus"),
        ("format!(\"https://www.twilio.com/docs/api/errors/{code}\")", "twilio"),
        ("pub twilio_sid: String,", "twilio_sid"),
    ] {
        assert_eq!(found(text), [word], "{text}");
    }
    for text in [
        "format!(\"VE{}00\", hex::encode(bytes))",
        "from_secs(86_400)",
        "Status::Failed => \"failed\"",
        "SM",
        "debug_struct(\"EventBody\")",
        "write it like +15017122661",
    ] {
        assert!(found(text).is_empty(), "{text}");
    }
}
