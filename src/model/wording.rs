//! Texts of applications that reach people in a brand's name: a name, what a
//! code is for, who is paid and how much. Without the marks that nobody sees,
//! and whether there is a link, an address or a telephone number in one: whoever can put one there
//! has the brand send people to it.
//!
//! A text is judged as people and their telephones read it: full-width letters
//! and the dots of other scripts are what they look like. This module refuses to
//! know services and who asks.

mod disguise;
mod host;
mod telephone;
#[cfg(test)]
mod tests;

pub use telephone::has_telephone;

use crate::model::typed::is_invisible;
use std::net::Ipv6Addr;

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
    let cased = disguise::lifted(text);
    let text = cased.to_lowercase();
    has_scheme(&text)
        || disguise::is_spelled_out(&text)
        || host::is_named(&cased)
        || host::is_local(&cased)
        || has_mail(&text)
        || has_ipv6(&text)
}

/// Arabic and its neighbours, and the scripts of India and South-East Asia.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{18af}')
}

fn has_scheme(text: &str) -> bool {
    let is_named = |(at, _): (usize, &str)| {
        let before = text[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let after = text[at + 1..].chars().next();
        SCHEMES.contains(&before) && after.is_some_and(|c| !c.is_whitespace())
    };
    text.contains("://") || text.contains(":\\\\") || text.match_indices(':').any(is_named)
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
