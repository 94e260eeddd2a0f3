//! What a commit may be, the same for every engine. It refuses to know engines and
//! what records mean.

use super::{Change, Commit, Due, Entry, Key, Kind, StoreError};

/// What every engine refuses before it begins.
pub(super) fn validate(commit: &Commit) -> Result<(), StoreError> {
    let Commit { changes, additions } = commit;
    let refuse = |why: String| Err(StoreError::Failed(why));
    for (what, count, most) in [
        ("changes", changes.len() + additions.len(), Change::MAX_COMMIT),
        ("counters", additions.len(), Commit::MAX_COUNTERS),
    ] {
        if count > most {
            return refuse(format!("{count} {what} in one commit, {most} are possible"));
        }
    }
    for (nth, counting) in additions.iter().enumerate() {
        validate_id(&counting.counter)?;
        counting.validate()?;
        let is_same = |change: &Change| change.key.kind == Kind::Counter && change.key.id == counting.counter;
        if changes.iter().any(is_same)
            || additions[..nth].iter().any(|earlier| earlier.counter == counting.counter)
        {
            return refuse("two changes of one Counter in one commit".to_owned());
        }
    }
    for (nth, change) in changes.iter().enumerate() {
        let Key { kind, id } = &change.key;
        let size = change.body.as_ref().map_or(0, Vec::len);
        validate_id(id)?;
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
        // What was written there would not read.
        let is_elsewhere = |due: &Due| !kind.lanes_at_rest().any(|own| own == due.lane);
        if let Some(due) = change.due_after.filter(is_elsewhere) {
            return refuse(format!("a {kind:?} is never due in the lane {}", due.lane.as_str()));
        }
    }
    Ok(())
}

fn validate_id(id: &str) -> Result<(), StoreError> {
    if id.is_empty() || id.len() > Key::MAX_ID {
        let why = format!("an id of {} bytes, 1 to {} are possible", id.len(), Key::MAX_ID);
        return Err(StoreError::Failed(why));
    }
    if id.contains('\0') {
        return Err(StoreError::Failed("an id with a NUL byte".to_owned()));
    }
    Ok(())
}
