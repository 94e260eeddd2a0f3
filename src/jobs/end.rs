//! Verifications that only have to end: nobody waits for it, so it comes among the chores.

use super::job::{Job, JobError, Ran};
use crate::app::{App, messaging};
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;
use futures_util::future::join_all;

/// Each ends in a commit of its own, with the events that tell of it; those of a run are
/// written together. One that is to be sent again meanwhile is claimed for that, here or by
/// who does nothing else, as one that several processes find.
pub(super) struct End;

#[async_trait]
impl Job for End {
    fn name(&self) -> &'static str {
        "end"
    }

    fn lane(&self) -> Lane {
        Lane::Chore
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Verification]
    }

    fn most(&self) -> usize {
        Change::MAX_COMMIT
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        let ended = keys.iter().map(async |key| {
            Some((key.clone(), messaging::tend_verification(&app.messaging, &key.id).await.err()?.into()))
        });
        let failed = join_all(ended).await.into_iter().flatten().collect();
        Ok(Ran { failed, ..Ran::default() })
    }
}
