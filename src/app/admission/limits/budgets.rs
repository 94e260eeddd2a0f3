//! When a budget is used up: which one, of whom, until when, and who is the first to find
//! so, over all processes.
//!
//! A limit of money refuses each start that it has no room for. That it has begun to is
//! told once for each rule, subject and window: a counter that has room for one stands in
//! the commit of what is told, so that of many processes one does.

use crate::app::base::Base;
use crate::app::hash::hash;
use crate::model::counter::{Addition, Limit};
use crate::model::limits::{Counted, Limits, Subject};
use crate::store::{Change, Commit, CountedError, Counting, Limited};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a process remembers that somebody was told.
const REMEMBERED: Duration = Duration::from_secs(60);
/// The first part of the word and the name of the limit that has room for one.
const TOLD: &str = "budget";

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetReached {
    /// The rule, as `[limits]` names it: `country_money`.
    pub rule: String,
    /// Whose money it is.
    pub of: BudgetOf,
    /// How long its window is, in seconds.
    pub seconds: u32,
    /// The first time when there is room for what was refused, if nobody else takes it.
    pub until: Timestamp,
    /// The counter of the budget.
    counter: String,
}

/// Whose money a budget is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetOf {
    /// Of one country, by its ISO 3166 code.
    Country(String),
    /// Of one service, by its id.
    Service(String),
    /// All that leaves here.
    Whole,
}

/// Of which budgets this process knows that somebody was told, by their counters' names.
#[derive(Default)]
pub(in crate::app) struct Told(Mutex<HashMap<(String, String), Instant>>);

impl BudgetReached {
    /// The budget that refused a commit for what somebody asked for, if it was one.
    pub(in crate::app) fn of(
        limited: &Limited,
        (country, service): (&str, &str),
        now: Timestamp,
    ) -> Option<Self> {
        let mut parts = limited.reached.limit.split(':');
        let known = Limits::default();
        let rule = known.rule(parts.next()?).filter(|rule| rule.counted == Counted::Money)?;
        let seconds: u32 = parts.next()?.parse().ok()?;
        let of = match rule.subject {
            Subject::Country => BudgetOf::Country(country.to_owned()),
            Subject::Service => BudgetOf::Service(service.to_owned()),
            _ => BudgetOf::Whole,
        };
        let until = limited.reached.passes_at.unwrap_or(now);
        Some(Self { rule: rule.name.to_owned(), of, seconds, until, counter: limited.counter.clone() })
    }

    /// What has room for one in its window: in the commit of whoever tells of it.
    fn telling(&self, now: Timestamp) -> Counting {
        Counting {
            counter: told_counter(&self.counter),
            now,
            additions: vec![Addition::Amount { of: self.word(), amount: 1 }],
            limits: vec![Limit::new(self.word(), self.word(), self.seconds, 1).exact()],
        }
    }

    fn word(&self) -> String {
        format!("{TOLD}:{}:{}", self.seconds, self.rule)
    }
}

/// The counter that says that somebody was told of a budget, by the budget's own.
pub(in crate::app) fn told_counter(counter: &str) -> String {
    hash(&[TOLD, counter])
}

/// Tells of a budget, by these changes, if nobody has been told of it in its window; true
/// where this was the first. Who cannot write it now will with a later refusal.
pub(in crate::app) async fn tell(
    base: &Base,
    known: &Told,
    reached: &BudgetReached,
    changes: Vec<Change>,
) -> bool {
    if known.knows(reached) {
        return false;
    }
    let commit = Commit { changes, additions: vec![reached.telling(base.now())] };
    let is_first = match base.store().commit_counted(commit).await {
        Ok(()) => true,
        Err(CountedError::Limited(_)) => false,
        Err(CountedError::Commit(error)) => {
            tracing::debug!(%error, rule = reached.rule, "that a budget is reached was not told");
            return false;
        }
    };
    known.remember(reached);
    if is_first {
        let (rule, of, until) = (&reached.rule, &reached.of, reached.until);
        tracing::warn!(rule, ?of, %until, "a budget is reached: what it has no room for is refused until then");
    }
    is_first
}

impl Told {
    fn knows(&self, reached: &BudgetReached) -> bool {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(&key(reached)).is_some_and(|at| at.elapsed() < REMEMBERED)
    }

    fn remember(&self, reached: &BudgetReached) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // At most one for each country, service and rule; what is old is of no use.
        told.retain(|_, at| at.elapsed() < REMEMBERED);
        told.insert(key(reached), Instant::now());
    }

    /// Forgets of which budgets somebody was told, so that it is told anew.
    pub(in crate::app) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn key(reached: &BudgetReached) -> (String, String) {
    (reached.counter.clone(), format!("{}:{}", reached.rule, reached.seconds))
}
