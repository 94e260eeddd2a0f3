//! The documents as somebody who clicks through them meets them: every relative link leads to a
//! file, and to a heading of it where it names one. Addresses of other sites it does not know.

use crate::sources::{files, root};
use crate::{Violation, verdict};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The most words of a page of `docs`.
const PAGE: usize = 1500;

/// The README has fewer words.
const README: usize = 900;

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut violations = Vec::new();
    for page in pages() {
        for (line, text) in prose(&read(&page)) {
            for link in links(&text) {
                if let Some(what) = astray(&page, &link) {
                    violations.push(Violation { file: page.clone(), line, what });
                }
            }
        }
    }
    verdict(violations);
}

#[test]
fn no_page_is_longer_than_it_is_read() {
    let mut violations = Vec::new();
    for page in pages() {
        let words = read(&page).split_whitespace().count();
        if let Some(most) = most(&page).filter(|most| words > *most) {
            violations.push(Violation {
                file: page,
                line: 1,
                what: format!("{words} words, {most} at most"),
            });
        }
    }
    verdict(violations);
}

/// How many words a document may have, where there is a bound.
fn most(page: &Path) -> Option<usize> {
    match page.to_str()? {
        "README.md" => Some(README - 1),
        _ if page.starts_with("docs") => Some(PAGE),
        _ => None,
    }
}

/// Every document, relative to the root.
fn pages() -> Vec<PathBuf> {
    let top = fs::read_dir(root()).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let below = ["docs", "examples", "deploy", "fixtures"].into_iter().flat_map(files);
    let is_document = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let is_installed = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "node_modules");
    top.chain(below).filter(|path| is_document(path) && !is_installed(path)).collect()
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// The lines outside blocks of code, with their numbers.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if !in_code && !is_fence {
            found.push((at + 1, line.to_owned()));
        }
    }
    found
}

/// Where the links of a line lead, but those to other sites.
fn links(line: &str) -> Vec<String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
}

/// What is wrong with a link, if anything is.
fn astray(page: &Path, link: &str) -> Option<String> {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { plain(&page.parent()?.join(path)) };
    if !root().join(&target).exists() {
        return Some(format!("({link}): there is no {}", target.display()));
    }
    let is_there = heading.is_empty() || anchors(&read(&target)).iter().any(|anchor| anchor == heading);
    (!is_there).then(|| format!("({link}): {} has no such heading", target.display()))
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What the headings of a page are called in links to them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn a_link_to_nothing_is_found() {
    let page = Path::new("docs/install.md");
    assert_eq!(links("a [b](c.md#d), [e](https://f.g/h.md) and [i](#j)"), ["c.md#d", "#j"]);
    assert_eq!(
        anchor("Settings of a service (`services.NAME.pages`)"),
        "settings-of-a-service-servicesnamepages"
    );
    assert_eq!(astray(page, "../README.md#start"), None);
    assert_eq!(astray(page, "proxies.md"), None);
    assert!(astray(page, "nowhere.md").is_some());
    assert!(astray(page, "#nowhere").is_some());
    assert_eq!(prose("a\n```\n# b\n```\nc").len(), 2);
}
