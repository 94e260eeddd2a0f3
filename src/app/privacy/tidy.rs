//! Tidying away what has a time of its own, many records in one commit. It refuses
//! to know when that is done.

use crate::app::{App, AppError};
use crate::model::active_verification::ActiveVerification;
use crate::model::counter::Counter;
use crate::model::dispatch::Dispatch;
use crate::model::event::Event;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::store::records::{self, Record};
use crate::store::{Change, Key, Kind, Lane, StoreError};

impl App {
    /// Deletes those of some records whose time is over, at most
    /// [`Change::MAX_COMMIT`], in one commit. Where somebody was at one of them they
    /// go one by one, and that one is left. Answers what is not there or could not be
    /// read, and why.
    ///
    /// # Errors
    /// The store's.
    pub async fn tidy(&self, keys: &[Key]) -> Result<Vec<(Key, AppError)>, AppError> {
        let (mut changes, mut unread) = (Vec::with_capacity(keys.len()), Vec::new());
        for key in keys {
            match self.if_over(key).await {
                Ok(change) => changes.extend(change),
                Err(error @ (AppError::NotFound | AppError::Store(StoreError::Damaged(_)))) => {
                    unread.push((key.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        if !changes.is_empty() && !self.commits(changes.clone()).await? && changes.len() > 1 {
            for change in changes {
                self.commits(vec![change]).await?;
            }
        }
        Ok(unread)
    }

    /// The change that deletes a record, if its time is over.
    async fn if_over(&self, key: &Key) -> Result<Option<Change>, AppError> {
        match key.kind {
            Kind::IdempotencyRecord => self.if_due::<IdempotencyRecord>(&key.id).await,
            Kind::SessionWindow => self.if_due::<SessionWindow>(&key.id).await,
            Kind::ActiveVerification => self.if_due::<ActiveVerification>(&key.id).await,
            Kind::Session => self.if_due::<Session>(&key.id).await,
            Kind::Counter => self.if_due::<Counter>(&key.id).await,
            Kind::Event => self.if_due::<Event>(&key.id).await,
            Kind::Dispatch => self.if_due::<Dispatch>(&key.id).await,
            _ => Ok(None),
        }
    }

    async fn if_due<T: Record>(&self, id: &str) -> Result<Option<Change>, AppError> {
        let now = self.now();
        let found = records::get::<T>(self.store(), id).await?.ok_or(AppError::NotFound)?;
        // It may have been renewed meanwhile, or be due for something else.
        let is_over = |one: &T| one.lane() == Lane::Chore && one.due().is_some_and(|due| due <= now);
        Ok(is_over(&found.record).then(|| records::delete(&found)))
    }
}
