//! Clean-up of expired records: those with a time of their own (`expires_at` and the
//! like: events, dispatches, sessions, kept answers, counters, pointers to verifications,
//! entries of lists, messages of their own)
//! are deleted when it is over, many in one commit. What is kept for days by the
//! configuration is deleted in `retention`. It refuses to know when it is run.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::once;
use crate::model::active_verification::ActiveVerification;
use crate::model::counter::Counter;
use crate::model::dispatch::Dispatch;
use crate::model::event::Event;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::lists::ListEntry;
use crate::model::message::Message;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::store::records::{self, Record};
use crate::store::{Change, Key, Kind, Lane, StoreError, Stored};
use jiff::Timestamp;

/// Deletes those of some records whose time is over, at most
/// [`Change::MAX_COMMIT`], in one commit. Where somebody was at one of them they
/// go one by one, and that one is left. Answers what is not there or could not be
/// read, and why.
///
/// # Errors
/// The store's.
pub async fn delete_expired(base: &Base, keys: &[Key]) -> Result<Vec<(Key, Fault)>, Fault> {
    let (mut changes, mut unread) = (Vec::with_capacity(keys.len()), Vec::new());
    let found = base.store().read_many(keys).await?;
    for (key, stored) in keys.iter().zip(&found) {
        match if_expired(base, key, stored.as_ref()) {
            Ok(change) => changes.extend(change),
            Err(error @ (Fault::NotFound | Fault::Store(StoreError::Damaged(_)))) => {
                unread.push((key.clone(), error));
            }
            Err(error) => return Err(error),
        }
    }
    once::commits_each(base, changes).await?;
    Ok(unread)
}

/// The change that deletes a record, if its time is over.
fn if_expired(base: &Base, key: &Key, stored: Option<&Stored>) -> Result<Option<Change>, Fault> {
    let (now, id) = (base.now(), &key.id);
    match key.kind {
        Kind::IdempotencyRecord => if_due::<IdempotencyRecord>(now, id, stored),
        Kind::SessionWindow => if_due::<SessionWindow>(now, id, stored),
        Kind::ActiveVerification => if_due::<ActiveVerification>(now, id, stored),
        Kind::Session => if_due::<Session>(now, id, stored),
        Kind::Counter => if_due::<Counter>(now, id, stored),
        Kind::Event => if_due::<Event>(now, id, stored),
        Kind::Dispatch => if_due::<Dispatch>(now, id, stored),
        Kind::ListEntry => if_due::<ListEntry>(now, id, stored),
        Kind::Message => if_due::<Message>(now, id, stored),
        _ => Ok(None),
    }
}

fn if_due<T: Record>(now: Timestamp, id: &str, stored: Option<&Stored>) -> Result<Option<Change>, Fault> {
    let found = records::of::<T>(id, stored)?.ok_or(Fault::NotFound)?;
    // It may have been renewed meanwhile, or be due for something else.
    let has_expired = |one: &T| one.lane() == Lane::Chore && one.due().is_some_and(|due| due <= now);
    Ok(has_expired(&found.record).then(|| records::delete(&found)))
}
