//! Several scans as one listing, newest first.
//!
//! One number has several addresses, each with a listing of its own, and sends
//! without a name of Twilio's have others. All have one order, so that a place
//! in one is a place in all of them: where a page of the whole ended, each scan
//! goes on. It refuses to know what is listed.

use crate::app::listing::Place;
use crate::app::messaging::MessagingError;
use crate::model::id::VerificationId;
use crate::store::{Index, Scan, Store};
use std::collections::VecDeque;

/// What stands before the id of a verification in a place: of one and the same
/// millisecond its sends come last. One that was shown and is then given its
/// name thus moves to before where the page ended, and is not shown again.
const SEND: char = '!';
/// Greater than whatever an id begins with.
const BEFORE_ALL: &str = "~";

/// Scans that are gone through together.
pub(super) struct Merged<'s> {
    store: &'s dyn Store,
    sources: Vec<Source>,
    after: Option<Place>,
    last: Option<Place>,
    /// What was met of the last one's millisecond.
    met: Vec<Place>,
}

struct Source {
    scan: Scan,
    /// What was listed and not yet taken, the newest first.
    waiting: VecDeque<Place>,
    is_last: bool,
}

impl<'s> Merged<'s> {
    /// These scans, from after that place on.
    pub fn new(store: &'s dyn Store, scans: Vec<Scan>, after: Option<Place>) -> Self {
        let source = |scan: Scan| Source {
            scan: Scan { after: after.clone().map(|place| within(scan.index, place)), ..scan },
            waiting: VecDeque::new(),
            is_last: false,
        };
        let sources = scans.into_iter().map(source).collect();
        Self { store, sources, last: after.clone(), after, met: Vec::new() }
    }

    /// Whether a place of the last one's millisecond was met here, or stands
    /// before where this begins.
    pub fn was_met(&self, place: &Place) -> bool {
        self.met.contains(place) || self.after.as_ref().is_some_and(|after| place >= after)
    }

    /// The next place; none comes twice.
    pub async fn next(&mut self) -> Result<Option<Place>, MessagingError> {
        loop {
            for source in &mut self.sources {
                source.fill(self.store).await?;
            }
            let waiting = self.sources.iter().filter_map(|source| source.waiting.front());
            let Some(next) = waiting.max().cloned() else {
                return Ok(None);
            };
            for source in &mut self.sources {
                if source.waiting.front() == Some(&next) {
                    source.waiting.pop_front();
                }
            }
            if self.last.as_ref().is_none_or(|last| next < *last) {
                if self.last.as_ref().is_some_and(|last| last.0 != next.0) {
                    self.met.clear();
                }
                self.met.push(next.clone());
                self.last = Some(next.clone());
                return Ok(Some(next));
            }
        }
    }
}

impl Source {
    async fn fill(&mut self, store: &dyn Store) -> Result<(), MessagingError> {
        if self.is_last || !self.waiting.is_empty() {
            return Ok(());
        }
        let entries = store.scan(&self.scan).await?;
        self.is_last = entries.len() < self.scan.limit;
        if let Some(last) = entries.last() {
            self.scan.after = Some((last.at, last.id.clone()));
        }
        let is_send = lists_sends(self.scan.index);
        let place = |at, id: String| (at, if is_send { send_place(&id) } else { id });
        self.waiting.extend(entries.into_iter().map(|entry| place(entry.at, entry.id)));
        Ok(())
    }
}

fn lists_sends(index: Index) -> bool {
    matches!(index, Index::Sends | Index::SendsTo)
}

/// The second half of a send's place: its verification's id, in which the
/// send's number may stand in the last two digits.
pub(super) fn send_place(id: &str) -> String {
    format!("{SEND}{id}")
}

/// The verification whose sends stand at a place, if that is what it is.
pub(super) fn verification_at(id: &str) -> Option<VerificationId> {
    id.strip_prefix(SEND)?.parse().ok()
}

/// Where a scan goes on after a place of the whole.
fn within(index: Index, (at, id): Place) -> Place {
    match (lists_sends(index), id.strip_prefix(SEND)) {
        (true, Some(own)) => (at, own.to_owned()),
        (true, None) => (at, BEFORE_ALL.to_owned()),
        (false, _) => (at, id),
    }
}
