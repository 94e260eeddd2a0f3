//! Work that falls due: who does it, in which order, and what a failure means.
//!
//! What is due stands in the store, in lanes (`store::Lane`). Each lane has a runner
//! of its own with places of its own, so that nothing in one lane waits for anything
//! in another. A job says of which records it takes care, and how; what is done then
//! is `app`'s to know. What only comes round again and again, without a record
//! that is due, is in `sweep`.
//!
//! A job that fails is tried again later, after ever longer waits. One that panics,
//! or fails for a reason that lasts, is set aside after a number of times: it is
//! shown by `dialback queue`, and never a loop. It refuses to know HTTP, gateways
//! and what records mean.

mod buffer;
mod dispatch;
mod end;
mod erase;
mod in_flight;
mod runner;
mod send;
mod sweep;
mod tidy;

use crate::app::fault::{Failing, Fault};
use crate::app::{App, events};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;
use futures_util::FutureExt;
use std::fmt::Display;
use std::time::Duration;

/// What bounds the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of what people wait for, so much at once.
    pub max_person_in_flight: usize,
    /// Commits of tidying at once; each has up to 64 records.
    pub max_chores_in_flight: usize,
    /// Pages of what takes long at once.
    pub max_long_in_flight: usize,
    /// How often in a row something fails before it is set aside.
    pub set_aside_after: u32,
    /// The first wait after a failure; each further one is twice as long, a minute
    /// at most.
    pub backoff: Duration,
    /// How long what is under way may take after the stop.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_person_in_flight: 32,
            max_chores_in_flight: 2,
            max_long_in_flight: 1,
            set_aside_after: 5,
            backoff: Duration::from_secs(1),
            drain: Duration::from_secs(20),
        }
    }
}

/// Something that is done about records that are due.
#[async_trait]
trait Job: Send + Sync {
    /// What it is called in the log.
    fn name(&self) -> &'static str;

    /// The lane that its records are due in.
    fn lane(&self) -> Lane;

    /// The kinds of records that it takes care of.
    fn kinds(&self) -> &'static [Kind];

    /// How many records it takes in one run.
    fn most(&self) -> usize {
        1
    }

    /// What a record belongs to: groups take turns.
    fn group<'k>(&self, _key: &'k Key) -> &'k str {
        ""
    }

    /// How much of one group is under way at once, whatever else there is to do.
    fn most_of_group(&self, _app: &App) -> usize {
        usize::MAX
    }

    /// Does what is due about these records, `most` at most. Each may be done
    /// already, by another process or by hand. An error is one of all of them; a
    /// panic too, but then each is tried alone.
    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError>;

    /// Moves records out of the way that cannot be begun and hide all others.
    async fn make_way(&self, _app: &App, _keys: &[Key]) -> Result<(), JobError> {
        Ok(())
    }
}

/// Why a job did not do what was due: the store's fault, or a no of the rules, which
/// lasts.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
struct JobError {
    fault: Option<Fault>,
    text: String,
}

impl<E: Failing + Display> From<E> for JobError {
    fn from(error: E) -> Self {
        Self { text: error.to_string(), fault: error.fault().cloned() }
    }
}

/// What became of a run, where not all went well.
#[derive(Default)]
struct Ran {
    /// What could not be begun, and for how long it rests.
    rest: Vec<(Key, Duration)>,
    /// What failed.
    failed: Vec<(Key, JobError)>,
}

/// All jobs there are.
static JOBS: [&dyn Job; 5] = [&send::Send, &dispatch::Dispatch, &end::End, &tidy::Tidy, &erase::Erase];

/// Who takes care of a record that is due in a lane.
fn job_for(lane: Lane, kind: Kind) -> Option<&'static dyn Job> {
    JOBS.into_iter().find(|job| job.lane() == lane && job.kinds().contains(&kind))
}

/// Works until `stop`, then finishes what is under way.
pub async fn run(app: App, settings: Settings, stop: impl Future<Output = ()>) {
    let stop = stop.shared();
    let places = [
        (Lane::Person, settings.max_person_in_flight),
        (Lane::Webhook, events::most_dispatches(&app.telling)),
        (Lane::Chore, settings.max_chores_in_flight),
        (Lane::Long, settings.max_long_in_flight),
    ];
    let lanes = places
        .map(|(lane, places)| runner::Runner::new(app.clone(), lane, places, settings).run(stop.clone()));
    tokio::join!(
        futures_util::future::join_all(lanes),
        events::keep_endpoints(&app.telling, stop.clone()),
        sweep::keep_swept(&app, stop.clone()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::kinds::NEVER_DUE;

    #[test]
    fn everything_that_can_be_due_has_one_job() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.lanes() != NEVER_DUE) {
            for lane in kind.lanes() {
                let jobs = JOBS.iter().filter(|job| job.lane() == *lane && job.kinds().contains(&kind));
                assert_eq!(jobs.count(), 1, "{kind:?} in {lane:?}");
            }
        }
        for job in JOBS {
            assert!(job.kinds().iter().all(|kind| kind.lanes().contains(&job.lane())), "{}", job.name());
        }
    }
}
