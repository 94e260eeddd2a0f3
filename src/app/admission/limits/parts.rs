//! What limits stand on.

use super::flags::Seen;
use crate::app::base::Base;
use crate::app::leases::Leases;
use crate::model::limits::{LimitChanges, Limits};
use crate::model::pseudonym::Pseudonyms;
use crate::store::Commit;
use std::borrow::Cow;

/// The rules, the names under which is counted, and what this process has taken ahead.
pub struct Limiting {
    limits: Limits,
    /// What makes the names.
    pub(in crate::app) names: Pseudonyms,
    pub(in crate::app) leases: Leases,
    /// What was read of counters lately.
    pub(in crate::app) seen: Seen,
}

impl Limiting {
    /// What counts by these rules, under names that this key makes.
    pub fn new(limits: Limits, names: Pseudonyms) -> Self {
        Self { limits, names, leases: Leases::default(), seen: Seen::default() }
    }

    /// Gives back what this process has taken ahead of limits and not used, for it ends.
    /// What cannot be given back passes with its time.
    pub async fn close(&self, base: &Base) {
        let rest = self.leases.rest(base.now());
        for some in rest.chunks(Commit::MAX_COUNTERS) {
            let commit = Commit { changes: Vec::new(), additions: some.to_vec() };
            if let Err(error) = base.store().commit_counted(commit).await {
                tracing::warn!(%error, "what was taken ahead of limits is not given back");
                return;
            }
        }
    }

    /// The rules of a service that sets these otherwise.
    pub fn of(&self, changes: &LimitChanges) -> Cow<'_, Limits> {
        match changes.is_empty() {
            true => Cow::Borrowed(&self.limits),
            false => Cow::Owned(self.limits.with(changes)),
        }
    }
}
