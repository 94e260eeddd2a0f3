//! Looking verifications up.

use crate::app::listing::{Page, Window, scan_of};
use crate::app::{App, AppError, View};
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::phone::{PhoneError, address_spellings};
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

impl App {
    /// Lists verifications, newest first. A page may be short, or even empty,
    /// while `next` says that there is more.
    ///
    /// # Errors
    /// A number that is none, or the store's.
    pub async fn verifications(
        &self,
        filter: &VerificationFilter,
        window: &Window,
    ) -> Result<Page<View>, AppError> {
        self.verifications_among(&ServiceSet::all(), filter, window).await
    }

    /// The same, of these services.
    pub(in crate::app) async fn verifications_among(
        &self,
        services: &ServiceSet,
        filter: &VerificationFilter,
        window: &Window,
    ) -> Result<Page<View>, AppError> {
        let index = if filter.to.is_some() { Index::VerificationsTo } else { Index::Verifications };
        let scopes = match &filter.to {
            Some(to) => match self.address(Some(to))? {
                address if address.starts_with('+') => address_spellings(&address),
                // An address of another kind has no verifications.
                _ => return Err(PhoneError::NotANumber.into()),
            },
            None => vec![String::new()],
        };
        let scan = Scan { since: filter.since, until: filter.until, ..scan_of(index, "") };
        let takes = |verification: &Verification| self.takes(filter, verification);
        let page = self.page_among(services, scan, &scopes, window, takes).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for verification in page.items {
            items.push(self.view(verification).await?);
        }
        Ok(Page { items, next: page.next })
    }

    fn takes(&self, filter: &VerificationFilter, verification: &Verification) -> bool {
        let is_of = |service: &ServiceId| match &verification.service {
            Some(own) => own == service,
            None => *service == self.directory().default_service().id,
        };
        filter.status.is_none_or(|status| verification.status_at(self.now()) == status)
            && filter.service.as_ref().is_none_or(is_of)
    }
}
