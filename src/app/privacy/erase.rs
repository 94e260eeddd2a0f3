//! Erasing a person's data: everything that is kept under a number, here and at
//! Twilio.
//!
//! An erasure is a record, a job that is done a page at a time and taken up again
//! until nothing is left; whoever dies at it leaves it to the next. Two that are at it
//! at once do no harm: each deletion is a versioned write, and counted in the
//! same commit.
//!
//! First everything here is gone through. A pending verification is called off;
//! one whose message or call is under way right now is left until its outcome is
//! known, or the answer would bring half of it back. Records that are the
//! number's are deleted, and out of others it is taken. Of a delivery Twilio's
//! name stays, for a while, with nothing else: what is reported late finds it
//! erased and changes nothing. Then, by those names, Twilio is told.

mod find;
mod twilio;

use self::find::Wanted;
use crate::app::admission::Admission;
use crate::app::audit;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::app::listing::{self, Window, scan_of};
use crate::app::privacy::retention::{self, ERASED_KEPT};
use crate::app::privacy::{Privacy, PrivacyError};
use crate::app::services::compat;
use crate::app::transact::{self, TRIES};
use crate::app::verification::happen;
use crate::model::active_verification::ActiveVerification;
use crate::model::audit::{Action, Actor, AuditEntry};
use crate::model::counter::Counter;
use crate::model::delivery::{Delivery, Erased, Source};
use crate::model::dispatch::Dispatch;
use crate::model::erasure::{Erasure, Kept, Place, State};
use crate::model::event::Event;
use crate::model::id::{ErasureId, Sid, VerificationId};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::opt_out::OptOut;
use crate::model::phone::{PhoneNumber, address_key};
use crate::model::safe_number::SafeNumber;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::model::verification::{Input, Status, Verification};
use crate::store::records::{self, Ahead, Record, Versioned};
use crate::store::{Change, Index, Key, Kind, Lane, Store, Stored, kinds};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is wanted beyond the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct EraseOptions {
    /// Opt-outs too.
    pub opt_outs: bool,
    /// Twilio's own records of messages and calls too.
    pub delete_at_twilio: bool,
}

/// Records that are read at once.
const PAGE: usize = 64;
/// Changes of one commit, with room for the job and a line of the audit log.
const GROUP: usize = Change::MAX_COMMIT - 2;
/// How long one page takes, about: then others have theirs.
const PAGE_TIME: Duration = Duration::from_millis(200);

/// Begins to erase all that is kept under a number.
///
/// # Errors
/// What is no number, a sender of ours, or the store's.
pub async fn erase(
    privacy: &Privacy,
    actor: &Actor,
    number: &str,
    options: EraseOptions,
) -> Result<Erasure, PrivacyError> {
    let number = PhoneNumber::parse_to_find(number, &privacy.admission.numbers)?;
    if is_own_sender(&privacy.admission, &number).await? {
        return Err(PrivacyError::OwnSender);
    }
    let now = privacy.base.now();
    let erasure = Erasure {
        id: ErasureId::from_random(privacy.base.entropy.bytes()),
        masked: number.masked(),
        number: Some(number),
        opt_outs: options.opt_outs,
        delete_at_twilio: options.delete_at_twilio,
        actor: actor.clone(),
        asked_at: now,
        state: State::Running,
        attempts: 0,
        next_at: Some(now),
        deleted: BTreeMap::new(),
        scrubbed: BTreeMap::new(),
        redacted: 0,
        redacted_sids: Vec::new(),
        kept: Vec::new(),
        left: Vec::new(),
        place: None,
        finished_at: None,
    };
    let entry = audit::entry(&privacy.base, actor, Action::ErasureStarted, &erasure.masked);
    let entry = entry.with("erasure", &erasure.id).with("opt_outs", options.opt_outs);
    let entry = entry.with("delete_at_twilio", options.delete_at_twilio);
    privacy.base.store().commit(vec![records::put(None, &erasure), audit::write(&entry)]).await?;
    privacy.base.board.wakes(Lane::Long).notify_one();
    tracing::info!(erasure = %erasure.id, number = erasure.masked, "erasure started");
    Ok(erasure)
}

