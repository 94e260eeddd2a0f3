//! An event that is to be told to an endpoint. Endpoints take turns, and one that
//! has its share of requests keeps no other waiting.

use super::job::{Job, Ran};
use crate::app::{App, AppError};
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
        app.most_dispatches_to_one()
    }

    async fn run(&self, app: &App, keys: &[Key]) -> Result<Ran, AppError> {
        let mut ran = Ran::default();
        for key in keys {
            ran.rest.extend(app.tend_dispatch(&key.id).await?.map(|rest| (key.clone(), rest)));
        }
        Ok(ran)
    }

    async fn make_way(&self, app: &App, keys: &[Key]) -> Result<(), AppError> {
        for some in keys.chunks(Change::MAX_COMMIT) {
            app.defer(some).await?;
        }
        Ok(())
    }
}
