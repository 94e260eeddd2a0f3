//! The first page, rendered once for all who see the same: what differs from
//! person to person is left open and filled in. An application may send
//! thousands at once, and most of what they see is the same.

use crate::model::channel::Channel;
use crate::model::id::ServiceId;
use jiff::Timestamp;
use minijinja::HtmlEscape;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

/// Pages that are kept; beyond them keeping begins anew.
const MOST_KEPT: usize = 256;

/// What a rendered page depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The language that the page is in.
    pub locale: &'static str,
    /// The service, as it was last changed.
    pub service: (ServiceId, Timestamp),
    /// Which of the open places there are.
    pub has: [bool; 4],
    /// The channels, each of which may have a button.
    pub channels: Vec<Channel>,
    /// The country that is chosen, where a number is asked for.
    pub region: Option<String>,
}

/// The open places, in the order of their values.
pub const PLACES: usize = 6;

/// What stands for an open place while the page is rendered: no text has these.
pub fn place(at: usize) -> String {
    MARKS[at].to_string()
}

const MARKS: [char; PLACES] = ['\u{e000}', '\u{e001}', '\u{e002}', '\u{e003}', '\u{e004}', '\u{e005}'];

/// A page with its open places.
#[derive(Debug)]
pub struct Frozen(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(String),
    Place(usize),
}

impl Frozen {
    /// Takes a rendered page apart at its open places.
    pub fn new(page: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = page;
        while let Some((at, mark)) = rest.char_indices().find(|(_, c)| MARKS.contains(c)) {
            pieces.push(Piece::Text(rest[..at].to_owned()));
            pieces.extend(MARKS.iter().position(|own| *own == mark).map(Piece::Place));
            rest = &rest[at + mark.len_utf8()..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Self(pieces)
    }

    /// The page with these values, which may be anybody's text.
    pub fn fill(&self, values: [&str; PLACES]) -> String {
        let texts = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Place(at) => values[*at].len(),
        });
        let mut page = String::with_capacity(texts.sum::<usize>() + 256);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => page.push_str(text),
                // Writing to a text cannot fail.
                Piece::Place(at) => drop(write!(page, "{}", HtmlEscape(values[*at]))),
            }
        }
        page
    }
}

/// The pages that are kept.
#[derive(Default)]
pub struct Starts(Mutex<HashMap<Kind, Arc<Frozen>>>);

impl Starts {
    /// The page of a kind, rendered if it is the first.
    ///
    /// # Errors
    /// The rendering's.
    pub fn page<E>(&self, kind: Kind, render: impl FnOnce() -> Result<String, E>) -> Result<Arc<Frozen>, E> {
        if let Some(page) = self.kept().get(&kind) {
            return Ok(page.clone());
        }
        let page = Arc::new(Frozen::new(&render()?));
        let mut kept = self.kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(kind, page.clone());
        Ok(page)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Kind, Arc<Frozen>>> {
        // Nothing is ever half-changed under this lock.
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_places_are_filled_and_what_fills_them_is_text() {
        let page = format!("<a href=\"{}\">{}</a>{}", place(0), place(2), place(0));
        let filled = Frozen::new(&page).fill(["/x", "", "<b>&\u{e000}", "", "", ""]);
        assert_eq!(filled, "<a href=\"&#x2f;x\">&lt;b&gt;&amp;\u{e000}</a>&#x2f;x");
    }
}
