//! Paths without their encoding.

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
    if text.chars().any(|c| c.is_control() || is_slash(c)) || count(&bytes) != slashes {
        return Err("has a path without encoded slashes, backslashes and control characters");
    }
    if text.split('/').any(climbs) {
        return Err("has a path without . and .., encoded or not");
    }
    Ok(if bytes.is_empty() { b"/".to_vec() } else { bytes })
}

/// Whether a segment is `.` or `..` to somebody; servers of Java's cut it off at
/// a semicolon first.
fn climbs(segment: &str) -> bool {
    let name: String = segment.split(';').next().unwrap_or_default().chars().map(dot).collect();
    let is_bare = segment.contains(';') && name.is_empty();
    matches!(name.trim(), "." | ".." | "...") || is_bare
}

fn dot(c: char) -> char {
    if matches!(c, '\u{ff0e}' | '\u{3002}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}') { '.' } else { c }
}

/// What normalizing makes a slash or a backslash.
fn is_slash(c: char) -> bool {
    matches!(
        c,
        '\\' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{ff3c}' | '\u{fe68}' | '\u{2216}'
    )
}

fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'/').count()
}

fn once(bytes: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(bytes).collect()
}
