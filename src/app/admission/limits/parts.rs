//! What limits stand on.

use super::flags::Seen;
use crate::app::leases::Leases;
use crate::model::limits::{LimitChanges, Limits};
use crate::model::pseudonym::Pseudonyms;
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
    /// These rules.
    pub fn new(limits: Limits, names: Pseudonyms) -> Self {
        Self { limits, names, leases: Leases::default(), seen: Seen::default() }
    }

    /// The rules of a service that sets these otherwise.
    pub fn of(&self, changes: &LimitChanges) -> Cow<'_, Limits> {
        match changes.is_empty() {
            true => Cow::Borrowed(&self.limits),
            false => Cow::Owned(self.limits.with(changes)),
        }
    }
}
