//! A message that is due and that nobody waits for as for a code: a send, a look-up, or what
//! takes the place of a send that failed. It has a lane of its own, so that a million of them
//! keep no code waiting.

use super::job::{Job, JobError, Ran};
use crate::app::{App, messaging};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;

/// A panic between claim and settlement leaves the send in doubt, as a kill does.
pub(super) struct Bulk;

#[async_trait]
impl Job for Bulk {
    fn name(&self) -> &'static str {
        "bulk"
    }

    fn lane(&self) -> Lane {
        Lane::Bulk
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Message]
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        for key in keys {
            messaging::tend_message(&app.messaging, &key.id).await?;
        }
        Ok(Ran::default())
    }
}
