//! What a stretch of the log comes to, for people: how many requests were taken and how
//! many not, by which rule and about whom, what that costs, and who of those that got no
//! code proved their number later after all.
//!
//! Lines come one after another, and what is kept of them is bounded. It refuses to know
//! where they come from and how it is shown.

mod figures;
mod tables;
#[cfg(test)]
mod tests;

pub use figures::Figures;
pub use tables::{Dimension, Table};

use self::tables::{Place, Tables};
use super::waiting::Waiting;
use super::{Decision, Entry, Outcome};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a stretch of the log comes to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionReport")]
pub struct Report {
    /// From when on.
    pub since: Timestamp,
    /// Until when, that time not included.
    pub until: Timestamp,
    /// What all requests of that time come to.
    pub total: Figures,
    /// The same by `rule`, `country`, `range`, `address`, `service`, `channel` and `face`. A
    /// request stands once in each, but with `rule`: there once for each rule that had
    /// something to say of it, as what that rule alone asked for.
    pub by: BTreeMap<Dimension, Table>,
    /// How many requests could not be followed for a whole day, for there were too many: who
    /// of these proved their number later is not among `later`.
    pub not_followed: u64,
}

/// A report under way.
#[derive(Debug)]
pub struct Reporting {
    since: Timestamp,
    until: Timestamp,
    total: Figures,
    tables: Tables,
    waiting: Waiting<(Outcome, Vec<(Place, Outcome)>)>,
}

impl Reporting {
    /// Nothing yet of a stretch of time.
    pub fn new(since: Timestamp, until: Timestamp) -> Self {
        let (total, tables, waiting) =
            (Figures::default(), Tables::default(), Waiting::new(Waiting::<()>::MOST));
        Self { since, until, total, tables, waiting }
    }

    /// Takes a line of the log. Lines come nearly in order; those of other times are let be,
    /// but for proofs of up to a day after the stretch, which tell of requests in it.
    pub fn take(&mut self, entry: &Entry) {
        let is_within = |at: Timestamp| at >= self.since && at < self.until;
        let about = entry.about();
        match entry {
            Entry::Decision(decision) if is_within(decision.at) => self.decided(decision),
            Entry::Verified { at, asked_at, .. } if *at >= self.since => {
                if is_within(*asked_at) {
                    self.of_all(about, |figures| figures.verified += 1);
                }
                self.proved(about.number, *at);
            }
            Entry::Unsent { asked_at, .. } if is_within(*asked_at) => {
                self.of_all(about, |figures| figures.never_left(about));
            }
            Entry::Verdict { at, .. } if is_within(*at) => {
                self.of_all(about, |figures| figures.verdicts += 1)
            }
            _ => {}
        }
    }

    /// What it came to, with at most so many rows in each table, the worst first.
    pub fn done(mut self, most: usize) -> Report {
        self.total.finish();
        Report {
            since: self.since,
            until: self.until,
            total: self.total,
            by: self.tables.done(most),
            not_followed: self.waiting.crowded_out,
        }
    }

    fn decided(&mut self, decision: &Decision) {
        let about = &decision.about;
        self.total.decided(decision.outcome, about);
        let mut places = Vec::new();
        for place in self.tables.of(about) {
            self.tables.figures(place).decided(decision.outcome, about);
            places.push((place, decision.outcome));
        }
        for (rule, outcome) in by_rule(decision) {
            let place = self.tables.of_rule(rule);
            self.tables.figures(place).decided(outcome, about);
            places.push((place, outcome));
        }
        if decision.outcome != Outcome::Taken {
            self.waiting.hold(about.number, decision.at, (decision.outcome, places));
        }
    }

    /// A number was proved: what was decided against it is told once in each row.
    fn proved(&mut self, number: crate::model::counter::Pseudonym, at: Timestamp) {
        let (mut of_total, mut of_rows) = (BTreeSet::new(), BTreeSet::new());
        for (outcome, places) in self.waiting.take(number, at) {
            of_total.insert(outcome);
            of_rows.extend(places);
        }
        of_total.into_iter().for_each(|outcome| self.total.later.add(outcome));
        for (place, outcome) in of_rows {
            self.tables.figures(place).later.add(outcome);
        }
    }

    fn of_all(&mut self, about: &super::About, change: impl Fn(&mut Figures)) {
        change(&mut self.total);
        for place in self.tables.of(about) {
            change(self.tables.figures(place));
        }
    }
}

/// What each rule alone asked for, as far as it came to that: a rule that only noted
/// something did not refuse what another one refused.
fn by_rule(decision: &Decision) -> BTreeMap<&str, Outcome> {
    let mut rules = BTreeMap::new();
    for reason in &decision.reasons {
        let asked = reason.action.map_or(decision.outcome, Outcome::of);
        let outcome = rules.entry(reason.rule.as_str()).or_insert(Outcome::Taken);
        *outcome = (*outcome).max(asked.min(decision.outcome));
    }
    rules
}
