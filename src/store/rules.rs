//! What a commit may be, the same for every engine. It refuses to know engines and
//! what records mean.

use super::{Change, Entry, Key, StoreError};

/// What every engine refuses before it begins.
pub(super) fn validate(changes: &[Change]) -> Result<(), StoreError> {
    let refuse = |why: String| Err(StoreError::Failed(why));
    if changes.len() > Change::MAX_COMMIT {
        return refuse(format!(
            "{} changes in one commit, {} are possible",
            changes.len(),
            Change::MAX_COMMIT
        ));
    }
    for (nth, change) in changes.iter().enumerate() {
        let Key { kind, id } = &change.key;
        let size = change.body.as_ref().map_or(0, Vec::len);
        if id.is_empty() || id.len() > Key::MAX_ID {
            return refuse(format!("an id of {} bytes, 1 to {} are possible", id.len(), Key::MAX_ID));
        }
        if id.contains('\0') {
            return refuse("an id with a NUL byte".to_owned());
        }
        if size > Change::MAX_BODY {
            return Err(StoreError::TooLarge { size });
        }
        if changes[..nth].iter().any(|earlier| earlier.key == change.key) {
            return refuse(format!("two changes of one {kind:?} in one commit"));
        }
        let strange = |entry: &Entry| {
            entry.id != *id
                || entry.index.kind() != *kind
                || entry.scope.len() > Key::MAX_ID
                || entry.scope.contains('\0')
        };
        if change.entries_added.iter().chain(&change.entries_removed).any(strange) {
            return refuse(format!("an entry that is not one of its own {kind:?}"));
        }
    }
    Ok(())
}
