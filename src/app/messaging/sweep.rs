//! Compares the account's lists at the provider with what is known: what was never heard of,
//! what has another status, and what it costs.
//!
//! A list is read page by page, at a bounded rate, and what is told goes the way of a
//! callback's report, marked as reconciled. Nothing is written of what is known already. A
//! sweep that cannot go on keeps what it has taken and says why. It refuses to send anything.

use crate::app::fault::Fault;
use crate::app::messaging::{Messaging, MessagingError, callback};
use crate::gateway::{ListPage, Listed, Listing, SendError};
use crate::model::delivery::Delivery;
use crate::model::phone::mask;
use crate::model::status::Status;
use crate::store::records;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// From the beginning of one page to the next: two pages a second at most.
const PAGE_EVERY: Duration = Duration::from_millis(500);
/// Pages of one sweep at most; the rest is another sweep's.
const MOST_PAGES: u32 = 20_000;
/// How often a page is asked for, where it was not refused for good.
const TRIES: u32 = 3;
/// The wait before the second try; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest that is waited for; whoever wants more is asked another time.
const LONGEST_REST: Duration = Duration::from_secs(20);
/// Changes that are told one by one.
const MOST_CHANGES: usize = 50;
/// Why nothing is compared where nobody keeps a list.
const NO_LIST: &str = "nobody keeps a list of what was sent here: the gateway is the console, or the sandbox \
                       does not run";

/// What a sweep is to do.
#[derive(Debug, Clone, Copy)]
pub struct SweepPlan {
    /// From when on.
    pub since: Timestamp,
    /// How long deliveries are kept: what is older is not brought back. `None` for ever.
    pub kept: Option<SignedDuration>,
    /// Whether it only tells what it would write.
    pub is_dry: bool,
}

/// What a sweep has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// From when on it has looked.
    pub since: Timestamp,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// In the list of messages.
    pub messages: Counts,
    /// In the list of calls.
    pub calls: Counts,
    /// What changed, one by one: the first 50 of all.
    pub changes: Vec<Changed>,
    /// Why the lists were not read to their end; `null` where they were.
    pub stopped: Option<String>,
}

/// What was found in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many messages or calls were in it, since that time.
    pub seen: u64,
    /// How many of them had never been heard of.
    pub new: u64,
    /// Of how many others more is known now.
    pub changed: u64,
    /// How many of these have another status.
    pub moved: u64,
    /// The price of how many that were seen is told.
    pub priced: u64,
    /// How many were passed over, because they do not read or are another account's here.
    pub passed_over: u64,
}

/// A delivery that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The provider's name for it.
    pub sid: String,
    /// Its recipient, masked.
    pub to: Option<String>,
    /// Its status before; `null` of one that had never been heard of.
    pub was: Option<Status>,
    /// Its status now.
    pub is: Option<Status>,
    /// Whether it had never been heard of.
    pub is_new: bool,
}

/// A sweep under way.
pub struct Sweep<'m> {
    messaging: &'m Messaging,
    plan: SweepPlan,
    /// Which page comes next.
    next: Option<(Listing, Option<String>)>,
    pages: u32,
    swept: Swept,
}

impl<'m> Sweep<'m> {
    /// One that has not begun.
    pub fn new(messaging: &'m Messaging, plan: SweepPlan) -> Self {
        let oldest = plan.kept.and_then(|kept| messaging.base.now().checked_sub(kept).ok());
        let plan = SweepPlan { since: plan.since.max(oldest.unwrap_or(Timestamp::MIN)), ..plan };
        let swept = Swept {
            since: plan.since,
            dry_run: plan.is_dry,
            messages: Counts::default(),
            calls: Counts::default(),
            changes: Vec::new(),
            stopped: None,
        };
        Self { messaging, plan, next: Some((Listing::Messages, None)), pages: 0, swept }
    }

    /// Takes one page; false when there is none more, or the sweep cannot go on. A page of
    /// which something was not written is to be taken again by another sweep.
    ///
    /// # Errors
    /// The store's.
    pub async fn step(&mut self) -> Result<bool, MessagingError> {
        let Some((listing, page)) = self.next.take() else { return Ok(false) };
        let begun = Instant::now();
        let ListPage { items, unread, next } = match self.read(listing, page.as_deref()).await {
            Ok(page) => page,
            Err(why) => {
                self.stop(why);
                return Ok(false);
            }
        };
        self.found(listing).passed_over += unread as u64;
        self.take_all(listing, items).await?;
        self.pages += 1;
        self.next = match (listing, next) {
            (_, Some(_)) if self.pages == MOST_PAGES => {
                self.stop(format!("the lists have more than {MOST_PAGES} pages: sweep a shorter time"));
                None
            }
            (_, Some(page)) => Some((listing, Some(page))),
            (Listing::Messages, None) => Some((Listing::Calls, None)),
            (Listing::Calls, None) => None,
        };
        if self.next.is_some() {
            tokio::time::sleep(PAGE_EVERY.saturating_sub(begun.elapsed())).await;
        }
        Ok(self.next.is_some())
    }

