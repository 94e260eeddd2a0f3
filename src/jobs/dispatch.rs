//! An event that is to be told to an endpoint. Endpoints take turns, and one that
//! has its share of requests keeps no other waiting.

use super::{Job, Ran};
use crate::service::{Service, ServiceError};
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

    fn most_of_group(&self, service: &Service) -> usize {
        service.most_dispatches_to_one()
    }

    async fn run(&self, service: &Service, keys: &[Key]) -> Result<Ran, ServiceError> {
        let mut ran = Ran::default();
        for key in keys {
            ran.rest.extend(service.tend_dispatch(&key.id).await?.map(|rest| (key.clone(), rest)));
        }
        Ok(ran)
    }

    async fn make_way(&self, service: &Service, keys: &[Key]) -> Result<(), ServiceError> {
        for some in keys.chunks(Change::MAX_COMMIT) {
            service.put_off(some).await?;
        }
        Ok(())
    }
}
