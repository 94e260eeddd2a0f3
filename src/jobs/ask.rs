//! A delivery of ours that is silent: a few are asked for at a time. What is asked, and how
//! often, is decided in `app::messaging::reconcile`.

use super::job::{Job, JobError, Ran};
use crate::app::{App, messaging};
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;

/// A panic leaves what was claimed due again a minute later.
pub(super) struct Ask;

#[async_trait]
impl Job for Ask {
    fn name(&self) -> &'static str {
        "ask"
    }

    fn lane(&self) -> Lane {
        Lane::Chore
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Delivery]
    }

    fn most(&self) -> usize {
        messaging::MOST_ASKED
    }

    fn group<'k>(&self, _key: &'k Key) -> &'k str {
        "asked"
    }

    /// One run at a time, which is what bounds the rate.
    fn most_of_group(&self, _app: &App) -> usize {
        1
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        messaging::ask(&app.messaging, &ids(keys)).await?;
        Ok(Ran::default())
    }

    async fn make_way(&self, app: &App, keys: &[Key]) -> Result<(), JobError> {
        for some in keys.chunks(Change::MAX_COMMIT) {
            messaging::defer_asking(&app.base, &ids(some)).await?;
        }
        Ok(())
    }
}

fn ids(keys: &[Key]) -> Vec<&str> {
    keys.iter().map(|key| key.id.as_str()).collect()
}
