//! A page of an attempt: the erasure's record, which changes in the same commit as what it
//! counts, so that two that are at it at once count nothing twice. It refuses to know which
//! records are the number's.

use crate::app::audit;
use crate::app::fault::Fault;
use crate::app::once;
use crate::app::privacy::retention::ERASED_KEPT;
use crate::app::privacy::{Privacy, PrivacyError};
use crate::model::audit::Action;
use crate::model::delivery::Erased;
use crate::model::erasure::{Erasure, Kept, Place, State};
use crate::store::records::{self, Versioned};
use crate::store::{Change, Lane};
use std::time::Duration;

/// Records that are read at once.
pub(super) const PAGE: usize = 64;
/// How long one page takes, about: then others have theirs.
pub(super) const PAGE_TIME: Duration = Duration::from_millis(200);

/// A page of an attempt at an erasure.
pub(super) struct Pass<'s> {
    pub(super) privacy: &'s Privacy,
    pub(super) job: Versioned<Erasure>,
}

impl Pass<'_> {
    /// Leaves the rest to the next page.
    pub(super) async fn pause(&mut self, place: Place) -> Result<(), PrivacyError> {
        let now = self.privacy.base.now();
        self.write(Vec::new(), |job| *job = job.paused(place, now)).await?;
        self.privacy.base.board.wake_lane(Lane::Long);
        Ok(())
    }

    /// What stands in a delivery of an account in the place of all that was known of it.
    pub(super) fn mark(&self, account: Option<&str>) -> Erased {
        let (at, by) = (self.privacy.base.now(), self.job.record.id.clone());
        Erased { redacted: false, at, by, account: account.map(str::to_owned) }
    }

    /// Notes that something stays, and why: once for each kind of thing.
    pub(super) fn keep(&mut self, what: &str, why: &str) {
        let kept = &mut self.job.record.kept;
        match kept.iter_mut().find(|kept| kept.what == what) {
            Some(kept) => kept.count += 1,
            None => kept.push(Kept { what: what.to_owned(), count: 1, why: why.to_owned() }),
        }
    }

    /// Commits changes together with the job, as `count` makes it; false when
    /// somebody was at one of them.
    pub(super) async fn write(
        &mut self,
        mut changes: Vec<Change>,
        count: impl FnOnce(&mut Erasure),
    ) -> Result<bool, PrivacyError> {
        let mut new = self.job.record.clone();
        count(&mut new);
        changes.push(records::put(Some(&self.job), &new));
        if once::commits(&self.privacy.base, changes).await? {
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
    pub(super) async fn settle(&mut self) -> Result<(), PrivacyError> {
        let kept = self.job.record.kept.iter().filter(|kept| kept.what == OF_ANOTHER);
        let of_others: u64 = kept.map(|kept| kept.count).sum();
        let tombstones = self.job.record.redacted + of_others;
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

/// What is said of messages and calls that nobody here can redact.
pub(super) const OF_ANOTHER: &str = "message or call of another account";
const ERASED_DELIVERY: &str = "erased delivery";
