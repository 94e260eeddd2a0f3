//! Events read again: a page of the past, or one after another as they come.

use super::seats::Seat;
use super::{Events, Service, ServiceError};
use crate::model::audit::Actor;
use crate::model::id::NoticeId;
use crate::model::key::ServiceSet;
use crate::model::notice::{Notice, Wish};
use crate::model::owner::Owned;
use crate::service::listing::{Page, Window};
use crate::store::records;
use crate::store::{Entry, Index, Scan};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Of these topics; empty for all.
    pub wishes: BTreeSet<Wish>,
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

/// Events in order, from a place on, for as long as somebody asks.
///
/// Where several processes write, one of them may write an event late, with an
/// id before others that were read already. So the last seconds are looked
/// through again and again, what was told is remembered, and who comes back with
/// the last id it saw is told those seconds once more.
pub struct Feed {
    service: Service,
    /// Whose events.
    services: ServiceSet,
    last: NoticeId,
    told: BTreeSet<NoticeId>,
    looked: Option<Instant>,
    wishes: BTreeSet<Wish>,
    written: watch::Receiver<Option<u64>>,
    /// What was written when everything that could be read had been.
    seen: Option<u64>,
    _place: Seat,
}

impl Service {
    /// An event.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn event(&self, id: &NoticeId) -> Result<Notice, ServiceError> {
        let found = records::get::<Notice>(self.store(), id.as_str()).await?;
        found.map(|found| found.record).ok_or(ServiceError::NotFound)
    }

    /// Lists events, the newest first. A page may be short, or even empty, while
    /// `next` says that there is more.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(&self, filter: &EventFilter, window: &Window) -> Result<Page<Notice>, ServiceError> {
        self.events_among(&ServiceSet::all(), filter, window).await
    }

    /// The same, of these services.
    pub(in crate::service) async fn events_among(
        &self,
        services: &ServiceSet,
        filter: &EventFilter,
        window: &Window,
    ) -> Result<Page<Notice>, ServiceError> {
        let scan = Scan { since: filter.since, until: filter.until, ..all(PAGE) };
        let scopes = [scan.scope.clone()];
        self.page_among(services, scan, &scopes, window, |notice| takes(&filter.wishes, notice)).await
    }

    /// Events as they come, after the given one or from now on. `None` when
    /// there are as many streams as there may be, or the service stops.
    pub fn feed(&self, after: Option<NoticeId>, wishes: BTreeSet<Wish>) -> Option<Feed> {
        self.feed_among(&Actor::caller("own"), ServiceSet::all(), after, wishes)
    }

    /// The same, of these services, for somebody who may have so many and no more.
    pub(in crate::service) fn feed_among(
        &self,
        who: &Actor,
        services: ServiceSet,
        after: Option<NoticeId>,
        wishes: BTreeSet<Wish>,
    ) -> Option<Feed> {
        let events: &Events = &self.0.events;
        let written = events.shared.written.subscribe();
        if written.borrow().is_none() {
            return None;
        }
        let place = events.stream(who)?;
        let last = match after {
            Some(after) if self.store().is_shared() => NoticeId::new(super::after(after.at(), -LATE), 0),
            Some(after) => after,
            None => events.shared.tide.horizon(self.now()).previous(),
        };
        let (told, looked) = (BTreeSet::new(), None);
        let (service, seen) = (self.clone(), None);
        Some(Feed { service, services, last, told, looked, wishes, written, seen, _place: place })
    }

    /// The ids after one, in order, up to a horizon; a stretch of them. There are
    /// none when it was looked through to that.
    async fn onward(&self, last: &NoticeId, horizon: &NoticeId) -> Result<Vec<NoticeId>, ServiceError> {
        let end = super::after(horizon.at(), LEAST_STRETCH);
        let (mut since, mut span) = (last.at(), STRETCH);
        while since < end {
            let until = super::after(since, span).min(end);
            let mut entries = self.stretch(since, until, PAGE + 1).await?;
            if entries.len() > PAGE && span > LEAST_STRETCH {
                span = SignedDuration::from_millis((span.as_millis() / 8).max(1) as i64);
                continue;
            }
            if entries.len() > PAGE {
                entries = self.stretch(since, until, usize::MAX).await?;
            }
            let ids = entries.into_iter().rev().filter_map(|entry| entry.id.parse::<NoticeId>().ok());
            let ids: Vec<NoticeId> = ids.filter(|id| id > last && id < horizon).collect();
            if !ids.is_empty() {
                return Ok(ids);
            }
            (since, span) = (until, span.saturating_mul(8));
        }
        Ok(Vec::new())
    }

    /// The entries of a stretch of time, newest first, `most` at most.
    async fn stretch(
        &self,
        since: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<Entry>, ServiceError> {
        let mut scan = Scan { since: Some(since), until: Some(until), ..all(most.min(PAGE * 5)) };
        let mut found = Vec::new();
        loop {
            let entries = self.store().scan(&scan).await?;
            let is_last = entries.len() < scan.limit;
            found.extend(entries);
            if is_last || found.len() >= most {
                return Ok(found);
            }
            scan.after = found.last().map(|entry| (entry.at, entry.id.clone()));
        }
    }
}

