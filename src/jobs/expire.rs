//! The job of expired records: up to 64 at once. Which of them are deleted is decided in
//! `app::privacy::expire`.

use super::job::{Job, JobError, Ran};
use crate::app::{App, privacy};
use crate::store::Kept;
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;
use std::sync::LazyLock;

/// A panic deletes nothing: each record is then tried alone.
pub(super) struct Expire;

#[async_trait]
impl Job for Expire {
    fn name(&self) -> &'static str {
        "expire"
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
            failed: privacy::delete_expired(&app.base, keys)
                .await?
                .into_iter()
                .map(|(key, fault)| (key, fault.into()))
                .collect(),
            ..Ran::default()
        })
    }
}
