//! Records whose time is over: up to 64 of them go in one commit.

use super::job::{Job, Ran};
use crate::app::{App, AppError};
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;

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
        &[
            Kind::IdempotencyRecord,
            Kind::SessionWindow,
            Kind::ActiveVerification,
            Kind::Session,
            Kind::Counter,
            Kind::Event,
            Kind::Dispatch,
        ]
    }

    fn most(&self) -> usize {
        Change::MAX_COMMIT
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, AppError> {
        Ok(Ran { failed: app.tidy(keys).await?, ..Ran::default() })
    }
}
