//! Writing once, where nothing is lost if somebody else was faster: they did the same, or
//! it is done another time. Who must come to an end tries again, in `transact`. It refuses
//! to know what is written.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::store::{Change, CommitError};

/// Commits changes together; false when somebody else was faster at one of them, and then
/// none is done.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn commits(base: &Base, changes: Vec<Change>) -> Result<bool, Fault> {
    match base.store().commit(changes).await {
        Ok(()) => Ok(true),
        Err(CommitError::Conflict) => Ok(false),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}

/// Commits changes together, and one by one where somebody was at one of them: says how
/// many were done.
///
/// # Errors
/// The store's; what was done before stays.
pub(in crate::app) async fn commits_each(base: &Base, changes: Vec<Change>) -> Result<usize, Fault> {
    let count = changes.len();
    if count == 0 || commits(base, changes.clone()).await? {
        return Ok(count);
    }
    // Alone it has just lost.
    if count == 1 {
        return Ok(0);
    }
    let mut done = 0;
    for change in changes {
        done += usize::from(commits(base, vec![change]).await?);
    }
    Ok(done)
}
