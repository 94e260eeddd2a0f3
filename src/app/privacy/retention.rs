//! Clean-up of old records (`[retention]`): verifications, deliveries, the audit log, the
//! log of decisions and receipts of erasures are deleted when they were kept for so many days, beside the work
//! that people wait for.
//!
//! One process at a time does it, by a lease. It looks at the listings, deletes
//! in small commits and pauses nine times as long as each took: at most a tenth
//! of its time is spent on it, and at most [`BATCH`] records go in [`PAUSE`],
//! 1280 in a second. Races with other writers are lost on purpose: what was
//! changed meanwhile is looked at again in the next round.
//!
//! Records that expire at a time of their own (events, sessions, kept answers, counters)
//! are due then, and deleted in `expire`.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::held::{self, Held};
use crate::app::listing::scan_of;
use crate::app::once;
use crate::app::privacy::Privacy;
use crate::app::privacy::kept::Retention;
use crate::model::audit::AuditEntry;
use crate::model::delivery::Delivery;
use crate::model::erasure::{Erasure, State};
use crate::model::fraud::Page;
use crate::model::verification::{Status, Verification};
use crate::store::records::{self, Record};
use crate::store::{Change, Index, Kind, Scan};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// The lease that a round is done under.
const LEASE: &str = "retention";
/// Records that are looked at, and at most deleted, at once.
const BATCH: usize = 64;
/// The shortest pause after a batch, and how many times as long as the batch it is.
const PAUSE: Duration = Duration::from_millis(50);
const SHARE: u32 = 9;
/// How long after its end a verification is left alone, whatever retention
/// says: what leads to it lives on for a few minutes.
const STILL_WARM: SignedDuration = SignedDuration::from_hours(1);
/// How long what is left of an erased delivery stays at least: callbacks that
/// come late must find it, and the erasure may still have to do with it.
pub(in crate::app) const ERASED_KEPT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What a round has deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Verifications that had ended.
    pub verifications: usize,
    /// Deliveries of whatever channel, tombstones of erased ones too.
    pub deliveries: usize,
    /// Lines of the audit log.
    pub audit: usize,
    /// Pages of the log of decisions.
    pub decisions: usize,
    /// Receipts of erasures.
    pub erasures: usize,
    /// Records that somebody else was at.
    pub lost_races: usize,
}

/// Whether anything is ever kept long enough.
pub fn has_retention(privacy: &Privacy) -> bool {
    let Retention { verifications, deliveries, audit, decisions, .. } = privacy.retention;
    [verifications, deliveries, audit, decisions].iter().any(Option::is_some)
}

/// A name for this process among those that take leases.
pub fn new_holder(base: &Base) -> String {
    held::new_holder(base)
}

/// Deletes all that was kept long enough; `None` when another process is at
/// it. `holder` names this process.
///
/// # Errors
/// The store's.
pub async fn delete_old(privacy: &Privacy, holder: &str) -> Result<Option<Deleted>, Fault> {
    let Some(mut held) = Held::take(&privacy.base, LEASE, holder).await? else {
        return Ok(None);
    };
    let (kept, mut deleted) = (privacy.retention, Deleted::default());
    if let Some(span) = kept.verifications {
        let now = privacy.base.now();
        let judge = |one: &Verification| is_over(one, now);
        deleted.verifications = delete_listed(
            &privacy.base,
            &mut held,
            Index::Verifications,
            span,
            judge,
            &mut deleted.lost_races,
        )
        .await?;
    }
    if let Some(span) = kept.deliveries {
        let now = privacy.base.now();
        let judge = |one: &Delivery| {
            one.erased.as_ref().is_none_or(|erased| now.duration_since(erased.at) >= ERASED_KEPT)
        };
        deleted.deliveries =
            delete_listed(&privacy.base, &mut held, Index::Deliveries, span, judge, &mut deleted.lost_races)
                .await?;
    }
    if let Some(span) = kept.audit {
        // The last word about the configuration is what the next start
        // compares with.
        let last = last_configuration(&privacy.base).await?;
        let judge = |one: &AuditEntry| last.as_deref() != Some(one.id.as_str());
        deleted.audit =
            delete_listed(&privacy.base, &mut held, Index::Audit, span, judge, &mut deleted.lost_races)
                .await?;
        deleted.erasures = delete_receipts(&privacy.base, &mut held, span, &mut deleted.lost_races).await?;
    }
    if let Some(span) = kept.decisions {
        let judge = |_: &Page| true;
        deleted.decisions =
            delete_listed(&privacy.base, &mut held, Index::Traffic, span, judge, &mut deleted.lost_races)
                .await?;
    }
    Ok(Some(deleted))
}

