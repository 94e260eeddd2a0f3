//! An event that is to be told to an endpoint. Endpoints take turns, and one that
//! has its share of requests keeps no other waiting.

use super::job::{Job, JobError, Ran};
use crate::app::{App, events};
use crate::store::{Change, Key, Kind, Lane};
use async_trait::async_trait;

/// A panic leaves the dispatch claimed: it is sent again after its lease, under the
/// same id.
pub(super) struct Dispatch;

#[async_trait]
impl Job for Dispatch {
    fn name(&self) -> &'static str {
        "dispatch"
    }

    fn lane(&self) -> Lane {
        Lane::Webhook
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Dispatch]
    }

    /// The endpoint's id, which stands behind the event's.
    fn group<'k>(&self, key: &'k Key) -> &'k str {
        key.id.rsplit_once('.').map_or("", |(_, endpoint)| endpoint)
    }

    fn most_of_group(&self, app: &App) -> usize {
        events::most_dispatches_to_one(&app.telling)
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, JobError> {
        let mut ran = Ran::default();
        for key in keys {
            let deferred = events::tend_dispatch(&app.telling, &key.id).await?;
            ran.deferred.extend(deferred.map(|span| (key.clone(), span)));
        }
        Ok(ran)
    }

    async fn make_way(&self, app: &App, keys: &[Key]) -> Result<(), JobError> {
        for some in keys.chunks(Change::MAX_COMMIT) {
            events::defer(&app.base, some).await?;
        }
        Ok(())
    }
}
