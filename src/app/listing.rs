//! Pages of a listing: newest first, from a place on.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::store::records::{self, Record};
use crate::store::{Entry, Index, Scan};
use jiff::Timestamp;
use std::time::{Duration, Instant};

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

/// A page of a listing, the newest first.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What was found, newest first.
    pub items: Vec<T>,
    /// Where to go on; `None` at the end.
    pub next: Option<Place>,
}

/// Entries that one request reads at most, whatever the filter passes over.
pub(in crate::app) const MOST_READ: usize = 2_000;
/// How long one request reads at most for a page that is not full: whoever looks
/// for what nobody has gets a short page, and where to go on.
pub(in crate::app) const LONGEST_PAGE: Duration = Duration::from_secs(2);
/// Entries that are read at once.
const AT_ONCE: usize = 100;

/// Whose records somebody may see.
pub(in crate::app) trait Whose<T>: Sync {
    /// Whether that is everybody's.
    fn is_all(&self) -> bool;

    /// Whether a record is among them.
    ///
    /// # Errors
    /// The store's.
    fn has(&self, record: &T) -> impl Future<Output = Result<bool, Fault>> + Send;
}

/// Everybody's records.
pub(in crate::app) struct All;

impl<T: Sync> Whose<T> for All {
    fn is_all(&self) -> bool {
        true
    }

    async fn has(&self, _: &T) -> Result<bool, Fault> {
        Ok(true)
    }
}

/// The records of a listing that `takes` takes. A page may be short, or
/// even empty, while `next` says that there is more.
pub(in crate::app) async fn page<T: Record>(
    base: &Base,
    scan: Scan,
    window: &Window,
    takes: impl Fn(&T) -> bool,
) -> Result<Page<T>, Fault> {
    let scopes = [scan.scope.clone()];
    page_over(base, &All, scan, &scopes, window, takes).await
}

/// A page of several parts of a listing, as if they were one: the spellings
/// of one person's number.
pub(in crate::app) async fn page_over<T: Record>(
    base: &Base,
    among: &impl Whose<T>,
    scan: Scan,
    scopes: &[String],
    window: &Window,
    takes: impl Fn(&T) -> bool,
) -> Result<Page<T>, Fault> {
    let mut scan = Scan { after: window.after.clone(), ..scan };
    let mut page = Page { items: Vec::new(), next: None };
    let (mut read, begun) = (0, Instant::now());
    loop {
        let entries = entries(base, &scan, scopes).await?;
        let is_last = entries.len() < scan.limit;
        let mut entries = entries.into_iter().peekable();
        while let Some(entry) = entries.next() {
            read += 1;
            let found = records::get::<T>(base.store(), &entry.id).await?;
            let taken = found.map(|found| found.record).filter(&takes);
            if let Some(record) = taken
                && among.has(&record).await?
            {
                page.items.push(record);
            }
            let is_end = is_last && entries.peek().is_none();
            let is_full = page.items.len() == window.limit;
            let is_between = entries.peek().is_some_and(|next| next.at != entry.at);
            let is_enough =
                (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (among.is_all() || is_between);
            scan.after = Some((entry.at, entry.id));
            if !is_end && (is_full || is_enough) {
                page.next = scan.after.map(|(at, id)| match is_full || among.is_all() {
                    true => (at, id),
                    // The last thing read may be another service's, and its name
                    // is not to be told: all of its millisecond was read.
                    false => (at, String::new()),
                });
                return Ok(page);
            }
        }
        if is_last {
            return Ok(page);
        }
    }
}

/// A stretch of several parts of a listing, in the order of one.
pub(in crate::app) async fn entries(
    base: &Base,
    scan: &Scan,
    scopes: &[String],
) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for scope in scopes {
        entries.extend(base.store().scan(&Scan { scope: scope.clone(), ..scan.clone() }).await?);
    }
    // What stands in two parts is one line.
    entries.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    entries.dedup_by(|one, other| (one.at, &one.id) == (other.at, &other.id));
    entries.truncate(scan.limit);
    Ok(entries)
}

/// A scan of a whole listing.
pub(in crate::app) fn scan_of(index: Index, scope: impl Into<String>) -> Scan {
    Scan { index, scope: scope.into(), since: None, until: None, after: None, limit: AT_ONCE }
}

/// A page of what is in memory, by the same order: `place` says where each is.
pub(in crate::app) fn page_of<T>(items: Vec<T>, window: &Window, place: impl Fn(&T) -> Place) -> Page<T> {
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
