//! The files of the tree, as the rules that read them line by line see them.

use crate::Violation;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Relative to the root.
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    pub fn at(&self, line: usize, what: String) -> Violation {
        Violation { file: self.path.clone(), line, what }
    }

    /// Lines with their numbers, up to the tests, without comments.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_tests =
            self.path.ends_with("tests.rs") || self.path.components().any(|c| c.as_os_str() == "tests");
        let lines: Vec<&str> = if is_tests { Vec::new() } else { self.text.lines().collect() };
        // Tests come last in a file: what is behind `mod tests {` is theirs.
        let end = lines.windows(2).position(|two| two[0].trim() == "#[cfg(test)]" && two[1].ends_with('{'));
        let end = end.unwrap_or(lines.len());
        lines.into_iter().take(end).enumerate().filter_map(|(at, line)| {
            let code = &line[..comment(line)];
            (!code.trim().is_empty()).then_some((at + 1, code))
        })
    }
}

/// A line of code without what stands in quotes.
pub fn outside_quotes(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Where a word begins in a text, as a whole word.
pub fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

pub fn sources(folder: &str) -> impl Iterator<Item = Source> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).map(|path| {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        Source { path, text }
    })
}

/// Every file below a folder, relative to the root, in order.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let mut waiting = vec![PathBuf::from(folder)];
    let mut found = BTreeSet::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                waiting.push(path);
            } else {
                found.insert(path);
            }
        }
    }
    assert!(!found.is_empty(), "there is nothing in {folder}");
    found.into_iter().collect()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where a line's comment begins: at the first two slashes that are not an address's.
fn comment(line: &str) -> usize {
    let mut slashes = line.match_indices("//").map(|(at, _)| at);
    slashes.find(|at| !line[..*at].ends_with(':')).unwrap_or(line.len())
}