    /// How many messages and calls were seen so far.
    pub fn seen(&self) -> u64 {
        self.swept.messages.seen + self.swept.calls.seen
    }

    /// Goes no further, for that reason.
    pub(in crate::app) fn stop(&mut self, why: impl Into<String>) {
        self.next = None;
        self.swept.stopped = Some(why.into());
    }

    /// What was found so far.
    pub fn end(self) -> Swept {
        self.swept
    }

    fn found(&mut self, listing: Listing) -> &mut Counts {
        match listing {
            Listing::Messages => &mut self.swept.messages,
            Listing::Calls => &mut self.swept.calls,
        }
    }

    /// A page of the list, or why there is none.
    async fn read(&self, listing: Listing, page: Option<&str>) -> Result<ListPage, String> {
        let Messaging { gateway, courtesy, .. } = self.messaging;
        let (mut rest, mut why) = (courtesy.left(), "the provider wants to be left alone".to_owned());
        for turn in 0..TRIES {
            if rest > LONGEST_REST {
                return Err(format!(
                    "{why}; it is asked again in {} seconds at the earliest",
                    rest.as_secs()
                ));
            }
            tokio::time::sleep(rest).await;
            match gateway.list(listing, self.plan.since, page).await {
                Ok(page) => {
                    courtesy.answered();
                    return page.ok_or_else(|| NO_LIST.to_owned());
                }
                Err(error @ SendError::Refused { .. }) => return Err(error.to_string()),
                Err(error) => {
                    courtesy.refused(error.after());
                    (rest, why) = (error.after().max(FIRST_REST * 2_u32.pow(turn)), error.to_string());
                    tracing::warn!(%error, turn, "cannot read a page of the provider's list");
                }
            }
        }
        Err(why)
    }

    async fn take_all(&mut self, listing: Listing, items: Vec<Listed>) -> Result<(), MessagingError> {
        let store = self.messaging.base.store();
        let sids = items.iter().map(|item| item.report.sid.as_str());
        let known = records::get_many::<Delivery>(store, sids).await.map_err(Fault::from)?;
        for (item, known) in items.into_iter().zip(known) {
            // The list begins with a whole day.
            if item.at.is_none_or(|at| at >= self.plan.since) {
                self.take(listing, item, known.map(|known| known.record)).await?;
            }
        }
        Ok(())
    }

    async fn take(
        &mut self,
        listing: Listing,
        item: Listed,
        known: Option<Delivery>,
    ) -> Result<(), MessagingError> {
        let Listed { mut report, at } = item;
        let (messaging, now) = (self.messaging, self.messaging.base.now());
        // The list is read with the main account's own credentials.
        if let Some(main) = &messaging.accounts.main {
            report.about.account_sid.get_or_insert_with(|| main.to_string());
        }
        let is_priced = report.about.charge.is_some();
        let found = self.found(listing);
        found.seen += 1;
        found.priced += u64::from(is_priced);
        if known.as_ref().is_some_and(|known| callback::is_anothers(messaging, known, &report)) {
            found.passed_over += 1;
            return Ok(());
        }
        if known.as_ref().is_some_and(|known| !known.learns(&report)) {
            return Ok(());
        }
        let left_at = at.unwrap_or(now);
        let new = match (self.plan.is_dry, &known) {
            (false, _) => match callback::merge_that_left(messaging, &report, left_at).await {
                // Another account has spoken of it meanwhile.
                Err(MessagingError::OtherAccount) => {
                    self.found(listing).passed_over += 1;
                    return Ok(());
                }
                merged => merged?.delivery,
            },
            (true, None) => Delivery::new(report, now),
            (true, Some(known)) => known.merge(report, now).unwrap_or_else(|| known.clone()),
        };
        self.note(listing, known.as_ref(), &new);
        Ok(())
    }

    /// Counts what changed.
    fn note(&mut self, listing: Listing, old: Option<&Delivery>, new: &Delivery) {
        let (was, is) = (old.and_then(Delivery::status), new.status());
        let found = self.found(listing);
        match old {
            None => found.new += 1,
            Some(_) => {
                found.changed += 1;
                found.moved += u64::from(was != is);
            }
        }
        if self.swept.changes.len() < MOST_CHANGES {
            let (sid, to) = (new.sid.to_string(), new.about.to.as_deref().map(mask));
            self.swept.changes.push(Changed { sid, to, was, is, is_new: old.is_none() });
        }
    }
}
