//! How often something may happen to whom: rules by name, each with the windows in
//! which it counts and what it does where one is full.
//!
//! A rule says whom it counts ([`Subject`]), what ([`Counted`]), how much of it within
//! which times ([`Allowance`]), and what follows ([`Action`]). The rules that hold where
//! nobody says anything stand in one table, each with its reason; a configuration and a
//! service change them by name ([`LimitChanges`]). This module refuses to know where
//! counts are kept, under which ids, and who asks.

mod allowance;
mod asker;
mod changes;
mod defaults;
mod network;
mod subject;

pub use allowance::{Allowance, BadAllowance};
pub use asker::{Admitted, Asker};
pub use changes::LimitChanges;
pub use network::{address_of, subnet_of};
pub use subject::{Counted, Subject};

use crate::model::counter::Limit;

/// What follows where a window of a rule is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// What would be one too many is refused, in the very commit.
    Refuse,
    /// It goes on, and what it came to says so.
    Flag,
    /// It goes on, and the log and the metrics alone say so: for a roll-out.
    Track,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitRule {
    /// What it is called in the configuration and in refusals: `number_sends`.
    pub name: &'static str,
    /// Whom it counts.
    pub subject: Subject,
    /// What it counts.
    pub counted: Counted,
    /// How much there may be within which times; empty for any amount, and nothing is
    /// counted then. No two have the same time.
    pub windows: Vec<Allowance>,
    /// What follows where one is full.
    pub action: Action,
}

/// All rules, each by its name once, and from how many wrong codes on a number waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    rules: Vec<LimitRule>,
    lock_after: u32,
}

impl Limits {
    /// The rule of that name.
    pub fn rule(&self, name: &str) -> Option<&LimitRule> {
        self.rules.iter().find(|rule| rule.name == name)
    }

    /// Every rule, also those that allow any amount.
    pub fn rules(&self) -> &[LimitRule] {
        &self.rules
    }

    /// The rules that count that of such a subject, with something to count by.
    pub fn of(&self, subject: Subject, counted: Counted) -> impl Iterator<Item = &LimitRule> {
        let is_it = move |rule: &&LimitRule| rule.subject == subject && rule.counted == counted;
        self.rules.iter().filter(is_it).filter(|rule| !rule.windows.is_empty())
    }

    /// After so many wrong codes since its last approval a number waits, twice as long
    /// after each further one; 0 for never.
    pub fn lock_after(&self) -> u32 {
        self.lock_after
    }

    /// The same rules with some of them changed.
    pub fn with(&self, changes: &LimitChanges) -> Self {
        let mut changed = self.clone();
        for rule in &mut changed.rules {
            changes.change(rule);
        }
        changed.lock_after = changes.number_lock_after.unwrap_or(self.lock_after);
        changed
    }

    /// Rules of which none counts anything, for whoever measures what counting costs.
    pub fn none() -> Self {
        let mut none = Self::default();
        none.rules.iter_mut().for_each(|rule| rule.windows.clear());
        Self { lock_after: 0, ..none }
    }
}

impl LimitRule {
    /// What a counter asks for it: one limit for each window. `part` tells apart what one
    /// counter counts of several of its subjects, and is empty where it is its only one.
    pub fn limits(&self, part: &str) -> Vec<Limit> {
        let name = |seconds: u32| match part {
            "" => format!("{}:{seconds}", self.name),
            part => format!("{}:{seconds}:{part}", self.name),
        };
        // What one person can count on is kept one by one.
        let is_exact = matches!(self.subject, Subject::Number | Subject::NumberOfService);
        let limit = |window: &Allowance| {
            let limit = Limit::new(name(window.seconds), self.word(part), window.seconds, window.max);
            let limit = if is_exact { limit.exact() } else { limit };
            // A rule that refuses nobody counts on.
            if self.action == Action::Refuse { limit } else { limit.tracked() }
        };
        self.windows.iter().map(limit).collect()
    }

    /// The word of the additions that it counts.
    pub fn word(&self, part: &str) -> String {
        match part {
            "" => self.counted.word().to_owned(),
            part => format!("{}:{part}", self.counted.word()),
        }
    }

    /// The name of the rule that a limit of a counter belongs to.
    pub fn name_of(limit: &str) -> &str {
        limit.split(':').next().unwrap_or(limit)
    }
}

#[cfg(test)]
mod tests;
