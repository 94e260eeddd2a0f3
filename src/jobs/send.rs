//! A verification, or a message of high priority, that is due for somebody who waits: a send
//! or a look-up, and the end of a verification that an older version filed here.

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
        &[Kind::Verification, Kind::Message]
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        for key in keys {
            match key.kind {
                Kind::Message => messaging::tend_message(&app.messaging, &key.id).await?,
                _ => messaging::tend_verification(&app.messaging, &key.id).await?,
            }
        }
        Ok(Ran::default())
    }
}
