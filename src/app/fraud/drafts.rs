//! Pages of the log that are not written yet: the one that takes lines, and those that are
//! full or wait for a line whose place was given away.
//!
//! A decision is named before it is written: its verification bears the name, and is
//! written first. So a place is given away, and a page waits for its places a moment.

use crate::app::base::Base;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{DecisionId, Entry, Page};
use jiff::{SignedDuration, Timestamp};

/// Lines of one page at most.
const MOST_LINES: usize = 256;
/// So many bytes its lines may be about; a record has 65,536.
const MOST_BYTES: usize = 44 * 1024;
/// A page waits at most so long for the lines whose places were given away.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(5);
/// So many pages are kept that could not be written; then the oldest is lost.
const MOST_PAGES: usize = 128;

/// A page that is not written yet.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its id.
    pub(super) id: String,
    /// When its first place was given away.
    pub(super) began_at: Timestamp,
    /// Its lines, in the order in which they came.
    pub(super) lines: Vec<Entry>,
    places: u32,
    waits_for: u32,
    bytes: usize,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    pages: Vec<Draft>,
    /// Whether the last of them takes lines.
    is_open: bool,
    lost: usize,
    /// The time in the last page's id, in milliseconds.
    last_id: i64,
}

impl Drafts {
    /// Gives a place away: the name of what will stand there. `chance` is the rest of a new
    /// page's id.
    pub(super) fn place(&mut self, now: Timestamp, chance: impl FnOnce() -> String) -> DecisionId {
        let page = self.open(now, chance);
        page.places += 1;
        page.waits_for += 1;
        page.bytes += RESERVED;
        DecisionId(format!("{}-{}", page.id, page.places))
    }

    /// A place that was given away stays empty, or is filled by [`Drafts::add`] after this.
    pub(super) fn release(&mut self, place: &DecisionId) {
        if let Some(page) = self.page_of(place) {
            page.waits_for = page.waits_for.saturating_sub(1);
            page.bytes = page.bytes.saturating_sub(RESERVED);
        }
    }

    /// Takes a line: into the page of its place, or, where it has none or its page was
    /// written meanwhile, into the one that is open. True where that page is full then.
    pub(super) fn add(&mut self, line: Entry, now: Timestamp, chance: impl FnOnce() -> String) -> bool {
        let own = match &line {
            Entry::Decision(decision) => self.pages.iter().rposition(|page| page.is_of(&decision.id)),
            _ => None,
        };
        let page = match own {
            Some(at) => &mut self.pages[at],
            None => self.open(now, chance),
        };
        page.bytes += size_of(&line);
        page.lines.push(line);
        !page.has_room()
    }

    /// The lines of all of them, the oldest page first.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Entry> {
        self.pages.iter().flat_map(|page| &page.lines)
    }

    /// Takes out those that are to be written now; `all` whether they wait for something
    /// or not. What is open takes no more lines.
    pub(super) fn take(&mut self, now: Timestamp, all: bool) -> Vec<Draft> {
        self.is_open = false;
        let is_ready = |page: &mut Draft| {
            all || page.waits_for == 0 || now.duration_since(page.began_at) >= LONGEST_WAIT
        };
        let ready: Vec<Draft> = self.pages.extract_if(.., is_ready).collect();
        ready.into_iter().filter(|page| !page.lines.is_empty()).collect()
    }

    /// Puts back what could not be written, as the oldest.
    pub(super) fn put_back(&mut self, pages: Vec<Draft>) {
        self.pages.splice(0..0, pages);
        self.forget_oldest();
    }

    /// How many lines were lost since this was asked, for nothing could be written.
    pub(super) fn lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// Forgets whoever has that number.
    pub(super) fn forget(&mut self, number: Pseudonym) {
        for line in self.pages.iter_mut().flat_map(|page| &mut page.lines) {
            line.forget(number);
        }
    }

    fn page_of(&mut self, place: &DecisionId) -> Option<&mut Draft> {
        self.pages.iter_mut().rev().find(|page| page.is_of(place))
    }

    fn forget_oldest(&mut self) {
        let beyond = self.pages.len().saturating_sub(MOST_PAGES);
        self.lost += self.pages.drain(..beyond).map(|page| page.lines.len()).sum::<usize>();
    }

    fn open(&mut self, now: Timestamp, chance: impl FnOnce() -> String) -> &mut Draft {
        let has_room = self.is_open && self.pages.last().is_some_and(Draft::has_room);
        if !has_room {
            // A page is behind those of this process that were begun before it.
            self.last_id = now.as_millisecond().max(self.last_id + 1);
            let id = Page::id_at(Timestamp::from_millisecond(self.last_id).unwrap_or(now)) + &chance();
            self.pages.push(Draft {
                id,
                began_at: now,
                lines: Vec::new(),
                places: 0,
                waits_for: 0,
                bytes: 0,
            });
            self.is_open = true;
            self.forget_oldest();
        }
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }
}

impl Draft {
    fn has_room(&self) -> bool {
        self.lines.len() + (self.waits_for as usize) < MOST_LINES && self.bytes < MOST_BYTES
    }

    /// The same as two, where it does not fit into one record; the other has a name of its
    /// own.
    pub(super) fn halves(&self, base: &Base) -> (Self, Self) {
        let (one, other) = self.lines.split_at(self.lines.len() / 2);
        let half = |id: String, lines: &[Entry]| Self {
            id,
            began_at: self.began_at,
            lines: lines.to_vec(),
            places: 0,
            waits_for: 0,
            bytes: 0,
        };
        let id = Page::id_at(self.began_at) + &base.entropy.hex::<6>();
        (half(self.id.clone(), one), half(id, other))
    }

    fn is_of(&self, place: &DecisionId) -> bool {
        place.0.strip_prefix(&*self.id).is_some_and(|rest| rest.starts_with('-'))
    }
}

/// Bytes that are set aside for a line that is not there yet.
const RESERVED: usize = 600;

/// About as many bytes as a line has at most, found without writing it.
fn size_of(line: &Entry) -> usize {
    let about = line.about();
    let texts = [Some(&about.range), Some(&about.country), about.key.as_ref(), Some(&about.service)];
    let texts = texts.into_iter().chain([about.sender.as_ref(), Some(&about.face)]);
    // Seven names of 16 digits, and the names of all fields.
    let own = 360 + texts.flatten().map(String::len).sum::<usize>();
    let Entry::Decision(decision) = line else { return own + 120 };
    let of_reasons = |size: usize, reason: &crate::model::fraud::Reason| {
        size + 120 + reason.rule.len() + reason.subject.as_ref().map_or(0, String::len)
    };
    own + 200 + decision.reasons.iter().fold(0, of_reasons)
}
