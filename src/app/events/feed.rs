//! Events read again: a page of the past, or one after another as they come.

use crate::app::base::Base;
use crate::app::events::seats::Seat;
use crate::app::events::telling::{self, after};
use crate::app::events::{Events, Telling};
use crate::app::fault::Fault;
use crate::app::listing::{Page, Window};
use crate::app::services::{Directory, among};
use crate::model::audit::Actor;
use crate::model::event::{Event, EventFilter};
use crate::model::id::EventId;
use crate::model::key::ServiceSet;
use crate::model::owner::Owned;
use crate::store::{Entry, Index, Mark, Scan, records};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Of these types; empty for all.
    pub filters: BTreeSet<EventFilter>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// Entries that are read at once.
const PAGE: usize = 200;
/// How often a stream looks for what another process wrote.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first stretch of time that is looked through for what comes next.
const STRETCH: SignedDuration = SignedDuration::from_secs(1);
const LEAST_STRETCH: SignedDuration = SignedDuration::from_millis(1);

/// How late an event of another process may be read: by how much clocks differ,
/// and how long a commit may take.
const LATE: SignedDuration = SignedDuration::from_secs(15);
/// Looks at the same stretch again are so far apart at least.
const REST: Duration = Duration::from_millis(100);

/// How far back an event may have happened that comes now: whatever clocks say,
/// nothing that old is news.
const OLDEST: SignedDuration = SignedDuration::from_hours(1);

/// Events in order, from a place on, for as long as somebody asks.
///
/// Where several processes write, one of them may write an event late, with an
/// id before others that were read already. So who comes back with the last id it
/// saw is told the last seconds once more; and from then on it is read what has
/// come, as the store says. Where a store cannot say, the last seconds are looked
/// through again and again, and what was told is remembered.
pub struct Feed {
    telling: Arc<Telling>,
    /// The services whose events are shown.
    services: ServiceSet,
    last: EventId,
    told: BTreeSet<EventId>,
    looked: Option<Instant>,
    reading: Reading,
    filters: BTreeSet<EventFilter>,
    written: watch::Receiver<Option<u64>>,
    /// What was written when everything that could be read had been.
    seen: Option<u64>,
    _place: Seat,
}

/// What is read where several processes write.
#[derive(Clone)]
enum Reading {
    /// Nothing was read yet.
    Nothing,
    /// What had happened at a time, when this had come.
    Past(Mark, Timestamp),
    /// What has come since, last at a time.
    Arrivals(Mark, Timestamp),
    /// The last seconds again and again.
    LastSeconds,
}

/// An event.
///
/// # Errors
/// Not found, or the store's.
pub async fn event(base: &Base, id: &EventId) -> Result<Event, Fault> {
    let found = records::get::<Event>(base.store(), id.as_str()).await?;
    found.map(|found| found.record).ok_or(Fault::NotFound)
}

/// Lists events, the newest first. A page may be short, or even empty, while
/// `next` says that there is more.
///
/// # Errors
/// The store's.
pub async fn events(
    directory: &Directory,
    filter: &EventQuery,
    window: &Window,
) -> Result<Page<Event>, Fault> {
    events_among(directory, &ServiceSet::all(), filter, window).await
}

/// The same, of these services.
pub(in crate::app) async fn events_among(
    directory: &Directory,
    services: &ServiceSet,
    filter: &EventQuery,
    window: &Window,
) -> Result<Page<Event>, Fault> {
    let scan = Scan { since: filter.since, until: filter.until, ..all(PAGE) };
    let scopes = [scan.scope.clone()];
    among::page_among(directory, services, scan, &scopes, window, |event| takes(&filter.filters, event)).await
}

/// Events as they come, after the given one or from now on. `None` when
/// there are as many streams as there may be, or the server stops.
pub fn feed(telling: &Arc<Telling>, after: Option<EventId>, filters: BTreeSet<EventFilter>) -> Option<Feed> {
    feed_among(telling, &Actor::caller("own"), ServiceSet::all(), after, filters)
}

