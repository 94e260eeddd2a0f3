//! What waits to be done, what went wrong with it, and what was set aside: for the
//! operator, and for those who do it.
//!
//! What fails again and again is set aside in the store, in a lane of its own that
//! nobody works: every process sees it there, and it is still there after a
//! restart. Why it failed is known to the process in which it did, and in its log.
//! It refuses to know who does what when.

use super::transact::{self, Draft};
use super::{App, AppError, audit};
use crate::app::By;
use crate::model::audit::Action;
use crate::store::{Change, Due, Key, Kind, Lane, Stored, kinds};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Most records that are shown as set aside.
const MOST_SHOWN: usize = 1000;
/// Most failures that are remembered with their reasons.
const MOST_REMEMBERED: usize = 1000;
/// For how long a failure is shown that came to nothing more: what still fails does so
/// again within a minute, here or elsewhere.
const SHOWN: SignedDuration = SignedDuration::from_mins(10);
/// Most chores that somebody waits for.
const MOST_WANTED: usize = 64;
/// Bytes of a reason that are kept.
const MOST_SAID: usize = 300;

/// How often something failed, and why the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In a row, in this process.
    pub failures: u32,
    /// Why; without numbers.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

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

/// What those who do the work have in common.
#[derive(Default)]
pub struct Board {
    chore: Notify,
    long: Notify,
    troubles: Mutex<HashMap<Key, Trouble>>,
    wanted: Mutex<VecDeque<(Key, Timestamp)>>,
}

impl Board {
    fn wanted(&self) -> MutexGuard<'_, VecDeque<(Key, Timestamp)>> {
        // Nothing is ever half-changed under this lock.
        self.wanted.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    fn troubles(&self) -> MutexGuard<'_, HashMap<Key, Trouble>> {
        // Nothing is ever half-changed under this lock.
        self.troubles.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

/// What a record is called by towards the operator: its kind and its id, or, where
/// the id may hold a number, what is made of it by a hash.
pub fn name_of(key: &Key) -> String {
    let kind = kinds::name(key.kind);
    match key.kind {
        Kind::Verification | Kind::Event | Kind::Dispatch | Kind::Erasure => format!("{kind}/{}", key.id),
        _ => format!("{kind}/~{}", &hex::encode(Sha256::digest(&key.id))[..16]),
    }
}

/// A reason without what may be a number: seven digits and more.
fn masked(reason: &str) -> String {
    let (mut out, mut digits) = (String::new(), String::new());
    for c in reason.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        out.push_str(if digits.len() >= 7 { "…" } else { &digits });
        digits.clear();
        if c == '\0' || out.len() >= MOST_SAID {
            break;
        }
        out.push(c);
    }
    out
}

impl App {
    /// What is told when there is something to do in a lane.
    pub fn wakes(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Person => &self.0.wake,
            Lane::Webhook => self.0.events.wake(),
            Lane::Long => &self.board().long,
            Lane::Chore | Lane::Aside => &self.board().chore,
        }
    }

    /// Asks for a chore that somebody waits for, due since then: it is done before all
    /// others. Of too many the rest wait for their turn.
    pub(super) fn want(&self, key: Key, at: Timestamp) {
        let mut wanted = self.board().wanted();
        if wanted.len() < MOST_WANTED && !wanted.iter().any(|(one, _)| *one == key) {
            wanted.push_back((key, at));
        }
        drop(wanted);
        self.wakes(Lane::Chore).notify_one();
    }

    /// Takes the chores that somebody waits for, the longest asked for first.
    pub fn take_wanted(&self) -> Vec<(Key, Timestamp)> {
        self.board().wanted().drain(..).collect()
    }

    /// Writes down that something about a record failed, and how often in a row. Of
    /// too many the one that failed longest ago is forgotten.
    pub fn note_trouble(&self, key: &Key, failures: u32, reason: &str) {
        let mut troubles = self.board().troubles();
        if troubles.len() >= MOST_REMEMBERED && !troubles.contains_key(key) {
            let oldest = troubles.iter().min_by_key(|(_, trouble)| trouble.at);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                troubles.remove(&oldest);
            }
        }
        troubles.insert(key.clone(), Trouble { failures, reason: masked(reason), at: self.now() });
    }

    /// It went well.
    pub fn forget_trouble(&self, key: &Key) {
        self.board().troubles().remove(key);
    }

    /// What waits, what is tried again, and what was set aside.
    ///
    /// # Errors
    /// The store's.
    pub async fn queue(&self) -> Result<Queue, AppError> {
        let at = self.now();
        let depths = self.store().depths(at).await?.into_iter().map(|depth| Waiting {
            lane: depth.lane.as_str(),
            kind: kinds::name(depth.kind),
            waiting: depth.waiting,
            oldest: depth.oldest,
        });
        let depths = depths.collect();
        let aside = self.store().due_in(Lane::Aside, Timestamp::MAX, MOST_SHOWN).await?;
        let troubles = self.board().troubles().clone();
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
            kind: kinds::name(key.kind),
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
    pub async fn set_aside(&self, key: &Key, at: Timestamp, lane: Lane) -> Result<(), AppError> {
        let Some(stored) = self.store().read(key).await? else {
            return Ok(());
        };
        // A claim may have moved it since it was found due. What does not read stands
        // where it was found.
        let now_due = kinds::facts(key, &stored.body).map(|facts| facts.due);
        let Some(before) = now_due.unwrap_or(Some(Due { at, lane })) else {
            return Ok(());
        };
        let after = Due { lane: Lane::Aside, ..before };
        self.store().commit(vec![moved(key, &stored, before, after)]).await?;
        Ok(())
    }

    /// What was set aside under that name, and since when it was due.
    async fn find_aside(&self, name: &str) -> Result<(Key, Timestamp), AppError> {
        let aside = self.store().due_in(Lane::Aside, Timestamp::MAX, usize::MAX >> 1).await?;
        aside.into_iter().find(|(key, _)| name_of(key) == name).ok_or(AppError::NotFound)
    }
}

