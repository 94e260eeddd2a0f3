//! Paths without their encoding, as the laxest reader of them takes them.

use crate::model::typed::is_invisible;
use unicode_normalization::UnicodeNormalization;

/// How often a path may be encoded over itself; nobody means more.
const MOST_ROUNDS: usize = 8;

/// A path decoded until nothing changes any more; an empty one is `/`.
///
/// # Errors
/// One that climbs, or that hides a slash, a backslash or a control character:
/// what it leads to is decided by who decodes it how often.
pub fn decoded(path: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = path.as_bytes().to_vec();
    let slashes = count(&bytes);
    for round in 0.. {
        let next = once(&bytes);
        if next == bytes {
            break;
        }
        if round == MOST_ROUNDS {
            return Err("has a path that is encoded again and again");
        }
        bytes = next;
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "has a path that is UTF-8 once it is decoded")?;
    if is_escaped_otherwise(text) {
        return Err("has no escapes like %u002e, which some servers read and others do not");
    }
    if text.chars().any(|c| c.is_control() || is_slash(c) || is_made_a_mark(c)) || count(&bytes) != slashes {
        return Err("has a path without encoded slashes, backslashes and control characters, and without \
                    characters that normalizing makes dots, slashes or percent signs");
    }
    if text.split('/').any(climbs) {
        return Err("has a path without . and .., encoded or not");
    }
    Ok(if bytes.is_empty() { b"/".to_vec() } else { bytes })
}

/// Whether a percent sign stands before anything but two hexadecimal digits: one
/// reader keeps it, another one drops or repairs it.
pub fn is_malformed(text: &str) -> bool {
    let is_hex = |bytes: Option<&[u8]>| bytes.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
    text.match_indices('%').any(|(at, _)| !is_hex(text.as_bytes().get(at + 1..at + 3)))
}

/// Microsoft's old escapes, which stand there once a path is decoded: `%u002e`.
fn is_escaped_otherwise(text: &str) -> bool {
    text.contains("%u") || text.contains("%U")
}

/// Whether a segment is `.` or `..` to somebody; servers of Java's cut it off at
/// a semicolon first.
fn climbs(segment: &str) -> bool {
    let seen = segment.chars().filter(|c| !is_invisible(*c)).map(dot);
    let name: String = seen.take_while(|c| *c != ';').collect();
    let is_bare = segment.contains(';') && name.is_empty();
    matches!(name.trim(), "." | ".." | "...") || is_bare
}

/// What browsers read as a dot in a host, and lax servers in a path.
fn dot(c: char) -> char {
    if matches!(c, '\u{ff0e}' | '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}') { '.' } else { c }
}

/// What looks like a slash or a backslash, or is taken for one.
fn is_slash(c: char) -> bool {
    matches!(
        c,
        '\\' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{ff3c}' | '\u{fe68}' | '\u{2216}'
    )
}

/// Whether a character is none of what divides paths and becomes some of it by
/// compatible normalization (NFKC), as `‥` becomes two dots and `℅` has a slash.
fn is_made_a_mark(c: char) -> bool {
    let is_mark = |c: char| matches!(c, '.' | '/' | '\\' | '%' | ';' | '?' | '#');
    !c.is_ascii() && std::iter::once(c).nfkc().any(|c| is_mark(c) || is_slash(c))
}

fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'/').count()
}

fn once(bytes: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(bytes).collect()
}
