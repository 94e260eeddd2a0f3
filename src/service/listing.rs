//! Pages of a listing: newest first, from a place on.

use super::{Service, ServiceError};
use crate::store::records::{self, Record};
use crate::store::{Index, Scan};
use jiff::Timestamp;

/// A place in a listing: a time, to the millisecond, and a record's id.
pub type Place = (Timestamp, String);

/// Which stretch of a listing is wanted.
#[derive(Debug, Clone)]
pub struct Window {
    /// At most so many.
    pub limit: usize,
    /// Strictly after this place: where the last page ended.
    pub after: Option<Place>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What was found, newest first.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Place>,
}

/// Entries that one request reads at most, whatever the filter passes over.
pub(super) const MOST_READ: usize = 2_000;
/// Entries that are read at once.
const AT_ONCE: usize = 100;

impl Service {
    /// The records of a listing that `takes` takes. A page may be short, or
    /// even empty, while `next` says that there is more.
    pub(super) async fn page<T: Record>(
        &self,
        scan: Scan,
        window: &Window,
        takes: impl Fn(&T) -> bool,
    ) -> Result<Page<T>, ServiceError> {
        let mut scan = Scan { after: window.after.clone(), ..scan };
        let mut page = Page { items: Vec::new(), next: None };
        let mut read = 0;
        loop {
            let entries = self.store().scan(&scan).await?;
            let is_last = entries.len() < scan.limit;
            let count = entries.len();
            for (nth, entry) in entries.into_iter().enumerate() {
                read += 1;
                let found = records::get::<T>(self.store(), &entry.id).await?;
                page.items.extend(found.map(|found| found.record).filter(&takes));
                scan.after = Some((entry.at, entry.id));
                let is_end = is_last && nth + 1 == count;
                if !is_end && (page.items.len() == window.limit || read == MOST_READ) {
                    page.next = scan.after;
                    return Ok(page);
                }
            }
            if is_last {
                return Ok(page);
            }
        }
    }
}

/// A scan of a whole listing.
pub(super) fn scan_of(index: Index, scope: impl Into<String>) -> Scan {
    Scan { index, scope: scope.into(), since: None, until: None, after: None, limit: AT_ONCE }
}

/// A page of what is in memory, by the same order: `place` says where each is.
pub(super) fn page_of<T>(items: Vec<T>, window: &Window, place: impl Fn(&T) -> Place) -> Page<T> {
    let mut items: Vec<(Place, T)> = items.into_iter().map(|item| (place(&item), item)).collect();
    items.sort_by(|(one, _), (other, _)| other.cmp(one));
    items.retain(|(place, _)| window.after.as_ref().is_none_or(|after| place < after));
    let is_more = items.len() > window.limit;
    items.truncate(window.limit);
    let next = items.last().filter(|_| is_more).map(|(place, _)| place.clone());
    Page { items: items.into_iter().map(|(_, item)| item).collect(), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_what_is_in_memory_hold_everything_once() {
        let all: Vec<u32> = (0..25).collect();
        let place = |n: &u32| (Timestamp::UNIX_EPOCH, format!("{n:02}"));
        let (mut seen, mut window) = (Vec::new(), Window { limit: 10, after: None });
        for left in [15, 5, 0] {
            let page = page_of(all.clone(), &window, place);
            seen.extend(page.items);
            assert_eq!(page.next.is_some(), left > 0);
            window.after = page.next;
        }
        assert_eq!(seen, all.into_iter().rev().collect::<Vec<_>>());
    }
}
