//! The erasing of a person's data, a page of records a run. Between its pages other
//! erasures have theirs.

use super::job::{Job, JobError, Ran};
use crate::app::{App, privacy};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;

/// A panic leaves the page undone: it is begun again after its lease.
pub(super) struct Erase;

#[async_trait]
impl Job for Erase {
    fn name(&self) -> &'static str {
        "erase"
    }

    fn lane(&self) -> Lane {
        Lane::Long
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Erasure]
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        for key in keys {
            privacy::erase_page(&app.privacy, &key.id).await?;
        }
        Ok(Ran::default())
    }
}
