//! Going through all records: each is done about as `judge` says, a page at a time.
//!
//! First those that are listed under the number, then every other one by its kind. It
//! refuses to know what is in a record.

use super::find::Wanted;
use super::judge::Verdict;
use super::page::{PAGE, PAGE_TIME, Pass};
use crate::app::admission::limits::counters::number_counter;
use crate::app::fraud::about::of_number;
use crate::app::hash::hash;
use crate::app::listing::{self, scan_of};
use crate::app::messages::type_counter;
use crate::app::privacy::PrivacyError;
use crate::app::transact::{self, TRIES};
use crate::model::compat::Compat;
use crate::model::counter::Counter;
use crate::model::erasure::{Erasure, Place};
use crate::model::lists::{ListEntry, Target};
use crate::store::records::{Ahead, Record, Versioned};
use crate::store::{Change, Index, Key, Kind, Stored, records};
use std::time::Instant;

const BLOCK_KEPT: &str = "an operator blocked the number: that stays without the number, under a keyed name that only \
    who knows the number can make; `dialback block remove NUMBER` takes it away";

/// Changes of one commit, with room for the job and a line of the audit log.
const GROUP: usize = Change::MAX_COMMIT - 2;

impl Pass<'_> {
    /// Does the verifications and messages that are listed under the number before all else, for as
    /// long as the page lasts: the walk finds the others.
    pub(super) async fn listed(&mut self, wanted: &Wanted, began: Instant) -> Result<(), PrivacyError> {
        let spellings = wanted.spellings();
        for index in [Index::VerificationsTo, Index::MessagesTo] {
            self.listed_in(wanted, (index, &spellings), began).await?;
        }
        Ok(())
    }

    async fn listed_in(
        &mut self,
        wanted: &Wanted,
        (index, spellings): (Index, &[String]),
        began: Instant,
    ) -> Result<(), PrivacyError> {
        let mut scan = scan_of(index, "");
        loop {
            let lines = listing::lines(&self.privacy.base, &scan, spellings).await?;
            for line in &lines {
                if began.elapsed() >= PAGE_TIME {
                    return Ok(());
                }
                self.tend(wanted, index.kind(), &line.entry.id, line.stored.as_ref()).await?;
            }
            if lines.len() < scan.limit {
                return Ok(());
            }
            scan.after = lines.last().map(|line| line.entry.place());
        }
    }

    /// Goes through all records, from a place on, until the page is over: answers where
    /// to go on. Verifications come first, for they write events as they end; events
    /// and what is sent of them last.
    pub(super) async fn walk(
        &mut self,
        wanted: &Wanted,
        from: Option<Place>,
        began: Instant,
    ) -> Result<Option<Place>, PrivacyError> {
        let (start, mut after) = match &from {
            Some(Place::Record { kind, id }) => (Kind::named(kind), Some(id.clone())),
            _ => (None, None),
        };
        if from.is_none() {
            self.decisions(wanted).await?;
            // Under a name that only who knows the number and our key can make.
            let names = &self.privacy.admission.limiting.names;
            let ids = [number_counter(names, wanted.number()), type_counter(names, wanted.number())];
            let found = records::get_many::<Counter>(self.privacy.base.store(), ids).await?;
            for counter in found.into_iter().flatten() {
                self.delete_counter(counter).await?;
            }
        }
        let first = Kind::ALL.iter().position(|kind| Some(*kind) == start).unwrap_or(0);
        for kind in &Kind::ALL[first..] {
            // It has names of numbers alone: who is about is found by these.
            if *kind == Kind::Traffic {
                continue;
            }
            loop {
                let reading = Instant::now();
                let page = self.privacy.base.whole_store().walk(*kind, after.as_deref(), PAGE).await?;
                let behind = |id: &str| Place::Record { kind: kind.name().to_owned(), id: id.to_owned() };
                for (id, stored) in &page {
                    let is_named = wanted.may_be_in(&stored.body);
                    if is_named {
                        self.tend(wanted, *kind, id, Some(stored)).await?;
                    }
                    if *kind == Kind::Compat {
                        self.counters(wanted, id, stored).await?;
                    }
                    if (is_named || *kind == Kind::Compat) && began.elapsed() >= PAGE_TIME {
                        return Ok(Some(behind(id)));
                    }
                }
                after = page.last().map(|(id, _)| id.clone());
                if page.len() < PAGE {
                    break;
                }
                if began.elapsed() >= PAGE_TIME {
                    return Ok(after.as_deref().map(behind));
                }
                // At most half of the time is spent on it.
                tokio::time::sleep(reading.elapsed()).await;
            }
            after = None;
        }
        self.list_entries(wanted).await?;
        // What was decided when this began is in the log by now.
        self.decisions(wanted).await?;
        Ok(None)
    }

    /// Takes the person out of the log of decisions, and out of what this process knows of
    /// traffic: there are few pages about one number.
    async fn decisions(&mut self, wanted: &Wanted) -> Result<(), PrivacyError> {
        let watch = self.privacy.admission.fraud.clone();
        let name = of_number(&watch.names, wanted.number());
        watch.forget(name);
        self.privacy.admission.alerts.forget(wanted.number());
        if let Some(lookups) = &self.privacy.admission.lookups {
            lookups.forget(name);
        }
        let mut scan = scan_of(Index::TrafficOf, name.to_string());
        loop {
            let lines = self.privacy.base.store().scan(&scan).await?;
            for line in &lines {
                self.tend(wanted, Kind::Traffic, &line.id, None).await?;
            }
            match lines.last().filter(|_| lines.len() == scan.limit) {
                Some(last) => scan.after = Some(last.place()),
                None => return Ok(()),
            }
        }
    }

    /// Says of blocks of the number that they stay, now that none names it any more.
    async fn list_entries(&mut self, wanted: &Wanted) -> Result<(), PrivacyError> {
        let admission = &self.privacy.admission;
        // What is held of the lists may have the number still.
        admission.lists.forget();
        let person = wanted.number().person();
        let name = ListEntry::name_of(&admission.limiting.names, person.as_str());
        let is_theirs = |entry: &ListEntry| entry.target == Target::ErasedNumber(name.clone());
        let (_, blocks) = admission.lists.like(&self.privacy.base, is_theirs).await?;
        blocks.iter().for_each(|_| self.keep("block", BLOCK_KEPT));
        Ok(())
    }

    /// Does with one record what is to be done, as often as it takes to be first: by
    /// what its page has of it, and then by what stands there.
    async fn tend(
        &mut self,
        wanted: &Wanted,
        kind: Kind,
        id: &str,
        stored: Option<&Stored>,
    ) -> Result<(), PrivacyError> {
        let mut ahead = match stored {
            Some(stored) => Ahead::of(Key::new(kind, id), Some(stored.clone())),
            None => Ahead::default(),
        };
        // Its display shows no id that holds a number.
        let name = || Key::new(kind, id).to_string();
        for lost in 1..=TRIES as u64 {
            let mut verdict = self.judge(wanted, kind, id, &ahead).await?;
            if lost == 1 && matches!(verdict, Verdict::Leave(_)) {
                // What it was to be left for may be done since its page was read.
                verdict = self.judge(wanted, kind, id, &Ahead::default()).await?;
            }
            let is_done = match verdict {
                Verdict::Nothing => true,
                Verdict::Keep(what, why) => {
                    self.keep(what, why);
                    true
                }
                Verdict::Leave(why) => {
                    self.job.record.leave(name(), why);
                    true
                }
                Verdict::Scrub(change) => {
                    let count = |job: &mut Erasure| *job.scrubbed.entry(word(kind).into()).or_default() += 1;
                    self.write(vec![change], count).await?
                }
                Verdict::Delete(changes) => self.delete(changes).await?,
            };
            if is_done {
                return Ok(());
            }
            transact::step_back(&self.privacy.base, lost).await;
            ahead = Ahead::default();
        }
        self.job.record.leave(name(), "others change it all the time");
        Ok(())
    }

    /// Deletes in groups, the record itself in the last one.
    async fn delete(&mut self, mut changes: Vec<Change>) -> Result<bool, PrivacyError> {
        while !changes.is_empty() {
            let group: Vec<Change> = changes.drain(..changes.len().min(GROUP)).collect();
            let kinds: Vec<Kind> = group.iter().map(|change| change.key.kind).collect();
            let count = |job: &mut Erasure| {
                for kind in kinds {
                    *job.deleted.entry(word(kind).into()).or_default() += 1;
                }
            };
            if !self.write(group, count).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The counts of a service's rate limits by the number: their ids are hashes of it.
    async fn counters(
        &mut self,
        wanted: &Wanted,
        service: &str,
        stored: &Stored,
    ) -> Result<(), PrivacyError> {
        let Some(kept) = records::of::<Compat>(service, Some(stored))? else { return Ok(()) };
        let mut counters = Vec::new();
        for limit in &kept.record.rate_limits {
            let of = |value: String| hash(&[service, &limit.sid, &value]);
            counters.extend(wanted.writings().into_iter().map(of));
        }
        let found = records::get_many::<Counter>(self.privacy.base.store(), counters).await?;
        for counter in found.into_iter().flatten() {
            self.delete_counter(counter).await?;
        }
        Ok(())
    }

    /// Deletes a counter as it was read, or as it is by then.
    async fn delete_counter(&mut self, mut found: Versioned<Counter>) -> Result<(), PrivacyError> {
        let id = found.record.id();
        for lost in 1..=TRIES as u64 {
            if self.delete(vec![records::delete(&found)]).await? {
                return Ok(());
            }
            transact::step_back(&self.privacy.base, lost).await;
            match records::get::<Counter>(self.privacy.base.store(), &id).await? {
                Some(now) => found = now,
                None => return Ok(()),
            }
        }
        self.job.record.leave("tally", "others change it all the time");
        Ok(())
    }
}

/// A kind in receipts.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Verification => "verification",
        Kind::Delivery => "delivery",
        Kind::IdempotencyRecord => "kept_answer",
        Kind::OptOut => "opt_out",
        Kind::ActiveVerification => "pending",
        Kind::Counter => "tally",
        Kind::SafeNumber => "safe_number",
        Kind::ListEntry => "list_entry",
        Kind::Message => "message",
        Kind::Session => "session",
        Kind::Event => "event",
        Kind::Dispatch => "dispatch",
        Kind::SessionWindow => "contact",
        Kind::Audit => "audit",
        Kind::Traffic => "decisions",
        Kind::ApiKey | Kind::Service | Kind::Compat | Kind::Endpoint | Kind::Lease | Kind::Erasure => {
            "setting"
        }
    }
}