impl Feed {
    /// The next events, as soon as there are some; `None` when the service stops.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Vec<Notice>>, ServiceError> {
        loop {
            let Some(written) = *self.written.borrow_and_update() else {
                return Ok(None);
            };
            let ids = self.fresh(written).await?;
            let mut notices = Vec::new();
            for id in &ids {
                let notice = records::get::<Notice>(self.service.store(), id.as_str()).await?;
                let notice = notice.map(|found| found.record);
                if let Some(notice) = notice.filter(|notice| takes(&self.wishes, notice))
                    && self.service.is_among(&self.services, notice.owner()).await?
                {
                    notices.push(notice);
                }
            }
            if !notices.is_empty() {
                return Ok(Some(notices));
            }
            if ids.is_empty() {
                // Ends by news, or to look for what another process wrote. The
                // sender lives as long as the service.
                let _ = tokio::time::timeout(LOOK_EVERY, self.written.changed()).await;
            }
        }
    }

    /// The ids that come next, where this process alone writes: from where it was
    /// looked through to, and nothing when nothing was written since.
    async fn onward(&mut self, written: u64) -> Result<Vec<NoticeId>, ServiceError> {
        if self.seen == Some(written) {
            return Ok(Vec::new());
        }
        let (horizon, is_all) = self.service.0.events.shared.tide.look(self.service.now());
        let ids = self.service.onward(&self.last, &horizon).await?;
        self.last = match ids.last() {
            Some(last) => last.clone(),
            None => {
                self.seen = is_all.then_some(written);
                horizon.previous().max(self.last.clone())
            }
        };
        Ok(ids)
    }

    /// The ids that come next, and that were not told yet.
    async fn fresh(&mut self, written: u64) -> Result<Vec<NoticeId>, ServiceError> {
        if !self.service.store().is_shared() {
            return self.onward(written).await;
        }
        if let Some(looked) = self.looked {
            tokio::time::sleep_until((looked + REST).into()).await;
        }
        let mut place = self.last.clone();
        loop {
            // Where several write nothing is certain, and all there is counts.
            let horizon = NoticeId::new(super::after(self.service.now(), LATE), 0);
            let ids = self.service.onward(&place, &horizon).await?;
            self.looked = Some(Instant::now());
            let settled = NoticeId::new(super::after(self.service.now(), -LATE), 0);
            let Some(end) = ids.last() else { return Ok(ids) };
            place = end.clone();
            self.last = ids.iter().filter(|id| **id < settled).max().unwrap_or(&self.last).clone();
            let fresh: Vec<NoticeId> = ids.into_iter().filter(|id| !self.told.contains(id)).collect();
            self.told.extend(fresh.iter().cloned());
            self.told.retain(|id| *id > self.last);
            if !fresh.is_empty() {
                return Ok(fresh);
            }
        }
    }
}

fn takes(wishes: &BTreeSet<Wish>, notice: &Notice) -> bool {
    wishes.is_empty() || wishes.iter().any(|wish| wish.takes(notice.news.topic))
}

fn all(limit: usize) -> Scan {
    Scan { index: Index::Events, scope: String::new(), since: None, until: None, after: None, limit }
}
