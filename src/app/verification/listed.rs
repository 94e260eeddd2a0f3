//! Looking verifications up.

use crate::app::admission::{Admission, numbers};
use crate::app::listing::{Page, Window, scan_of};
use crate::app::services::{Directory, among};
use crate::app::verification::view::views;
use crate::app::verification::{VerificationError, View};
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::verification::{Status, Verification};
use crate::store::{Index, Scan};
use jiff::Timestamp;

/// Which verifications to list.
#[derive(Clone, Default)]
pub struct VerificationFilter {
    /// Of the person with this number, in any writing.
    pub to: Option<String>,
    /// In this status now.
    pub status: Option<Status>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Begun at this time or later.
    pub since: Option<Timestamp>,
    /// Begun before this time.
    pub until: Option<Timestamp>,
}

/// Lists verifications of these services, newest first. A page may be short, or even empty,
/// while `next` says that there is more.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn verifications(
    admission: &Admission,
    services: &ServiceSet,
    filter: &VerificationFilter,
    window: &Window,
) -> Result<Page<View>, VerificationError> {
    let index = if filter.to.is_some() { Index::VerificationsTo } else { Index::Verifications };
    let scopes = numbers::scopes(admission, filter.to.as_deref())?;
    let scan = Scan { since: filter.since, until: filter.until, ..scan_of(index, "") };
    let takes = |verification: &Verification| takes(&admission.directory, filter, verification);
    let page = among::page_among(&admission.directory, services, scan, &scopes, window, takes).await?;
    Ok(Page { items: views(admission, page.items).await?, next: page.next })
}

fn takes(directory: &Directory, filter: &VerificationFilter, verification: &Verification) -> bool {
    let is_of = |service: &ServiceId| match &verification.service {
        Some(own) => own == service,
        None => *service == directory.services.default_service().id,
    };
    filter.status.is_none_or(|status| verification.status_at(directory.base.now()) == status)
        && filter.service.as_ref().is_none_or(is_of)
}
