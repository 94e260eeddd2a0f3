//! Texts of applications that reach people in a brand's name: a name, what a
//! code is for, who is paid and how much. Without the marks that nobody sees,
//! and whether there is a link or an address in one: whoever can put one there
//! has the brand send people to it.
//!
//! A text is judged as people and their telephones read it: full-width letters
//! and the dots of other scripts are what they look like. This module refuses to
//! know services and who asks.

#[cfg(test)]
mod tests;

use crate::model::typed::is_invisible;
use std::net::{Ipv4Addr, Ipv6Addr};
use unicode_normalization::UnicodeNormalization;

/// Schemes that telephones make a link of, beside anything before `://`.
const SCHEMES: [&str; 16] = [
    "http",
    "https",
    "hxxp",
    "hxxps",
    "ftp",
    "mailto",
    "tel",
    "sms",
    "smsto",
    "whatsapp",
    "tg",
    "intent",
    "javascript",
    "data",
    "market",
    "facetime",
];

/// Forms of companies that are written like domains: `Müller GmbH & Co.KG`.
const COMPANIES: [(&[&str], &[&str]); 1] =
    [(&["co", "pvt", "pte", "pty", "inc", "corp", "gmbh"], &["kg", "ltd", "inc", "llc", "company", "co"])];

/// A text as it is to be shown: what shows nothing, or turns the direction of
/// what follows, is gone, and white space of every kind is a space. Joiners stay
/// between letters of scripts that need them.
pub fn shown(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_joined = |at: usize| {
        let letter = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| needs_joiners(*c));
        matches!(chars[at], '\u{200c}' | '\u{200d}') && letter(at.checked_sub(1)) && letter(Some(at + 1))
    };
    let is_kept = |(at, c): &(usize, &char)| !is_invisible(**c) || is_joined(*at);
    let plain = |(_, c): (usize, &char)| if c.is_whitespace() || *c == '\u{2800}' { ' ' } else { *c };
    let text: String = chars.iter().enumerate().filter(is_kept).map(plain).collect();
    text.trim().to_owned()
}

/// Whether there is a link, a domain, an e-mail address or a network address in
/// a text.
pub fn has_link(text: &str) -> bool {
    let text = folded(text);
    has_scheme(&text)
        || text.split(|c: char| !is_of_address(c)).any(is_address)
        || has_mail(&text)
        || has_ipv6(&text)
}

/// Arabic and its neighbours, and the scripts of India and South-East Asia.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
}

/// A text as it is read: without what is not seen, in compatible letters, small,
/// with one kind of dot.
fn folded(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let folded: String =
        seen.nfkc().filter(|c| !is_invisible(*c)).map(dot).collect::<String>().to_lowercase();
    // As those write who want a link to be read and not to be seen as one.
    [" [dot] ", " (dot) ", "[dot]", "(dot)", "{dot}", "[.]", "(.)", "{.}"]
        .iter()
        .fold(with_middle_dots(&folded), |text, hidden| text.replace(hidden, "."))
}

/// Dots that browsers take for one in a domain (UTS 46), and others that look so.
fn dot(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' | '\u{a4f8}' | '\u{701}'
        | '\u{702}' | '\u{6d4}' | '\u{10a50}' => '.',
        '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{2022}' | '\u{30fb}' => MIDDLE,
        c => c,
    }
}

/// A dot in the middle of the line: between words a separator (`ジョン・スミス`),
/// before the names that everybody knows a dot.
const MIDDLE: char = '\u{b7}';
const KNOWN_TO_ALL: [&str; 3] = ["com", "net", "org"];

fn with_middle_dots(text: &str) -> String {
    let mut parts = text.split(MIDDLE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let begins = |name: &&str| {
            part.strip_prefix(*name).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        text.push(if KNOWN_TO_ALL.iter().any(begins) { '.' } else { MIDDLE });
        text + part
    })
}

fn has_scheme(text: &str) -> bool {
    let is_named = |(at, _): (usize, &str)| {
        let before = text[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let after = text[at + 1..].chars().next();
        SCHEMES.contains(&before) && after.is_some_and(|c| !c.is_whitespace())
    };
    text.contains("://") || text.contains(":\\\\") || text.match_indices(':').any(is_named)
}

fn is_of_address(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || is_mark(c)
}

/// Vowel signs and accents of their own, which belong to letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}')
}

/// Whether a word is a domain under a top-level domain that there is, or an
/// IPv4 address.
fn is_address(word: &str) -> bool {
    let word = word.trim_matches(['.', '-', '_']);
    if word.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let labels: Vec<&str> = word.split('.').collect();
    let [.., above, last] = labels[..] else { return false };
    if labels.iter().any(|label| label.is_empty()) || is_abbreviation(&labels) {
        return false;
    }
    let is_www = labels[0] == "www" && above.chars().any(char::is_alphabetic);
    is_www || is_top_level(last)
}

fn is_abbreviation(labels: &[&str]) -> bool {
    let [first, last] = labels else { return false };
    let is_company =
        |(first_of, last_of): &(&[&str], &[&str])| first_of.contains(first) && last_of.contains(last);
    // `г.Москва`: a letter of another script before a name.
    let is_letter = first.chars().count() == 1 && !first.is_ascii();
    COMPANIES.iter().any(is_company) || is_letter
}

fn is_top_level(label: &str) -> bool {
    let is_name = label.chars().count() > 1 && label.chars().any(char::is_alphabetic);
    let known = |name: &str| psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known());
    // Looked up as the list has it, in ASCII.
    let ascii = || match url::Host::parse(label) {
        Ok(url::Host::Domain(name)) => Some(name),
        _ => None,
    };
    is_name && (known(label) || ascii().is_some_and(|name| known(&name)) || known(&latin(label)))
}

/// Letters of Cyrillic and Greek that look like Latin ones, as these.
fn latin(label: &str) -> String {
    let like = |c| match c {
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'е' | 'ҽ' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'і' | 'ι' => 'i',
        'ѕ' => 's',
        'ԁ' => 'd',
        'ո' => 'n',
        'м' => 'm',
        'т' | 'τ' => 't',
        'в' => 'b',
        c => c,
    };
    label.chars().map(like).collect()
}

/// Whether something stands on both sides of an at sign, with a dot behind it.
fn has_mail(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
        word.split_once('@').is_some_and(|(name, host)| {
            let host = host.trim_end_matches('.');
            !name.is_empty() && host.split_once('.').is_some_and(|(own, _)| !own.is_empty())
        })
    })
}

fn has_ipv6(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let mut words = text.split(|c: char| !is_part(c));
    words.any(|word| word.len() > 2 && word.matches(':').count() >= 2 && word.parse::<Ipv6Addr>().is_ok())
}
