//! One rule, and all of them. It refuses to know which hold, and who changes them.

use super::allowance::Allowance;
use super::subject::{Counted, Subject};
use crate::model::counter::Limit;

/// What follows where a window of a rule is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// What would be one too many is refused, in the very commit.
    Refuse,
    /// It goes on, and what it came to says so.
    Flag,
    /// It goes on, and the log alone says so: for a roll-out.
    Track,
}

/// How often something may happen to whom, and what follows beyond.
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
    pub(super) rules: Vec<LimitRule>,
    pub(super) lock_after: u32,
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
            let limit = Limit::new(name(window.seconds), self.word(part), window.seconds, self.most(window));
            let limit = if is_exact { limit.exact() } else { limit };
            // A rule that refuses nobody counts on.
            if self.action == Action::Refuse { limit } else { limit.tracked() }
        };
        self.windows.iter().map(limit).collect()
    }

    /// The most that there may be within a window, in what the rule counts: of money in
    /// millionths of a dollar.
    pub fn most(&self, window: &Allowance) -> u64 {
        if self.counted == Counted::Money { window.in_millionths() } else { window.max }
    }

    /// Within how many seconds how much there may be, in what the rule counts, for each
    /// window.
    pub fn bounds(&self) -> impl Iterator<Item = (u32, u64)> {
        self.windows.iter().map(|window| (window.seconds, self.most(window)))
    }

    /// What [`LimitRule::limits`] gives, as if it refused: for whoever asks whether a window is full.
    pub fn refusing(&self, part: &str) -> Vec<Limit> {
        Self { action: Action::Refuse, ..self.clone() }.limits(part)
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
