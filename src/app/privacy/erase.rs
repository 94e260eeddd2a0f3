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

mod begin;
mod find;
mod judge;
mod page;
mod twilio;
mod walk;

pub use self::begin::{EraseOptions, erase, erasure, find_erasure};

use self::find::Wanted;
use self::page::Pass;
use crate::app::fault::Fault;
use crate::app::once;
use crate::app::privacy::{Privacy, PrivacyError};
use crate::model::erasure::{Erasure, Place, State};
use crate::store::records::{self, Versioned};
use std::time::Instant;

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
    if !is_due || !once::commits(&privacy.base, vec![records::put(Some(&old), &claimed)]).await? {
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
}
