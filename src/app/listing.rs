//! Pages of a listing: newest first, from a place on.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::store::records::{self, Record};
use crate::store::{Index, Listed, Scan};
use jiff::Timestamp;
use std::cmp::Reverse;
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
/// Lines that are read at once: by one who does not know how many are needed, and at
/// most. Each comes with its record.
const AT_ONCE: usize = 100;
const MOST_AT_ONCE: usize = 512;
/// Lines beyond a page's that are read with it: some lead to what is gone.
const SPARE: usize = 8;

/// Whose records somebody may see.
pub(in crate::app) trait Whose<T>: Sync {
    /// Whether that is everybody's.
    fn is_all(&self) -> bool;

    /// Which of these records are among them.
    ///
    /// # Errors
    /// The store's.
    fn have(&self, records: &[&T]) -> impl Future<Output = Result<Vec<bool>, Fault>> + Send;
}

/// Everybody's records: for whoever may see all of them.
pub(in crate::app) struct All;

impl<T: Sync> Whose<T> for All {
    fn is_all(&self) -> bool {
        true
    }

    async fn have(&self, records: &[&T]) -> Result<Vec<bool>, Fault> {
        Ok(vec![true; records.len()])
    }
}

/// How many lines are read at once: as many as a page needs, then twice as many each
/// time, for who has to go far may have to go very far.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Steps(usize);

impl Steps {
    /// For a page of so many.
    pub fn for_page_of(limit: usize) -> Self {
        Self(limit.saturating_add(1 + SPARE).min(MOST_AT_ONCE))
    }

    /// For who goes through all.
    pub fn through_all() -> Self {
        Self(MOST_AT_ONCE)
    }

    /// How many lines to read now.
    pub fn next(&mut self) -> usize {
        let step = self.0;
        self.0 = (2 * step).min(MOST_AT_ONCE);
        step
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
    let (mut read, begun, mut steps) = (0, Instant::now(), Steps::for_page_of(window.limit));
    loop {
        scan.limit = steps.next();
        let lines = lines(base, &scan, scopes).await?;
        let is_last = lines.len() < scan.limit;
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            // Who may see all takes no more than the page has room for: what is behind it
            // concerns nobody, readable or not.
            let most = if among.is_all() { window.limit - page.items.len() } else { usize::MAX };
            let some = taken(&mut lines, most, &takes)?;
            let mut some = only_own(among, some).await?.into_iter().peekable();
            while let Some((line, record)) = some.next() {
                read += 1;
                page.items.extend(record);
                let next = some.peek().map(|(next, _)| next).or(lines.peek());
                let is_end = is_last && next.is_none();
                let is_full = page.items.len() == window.limit;
                let is_between = next.is_some_and(|next| next.entry.at != line.entry.at);
                let is_enough =
                    (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (among.is_all() || is_between);
                scan.after = Some((line.entry.at, line.entry.id));
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
        }
        if is_last {
            return Ok(page);
        }
    }
}

/// The next lines, until so many are taken, each with its record if it is.
fn taken<T: Record>(
    lines: &mut impl Iterator<Item = Listed>,
    most: usize,
    takes: &impl Fn(&T) -> bool,
) -> Result<Vec<(Listed, Option<T>)>, Fault> {
    let (mut some, mut taken) = (Vec::new(), 0);
    while taken < most
        && let Some(line) = lines.next()
    {
        let record = records::listed::<T>(&line)?.map(|found| found.record).filter(takes);
        taken += usize::from(record.is_some());
        some.push((line, record));
    }
    Ok(some)
}

/// The same without the records that are others'.
pub(in crate::app) async fn only_own<L, T>(
    among: &impl Whose<T>,
    mut some: Vec<(L, Option<T>)>,
) -> Result<Vec<(L, Option<T>)>, Fault> {
    if among.is_all() {
        return Ok(some);
    }
    let records: Vec<&T> = some.iter().filter_map(|(_, record)| record.as_ref()).collect();
    let mut are_own = among.have(&records).await?.into_iter();
    for (_, record) in some.iter_mut().filter(|(_, record)| record.is_some()) {
        if !are_own.next().unwrap_or(false) {
            *record = None;
        }
    }
    Ok(some)
}

/// A stretch of several parts of a listing, in the order of one, with the records.
pub(in crate::app) async fn lines(base: &Base, scan: &Scan, scopes: &[String]) -> Result<Vec<Listed>, Fault> {
    let scans: Vec<Scan> = scopes.iter().map(|scope| Scan { scope: scope.clone(), ..scan.clone() }).collect();
    let mut lines: Vec<Listed> = base.store().list(&scans).await?.into_iter().flatten().collect();
    // What stands in two parts is one line.
    if scopes.len() > 1 {
        lines.sort_by_cached_key(|line| Reverse(line.entry.place()));
        lines.dedup_by_key(|line| line.entry.place());
    }
    lines.truncate(scan.limit);
    Ok(lines)
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
