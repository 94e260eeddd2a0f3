//! The lanes of due work in files: what waits in each, and what an older version
//! has left in the wrong one.
//!
//! There were two lanes once. What was due in them and belongs elsewhere now is
//! moved when the store is opened, in small batches, each of which is whole after
//! a power cut: what was not moved is moved at the next opening. An older version
//! refuses the store from then on, for it would never do what stands in the new
//! lanes. It refuses to know what records mean.

use super::super::queue::count;
use super::super::{Depth, Due, Key, Lane, StoreError};
use super::disk::foreign;
use super::layout;
use super::shared::failure;
use super::shared::known;
use jiff::Timestamp;
use sled::{Batch, Db, IVec};

/// Entries that are moved in one batch: each is two changes.
const BATCH: usize = 32;
/// Batches between two flushes.
const FLUSH_EVERY: usize = 256;

/// A due entry as a queue has it.
pub(super) fn due(key: &IVec) -> Result<(Key, Timestamp), StoreError> {
    layout::due(key).map(|(key, due)| (key, due.at)).ok_or_else(foreign)
}

/// Counts what waits in each lane.
pub(super) fn depths(db: &Db, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
    let mut depths = Vec::new();
    for lane in Lane::ALL {
        let mut wrong = None;
        let all = db.range(layout::due_range(lane, until)).keys().map(|key| due(&known(key)?));
        let whole = all.map_while(|entry| entry.map_err(|error| wrong = Some(error)).ok());
        depths.extend(count(lane, whole));
        if let Some(error) = wrong {
            return Err(error);
        }
    }
    Ok(depths)
}

/// Whether anything is set aside.
pub(super) fn has_aside(db: &Db) -> Result<bool, StoreError> {
    let first = db.range(layout::due_range(Lane::Aside, Timestamp::MAX)).keys().next();
    first.transpose().map(|first| first.is_some()).map_err(|error| failure(&error))
}

/// Moves what stands in a lane of before to its own. The number of the layout that has
/// them must be on the disk.
pub(super) fn refile(db: &Db) -> Result<(), StoreError> {
    let (mut moved, mut batches) = (0_u64, 0_usize);
    let (mut batch, mut in_batch) = (Batch::default(), 0);
    for lane in [Lane::Person, Lane::Webhook] {
        for key in db.range(layout::due_range(lane, Timestamp::MAX)).keys() {
            let old = known(key)?;
            let (named, due) = layout::due(&old).ok_or_else(foreign)?;
            if named.kind.lanes().contains(&lane) {
                continue;
            }
            let new = layout::due_key(Due { lane: named.kind.lane(), ..due }, &named);
            batch.remove(old);
            batch.insert(new, IVec::default());
            (moved, in_batch) = (moved + 1, in_batch + 1);
            if in_batch == BATCH {
                db.apply_batch(std::mem::take(&mut batch)).map_err(|error| failure(&error))?;
                (in_batch, batches) = (0, batches + 1);
                if batches % FLUSH_EVERY == 0 {
                    db.flush().map_err(|error| failure(&error))?;
                }
            }
        }
    }
    if moved == 0 {
        return Ok(());
    }
    db.apply_batch(batch).map_err(|error| failure(&error))?;
    db.flush().map_err(|error| failure(&error))?;
    tracing::info!(moved, "due work of an older version was put into lanes of its own");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::Kind;
    use super::*;

    #[test]
    fn what_stood_in_the_two_lanes_of_before_is_found_in_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let db = sled::Config::new().path(dir.path()).open().unwrap();
        let at = |n: i64| Timestamp::from_second(n).unwrap();
        let kinds = [
            Kind::Verification,
            Kind::IdempotencyRecord,
            Kind::Counter,
            Kind::Event,
            Kind::Dispatch,
            Kind::Erasure,
        ];
        for (n, kind) in (0..600).zip(kinds.into_iter().cycle()) {
            let due = Due { at: at(n), lane: kind.early_lane() };
            db.insert(layout::due_key(due, &Key::new(kind, format!("{n}"))), &[]).unwrap();
        }
        for _ in 0..2 {
            refile(&db).unwrap();
            let found: Vec<(Lane, Kind, u64, Timestamp)> = depths(&db, Timestamp::MAX)
                .unwrap()
                .into_iter()
                .map(|depth| (depth.lane, depth.kind, depth.waiting, depth.oldest))
                .collect();
            let expected = [
                (Lane::Person, Kind::Verification, 100, at(0)),
                (Lane::Webhook, Kind::Dispatch, 100, at(4)),
                (Lane::Chore, Kind::IdempotencyRecord, 100, at(1)),
                (Lane::Chore, Kind::Counter, 100, at(2)),
                (Lane::Chore, Kind::Event, 100, at(3)),
                (Lane::Long, Kind::Erasure, 100, at(5)),
            ];
            assert_eq!(found, expected);
        }
        assert!(!has_aside(&db).unwrap());
    }
}
