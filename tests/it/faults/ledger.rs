//! What clients were told, and what they are in doubt about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

/// What a client knows of a verification that was acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub number: String,
    pub code: Option<String>,
    /// Further messages that were promised.
    pub sends: u32,
    /// Requests for further messages without an answer.
    pub sends_in_doubt: u32,
    /// Wrong codes that were certainly counted, and those that may have been.
    pub wrong: u32,
    pub wrong_in_doubt: u32,
    /// How often a client was told that the code was right, and offers of the
    /// right code without an answer.
    pub right: u32,
    pub right_in_doubt: u32,
    /// Whether the last look at it found everything settled.
    pub is_judged: bool,
}

/// Counts of a run.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub starts: u64,
    pub checks: u64,
    pub sends: u64,
    pub callbacks: u64,
    /// Requests that got no answer, or one that leaves doubt.
    pub doubts: u64,
    /// Starts that were asked for again under their key and answered then.
    pub repeated_starts: u64,
    /// What servers failed to answer while they lived.
    pub failures: Vec<String>,
    /// Requests that a living server refused as not possible now, by code.
    pub refused: BTreeMap<String, u64>,
}

/// What was acknowledged so far.
#[derive(Default)]
pub struct Ledger(Mutex<Book>);

/// The ledger's pages.
#[derive(Default)]
pub struct Book {
    /// Verifications by their ids.
    pub started: BTreeMap<String, Known>,
    /// Statuses of foreign messages by their SIDs.
    pub callbacks: BTreeMap<String, BTreeSet<&'static str>>,
    /// Statuses of our own messages, as the sandbox was told that they came.
    pub told: BTreeMap<String, BTreeSet<String>>,
    pub counts: Counts,
}

impl Ledger {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }

    /// Changes what is known of a verification.
    pub fn note(&self, id: &str, change: impl FnOnce(&mut Known)) {
        change(self.book().started.get_mut(id).unwrap());
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.book().counts);
    }

    /// Remembers which statuses the sandbox was thanked for.
    pub fn hear(&self, told: BTreeMap<String, BTreeSet<String>>) {
        let mut book = self.book();
        for (sid, statuses) in told {
            book.told.entry(sid).or_default().extend(statuses);
        }
    }
}
