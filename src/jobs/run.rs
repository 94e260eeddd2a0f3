//! One run of a job: what went wrong with it, what that means for each of its records,
//! and who is told. It refuses to know what is run when.

use super::buffer::Batch;
use super::in_flight::Leave;
use super::job::{JobError, Ran};
use super::settings::Settings;
use crate::app::fault::Fault;
use crate::app::{App, admin};
use crate::store::{Key, Lane, StoreError};
use futures_util::FutureExt;
use jiff::Timestamp;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// How long until a record that was just listed can be read.
const SHORTLY: Duration = Duration::from_millis(10);

/// One run of a job.
pub(super) struct Run {
    pub app: App,
    pub lane: Lane,
    pub settings: Settings,
    pub leave: Leave,
    pub batch: Batch,
}

/// Why something was not done.
enum Failed {
    /// There is no such record, or not yet.
    Vanished,
    /// It passes by itself: the store is busy, or others are faster.
    Passing(String),
    /// It will be so the next time, too.
    Lasting(String),
}

impl Run {
    /// Runs it, and says what came of it.
    pub(super) async fn run(self) {
        let keys = self.leave.keys.clone();
        let ran = AssertUnwindSafe(self.batch.job.run(&self.app, &keys)).catch_unwind().await;
        match ran {
            Ok(Ok(ran)) => self.settle(ran).await,
            Ok(Err(error)) => self.all_failed(|| judged(&error)).await,
            Err(panic) if keys.len() > 1 => {
                let (job, panic) = (self.batch.job.name(), words(&*panic));
                tracing::error!(
                    job,
                    records = keys.len(),
                    panic,
                    "a job panicked: each record is tried alone"
                );
                let mut in_flight = self.leave.in_flight();
                keys.iter().for_each(|key| in_flight.part(key));
            }
            Err(panic) => {
                let panic = words(&*panic);
                keys.iter().for_each(|key| self.leave.in_flight().panicked(key));
                self.all_failed(|| Failed::Lasting(format!("it panicked: {panic}"))).await;
            }
        }
    }

    async fn all_failed(&self, why: impl Fn() -> Failed) {
        if let Failed::Passing(error) = why() {
            let (job, records) = (self.batch.job.name(), self.batch.due.len());
            tracing::warn!(job, records, error, "not done for a reason that passes: tried again");
        }
        for (key, at) in &self.batch.due {
            self.failed(key, *at, why()).await;
        }
    }

    async fn settle(&self, ran: Ran) {
        for (key, at) in &self.batch.due {
            let failed = ran.failed.iter().find(|(one, _)| one == key);
            let deferred = ran.deferred.iter().find(|(one, _)| one == key);
            match (failed, deferred) {
                (Some((_, error)), _) => {
                    let fault = judged(error);
                    if let Failed::Passing(error) = &fault {
                        tracing::warn!(job = self.batch.job.name(), record = %key, error, "tried again");
                    }
                    self.failed(key, *at, fault).await;
                }
                (None, Some((_, span))) => self.leave.in_flight().defer(key, *span),
                (None, None) => {
                    if self.leave.in_flight().done(key) {
                        self.app.base.board.forget_trouble(key);
                    }
                }
            }
        }
    }

    /// Lets it wait out its backoff, or sets it aside.
    async fn failed(&self, key: &Key, at: Timestamp, fault: Failed) {
        let job = self.batch.job.name();
        let is_there = !matches!(fault, Failed::Vanished);
        let passes = matches!(fault, Failed::Passing(_));
        let (first, lasts, reason) = match fault {
            Failed::Vanished => (SHORTLY, false, "there is no such record".to_owned()),
            Failed::Passing(reason) => (self.settings.backoff, false, reason),
            Failed::Lasting(reason) => (self.settings.backoff, true, reason),
        };
        let (lasting, failures) = self.leave.in_flight().failed(key, first, lasts);
        if !is_there {
            // What is due may be listed a moment before its record can be read: the
            // group is on its way to the disk.
            tracing::debug!(job, record = %key, failures, "due, and not there");
            return;
        }
        if !passes {
            // What passes is told of a batch as a whole.
            tracing::error!(job, record = %key, failures, error = reason, "a job failed");
        }
        self.app.base.board.note_trouble(key, failures, &reason, self.app.base.now());
        if lasting >= self.settings.set_aside_after {
            self.set_aside(key, at, failures).await;
        }
    }

    async fn set_aside(&self, key: &Key, at: Timestamp, failures: u32) {
        let job = self.batch.job.name();
        let aside =
            AssertUnwindSafe(admin::set_aside(&self.app.base, key, at, self.lane)).catch_unwind().await;
        match aside {
            Ok(Ok(())) => {
                self.leave.in_flight().forget(key);
                tracing::error!(
                    job,
                    record = %key,
                    failures,
                    "set aside: `dialback queue` shows it, and tries it again or drops it"
                );
            }
            Ok(Err(error)) => tracing::error!(job, record = %key, %error, "cannot set aside what failed"),
            Err(_) => tracing::error!(job, record = %key, "cannot set aside what failed: it panicked"),
        }
    }
}

fn judged(error: &JobError) -> Failed {
    let text = error.to_string();
    match &error.fault {
        Some(Fault::NotFound) => Failed::Vanished,
        Some(Fault::Contended) => Failed::Passing(text),
        Some(Fault::Store(fault)) if !matches!(fault, StoreError::Damaged(_)) => Failed::Passing(text),
        _ => Failed::Lasting(text),
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".to_owned())
}
