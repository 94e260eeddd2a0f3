//! What those who do the work have in common: what wakes them, what went wrong, and
//! which chores somebody waits for. It refuses to know who does what when.

use crate::store::Key;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

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

/// What those who do the work have in common.
#[derive(Default)]
pub struct Board {
    pub(in crate::app) chore: Notify,
    pub(in crate::app) long: Notify,
    troubles: Mutex<HashMap<Key, Trouble>>,
    wanted: Mutex<VecDeque<(Key, Timestamp)>>,
}

impl Board {
    pub(in crate::app) fn wanted(&self) -> MutexGuard<'_, VecDeque<(Key, Timestamp)>> {
        // Nothing is ever half-changed under this lock.
        self.wanted.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    pub(in crate::app) fn troubles(&self) -> MutexGuard<'_, HashMap<Key, Trouble>> {
        // Nothing is ever half-changed under this lock.
        self.troubles.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}