async fn is_own_sender(admission: &Admission, number: &PhoneNumber) -> Result<bool, PrivacyError> {
    let person = number.person();
    let is = |sender: &Option<String>| {
        sender.as_deref().is_some_and(|sender| address_key(sender) == person.as_str())
    };
    let sends = |service: &Service| is(&service.settings.from) || is(&service.settings.whatsapp_from);
    if is(&admission.sender) || admission.directory.services.of_configuration().any(|service| sends(service))
    {
        return Ok(true);
    }
    let window = Window { limit: 1, after: None };
    let found = listing::page::<Service>(&admission.base, scan_of(Index::Services, ""), &window, |service| {
        sends(service)
    })
    .await?;
    Ok(!found.items.is_empty())
}

/// An erasure, as far as it is.
///
/// # Errors
/// Not found, or the store's.
pub async fn erasure(base: &Base, id: &ErasureId) -> Result<Erasure, PrivacyError> {
    find_erasure(base.store(), id.as_str()).await
}

/// Goes on with an erasure that is due, to the end of this attempt.
///
/// # Errors
/// The store's.
pub async fn tend_erasure(privacy: &Privacy, id: &str) -> Result<(), PrivacyError> {
    loop {
        erase_page(privacy, id).await?;
        let left = records::get::<Erasure>(privacy.base.store(), id).await?.map(|left| left.record);
        let now = privacy.base.now();
        // Or somebody else is at it.
        let goes_on = |one: &Erasure| one.place.is_some() && one.next_at.is_some_and(|at| at <= now);
        if !left.is_some_and(|left| goes_on(&left)) {
            return Ok(());
        }
    }
}

/// Goes on with an erasure that is due, for a page: it is due again at once, behind
/// the others, until this attempt is at its end.
///
/// # Errors
/// The store's.
pub async fn erase_page(privacy: &Privacy, id: &str) -> Result<(), PrivacyError> {
    let old = records::get::<Erasure>(privacy.base.store(), id).await?.ok_or(Fault::NotFound)?;
    let now = privacy.base.now();
    let is_due = old.record.state == State::Running && old.record.next_at.is_some_and(|at| at <= now);
    let claimed = match old.record.place {
        None => old.record.claimed(now),
        Some(_) => old.record.renewed(now),
    };
    if !is_due || !retention::commits(&privacy.base, vec![records::put(Some(&old), &claimed)]).await? {
        return Ok(());
    }
    let job = Versioned { version: old.version + 1, record: claimed };
    let mut pass = Pass { privacy, job };
    match pass.run().await {
        // Somebody else has taken over.
        Err(PrivacyError::Fault(Fault::Contended)) => Ok(()),
        other => other,
    }
}

/// An erasure straight from a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn find_erasure(store: &dyn Store, id: &str) -> Result<Erasure, PrivacyError> {
    let id: ErasureId = id.parse().map_err(|_| Fault::NotFound)?;
    let found = records::get::<Erasure>(store, id.as_str()).await?;
    found.map(|found| found.record).ok_or(Fault::NotFound.into())
}

/// A page of an attempt at an erasure.
struct Pass<'s> {
    privacy: &'s Privacy,
    job: Versioned<Erasure>,
}

/// What is to be done about one record.
enum Verdict {
    /// Nothing.
    Nothing,
    /// These changes, which delete it.
    Delete(Vec<Change>),
    /// This change, which takes the number out of it.
    Scrub(Change),
    /// It stays, for a reason.
    Keep(&'static str, &'static str),
    /// It cannot be done yet.
    Leave(String),
}

const OPT_OUT_KEPT: &str =
    "an opt-out keeps the person from being written to again; `--opt-outs` (`opt_outs`) erases it too";
