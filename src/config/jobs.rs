//! `[jobs]`: how much of the work that falls due is done at once.
//!
//! It refuses to know what the work is.

use super::reader::Reader;

/// How much work is done at once, in each lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// Sends and look-ups at once.
    pub max_person_in_flight: usize,
    /// Commits of expired records at once.
    pub max_chores_in_flight: usize,
    /// Pages of what takes long at once.
    pub max_long_in_flight: usize,
    /// Messages that nobody waits for as for a code, at once.
    pub max_bulk_in_flight: usize,
    /// Failures in a row after which something is set aside.
    pub set_aside_after: u32,
}

impl Jobs {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            max_person_in_flight: r.number("jobs.max_person_in_flight", 1..=1024),
            max_chores_in_flight: r.number("jobs.max_chore_commits_in_flight", 1..=16),
            max_long_in_flight: r.number("jobs.max_long_in_flight", 1..=8),
            max_bulk_in_flight: r.number("jobs.max_bulk_in_flight", 1..=256),
            set_aside_after: r.number("jobs.set_aside_after_failures", 1..=1000),
        }
    }
}
