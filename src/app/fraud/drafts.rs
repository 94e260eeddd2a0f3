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

/// Which pages are taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that are full or were closed before.
    Closed,
    /// The same, and what is open is closed.
    Open,
    /// All, also those that wait for a line: there is no later.
    All,
}

/// A page that is not written yet.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its id, as [`Page`] has it.
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

    /// A place that was given away stays empty, or was filled by [`Drafts::add`]. True where
    /// a page that takes no more lines waits for nothing any more.
    pub(super) fn release(&mut self, place: &DecisionId) -> bool {
        let open = self.open_page();
        let Some(at) = self.pages.iter().rposition(|page| page.is_of(place)) else { return false };
        let page = &mut self.pages[at];
        page.waits_for = page.waits_for.saturating_sub(1);
        page.bytes = page.bytes.saturating_sub(RESERVED);
        page.waits_for == 0 && open != Some(at)
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

    /// Takes out those that are to be written now: which take no more lines, and wait for
    /// none or have waited long enough.
    pub(super) fn take(&mut self, now: Timestamp, which: Which) -> Vec<Draft> {
        self.is_open &= which == Which::Closed && self.open_page().is_some();
        let closed = self.pages.len() - usize::from(self.is_open);
        let is_ready = |page: &mut Draft| {
            which == Which::All || page.waits_for == 0 || now.duration_since(page.began_at) >= LONGEST_WAIT
        };
        let ready: Vec<Draft> = self.pages.extract_if(..closed, is_ready).collect();
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

    /// The page that takes lines, if there is one.
    fn open_page(&self) -> Option<usize> {
        let has_room = self.is_open && self.pages.last().is_some_and(Draft::has_room);
        has_room.then(|| self.pages.len() - 1)
    }

    fn forget_oldest(&mut self) {
        let beyond = self.pages.len().saturating_sub(MOST_PAGES);
        self.lost += self.pages.drain(..beyond).map(|page| page.lines.len()).sum::<usize>();
    }

    fn open(&mut self, now: Timestamp, chance: impl FnOnce() -> String) -> &mut Draft {
        if self.open_page().is_none() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::channel::Channel;
    use crate::model::fraud::{About, Decision, Outcome};

    fn about() -> About {
        let name = Pseudonym([1; 8]);
        About {
            number: name,
            block100: name,
            block1000: name,
            range: "+4479".into(),
            country: "GB".into(),
            is_voip: false,
            looked_up: None,
            address: None,
            subnet: None,
            device: None,
            session: None,
            key: None,
            service: "VA1".into(),
            sender: None,
            channel: Channel::Sms,
            face: "api".into(),
            is_resend: false,
            micros: 0,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn line(id: &DecisionId) -> Entry {
        Entry::Decision(Box::new(Decision {
            id: id.clone(),
            at: at(0),
            about: about(),
            outcome: Outcome::Taken,
            code: None,
            until: None,
            reasons: Vec::new(),
            verification: None,
        }))
    }

    fn place(drafts: &mut Drafts, seconds: i64) -> DecisionId {
        drafts.place(at(seconds), || "0123456789ab".to_owned())
    }

    fn fill(drafts: &mut Drafts, id: &DecisionId) -> (bool, bool) {
        let is_full = drafts.add(line(id), at(0), || "ba9876543210".to_owned());
        (is_full, drafts.release(id))
    }

    #[test]
    fn a_page_waits_for_the_places_that_were_given_away_and_no_longer_than_is_bearable() {
        let mut drafts = Drafts::default();
        let (first, second) = (place(&mut drafts, 0), place(&mut drafts, 0));
        assert_eq!((&first.0[23..], &second.0[23..], &first.0[..23]), ("-1", "-2", &second.0[..23]));
        assert_eq!(fill(&mut drafts, &first), (false, false));
        assert_eq!(drafts.take(at(1), Which::Open).len(), 0, "it waits for the second");
        let other = place(&mut drafts, 1);
        assert!(other.0[..23] > first.0[..23], "what is closed takes no more");
        assert_eq!(fill(&mut drafts, &second), (false, true), "nothing is waited for");
        let [page] = &drafts.take(at(1), Which::Closed)[..] else { panic!("the first page") };
        assert_eq!((page.lines.len(), first.0.starts_with(&page.id)), (2, true));
        assert_eq!(drafts.take(at(2), Which::Closed).len(), 0, "what is open stays open");
        assert_eq!(drafts.take(at(9), Which::Open).len(), 0, "nothing came of it");
        assert_eq!(fill(&mut drafts, &other), (false, false), "its page is gone: it is in another one");
        assert_eq!(drafts.lines().count(), 1);
        let late = place(&mut drafts, 9);
        assert_eq!(drafts.take(at(9), Which::All).len(), 1);
        assert!(!drafts.release(&late));
    }

    #[test]
    fn a_full_page_is_closed_and_each_page_is_behind_the_one_before() {
        let mut drafts = Drafts::default();
        let ids: Vec<DecisionId> = (0..200).map(|_| place(&mut drafts, 0)).collect();
        for id in &ids {
            fill(&mut drafts, id);
        }
        let pages = drafts.take(at(0), Which::Open);
        assert!(pages.len() > 1 && pages.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(pages.iter().map(|page| page.lines.len()).sum::<usize>(), 200);
        for page in pages {
            let page = Page { id: page.id, at: at(0), lines: page.lines };
            assert!(serde_json::to_vec(&page).unwrap().len() < 60_000);
        }
    }

    #[test]
    fn what_cannot_be_written_is_kept_within_bounds() {
        let mut drafts = Drafts::default();
        for nth in 0..200 {
            let id = place(&mut drafts, nth);
            fill(&mut drafts, &id);
            let pages = drafts.take(at(nth), Which::Open);
            drafts.put_back(pages);
        }
        assert_eq!((drafts.lines().count(), drafts.lost(), drafts.lost()), (MOST_PAGES, 200 - MOST_PAGES, 0));
        drafts.forget(Pseudonym([1; 8]));
        assert!(drafts.lines().all(|line| line.about().number != Pseudonym([1; 8])));
    }
}
