//! What a code's messages said is taken away at the provider, once the code is dead: one
//! message after the other, for nobody waits for it.

use super::job::{Job, JobError, Ran};
use crate::app::{App, messaging};
use crate::store::{Key, Kind, Lane};
use async_trait::async_trait;

/// A panic leaves it to be done again: doing it twice does no harm.
pub(super) struct Redact;

#[async_trait]
impl Job for Redact {
    fn name(&self) -> &'static str {
        "redact"
    }

    fn lane(&self) -> Lane {
        Lane::Long
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Verification]
    }

    /// People's sends have the provider's other places.
    fn most_of_group(&self, _app: &App) -> usize {
        1
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        for key in keys {
            messaging::redact_due(&app.messaging, &key.id).await?;
        }
        Ok(Ran::default())
    }
}
