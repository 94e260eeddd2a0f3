//! Numbers that rules about countries let pass.

use crate::app::{App, AppError, By, audit};
use crate::model::audit::Action;
use crate::model::phone::PhoneNumber;
use crate::model::safe_number::SafeNumber;
use crate::store::CommitError;
use crate::store::records::{self, Versioned};

impl By<'_> {
    /// Puts a number on the list; one that is there stays as it is.
    ///
    /// # Errors
    /// What is no number, or the store's.
    pub async fn add_safe_number(&self, number: &str) -> Result<SafeNumber, AppError> {
        let (number, _) = self.number(number)?;
        if let Some(found) = self.stored_safe_number(&number).await? {
            return Ok(found.record);
        }
        let safe = SafeNumber { sid: self.new_sid("GN"), number, created_at: self.now() };
        let entry = self.entry(Action::SafeNumberAdded, safe.number.masked());
        match self.store().commit(vec![records::put(None, &safe), audit::write(&entry)]).await {
            Ok(()) => Ok(safe),
            Err(CommitError::Conflict) => self.safe_number(safe.number.in_full()).await,
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// Takes a number from the list.
    ///
    /// # Errors
    /// As [`App::safe_number`].
    pub async fn remove_safe_number(&self, number: &str) -> Result<(), AppError> {
        let (number, _) = self.number(number).map_err(|_| AppError::NotFound)?;
        let found = self.stored_safe_number(&number).await?.ok_or(AppError::NotFound)?;
        let entry = self.entry(Action::SafeNumberRemoved, found.record.number.masked());
        match self.store().commit(vec![records::delete(&found), audit::write(&entry)]).await {
            // It never changes, so somebody else has taken it.
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}

impl App {
    /// A number on the list.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for what is no number, or the store's.
    pub async fn safe_number(&self, number: &str) -> Result<SafeNumber, AppError> {
        let (number, _) = self.number(number).map_err(|_| AppError::NotFound)?;
        let found = self.stored_safe_number(&number).await?;
        found.map(|found| found.record).ok_or(AppError::NotFound)
    }

    /// The number on the list, under whichever spelling it was put there.
    pub(in crate::app) async fn stored_safe_number(
        &self,
        number: &PhoneNumber,
    ) -> Result<Option<Versioned<SafeNumber>>, AppError> {
        for spelling in number.person().spellings() {
            if let Some(found) = records::get(self.store(), &spelling).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}
