//! Whose a thing is, and listings of what some services have.

use crate::app::fault::Fault;
use crate::app::listing::{self, Page, Whose, Window};
use crate::app::services::Directory;
use crate::model::key::ServiceSet;
use crate::model::owner::{Owned, Owner};
use crate::model::verification::Verification;
use crate::store::Scan;
use crate::store::records::{self, Record};

/// What belongs to some services.
pub(in crate::app) struct Among<'a> {
    /// All services.
    pub directory: &'a Directory,
    /// The services whose records may be seen.
    pub services: &'a ServiceSet,
}

impl<T: Owned + Sync> Whose<T> for Among<'_> {
    fn is_all(&self) -> bool {
        self.services.is_all()
    }

    async fn has(&self, record: &T) -> Result<bool, Fault> {
        is_among(self.directory, self.services, record.owner()).await
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

/// Whether a thing of that owner belongs to these services. This is the one
/// place that says what a key of some services sees.
pub(in crate::app) async fn is_among(
    directory: &Directory,
    services: &ServiceSet,
    owner: Owner,
) -> Result<bool, Fault> {
    if services.is_all() {
        return Ok(true);
    }
    let default = || directory.services.default_service().id.clone();
    let service = match owner {
        Owner::Service(service) => service.unwrap_or_else(default),
        Owner::Verification(id) => {
            match records::get::<Verification>(directory.base.store(), id.as_str()).await? {
                Some(found) => found.record.service.unwrap_or_else(default),
                None => return Ok(false),
            }
        }
        Owner::Nobody => return Ok(false),
    };
    Ok(services.has(&service))
}
