//! What stands above a public item: enough that a reader learns something from it.
//! It knows nothing of what is said.

use crate::Violation;
use crate::sources::Source;

/// The fewest words of a doc.
const LEAST: usize = 3;

/// The docs of a file's public items that are shorter, or ask instead of saying.
pub fn violations(file: &Source) -> Vec<Violation> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let doc: Vec<&str> = lines[at..].iter().map_while(|line| said(line)).collect();
        let item = lines[at + doc.len()..].iter().find(|line| !line.trim_start().starts_with("#["));
        let is_public = item.is_some_and(|item| is_public(item));
        if let (true, Some(what)) = (is_public, wrong(&doc.join(" "))) {
            found.push(file.at(at + 1, what));
        }
        at += doc.len().max(1);
    }
    found
}

/// What a line of a doc says.
fn said(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("///").map(str::trim)
}

/// Whether a reader from elsewhere meets an item: what says so, and what stands in one
/// that may: a variant, or the method of a trait. Of these it is not known here, so they
/// count, as a field without `pub` does not.
fn is_public(item: &str) -> bool {
    let item = item.trim_start();
    let is_private =
        ["fn ", "async fn ", "const ", "static ", "struct ", "enum ", "type ", "mod ", "impl ", "trait "]
            .iter()
            .any(|begins| item.starts_with(begins));
    let is_field = item.split_once(':').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    });
    !is_private && !is_field
}

fn wrong(doc: &str) -> Option<String> {
    let words = doc.split_whitespace().count();
    match words {
        0 => None,
        1..LEAST => {
            Some(format!("`{doc}`: say what a reader needs, its shape, its unit, what nothing means"))
        }
        _ if doc.ends_with('?') => Some(format!("`{doc}`: answer it")),
        _ => None,
    }
}

#[test]
fn a_doc_of_two_words_is_found_on_what_is_public() {
    let of = |text: &str| {
        let file = Source { path: "a.rs".into(), text: text.to_owned() };
        violations(&file).iter().map(|found| found.line).collect::<Vec<_>>()
    };
    assert_eq!(
        of("/// A thing.\npub struct A {\n    /// Its id.\n    #[serde(x)]\n    pub id: u8,\n}"),
        [1, 3]
    );
    assert_eq!(
        of("/// A thing that\n/// is long.\npub fn a() {}\n\n/// Which of two is it?\npub enum A {}"),
        [5]
    );
    assert_eq!(
        of("/// Mine.\nfn a() {}\n/// Mine.\nb: u8,\n/// A variant.\nB,\n/// Found it\nC(u8),"),
        [5, 7]
    );
}
