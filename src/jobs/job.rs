//! What a job is. It refuses to know which there are, and who runs them.

use crate::app::App;
use crate::app::fault::{Failing, Fault};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;
use std::fmt::Display;
use std::time::Duration;

/// Something that is done about records that are due.
#[async_trait]
pub(super) trait Job: Send + Sync {
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

/// Why a job did not do what was due: a fault, or a no of the rules, which lasts.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(super) struct JobError {
    /// The fault that it is.
    pub(super) fault: Option<Fault>,
    text: String,
}

impl<E: Failing + Display> From<E> for JobError {
    fn from(error: E) -> Self {
        Self { text: error.to_string(), fault: error.fault().cloned() }
    }
}

/// What became of a run, where not all went well.
#[derive(Default)]
pub(super) struct Ran {
    /// What could not be begun, and for how long it is deferred.
    pub(super) deferred: Vec<(Key, Duration)>,
    /// What failed, and why: each is tried again, or set aside.
    pub(super) failed: Vec<(Key, JobError)>,
}
