//! Several scans as one listing, newest first.
//!
//! One number has several addresses, each with a listing of its own, and sends
//! without a name of Twilio's have others. All have one order, so that a place
//! in one is a place in all of them: where a page of the whole ended, each scan
//! goes on. It refuses to know what is listed.

use crate::app::listing::{Place, Steps};
use crate::app::messaging::MessagingError;
use crate::model::id::VerificationId;
use crate::store::{Index, Listed, Scan, Store, Stored};

/// What stands before the id of a verification in a place: of one and the same
/// millisecond its sends come last. One that was shown and is then given its
/// name thus moves to before where the page ended, and is not shown again.
const SEND: char = '!';
/// Greater than whatever an id begins with.
const BEFORE_ALL: &str = "~";

/// Scans that are gone through together, a stretch of all at once: what was moved from
/// one to another meanwhile is then met in one of them.
pub(super) struct Merged<'s> {
    store: &'s dyn Store,
    scans: Vec<Scan>,
    steps: Steps,
    last: Option<Place>,
    is_over: bool,
}

/// A place, and the record that its line leads to.
pub(super) type Line = (Place, Option<Stored>);

impl<'s> Merged<'s> {
    /// These scans, from after that place on.
    pub fn new(store: &'s dyn Store, scans: Vec<Scan>, after: Option<Place>, steps: Steps) -> Self {
        Self { store, scans, steps, last: after, is_over: false }
    }

    /// The next stretch; none comes twice, and `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Line>>, MessagingError> {
        if self.is_over {
            return Ok(None);
        }
        let limit = self.steps.next();
        for scan in &mut self.scans {
            scan.after = self.last.clone().map(|place| within(scan.index, place));
            scan.limit = limit;
        }
        let stretches = self.store.list(&self.scans).await?;
        // As far as the shortest of those reaches that go on.
        let ends = stretches.iter().filter(|stretch| stretch.len() == limit);
        let end = ends.filter_map(|stretch| stretch.last()).map(place_of).max();
        self.is_over = end.is_none();
        let mut lines: Vec<Line> =
            stretches.into_iter().flatten().map(|line| (place_of(&line), line.stored)).collect();
        lines.sort_by(|one, other| other.0.cmp(&one.0));
        lines.dedup_by(|one, other| one.0 == other.0);
        lines.retain(|(place, _)| self.last.as_ref().is_none_or(|last| place < last));
        if let Some(end) = end {
            // What is moved within a millisecond is met as long as nothing of that was
            // passed over; one that is longer than a stretch is cut all the same.
            let before = lines.partition_point(|(place, _)| place.0 > end.0);
            let until_it = lines.partition_point(|(place, _)| *place >= end);
            lines.truncate(if before > 0 { before } else { until_it });
        }
        self.last = lines.last().map(|(place, _)| place.clone()).or(self.last.take());
        Ok(Some(lines))
    }
}

fn place_of(line: &Listed) -> Place {
    let (at, id) = (line.entry.at, &line.entry.id);
    (at, if lists_sends(line.entry.index) { send_place(id) } else { id.clone() })
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