const SETTING_KEPT: &str = "an operator wrote the number into a setting; change it there";
const SEND_UNDER_WAY: &str = "a message or call of it is under way, and is waited for";

impl Pass<'_> {
    /// Does a page: for [`PAGE_TIME`], or to the end of the attempt.
    async fn run(&mut self) -> Result<(), PrivacyError> {
        let began = Instant::now();
        let mut place = self.job.record.place.clone();
        // With something left the number stays, and behind the walk nothing is walked
        // again before the next attempt.
        let is_walked = matches!(place, Some(Place::Delivery { .. }));
        if let Some(number) = self.job.record.number.clone().filter(|_| !is_walked) {
            let wanted = Wanted::new(number);
            if place.is_none() {
                self.listed(&wanted, began).await?;
            }
            if let Some(left) = self.walk(&wanted, place.take(), began).await? {
                return self.pause(left).await;
            }
            if self.job.record.left.is_empty() {
                // Nothing is found by it any more.
                self.write(Vec::new(), |job| job.number = None).await?;
            }
        }
        match self.tell_twilio(place, began).await? {
            Some(left) => self.pause(left).await,
            None => self.settle().await,
        }
    }

    /// Leaves the rest to the next page.
    async fn pause(&mut self, place: Place) -> Result<(), PrivacyError> {
        let now = self.privacy.base.now();
        self.write(Vec::new(), |job| *job = job.paused(place, now)).await?;
        self.privacy.base.board.wakes(Lane::Long).notify_one();
        Ok(())
    }

    /// Does the verifications that are listed under the number before all else, for as
    /// long as the page lasts: the walk finds the others.
    async fn listed(&mut self, wanted: &Wanted, began: Instant) -> Result<(), PrivacyError> {
        let spellings = wanted.spellings();
        let mut scan = scan_of(Index::VerificationsTo, "");
        loop {
            let lines = listing::lines(&self.privacy.base, &scan, &spellings).await?;
            for line in &lines {
                if began.elapsed() >= PAGE_TIME {
                    return Ok(());
                }
                self.tend(wanted, Kind::Verification, &line.entry.id, line.stored.as_ref()).await?;
            }
            if lines.len() < scan.limit {
                return Ok(());
            }
            scan.after = lines.last().map(|line| (line.entry.at, line.entry.id.clone()));
        }
    }

    /// Goes through all records, from a place on, until the page is over: answers where
    /// to go on. Verifications come first, for they write events as they end; events
    /// and what is sent of them last.
    async fn walk(
        &mut self,
        wanted: &Wanted,
        from: Option<Place>,
        began: Instant,
    ) -> Result<Option<Place>, PrivacyError> {
        let (start, mut after) = match &from {
            Some(Place::Record { kind, id }) => (kinds::named(kind), Some(id.clone())),
            _ => (None, None),
        };
        let first = Kind::ALL.iter().position(|kind| Some(*kind) == start).unwrap_or(0);
        for kind in &Kind::ALL[first..] {
            loop {
                let reading = Instant::now();
                let page = self.privacy.base.whole_store().walk(*kind, after.as_deref(), PAGE).await?;
                let behind =
                    |id: &str| Place::Record { kind: kinds::name(*kind).to_owned(), id: id.to_owned() };
                for (id, stored) in &page {
                    let is_named = wanted.may_be_in(&stored.body);
                    if is_named {
                        self.tend(wanted, *kind, id, Some(stored)).await?;
                    }
                    if *kind == Kind::Compat {
                        self.counters(wanted, id).await?;
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
        Ok(None)
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
        let mut ahead = Ahead::of(Key::new(kind, id), stored.cloned());
        // Its display shows no id that holds a number.
        let name = || Key::new(kind, id).to_string();
        for lost in 1..=TRIES as u64 {
            let is_done = match self.judge(wanted, kind, id, &ahead).await? {
                Verdict::Nothing => true,
                Verdict::Keep(what, why) => {
                    self.keep(what, why);
                    true
                }
                // It may have been done since its page was read.
                Verdict::Leave(_) if lost == 1 => false,
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

    async fn judge(
        &self,
        wanted: &Wanted,
        kind: Kind,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        match kind {
            Kind::Verification => self.judge_verification(wanted, id, ahead).await,
            Kind::Delivery => self.judge_delivery(wanted, id, ahead).await,
            Kind::Event => self.judge_event(wanted, id, ahead).await,
            Kind::IdempotencyRecord => {
                let is_theirs = |one: &IdempotencyRecord| {
                    one.verification.as_ref().is_some_and(|v| wanted.has(&v.to))
                        || one.reply.as_deref().is_some_and(|reply| wanted.is_named_in(reply))
                };
                self.judge_by(wanted, id, ahead, is_theirs).await
            }
            Kind::Session => {
                let is =
                    |number: &Option<PhoneNumber>| number.as_ref().is_some_and(|number| wanted.has(number));
                self.judge_by(wanted, id, ahead, |one: &Session| is(&one.to) || is(&one.number)).await
            }
            Kind::ActiveVerification => {
                self.judge_by(wanted, id, ahead, |one: &ActiveVerification| wanted.has(&one.number)).await
            }
            Kind::SafeNumber => {
                self.judge_by(wanted, id, ahead, |one: &SafeNumber| wanted.has(&one.number)).await
            }
            Kind::SessionWindow => {
                self.judge_by(wanted, id, ahead, |one: &SessionWindow| wanted.is(&one.number)).await
            }
            Kind::OptOut => match self.job.record.opt_outs {
                true => self.judge_by(wanted, id, ahead, |one: &OptOut| wanted.is(&one.number)).await,
                false => Ok(match ahead.get::<OptOut>(self.privacy.base.store(), id).await? {
                    Some(found) if wanted.is(&found.record.number) => Verdict::Keep("opt-out", OPT_OUT_KEPT),
                    _ => Verdict::Nothing,
                }),
            },
            Kind::Dispatch => self.judge_by(wanted, id, ahead, |_: &Dispatch| false).await,
            Kind::Audit => self.judge_by(wanted, id, ahead, |_: &AuditEntry| false).await,
            Kind::Service | Kind::Compat | Kind::Endpoint | Kind::ApiKey => {
                Ok(self.judge_setting(wanted, kind, id, ahead).await?)
            }
            // Counters and leases hold no numbers; erasures of this one lose it
            // when they end.
            Kind::Counter | Kind::Lease | Kind::Erasure => Ok(Verdict::Nothing),
        }
    }

    /// Deletes what is theirs, and takes the number out of the rest.
    async fn judge_by<T: Record>(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
        is_theirs: impl Fn(&T) -> bool,
    ) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<T>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        if is_theirs(&found.record) {
            return Ok(Verdict::Delete(vec![records::delete(&found)]));
        }
        Ok(match wanted.taken_out(&found.record) {
            Ok(None) => Verdict::Nothing,
            Ok(Some(without)) => Verdict::Scrub(records::put(Some(&found), &without)),
            // It is nothing without the number.
            Err(_) => Verdict::Delete(vec![records::delete(&found)]),
        })
    }

    async fn judge_verification(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let store = self.privacy.base.store();
        let Some(mut found) = ahead.get::<Verification>(store, id).await? else {
            return Ok(Verdict::Nothing);
        };
        if !wanted.has(&found.record.to) {
            return self.judge_by(wanted, id, ahead, |_: &Verification| false).await;
        }
        if found.record.status == Status::Pending {
            let id: VerificationId = id.parse().map_err(|_| Fault::NotFound)?;
            happen::happen(&self.privacy.telling, &id, |_| Ok(Input::Cancel)).await?;
            let Some(ended) = records::get::<Verification>(store, id.as_str()).await? else {
                return Ok(Verdict::Nothing);
            };
            found = ended;
        }
        if !found.record.outbox.is_empty() {
            return Ok(Verdict::Leave(SEND_UNDER_WAY.to_owned()));
        }
        // What was sent stays known as erased, also where nothing was reported
        // of it yet.
        let mut changes = Vec::new();
        let sids: Vec<&Sid> = found.record.sends.iter().filter_map(|send| send.sid.as_ref()).collect();
        let olds = records::get_many::<Delivery>(store, sids.iter().map(|sid| sid.as_str())).await?;
        for (sid, old) in sids.into_iter().zip(olds) {
            let is_erased = old.as_ref().is_some_and(|old| old.record.erased.is_some());
            let first_seen =
                old.as_ref().map_or_else(|| self.privacy.base.now(), |old| old.record.first_seen);
            let is_listed = changes.iter().any(|change: &Change| change.key.id == sid.as_str());
            if !is_erased && !is_listed {
                let new = Delivery::erased(sid.clone(), first_seen, self.mark());
                changes.push(records::put(old.as_ref(), &new));
            }
        }
        changes.push(records::delete(&found));
        Ok(Verdict::Delete(changes))
    }

    async fn judge_delivery(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<Delivery>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        let about = &found.record.about;
        let is = |address: &Option<String>| address.as_deref().is_some_and(|address| wanted.is(address));
        // Who sends from a number of ours need not be the person whose it is
        // now: what went out belongs to whom it went to.
        let came_in = about.direction.as_deref() == Some("inbound")
            || found.record.events.iter().any(|event| event.fact.source == Source::Inbound);
        let is_theirs = is(&about.to) || (came_in && is(&about.from));
        if found.record.erased.is_some() || !is_theirs {
            return self.judge_by(wanted, id, ahead, |_: &Delivery| false).await;
        }
        let new = Delivery::erased(found.record.sid.clone(), found.record.first_seen, self.mark());
        Ok(Verdict::Delete(vec![records::put(Some(&found), &new)]))
    }

    /// An event goes with everything that was sent of it.
    async fn judge_event(&self, wanted: &Wanted, id: &str, ahead: &Ahead) -> Result<Verdict, PrivacyError> {
        let is_theirs = |one: &Event| one.body.to.as_deref().is_some_and(|to| wanted.is(to));
        let verdict = self.judge_by(wanted, id, ahead, is_theirs).await?;
        let Verdict::Delete(event) = verdict else {
            return Ok(verdict);
        };
        let store = self.privacy.base.whole_store();
        let (mut changes, start) = (Vec::new(), format!("{id}."));
        for (dispatch, stored) in store.walk(Kind::Dispatch, Some(id), PAGE).await? {
            if !dispatch.starts_with(&start) {
                break;
            }
            let found = records::of::<Dispatch>(&dispatch, Some(&stored))?;
            changes.extend(found.as_ref().map(records::delete));
        }
        changes.extend(event);
        Ok(Verdict::Delete(changes))
    }

    async fn judge_setting(
        &self,
        wanted: &Wanted,
        kind: Kind,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let stored = ahead.stored(self.privacy.base.store(), Key::new(kind, id)).await?;
        let is_named = stored.is_some_and(|stored| {
            std::str::from_utf8(&stored.body).is_ok_and(|text| wanted.is_named_in(text))
        });
        let what = match kind {
            Kind::Endpoint => "endpoint",
            Kind::ApiKey => "API key",
            _ => "service",
        };
        Ok(if is_named { Verdict::Keep(what, SETTING_KEPT) } else { Verdict::Nothing })
    }

    /// The counts of a service's rate limits by the number: their ids are hashes of it.
    async fn counters(&mut self, wanted: &Wanted, service: &str) -> Result<(), PrivacyError> {
        let Ok(id) = service.parse() else { return Ok(()) };
        let mut counters = Vec::new();
        for limit in compat::compat(&self.privacy.base, &id).await?.record.rate_limits {
            let of = |value: String| hash(&[id.as_str(), &limit.sid, &value]);
            counters.extend(wanted.writings().into_iter().map(of));
        }
        let found = records::get_many::<Counter>(self.privacy.base.store(), &counters).await?;
        for (counter, _) in counters.iter().zip(found).filter(|(_, found)| found.is_some()) {
            self.delete_counter(counter).await?;
        }
        Ok(())
    }

    async fn delete_counter(&mut self, id: &str) -> Result<(), PrivacyError> {
        for lost in 1..=TRIES as u64 {
            let Some(found) = records::get::<Counter>(self.privacy.base.store(), id).await? else {
                return Ok(());
            };
            if self.delete(vec![records::delete(&found)]).await? {
                return Ok(());
            }
            transact::step_back(&self.privacy.base, lost).await;
        }
        self.job.record.leave("tally", "others change it all the time");
        Ok(())
    }

    fn mark(&self) -> Erased {
        Erased { redacted: false, at: self.privacy.base.now(), by: self.job.record.id.clone() }
    }

    fn keep(&mut self, what: &str, why: &str) {
        let kept = &mut self.job.record.kept;
        match kept.iter_mut().find(|kept| kept.what == what) {
            Some(kept) => kept.count += 1,
            None => kept.push(Kept { what: what.to_owned(), count: 1, why: why.to_owned() }),
        }
    }

    /// Commits changes together with the job, as `count` makes it; false when
    /// somebody was at one of them.
    async fn write(
        &mut self,
        mut changes: Vec<Change>,
        count: impl FnOnce(&mut Erasure),
    ) -> Result<bool, PrivacyError> {
        let mut new = self.job.record.clone();
        count(&mut new);
        changes.push(records::put(Some(&self.job), &new));
        if retention::commits(&self.privacy.base, changes).await? {
            self.job = Versioned { version: self.job.version + 1, record: new };
            return Ok(true);
        }
        let stored = records::get::<Erasure>(self.privacy.base.store(), self.job.record.id.as_str()).await?;
        match stored.is_some_and(|stored| stored.version == self.job.version) {
            true => Ok(false),
            false => Err(Fault::Contended.into()),
        }
    }

    /// Writes down how it went, and in the audit log when that was the end.
    async fn settle(&mut self) -> Result<(), PrivacyError> {
        let tombstones = self.job.record.redacted;
        if tombstones > 0 {
            let days = ERASED_KEPT.as_hours() / 24;
            let why = format!(
                "twilio's names of messages and calls, with nothing else, for {days} days or as long as \
                 deliveries are kept: so that late callbacks bring no number back"
            );
            self.job.record.kept.retain(|kept| kept.what != ERASED_DELIVERY);
            self.job.record.kept.push(Kept { what: ERASED_DELIVERY.to_owned(), count: tombstones, why });
        }
        let settled = self.job.record.settled(self.privacy.base.now());
        let mut changes = Vec::new();
        if settled.state != State::Running {
            let entry =
                audit::entry(&self.privacy.base, &settled.actor, Action::ErasureFinished, &settled.masked);
            let deleted: u64 = settled.deleted.values().sum();
            let entry = entry.with("erasure", &settled.id).with("deleted", deleted);
            let entry = entry.with("redacted", settled.redacted).with("left", settled.left.len());
            changes.push(audit::write(&entry));
        }
        let (state, left) = (settled.state, settled.left.len());
        tracing::info!(erasure = %settled.id, number = settled.masked, ?state, left, "erasure attempted");
        self.write(changes, |job| *job = settled).await.map(|_| ())
    }
}

const ERASED_DELIVERY: &str = "erased delivery";

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
        Kind::Session => "session",
        Kind::Event => "event",
        Kind::Dispatch => "dispatch",
        Kind::SessionWindow => "contact",
        Kind::Audit => "audit",
        Kind::ApiKey | Kind::Service | Kind::Compat | Kind::Endpoint | Kind::Lease | Kind::Erasure => {
            "setting"
        }
    }
}
