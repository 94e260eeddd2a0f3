//! Names and addresses of hosts among words: domains under a top-level domain that
//! there is, IPv4 addresses, names within a network; and what only has dots in it,
//! such as initials, titles and forms of companies. It refuses to know disguises.

use super::disguise::{KNOWN_TO_ALL, latin};
use crate::model::typed;
use std::net::Ipv4Addr;

/// Forms of companies that are written like domains: `Müller GmbH & Co.KG`.
const COMPANIES: [(&[&str], &[&str]); 1] =
    [(&["co", "pvt", "pte", "pty", "inc", "corp", "gmbh"], &["kg", "ltd", "inc", "llc", "company", "co"])];
/// What stands before names, short and with a dot.
const TITLES: [&str; 26] = [
    "dr", "prof", "mr", "mrs", "ms", "mx", "st", "sr", "jr", "ing", "dipl", "mag", "med", "rev", "hon",
    "gen", "col", "capt", "lt", "sgt", "mme", "mlle", "sra", "mt", "ft", "univ",
];
/// Products that are called like a domain, which is their makers' own.
const PRODUCTS: [&str; 6] = ["asp.net", "vb.net", "ado.net", "ml.net", "paint.net", "entity.net"];
/// Ends of domains under which strangers have most of theirs.
const POPULAR: [&str; 34] = [
    "com", "net", "org", "info", "biz", "io", "co", "me", "ru", "cn", "tk", "ml", "ga", "cf", "gq", "de",
    "uk", "fr", "eu", "nl", "it", "xyz", "top", "shop", "online", "site", "club", "app", "dev", "link",
    "click", "zip", "ly", "to",
];
/// Ends of names that lead somewhere within a network alone (RFC 6761, 6762, 7686).
const LOCAL_ENDS: [&str; 7] = ["local", "localhost", "localdomain", "lan", "internal", "intranet", "onion"];
/// Names that hosts have in many networks.
const LOCAL_NAMES: [&str; 8] =
    ["localhost", "intranet", "extranet", "router", "webmail", "fritzbox", "vpn", "gateway"];
/// Ports at which pages are where no other name is needed to see it.
const PORTS: [&str; 5] = ["443", "8000", "8080", "8443", "8888"];
/// What pages are called that people are lured to.
const LURES: [&str; 11] = [
    "login",
    "signin",
    "sign-in",
    "logon",
    "admin",
    "verify",
    "reset",
    "password",
    "auth",
    "index.html",
    "wp-admin",
];
/// What stands beside those words in a text that lures nobody: `signup/login`.
const BESIDE_LURES: [&str; 20] = [
    "signup",
    "sign-up",
    "register",
    "registration",
    "logout",
    "username",
    "user",
    "account",
    "email",
    "e-mail",
    "phone",
    "pin",
    "code",
    "web",
    "app",
    "online",
    "and",
    "or",
    "security",
    "mobile",
];

/// Whether a domain or an IPv4 address is among the words of a text.
pub fn is_named(text: &str) -> bool {
    let digits = typed::plain(text);
    words(text).any(|(word, after)| is_domain(word, leads_on(after)))
        || words(&digits).any(|(word, _)| is_ipv4(word.trim_matches(['.', '-', '_'])))
}

/// Whether a name is there that leads somewhere within a network: with a port, or
/// with a path of those that people are lured to.
pub fn is_local(text: &str) -> bool {
    words(text).any(|(word, after)| {
        let small = word.to_lowercase();
        let name = small.trim_matches(['.', '-', '_']);
        if name == "localhost" {
            return true;
        }
        let is_host = LOCAL_NAMES.contains(&name);
        let is_small = word.is_ascii() && !word.contains(char::is_uppercase);
        let port = after.strip_prefix(':').map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            (&rest[..end], &rest[end..])
        });
        let has_port = port.is_some_and(|(port, rest)| {
            let is_one = port.parse::<u16>().is_ok_and(|port| port > 0);
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
            is_one && is_name && (is_host || leads_on(rest) || (is_small && PORTS.contains(&port)))
        });
        let path = after.strip_prefix('/').map(str::to_lowercase).unwrap_or_default();
        let path = path
            .split(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#'))
            .next()
            .unwrap_or_default();
        let page = path.trim_end_matches(['.', ',', ';', '!', ')']);
        let is_lure =
            LURES.contains(&page) && is_small && !BESIDE_LURES.contains(&name) && !LURES.contains(&name);
        let has_path = match is_host {
            true => !page.is_empty() && !LOCAL_NAMES.contains(&page),
            false => is_lure && name.len() > 1,
        };
        has_port || has_path
    })
}