/// The same, of these services, for somebody who may have so many and no more.
pub(in crate::app) fn feed_among(
    telling: &Arc<Telling>,
    who: &Actor,
    services: ServiceSet,
    after: Option<EventId>,
    filters: BTreeSet<EventFilter>,
) -> Option<Feed> {
    let events: &Events = &telling.events;
    let written = events.shared.written.subscribe();
    if written.borrow().is_none() {
        return None;
    }
    let place = events.stream(who)?;
    let last = match after {
        Some(after) if telling.base.store().is_shared() => EventId::new(telling::after(after.at(), -LATE), 0),
        Some(after) => after,
        None => events.shared.watermarks.watermark(telling.base.now()).previous(),
    };
    let (told, looked, reading) = (BTreeSet::new(), None, Reading::Nothing);
    let (telling, seen) = (telling.clone(), None);
    Some(Feed { telling, services, last, told, looked, reading, filters, written, seen, _place: place })
}

/// The ids after one, in order, up to a watermark; a stretch of them. There are
/// none when it was looked through to that.
async fn onward(base: &Base, last: &EventId, watermark: &EventId) -> Result<Vec<EventId>, Fault> {
    let end = after(watermark.at(), LEAST_STRETCH);
    let (mut since, mut span) = (last.at(), STRETCH);
    while since < end {
        let until = after(since, span).min(end);
        let mut entries = stretch(base, since, until, PAGE + 1).await?;
        if entries.len() > PAGE && span > LEAST_STRETCH {
            span = SignedDuration::from_millis((span.as_millis() / 8).max(1) as i64);
            continue;
        }
        if entries.len() > PAGE {
            entries = stretch(base, since, until, usize::MAX).await?;
        }
        let ids = entries.into_iter().rev().filter_map(|entry| entry.id.parse::<EventId>().ok());
        let ids: Vec<EventId> = ids.filter(|id| id > last && id < watermark).collect();
        if !ids.is_empty() {
            return Ok(ids);
        }
        (since, span) = (until, span.saturating_mul(8));
    }
    Ok(Vec::new())
}

/// The entries of a stretch of time, newest first, `most` at most.
async fn stretch(base: &Base, since: Timestamp, until: Timestamp, most: usize) -> Result<Vec<Entry>, Fault> {
    let mut scan = Scan { since: Some(since), until: Some(until), ..all(most.min(PAGE * 5)) };
    let mut found = Vec::new();
    loop {
        let entries = base.store().scan(&scan).await?;
        let is_last = entries.len() < scan.limit;
        found.extend(entries);
        if is_last || found.len() >= most {
            return Ok(found);
        }
        scan.after = found.last().map(Entry::place);
    }
}

