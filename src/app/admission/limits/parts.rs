//! What limits stand on.

use super::budgets::Told;
use super::flags::Seen;
use crate::app::base::Base;
use crate::app::leases::Leases;
use crate::model::limits::{LimitChanges, Limits};
use crate::model::price::Prices;
use crate::model::pseudonym::Pseudonyms;
use crate::store::{Commit, Counting};
use std::borrow::Cow;

/// The rules, the names under which is counted, and what this process has taken ahead.
pub struct Limiting {
    limits: Limits,
    /// What messages and calls cost.
    pub(in crate::app) prices: Prices,
    /// What makes the names.
    pub(in crate::app) names: Pseudonyms,
    pub(in crate::app) leases: Leases,
    /// What was read of counters lately.
    pub(in crate::app) seen: Seen,
    /// Of which budgets somebody was told.
    pub(in crate::app) told: Told,
}

impl Limiting {
    /// What counts by these rules and prices, under names that this key makes.
    pub fn new(limits: Limits, prices: Prices, names: Pseudonyms) -> Self {
        Self {
            limits,
            prices,
            names,
            leases: Leases::default(),
            seen: Seen::default(),
            told: Told::default(),
        }
    }

    /// Gives back what this process has taken ahead of limits and not used, for it ends.
    /// What cannot be given back passes with its time.
    pub async fn close(&self, base: &Base) {
        for additions in by_commit(self.leases.rest(base.now())) {
            let commit = Commit { changes: Vec::new(), additions };
            if let Err(error) = base.store().commit_counted(commit).await {
                tracing::warn!(%error, "what was taken ahead of limits is not given back");
                return;
            }
        }
    }

    /// The rules of the configuration.
    pub(in crate::app) fn configured(&self) -> &Limits {
        &self.limits
    }

    /// The rules of a service that sets these otherwise.
    pub fn of(&self, changes: &LimitChanges) -> Cow<'_, Limits> {
        match changes.is_empty() {
            true => Cow::Borrowed(&self.limits),
            false => Cow::Owned(self.limits.with(changes)),
        }
    }
}

/// The same for as many commits as it takes: in each a counter stands once.
fn by_commit(all: Vec<Counting>) -> Vec<Vec<Counting>> {
    let mut commits: Vec<Vec<Counting>> = Vec::new();
    for counting in all {
        let has_room = |commit: &&mut Vec<Counting>| {
            let is_there = |one: &Counting| one.counter == counting.counter;
            commit.len() < Commit::MAX_COUNTERS && !commit.iter().any(is_there)
        };
        match commits.iter_mut().find(has_room) {
            Some(commit) => commit.push(counting),
            None => commits.push(vec![counting]),
        }
    }
    commits
}
