//! What waits to be done, what went wrong with it, and what was set aside: for the
//! operator, and for those who do it.
//!
//! What fails again and again is set aside in the store, in a lane of its own that
//! nobody works: every process sees it there, and it is still there after a
//! restart. Why it failed is known to the process in which it did, and in its log.
//! It refuses to know who does what when.

use crate::app::admin::AdminError;
use crate::app::audit;
use crate::app::base::Base;
use crate::app::board::Trouble;
use crate::app::fault::Fault;
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor};
use crate::store::{Change, Due, Key, Lane, Stored, kinds};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Most records that are shown as set aside.
const MOST_SHOWN: usize = 1000;
/// For how long a failure is shown that came to nothing more: what still fails does so
/// again within a minute, here or elsewhere.
const SHOWN: SignedDuration = SignedDuration::from_mins(10);
/// Something that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// What the operator calls it by; it shows no number.
    pub name: String,
    /// Its kind, by its name.
    pub kind: &'static str,
    /// Since when it was due.
    pub due: Timestamp,
    /// What this process knows of it.
    pub trouble: Option<Trouble>,
}

/// How much of a kind waits in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The lane, by its name.
    pub lane: &'static str,
    /// The kind, by its name.
    pub kind: &'static str,
    /// Records that are overdue.
    pub waiting: u64,
    /// Since when the most overdue of them is due.
    pub oldest: Timestamp,
}

/// The work as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// When it was looked at.
    pub at: Timestamp,
    /// What waits, by lane and kind; what waits for nothing is left out.
    pub depths: Vec<Waiting>,
    /// What failed within ten minutes and is tried again later, by its name.
    pub troubled: Vec<(String, Trouble)>,
    /// What was set aside, the first thousand.
    pub aside: Vec<Aside>,
}

/// What a record is called by towards the operator: its kind and its id, or, where
/// the id may hold a number, what is made of it by a hash.
pub fn name_of(key: &Key) -> String {
    let kind = key.kind.name();
    match key.kind.shows_id() {
        true => format!("{kind}/{}", key.id),
        false => format!("{kind}/~{}", &hex::encode(Sha256::digest(&key.id))[..16]),
    }
}

/// What waits, what is tried again, and what was set aside.
///
/// # Errors
/// The store's.
pub async fn queue(base: &Base) -> Result<Queue, AdminError> {
    let at = base.now();
    // What is shown is read before it is counted: what is set aside meanwhile is one more
    // of a depth, and never one that is shown and not counted.
    let aside = base.store().due_in(Lane::Aside, Timestamp::MAX, MOST_SHOWN).await?;
    let depths = base.store().depths(at).await?.into_iter().map(|depth| Waiting {
        lane: depth.lane.as_str(),
        kind: depth.kind.name(),
        waiting: depth.waiting,
        oldest: depth.oldest,
    });
    let depths = depths.collect();
    let troubles = base.board.troubles().clone();
    let is_aside = |key: &Key| aside.iter().any(|(one, _)| one == key);
    let is_over = |trouble: &Trouble| at.duration_since(trouble.at) > SHOWN;
    let mut troubled: Vec<_> = troubles
        .iter()
        .filter(|(key, trouble)| !is_aside(key) && !is_over(trouble))
        .map(|(key, trouble)| (name_of(key), trouble.clone()))
        .collect();
    troubled.sort_by(|one, other| one.0.cmp(&other.0));
    let aside = aside.into_iter().map(|(key, due)| Aside {
        name: name_of(&key),
        kind: key.kind.name(),
        due,
        trouble: troubles.get(&key).cloned(),
    });
    let aside = aside.collect();
    Ok(Queue { at, depths, troubled, aside })
}

/// Takes a record that is due out of its lane, until an operator asks for it.
///
/// # Errors
/// Contended, or the store's.
pub async fn set_aside(base: &Base, key: &Key, at: Timestamp, lane: Lane) -> Result<(), AdminError> {
    let Some(stored) = base.store().read(key).await? else {
        return Ok(());
    };
    // A claim may have moved it since it was found due. What does not read stands
    // where it was found.
    let now_due = kinds::facts(key, &stored.body).map(|facts| facts.due);
    let Some(before) = now_due.unwrap_or(Some(Due { at, lane })) else {
        return Ok(());
    };
    let after = Due { lane: Lane::Aside, ..before };
    base.store().commit(vec![moved(key, &stored, before, after)]).await?;
    Ok(())
}

