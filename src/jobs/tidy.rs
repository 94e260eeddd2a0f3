//! Clean-up of expired records: up to 64 whose time is over go in one commit.

use super::job::{Job, JobError, Ran};
use crate::app::{App, privacy};
use crate::store::kinds::Kept;
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;
use std::sync::LazyLock;

/// A panic deletes nothing: each record is then tried alone.
pub(super) struct Tidy;

#[async_trait]
impl Job for Tidy {
    fn name(&self) -> &'static str {
        "tidy"
    }

    fn lane(&self) -> Lane {
        Lane::Chore
    }

    fn kinds(&self) -> &'static [Kind] {
        static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
            Kind::ALL.into_iter().filter(|kind| kind.declared().kept == Kept::UntilDue).collect()
        });
        &KINDS
    }

    fn most(&self) -> usize {
        Change::MAX_COMMIT
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        Ok(Ran {
            failed: privacy::tidy(&app.base, keys)
                .await?
                .into_iter()
                .map(|(key, fault)| (key, fault.into()))
                .collect(),
            ..Ran::default()
        })
    }
}