impl Feed {
    /// The next events, as soon as there are some; `None` when the server stops.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Vec<Event>>, Fault> {
        loop {
            let Some(written) = *self.written.borrow_and_update() else {
                return Ok(None);
            };
            let ids = self.fresh(written).await?;
            let events = self.read(&ids).await?;
            if !events.is_empty() {
                return Ok(Some(events));
            }
            if ids.is_empty() {
                // Ends by an event, or to look for what another process wrote. The
                // sender lives as long as the server.
                let _ = tokio::time::timeout(LOOK_EVERY, self.written.changed()).await;
            }
        }
    }

    /// Those events that are there, and are told here.
    async fn read(&self, ids: &[EventId]) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::with_capacity(ids.len());
        for some in ids.chunks(PAGE) {
            let found =
                records::get_many::<Event>(self.telling.base.store(), some.iter().map(EventId::as_str))
                    .await?;
            let found = found.into_iter().flatten().map(|found| found.record);
            events.extend(found.filter(|event| takes(&self.filters, event)));
        }
        let owners = events.iter().map(Owned::owner).collect();
        let are = among::are_among(&self.telling.directory, &self.services, owners).await?;
        Ok(events.into_iter().zip(are).filter(|(_, is_own)| *is_own).map(|(event, _)| event).collect())
    }

    /// The ids that come next, where this process alone writes: from where it was
    /// looked through to, and nothing when nothing was written since.
    async fn onward(&mut self, written: u64) -> Result<Vec<EventId>, Fault> {
        if self.seen == Some(written) {
            return Ok(Vec::new());
        }
        let (watermark, is_all) = self.telling.events.shared.watermarks.look(self.telling.base.now());
        let ids = onward(&self.telling.base, &self.last, &watermark).await?;
        self.last = match ids.last() {
            Some(last) => last.clone(),
            None => {
                self.seen = is_all.then_some(written);
                watermark.previous().max(self.last.clone())
            }
        };
        Ok(ids)
    }

    /// The ids that come next, and that were not told yet.
    async fn fresh(&mut self, written: u64) -> Result<Vec<EventId>, Fault> {
        if !self.telling.base.store().is_shared() {
            return self.onward(written).await;
        }
        loop {
            match self.reading.clone() {
                Reading::Nothing => {
                    let now = self.telling.base.now();
                    let begun = self.telling.base.store().arrivals(None, now, 0).await?;
                    self.reading = begun.map_or(Reading::LastSeconds, |begun| Reading::Past(begun.mark, now));
                }
                Reading::Past(mark, at) => {
                    let ids = self.past(mark, at).await?;
                    if !ids.is_empty() {
                        return Ok(ids);
                    }
                }
                Reading::Arrivals(mark, at) => {
                    let ids = self.arrivals(mark, at).await?;
                    if !ids.is_empty() || self.looked.is_some() {
                        return Ok(ids);
                    }
                }
                Reading::LastSeconds => return self.last_seconds().await,
            }
        }
    }

    /// What had happened before a time, a stretch at once; behind it, at once, what
    /// had by clocks that are ahead.
    async fn past(&mut self, mark: Mark, at: Timestamp) -> Result<Vec<EventId>, Fault> {
        let mut ids = onward(&self.telling.base, &self.last, &EventId::new(at, 0)).await?;
        if ids.is_empty() {
            let ahead = stretch(&self.telling.base, at, after(at, LATE), usize::MAX).await?;
            let ahead = ahead.into_iter().rev().filter_map(|entry| entry.id.parse::<EventId>().ok());
            ids = ahead.filter(|id| *id > self.last).collect();
            self.reading = Reading::Arrivals(mark, at);
        }
        self.last = ids.last().unwrap_or(&self.last).clone();
        // These may come once more as what came since.
        let late = EventId::new(after(at, -LATE), 0);
        self.told.extend(ids.iter().filter(|id| **id > late).cloned());
        Ok(ids)
    }

    /// What has come since, however late it was written and whoever wrote it.
    async fn arrivals(&mut self, mark: Mark, at: Timestamp) -> Result<Vec<EventId>, Fault> {
        if let Some(looked) = self.looked {
            tokio::time::sleep_until((looked + REST).into()).await;
        }
        let now = self.telling.base.now();
        let found = self.telling.base.store().arrivals(Some(&mark), after(at, -OLDEST), PAGE).await;
        let Some(found) = found? else { return Ok(Vec::new()) };
        let ids = found.ids.iter().filter_map(|id| id.parse::<EventId>().ok());
        let mut ids: Vec<EventId> = ids.filter(|id| !self.told.contains(id)).collect();
        ids.sort();
        self.looked = found.is_all.then(Instant::now);
        if found.is_all {
            self.told.clear();
        }
        self.reading = Reading::Arrivals(found.mark, if found.is_all { now } else { at });
        Ok(ids)
    }

    /// What of the last seconds was not told yet.
    async fn last_seconds(&mut self) -> Result<Vec<EventId>, Fault> {
        if let Some(looked) = self.looked {
            tokio::time::sleep_until((looked + REST).into()).await;
        }
        let mut place = self.last.clone();
        loop {
            // Where several write nothing is certain, and all there is counts.
            let watermark = EventId::new(after(self.telling.base.now(), LATE), 0);
            let ids = onward(&self.telling.base, &place, &watermark).await?;
            self.looked = Some(Instant::now());
            let settled = EventId::new(after(self.telling.base.now(), -LATE), 0);
            let Some(end) = ids.last() else { return Ok(ids) };
            place = end.clone();
            self.last = ids.iter().filter(|id| **id < settled).max().unwrap_or(&self.last).clone();
            let fresh: Vec<EventId> = ids.into_iter().filter(|id| !self.told.contains(id)).collect();
            self.told.extend(fresh.iter().cloned());
            self.told.retain(|id| *id > self.last);
            if !fresh.is_empty() {
                return Ok(fresh);
            }
        }
    }
}

fn takes(filters: &BTreeSet<EventFilter>, event: &Event) -> bool {
    filters.is_empty() || filters.iter().any(|filter| filter.takes(event.body.event_type))
}

fn all(limit: usize) -> Scan {
    Scan { index: Index::Events, scope: String::new(), since: None, until: None, after: None, limit }
}