/// What was set aside under that name, and since when it was due.
async fn find_aside(base: &Base, name: &str) -> Result<(Key, Timestamp), AdminError> {
    let mut after = None;
    loop {
        let page = base.store().due_after(Lane::Aside, after.as_ref(), Timestamp::MAX, MOST_SHOWN).await?;
        if let Some(found) = page.iter().find(|(key, _)| name_of(key) == name) {
            return Ok(found.clone());
        }
        after = Some(page.into_iter().next_back().ok_or(Fault::NotFound)?);
    }
}

/// Puts what was set aside back into its lane, as if it had never failed.
///
/// # Errors
/// Not found, contended, or the store's.
pub async fn retry_job(base: &Base, actor: &Actor, name: &str) -> Result<(), AdminError> {
    // Somebody may be at it, and its last write may still be on its way to the disk.
    let (key, lane) = transact(base, &transact::JOB, || put_back(base, actor, name)).await?;
    base.board.forget_trouble(&key);
    base.board.wake_lane(lane);
    tracing::info!(record = %key, "put back into its lane");
    Ok(())
}

/// Deletes the record of what was set aside, with its lines in listings.
///
/// # Errors
/// Not found, contended, or the store's.
pub async fn drop_job(base: &Base, actor: &Actor, name: &str) -> Result<(), AdminError> {
    // Somebody may be at it, and its last write may still be on its way to the disk.
    let key = transact(base, &transact::JOB, || taken_away(base, actor, name)).await?;
    base.board.forget_trouble(&key);
    tracing::warn!(record = %key, "dropped, with its record");
    Ok(())
}

async fn put_back(base: &Base, actor: &Actor, name: &str) -> Result<Draft<(Key, Lane)>, AdminError> {
    let (key, at) = find_aside(base, name).await?;
    let stored = base.store().read(&key).await?.ok_or(Fault::NotFound)?;
    let facts = kinds::facts(&key, &stored.body);
    let lane = facts.ok().and_then(|facts| facts.due).map_or(key.kind.lane(), |due| due.lane);
    let change = moved(&key, &stored, Due { at, lane: Lane::Aside }, Due { at, lane });
    let entry = audit::entry(base, actor, Action::JobRetried, name_of(&key));
    Ok(Draft::Write(vec![change, audit::write(&entry)], (key, lane)))
}

async fn taken_away(base: &Base, actor: &Actor, name: &str) -> Result<Draft<Key>, AdminError> {
    let (key, at) = find_aside(base, name).await?;
    let stored = base.store().read(&key).await?.ok_or(Fault::NotFound)?;
    // One that does not read does not say which lines it has.
    let entries_removed = match kinds::facts(&key, &stored.body) {
        Ok(facts) => facts.entries,
        Err(_) => base.whole_store().entries_of(&key).await?,
    };
    let change = Change {
        key: key.clone(),
        expected: stored.version,
        body: None,
        due_before: Some(Due { at, lane: Lane::Aside }),
        due_after: None,
        entries_added: Vec::new(),
        entries_removed,
    };
    let entry = audit::entry(base, actor, Action::JobDropped, name_of(&key));
    Ok(Draft::Write(vec![change, audit::write(&entry)], key))
}

/// The change that moves a record to another lane, and nothing else of it.
fn moved(key: &Key, stored: &Stored, before: Due, after: Due) -> Change {
    Change {
        key: key.clone(),
        expected: stored.version,
        body: Some(stored.body.to_vec()),
        due_before: Some(before),
        due_after: Some(after),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[test]
    fn names_show_no_number() {
        let key = Key::new(Kind::ActiveVerification, "VA1|+14155550123");
        let name = name_of(&key);
        assert!(name.starts_with("pending/~") && !name.contains("4155550123"), "{name}");
        assert_eq!(name, name_of(&key));
        assert_eq!(name_of(&Key::new(Kind::Verification, "VE1")), "verification/VE1");
    }
}
