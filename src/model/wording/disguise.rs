//! Texts as people read them who are to read a link where telephones see none:
//! in compatible letters, with one kind of dot, and without brackets around it.
//! It refuses to know what a domain is.

use crate::model::typed::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// A dot in the middle of the line: between words a separator (`ジョン・スミス`),
/// before the names that everybody knows a dot.
const MIDDLE: char = '\u{b7}';
/// Names that are read as the end of a domain wherever they stand behind a dot.
pub const KNOWN_TO_ALL: [&str; 3] = ["com", "net", "org"];
/// What a dot is called aloud.
const DOT_WORDS: [&str; 8] = ["dot", "punkt", "punto", "ponto", "point", "nokta", "точка", "."];
/// Ends of domains that are no words, so that nothing else is meant behind a dot
/// that is written out.
const SPELLED: [&str; 15] =
    ["com", "net", "org", "info", "biz", "io", "xyz", "ru", "cn", "de", "uk", "fr", "eu", "co", "tk"];

/// A text without disguise: without what is not seen, in compatible letters, with
/// one kind of dot. Capitals stay.
pub fn lifted(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let plain: String = seen.nfkc().filter(|c| !is_invisible(*c)).map(dot).collect();
    unbracketed(&with_middle_dots(&plain))
}

/// Whether an end of a domain stands behind a dot that is a word of its own:
/// `evil dot com`, `evil . com`, `evil .com`.
pub fn is_spelled_out(text: &str) -> bool {
    let text = text.replace("_dot_", " dot ").replace("-dot-", " dot ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_end = |word: &str| {
        let end = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
        SPELLED.contains(&latin(&word[..end]).as_str())
    };
    let is_before = |word: &str| word.ends_with(char::is_alphanumeric);
    let is_apart = words
        .windows(3)
        .any(|three| is_before(three[0]) && DOT_WORDS.contains(&three[1]) && is_end(three[2]));
    // `.net` by itself is what many learn.
    let is_at_the_end = |two: &[&str]| {
        let end = two[1].strip_prefix('.').filter(|end| !end.starts_with("net"));
        is_before(two[0]) && !["the", "a"].contains(&two[0]) && end.is_some_and(is_end)
    };
    is_apart || words.windows(2).any(is_at_the_end)
}

/// Letters of other scripts that look like Latin ones, as these (Unicode's
/// confusables, UTS 39), without accents.
pub fn latin(text: &str) -> String {
    let like = |c| match c {
        'а' | 'α' | 'ɑ' | 'ᴀ' => 'a',
        'в' | 'ь' | 'β' | 'ʙ' => 'b',
        'с' | 'ϲ' | 'ᴄ' => 'c',
        'ԁ' | 'ᴅ' | 'ɗ' => 'd',
        'е' | 'ҽ' | 'ε' | 'ᴇ' => 'e',
        'ɡ' | 'ց' | 'ɢ' => 'g',
        'һ' | 'հ' | 'ʜ' | 'н' => 'h',
        'і' | 'ι' | 'ı' | 'ɪ' => 'i',
        'ј' | 'ᴊ' => 'j',
        'к' | 'κ' | 'ᴋ' => 'k',
        'ӏ' | 'ʟ' => 'l',
        'м' | 'ᴍ' => 'm',
        'ո' | 'η' | 'п' | 'ɴ' => 'n',
        'о' | 'ο' | 'օ' | 'ᴏ' | 'σ' | 'ѳ' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ԛ' | 'զ' => 'q',
        'г' | 'ʀ' | 'ᴦ' => 'r',
        'ѕ' | 'ꜱ' => 's',
        'т' | 'τ' | 'ᴛ' => 't',
        'υ' | 'ս' | 'ᴜ' => 'u',
        'ѵ' | 'ν' | 'ᴠ' => 'v',
        'ԝ' | 'ω' | 'ᴡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ү' | 'ʏ' => 'y',
        'ᴢ' => 'z',
        c => c,
    };
    let bare = text.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    bare.map(like).collect()
}

/// Dots that browsers take for one in a domain (UTS 46), and others that look so.
fn dot(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' | '\u{a4f8}' | '\u{701}'
        | '\u{702}' | '\u{6d4}' | '\u{10a50}' => '.',
        '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{2022}' | '\u{30fb}' => MIDDLE,
        // Slashes that only look so.
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        c => c,
    }
}

fn with_middle_dots(text: &str) -> String {
    let mut parts = text.split(MIDDLE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let small = part.to_lowercase();
        let begins = |name: &&str| {
            small.strip_prefix(*name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        text.push(if KNOWN_TO_ALL.iter().any(begins) { '.' } else { MIDDLE });
        text + part
    })
}

/// A text in which a dot in brackets is one without them, as those write who want
/// a link to be read and not to be seen as one: `evil [.] com`, `evil(dot)com`.
fn unbracketed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '{', '<']) {
        out.push_str(&rest[..at]);
        // Brackets are one byte long.
        let inside = &rest[at + 1..];
        let end = inside.find([']', ')', '}', '>']);
        let word = end.map(|end| inside[..end].trim().to_lowercase());
        match (end, word) {
            (Some(end), Some(word)) if DOT_WORDS.contains(&word.as_str()) => {
                out.truncate(out.trim_end().len());
                out.push('.');
                rest = inside[end + 1..].trim_start();
            }
            _ => {
                out.push_str(&rest[at..=at]);
                rest = inside;
            }
        }
    }
    out + rest
}
