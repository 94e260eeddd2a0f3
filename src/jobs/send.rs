//! A verification that is due for somebody who waits: a send or a look-up, and the end of
//! one that an older version filed here.

use super::job::{Job, JobError, Ran};
use crate::app::{App, messaging};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;

/// A panic between claim and settlement leaves the send in doubt, as a kill does:
/// whoever comes after its lease looks it up.
pub(super) struct Send;

#[async_trait]
impl Job for Send {
    fn name(&self) -> &'static str {
        "send"
    }

    fn lane(&self) -> Lane {
        Lane::Person
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Verification]
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        for key in keys {
            messaging::tend_verification(&app.messaging, &key.id).await?;
        }
        Ok(Ran::default())
    }
}
