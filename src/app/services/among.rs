//! Whose a thing is, and listings of what some services have.

use crate::app::fault::Fault;
use crate::app::listing::{self, Page, Whose, Window};
use crate::app::services::Directory;
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::message::Message;
use crate::model::owner::{Owned, Owner};
use crate::model::verification::Verification;
use crate::store::Scan;
use crate::store::records::{Ahead, Record};

/// What belongs to some services.
pub(in crate::app) struct Among<'a> {
    /// All services there are, to look a record's up.
    pub directory: &'a Directory,
    /// The services whose records may be seen.
    pub services: &'a ServiceSet,
}

impl<T: Owned + Sync> Whose<T> for Among<'_> {
    fn is_all(&self) -> bool {
        self.services.is_all()
    }

    async fn have(&self, records: &[&T]) -> Result<Vec<bool>, Fault> {
        are_among(self.directory, self.services, records.iter().map(|record| record.owner()).collect()).await
    }
}

/// A page of a listing, of what belongs to these services.
pub(in crate::app) async fn page_among<T: Record + Owned>(
    directory: &Directory,
    services: &ServiceSet,
    scan: Scan,
    scopes: &[String],
    window: &Window,
    takes: impl Fn(&T) -> bool,
) -> Result<Page<T>, Fault> {
    listing::page_over(&directory.base, &Among { directory, services }, scan, scopes, window, takes).await
}

/// Whether a thing of that owner belongs to these services.
pub(in crate::app) async fn is_among(
    directory: &Directory,
    services: &ServiceSet,
    owner: Owner,
) -> Result<bool, Fault> {
    Ok(are_among(directory, services, vec![owner]).await? == [true])
}

/// Which things of these owners belong to these services. This is the one place that
/// says what a key of some services sees.
pub(in crate::app) async fn are_among(
    directory: &Directory,
    services: &ServiceSet,
    owners: Vec<Owner>,
) -> Result<Vec<bool>, Fault> {
    if services.is_all() {
        return Ok(vec![true; owners.len()]);
    }
    let mut ahead = Ahead::default();
    for owner in &owners {
        match owner {
            Owner::Verification(id) => ahead.want::<Verification>(id.as_str()),
            Owner::Message(id) => ahead.want::<Message>(id.as_str()),
            Owner::Service(_) | Owner::Nobody => {}
        }
    }
    ahead.read(directory.base.store()).await?;
    let mut are = Vec::with_capacity(owners.len());
    for owner in owners {
        are.push(match owner {
            Owner::Service(service) => has(directory, services, service.as_ref()),
            Owner::Verification(id) => ahead
                .get::<Verification>(directory.base.store(), id.as_str())
                .await?
                .is_some_and(|found| has(directory, services, found.record.service.as_ref())),
            Owner::Message(id) => ahead
                .get::<Message>(directory.base.store(), id.as_str())
                .await?
                .is_some_and(|found| has(directory, services, found.record.service.as_ref())),
            Owner::Nobody => false,
        });
    }
    Ok(are)
}

/// Whether what a record names as its service, or the default one, is among these.
pub(in crate::app) fn has(directory: &Directory, services: &ServiceSet, service: Option<&ServiceId>) -> bool {
    services.is_all() || services.has(service.unwrap_or(&directory.services.default_service().id))
}
