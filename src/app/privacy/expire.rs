//! Clean-up of expired records: those with a time of their own (`expires_at` and the
//! like: events, dispatches, sessions, kept answers, counters, pointers to verifications)
//! are deleted when it is over, many in one commit. What is kept for days by the
//! configuration is deleted in `retention`. It refuses to know when it is run.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::privacy::retention;
use crate::model::active_verification::ActiveVerification;
use crate::model::counter::Counter;
use crate::model::dispatch::Dispatch;
use crate::model::event::Event;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::store::records::{self, Record};
use crate::store::{Change, Key, Kind, Lane, StoreError};

/// Deletes those of some records whose time is over, at most
/// [`Change::MAX_COMMIT`], in one commit. Where somebody was at one of them they
/// go one by one, and that one is left. Answers what is not there or could not be
/// read, and why.
///
/// # Errors
/// The store's.
pub async fn delete_expired(base: &Base, keys: &[Key]) -> Result<Vec<(Key, Fault)>, Fault> {
    let (mut changes, mut unread) = (Vec::with_capacity(keys.len()), Vec::new());
    for key in keys {
        match if_expired(base, key).await {
            Ok(change) => changes.extend(change),
            Err(error @ (Fault::NotFound | Fault::Store(StoreError::Damaged(_)))) => {
                unread.push((key.clone(), error));
            }
            Err(error) => return Err(error),
        }
    }
    if !changes.is_empty() && !retention::commits(base, changes.clone()).await? && changes.len() > 1 {
        for change in changes {
            retention::commits(base, vec![change]).await?;
        }
    }
    Ok(unread)
}

/// The change that deletes a record, if its time is over.
async fn if_expired(base: &Base, key: &Key) -> Result<Option<Change>, Fault> {
    match key.kind {
        Kind::IdempotencyRecord => if_due::<IdempotencyRecord>(base, &key.id).await,
        Kind::SessionWindow => if_due::<SessionWindow>(base, &key.id).await,
        Kind::ActiveVerification => if_due::<ActiveVerification>(base, &key.id).await,
        Kind::Session => if_due::<Session>(base, &key.id).await,
        Kind::Counter => if_due::<Counter>(base, &key.id).await,
        Kind::Event => if_due::<Event>(base, &key.id).await,
        Kind::Dispatch => if_due::<Dispatch>(base, &key.id).await,
        _ => Ok(None),
    }
}

async fn if_due<T: Record>(base: &Base, id: &str) -> Result<Option<Change>, Fault> {
    let now = base.now();
    let found = records::get::<T>(base.store(), id).await?.ok_or(Fault::NotFound)?;
    // It may have been renewed meanwhile, or be due for something else.
    let has_expired = |one: &T| one.lane() == Lane::Chore && one.due().is_some_and(|due| due <= now);
    Ok(has_expired(&found.record).then(|| records::delete(&found)))
}