/// Deletes those of a listing that are older than `span` and that `judge`
/// gives up.
async fn delete_listed<T: Record>(
    base: &Base,
    held: &mut Held,
    index: Index,
    span: SignedDuration,
    judge: impl Fn(&T) -> bool,
    lost: &mut usize,
) -> Result<usize, Fault> {
    let until = base.now().checked_sub(span).unwrap_or(Timestamp::MIN);
    let mut scan = Scan { until: Some(until), limit: BATCH, ..scan_of(index, "") };
    let mut deleted = 0;
    while held.keeps(base).await? {
        let began = Instant::now();
        let lines = records::stretch(base.store(), &scan).await?;
        let is_last = lines.len() < scan.limit;
        let mut changes = Vec::with_capacity(lines.len());
        for line in lines {
            let found = records::listed::<T>(&line)?;
            changes.extend(found.filter(|found| judge(&found.record)).map(|found| records::delete(&found)));
            scan.after = Some((line.entry.at, line.entry.id));
        }
        deleted += delete_all(base, changes, lost).await?;
        if is_last {
            break;
        }
        tokio::time::sleep(PAUSE.max(began.elapsed() * SHARE)).await;
    }
    Ok(deleted)
}

/// Deletes receipts of erasures; there are few, and they are in no listing.
async fn delete_receipts(
    base: &Base,
    held: &mut Held,
    span: SignedDuration,
    lost: &mut usize,
) -> Result<usize, Fault> {
    let until = base.now().checked_sub(span).unwrap_or(Timestamp::MIN);
    let (mut deleted, mut after) = (0, None::<String>);
    while held.keeps(base).await? {
        let began = Instant::now();
        let page = base.whole_store().walk(Kind::Erasure, after.as_deref(), BATCH).await?;
        let is_last = page.len() < BATCH;
        after = page.last().map(|(id, _)| id.clone());
        let mut changes = Vec::new();
        for (id, stored) in &page {
            let found = records::of::<Erasure>(id, Some(stored))?;
            let is_old = |one: &Erasure| one.state != State::Running && one.asked_at < until;
            changes.extend(found.filter(|found| is_old(&found.record)).map(|found| records::delete(&found)));
        }
        deleted += delete_all(base, changes, lost).await?;
        if is_last {
            break;
        }
        tokio::time::sleep(PAUSE.max(began.elapsed() * SHARE)).await;
    }
    Ok(deleted)
}

/// Deletes what nobody else is at, and counts the rest.
async fn delete_all(base: &Base, changes: Vec<Change>, lost: &mut usize) -> Result<usize, Fault> {
    let count = changes.len();
    let done = once::commits_each(base, changes).await?;
    *lost += count - done;
    Ok(done)
}

async fn last_configuration(base: &Base) -> Result<Option<String>, Fault> {
    let scan = Scan { limit: 1, ..scan_of(Index::Audit, "configuration") };
    Ok(base.store().scan(&scan).await?.into_iter().next().map(|entry| entry.id))
}

/// Whether nothing happens to a verification any more.
fn is_over(verification: &Verification, now: Timestamp) -> bool {
    let ended = verification.ended_at.unwrap_or(verification.expires_at);
    verification.status != Status::Pending
        && !verification.is_at_work()
        && now.duration_since(ended) >= STILL_WARM
        && now.duration_since(verification.expires_at) >= STILL_WARM
}