impl By<'_> {
    /// Puts what was set aside back into its lane, as if it had never failed.
    ///
    /// # Errors
    /// Not found, contended, or the store's.
    pub async fn retry_job(&self, name: &str) -> Result<(), AppError> {
        // Somebody may be at it, and its last write may still be on its way to the disk.
        let (key, lane) = self.transact(&transact::JOB, || self.put_back(name)).await?;
        self.forget_trouble(&key);
        self.wakes(lane).notify_one();
        tracing::info!(record = %key, "put back into its lane");
        Ok(())
    }

    /// Deletes the record of what was set aside, with its lines in listings.
    ///
    /// # Errors
    /// Not found, contended, or the store's.
    pub async fn drop_job(&self, name: &str) -> Result<(), AppError> {
        // Somebody may be at it, and its last write may still be on its way to the disk.
        let key = self.transact(&transact::JOB, || self.taken_away(name)).await?;
        self.forget_trouble(&key);
        tracing::warn!(record = %key, "dropped, with its record");
        Ok(())
    }

    async fn put_back(&self, name: &str) -> Result<Draft<(Key, Lane)>, AppError> {
        let (key, at) = self.find_aside(name).await?;
        let stored = self.store().read(&key).await?.ok_or(AppError::NotFound)?;
        let facts = kinds::facts(&key, &stored.body);
        let lane = facts.ok().and_then(|facts| facts.due).map_or(key.kind.lane(), |due| due.lane);
        let change = moved(&key, &stored, Due { at, lane: Lane::Aside }, Due { at, lane });
        let entry = self.entry(Action::JobRetried, name_of(&key));
        Ok(Draft::Write(vec![change, audit::write(&entry)], (key, lane)))
    }

    async fn taken_away(&self, name: &str) -> Result<Draft<Key>, AppError> {
        let (key, at) = self.find_aside(name).await?;
        let stored = self.store().read(&key).await?.ok_or(AppError::NotFound)?;
        // One that does not read does not say which lines it has.
        let entries_removed = match kinds::facts(&key, &stored.body) {
            Ok(facts) => facts.entries,
            Err(_) => self.store().entries_of(&key).await?,
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
        let entry = self.entry(Action::JobDropped, name_of(&key));
        Ok(Draft::Write(vec![change, audit::write(&entry)], key))
    }
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

    #[test]
    fn names_and_reasons_show_no_number() {
        let key = Key::new(Kind::ActiveVerification, "VA1|+14155550123");
        let name = name_of(&key);
        assert!(name.starts_with("pending/~") && !name.contains("4155550123"), "{name}");
        assert_eq!(name, name_of(&key));
        assert_eq!(name_of(&Key::new(Kind::Verification, "VE1")), "verification/VE1");
        assert_eq!(masked("no +14155550123, 21610 and 7"), "no +…, 21610 and 7");
        assert!(masked(&"é1".repeat(1000)).len() < 4 * MOST_SAID);
    }
}
