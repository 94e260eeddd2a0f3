//! What one call wants of one limit, gathered from its additions. It refuses to know what
//! there is already.

use super::limit::{Addition, Limit, Pseudonym};

/// What one call wants of one limit.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// All amounts together, where there is one.
    pub(super) amount: Option<u128>,
    /// How many are given back, and when they were added.
    pub(super) given_back: Vec<(u64, i64)>,
    /// Distinct members that are added, each once or more.
    pub(super) members: Vec<Pseudonym>,
    /// Failures and successes, in their order; true is a failure.
    pub(super) tries: Vec<bool>,
    /// Whether there has to be room for one more.
    pub(super) room: bool,
}

impl Asked {
    /// What is for this limit among the additions of a call.
    pub(super) fn of(additions: &[Addition], limit: &Limit) -> Self {
        let mut asked = Self::default();
        for addition in additions.iter().filter(|addition| addition.of() == Some(&limit.of)) {
            match addition {
                Addition::Amount { amount, .. } => {
                    asked.amount = Some(u128::from(*amount).saturating_add(asked.amount.unwrap_or(0)));
                }
                Addition::GiveBack { amount, added_at, .. } => {
                    asked.given_back.push((*amount, added_at.as_millisecond()));
                }
                Addition::Member { member, .. } => asked.members.push(*member),
                Addition::Room { .. } => asked.room = true,
                Addition::Failure { .. } => asked.tries.push(true),
                Addition::Success { .. } => asked.tries.push(false),
                Addition::ForgetOthers => {}
            }
        }
        asked
    }

    /// Whether a limit of amounts is asked, or changed.
    pub(super) fn is_of_amounts(&self) -> bool {
        self.room || self.changes_amounts()
    }

    pub(super) fn changes_amounts(&self) -> bool {
        self.amount.is_some() || !self.given_back.is_empty()
    }

    /// How many there has to be room for.
    pub(super) fn wanted(&self) -> Option<u128> {
        if self.room { Some(self.amount.unwrap_or(0).max(1)) } else { self.amount }
    }
}
