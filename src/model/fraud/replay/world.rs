//! What would have happened under a policy: recorded requests as it decides about them, and
//! of what became of them only what can have become.
//!
//! It refuses to compare.

use crate::model::fraud::waiting::Waiting;
use crate::model::fraud::{
    Action, Decision, DecisionId, Entry, FraudPolicy, Outcome, Reason, Signal, Traffic, is_by_signals,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A policy with what services say otherwise.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// For services that say nothing.
    pub whole: FraudPolicy,
    /// For those that do, by their ids.
    pub services: BTreeMap<String, FraudPolicy>,
}

impl Policies {
    /// The policy for a service.
    pub fn of(&self, service: &str) -> &FraudPolicy {
        self.services.get(service).unwrap_or(&self.whole)
    }
}

/// What a policy makes of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    signals: Vec<Signal>,
    /// The signals that ask for the hardest of it, where it is not sent.
    pub(super) rules: Vec<&'static str>,
}

/// What would have happened under a policy.
#[derive(Debug)]
pub(super) struct World {
    policies: Policies,
    traffic: Traffic,
    /// Requests that were sent and here are not; and those sent here after them.
    lost: Waiting<Lost>,
}

#[derive(Debug)]
struct Lost {
    id: DecisionId,
    is_sent: bool,
}

impl World {
    pub(super) fn new(policies: Policies) -> Self {
        Self { policies, traffic: Traffic::default(), lost: Waiting::new(Waiting::<()>::MOST) }
    }

    /// Takes a line as it was recorded.
    pub(super) fn learn(&mut self, entry: &Entry) {
        self.traffic.record(entry);
    }

    /// What comes of a request here.
    pub(super) fn decide(&mut self, decision: &Decision) -> Judged {
        let judged = self.judge(decision);
        let (about, was_sent) = (&decision.about, decision.outcome.is_sent());
        let is_sent = judged.outcome.is_sent();
        if was_sent && (!is_sent || self.lost.held(about.number).next().is_some()) {
            let lost = Lost { id: decision.id.clone(), is_sent };
            self.lost.hold(about.number, decision.at, lost);
        }
        self.traffic.record(&Entry::Decision(Box::new(judged.told_of(decision))));
        judged
    }

    /// What became of a request, if it was sent here, too.
    pub(super) fn follow(&mut self, entry: &Entry) {
        let has_happened = match entry {
            Entry::Verified { decision, asked_at, about, .. } => {
                let is_lost = |lost: &Lost| lost.id == *decision && !lost.is_sent;
                let mut held = self.lost.held(about.number);
                let was_lost = held.any(|held| is_lost(&held.what));
                let held = self.lost.held(about.number);
                !was_lost || held.into_iter().any(|held| held.what.is_sent && held.at >= *asked_at)
            }
            // Which of several requests it is about stands nowhere: the last one.
            entry => self.last_is_sent(entry),
        };
        if has_happened {
            self.traffic.record(entry);
        }
    }

    fn last_is_sent(&self, entry: &Entry) -> bool {
        let asked_at: Timestamp = match entry {
            Entry::Unsent { asked_at, .. } => *asked_at,
            entry => entry.at(),
        };
        let mut held = self.lost.held(entry.about().number).rev();
        held.find(|held| held.at <= asked_at).is_none_or(|held| held.what.is_sent)
    }

    fn judge(&self, decision: &Decision) -> Judged {
        if !decision.outcome.is_sent() && !is_by_signals(decision) {
            return Judged { outcome: decision.outcome, signals: Vec::new(), rules: Vec::new() };
        }
        let policy = self.policies.of(&decision.about.service);
        let signals = policy.judge(&self.traffic, &decision.about, decision.at);
        let action = signals.iter().map(|signal| signal.action).max().filter(|_| !passes(decision));
        match action.map(Outcome::of).filter(|outcome| !outcome.is_sent()) {
            Some(outcome) => Judged { outcome, rules: asking(&signals, action), signals },
            // It was flagged by another rule, or is now.
            None if action.is_some() || decision.outcome == Outcome::Flagged => {
                Judged { outcome: Outcome::Flagged, signals, rules: Vec::new() }
            }
            None => Judged { outcome: Outcome::Taken, signals, rules: Vec::new() },
        }
    }
}

impl Judged {
    /// A recorded request as it is here: what signals say of it is what they say here.
    fn told_of(&self, decision: &Decision) -> Decision {
        let of_others = decision.reasons.iter().filter(|reason| reason.action.is_none()).cloned();
        let reasons = match self.outcome.is_sent() || !self.rules.is_empty() {
            true => of_others.chain(self.signals.iter().map(Reason::from)).collect(),
            false => decision.reasons.clone(),
        };
        Decision { outcome: self.outcome, reasons, ..decision.clone() }
    }
}

/// Whether a request passed though a signal asked that it should not: the allow list let it.
fn passes(decision: &Decision) -> bool {
    let asks = |action: Option<Action>| action.is_some_and(|action| !Outcome::of(action).is_sent());
    decision.outcome.is_sent() && decision.reasons.iter().any(|reason| asks(reason.action))
}

/// The names of those that ask for this.
fn asking(signals: &[Signal], action: Option<Action>) -> Vec<&'static str> {
    let asks = signals.iter().filter(|signal| Some(signal.action) == action);
    let mut names: Vec<&'static str> = asks.map(|signal| signal.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}
