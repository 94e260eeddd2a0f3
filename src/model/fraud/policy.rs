//! Which signals are looked for, and what follows. It refuses to know where it is written.

use super::judge::Judge;
use super::{About, Action, FraudChanges, SIGNALS, Signal, SignalSpec, Traffic};
use jiff::Timestamp;

/// A signal as somebody wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalRule {
    /// What it is.
    pub spec: &'static SignalSpec,
    /// What follows.
    pub action: Action,
    /// How long what follows holds, in seconds.
    pub seconds: u32,
    /// Its thresholds, in the order of [`SignalSpec::parameters`].
    pub values: Vec<f64>,
}

/// Every signal, as somebody wants it.
#[derive(Debug, Clone, PartialEq)]
pub struct FraudPolicy {
    pub(super) rules: Vec<SignalRule>,
}

impl Default for FraudPolicy {
    fn default() -> Self {
        let rule = |spec: &'static SignalSpec| SignalRule {
            spec,
            action: spec.action,
            seconds: spec.seconds,
            values: spec.parameters.iter().map(|parameter| parameter.default).collect(),
        };
        Self { rules: SIGNALS.iter().map(rule).collect() }
    }
}

impl FraudPolicy {
    /// The same where every signal asks for this.
    pub fn with_action(mut self, action: Action) -> Self {
        self.rules.iter_mut().for_each(|rule| rule.action = action);
        self
    }

    /// The same with what somebody says otherwise.
    pub fn with(&self, changes: &FraudChanges) -> Self {
        let mut rules = self.rules.clone();
        for rule in &mut rules {
            rule.action = changes.action.unwrap_or(rule.action);
            let Some(changes) = changes.signals.get(rule.spec.name) else { continue };
            rule.action = changes.action.unwrap_or(rule.action);
            rule.seconds = changes.seconds.unwrap_or(rule.seconds);
            for (value, parameter) in rule.values.iter_mut().zip(rule.spec.parameters) {
                *value = changes.values.get(parameter.name).copied().unwrap_or(*value);
            }
        }
        Self { rules }
    }

    /// Every signal.
    pub fn rules(&self) -> &[SignalRule] {
        &self.rules
    }

    /// What speaks against a request, out of what is known of traffic. Nothing is changed:
    /// what comes of it stands in the log, and so in the traffic.
    pub fn judge(&self, traffic: &Traffic, about: &About, now: Timestamp) -> Vec<Signal> {
        let judge = Judge::new(traffic, about, now);
        self.rules.iter().filter_map(|rule| rule.signal(&judge)).collect()
    }
}

/// The longest that somebody who is slowed down has to wait, in seconds.
const SLOWEST: u32 = 300;

impl SignalRule {
    fn signal(&self, judge: &Judge<'_>) -> Option<Signal> {
        let found = judge.find(self.spec, &self.values)?;
        let seconds = if self.action == Action::Slow { self.seconds.min(SLOWEST) } else { self.seconds };
        let since = match self.action {
            Action::Slow => judge.slowed_since(),
            _ => found.since,
        };
        let until = judge.until(since, seconds)?;
        Some(Signal {
            name: self.spec.name,
            action: self.action,
            value: found.value,
            threshold: found.threshold,
            subject: found.subject,
            until,
        })
    }
}
