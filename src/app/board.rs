//! What those who do the work have in common: what wakes them, what went wrong, and
//! which chores somebody waits for. It refuses to know who does what when.

use crate::store::{Key, Lane};
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// Most failures that are remembered with their reasons.
const MOST_REMEMBERED: usize = 1000;
/// Most chores that somebody waits for.
const MOST_WANTED: usize = 64;
/// Most of what was just written that is told by name.
const MOST_NAMED: usize = 1024;
/// Bytes of a reason that are kept.
const MOST_SAID: usize = 300;

/// How often something failed, and why the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In a row, in this process.
    pub failures: u32,
    /// Why; without numbers.
    pub reason: String,
    /// When it failed the last time, by the clock of this process.
    pub at: Timestamp,
}

/// What those who do the work have in common.
pub struct Board {
    person: Notify,
    webhook: Arc<Notify>,
    chore: Notify,
    long: Notify,
    bulk: Notify,
    troubles: Mutex<HashMap<Key, Trouble>>,
    wanted: Mutex<VecDeque<(Key, Timestamp)>>,
    written: Mutex<Written>,
}

/// What was written for people since it was asked for last.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Records that this process wrote, and that are due at once.
    pub named: Vec<(Key, Timestamp)>,
    /// Whether there is more, which must be looked for.
    pub more: bool,
}

impl Board {
    /// With nothing on it; `webhook` is what is told when an event is to be sent.
    pub(in crate::app) fn new(webhook: Arc<Notify>) -> Self {
        Self {
            person: Notify::new(),
            webhook,
            chore: Notify::new(),
            long: Notify::new(),
            bulk: Notify::new(),
            troubles: Mutex::default(),
            wanted: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Somebody waits for what was written.
    pub(in crate::app) fn wake(&self) {
        self.written().more = true;
        self.person.notify_one();
    }

    /// The same where it is known what was written: a record that is due since then.
    /// Who works here need not look for it, among all that others have written.
    pub(in crate::app) fn wake_for(&self, key: Key, at: Timestamp) {
        let mut written = self.written();
        match written.named.len() < MOST_NAMED {
            true => written.named.push((key, at)),
            false => written.more = true,
        }
        drop(written);
        self.person.notify_one();
    }

    /// Takes what was written for people.
    pub fn take_written(&self) -> Written {
        std::mem::take(&mut *self.written())
    }

    /// Something is to be done in a lane, and who says so does not know what.
    pub(in crate::app) fn wake_lane(&self, lane: Lane) {
        match lane {
            Lane::Person => self.wake(),
            _ => self.wakes(lane).notify_one(),
        }
    }

    /// What is waited on for something to do in a lane; `wake_lane` tells it.
    pub fn wakes(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Person => &self.person,
            Lane::Webhook => &self.webhook,
            Lane::Long => &self.long,
            Lane::Bulk => &self.bulk,
            Lane::Chore | Lane::Aside => &self.chore,
        }
    }

    /// Asks for a chore that somebody waits for, due since then: it is done before all
    /// others. Of too many the rest wait for their turn.
    pub(in crate::app) fn want(&self, key: Key, at: Timestamp) {
        let mut wanted = self.wanted();
        if wanted.len() < MOST_WANTED && !wanted.iter().any(|(one, _)| *one == key) {
            wanted.push_back((key, at));
        }
        drop(wanted);
        self.wake_lane(Lane::Chore);
    }

    /// Takes the chores that somebody waits for, the longest asked for first.
    pub fn take_wanted(&self) -> Vec<(Key, Timestamp)> {
        self.wanted().drain(..).collect()
    }

    /// Writes down that something about a record failed, and how often in a row. Of
    /// too many the one that failed longest ago is forgotten.
    pub fn note_trouble(&self, key: &Key, failures: u32, reason: &str, at: Timestamp) {
        let mut troubles = self.troubles();
        if troubles.len() >= MOST_REMEMBERED && !troubles.contains_key(key) {
            let oldest = troubles.iter().min_by_key(|(_, trouble)| trouble.at);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                troubles.remove(&oldest);
            }
        }
        troubles.insert(key.clone(), Trouble { failures, reason: masked(reason), at });
    }

    /// It went well.
    pub fn forget_trouble(&self, key: &Key) {
        self.troubles().remove(key);
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        // Nothing is ever half-changed under this lock.
        self.written.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    pub(in crate::app) fn wanted(&self) -> MutexGuard<'_, VecDeque<(Key, Timestamp)>> {
        // Nothing is ever half-changed under this lock.
        self.wanted.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    pub(in crate::app) fn troubles(&self) -> MutexGuard<'_, HashMap<Key, Trouble>> {
        // Nothing is ever half-changed under this lock.
        self.troubles.lock().unwrap_or_else(|broken| broken.into_inner())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_taken_once_and_too_much_is_to_be_looked_for() {
        let board = Board::new(Arc::default());
        let key = |n: usize| Key::new(crate::store::Kind::Verification, n.to_string());
        board.wake_for(key(0), Timestamp::UNIX_EPOCH);
        let named = vec![(key(0), Timestamp::UNIX_EPOCH)];
        assert_eq!(board.take_written(), Written { named, more: false });
        board.wake();
        assert_eq!(board.take_written(), Written { named: Vec::new(), more: true });
        (0..=MOST_NAMED).for_each(|n| board.wake_for(key(n), Timestamp::UNIX_EPOCH));
        let written = board.take_written();
        assert_eq!((written.named.len(), written.more), (MOST_NAMED, true));
        assert_eq!(board.take_written(), Written::default());
    }

    #[test]
    fn reasons_show_no_number() {
        assert_eq!(masked("no +14155550123, 21610 and 7"), "no +…, 21610 and 7");
        assert!(masked(&"é1".repeat(1000)).len() < 4 * MOST_SAID);
    }
}