/// The words that could be addresses, each with what stands behind it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(is_of_address)?;
        let word = &rest[start..];
        let end = word.find(|c| !is_of_address(c)).unwrap_or(word.len());
        rest = &word[end..];
        Some((&word[..end], rest))
    })
}

/// Whether a path or a port stands behind a word.
fn leads_on(after: &str) -> bool {
    let next = after.strip_prefix(['/', ':']);
    next.is_some_and(|next| next.starts_with(|c: char| c.is_alphanumeric()))
}

fn is_of_address(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || is_mark(c)
}

/// Vowel signs and accents of their own, which belong to letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}')
}

/// Four numbers of 0 to 255. Amounts in groups of three digits are none.
fn is_ipv4(word: &str) -> bool {
    let is_padded = |word: &str| {
        let octets: Vec<&str> = word.split('.').collect();
        octets.len() == 4
            && (word.starts_with("192.168.") || word.starts_with("127.0"))
            && octets.iter().all(|octet| octet.len() <= 3 && octet.parse::<u8>().is_ok())
    };
    word.parse::<Ipv4Addr>().is_ok() || is_padded(word)
}

/// Whether a word is a domain under a top-level domain that there is.
fn is_domain(word: &str, leads_on: bool) -> bool {
    let word = word.trim_matches(['.', '-', '_']);
    let small = word.to_lowercase();
    let labels: Vec<&str> = small.split('.').collect();
    let [.., above, last] = labels[..] else { return false };
    if labels.iter().any(|label| label.is_empty()) {
        return false;
    }
    let is_www = latin(labels[0]) == "www" && above.chars().any(char::is_alphabetic);
    let is_local = LOCAL_ENDS.contains(&latin(last).as_str());
    is_www || is_local || (is_top_level(last) && (leads_on || !is_abbreviation(word, &labels)))
}

/// Whether the dots of a word are those of abbreviations: what is meant is seen by
/// the forms that names have, not by the end alone.
fn is_abbreviation(word: &str, labels: &[&str]) -> bool {
    let Some((last, before)) = labels.split_last() else { return false };
    let is_letter = |label: &str| label.chars().count() == 1;
    let end = latin(last);
    let is_popular = POPULAR.contains(&end.as_str());
    let is_company = |(first_of, last_of): &(&[&str], &[&str])| matches!(before, [first] if first_of.contains(first) && last_of.contains(last));
    if COMPANIES.iter().any(is_company) || PRODUCTS.contains(&labels.join(".").as_str()) {
        return true;
    }
    // `Dr.med.Kim`: nothing but titles before a name.
    if before.iter().all(|label| TITLES.contains(label)) {
        return !is_popular;
    }
    // `г.Москва`: a letter of another script before a name.
    if matches!(before, [first] if is_letter(first) && !first.is_ascii()) {
        return true;
    }
    // `U.S.Bank`, `S.A.de`: initials.
    if before.len() > 1 && before.iter().all(|label| is_letter(label)) {
        return !KNOWN_TO_ALL.contains(&end.as_str());
    }
    // `will.i.am`: a letter between two dots.
    if matches!(before, [_, middle] if is_letter(middle)) {
        return !is_popular;
    }
    // `E.Leclerc`, `M.Sc`: an initial and a name, both with capitals.
    let is_initial = matches!(before, [first] if is_letter(first));
    is_initial && word.starts_with(char::is_uppercase) && is_title(word) && !is_popular
}

/// Whether what stands behind the last dot has a capital and then small letters.
fn is_title(word: &str) -> bool {
    let last = word.rsplit('.').next().unwrap_or_default();
    let mut chars = last.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.all(char::is_lowercase)
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
