//! Dialback's own: the signals over what is known of traffic, and the limits beside them.

use super::limits::Counters;
use super::models::{Judged, Model};
use super::policy::Policy;
use dialback::model::fraud::{About, Action, Entry, FraudPolicy, Outcome, Reason, Traffic};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;

/// Dialback's own, with what it has seen.
pub struct Ours {
    policy: FraudPolicy,
    traffic: Traffic,
    counters: Counters,
    /// What happened and is not known yet where it is judged.
    late: VecDeque<(Timestamp, Entry)>,
    late_by: SignedDuration,
}

impl Ours {
    /// It has seen nothing yet.
    pub fn new(policy: &Policy) -> Self {
        Self {
            policy: policy.fraud.clone(),
            traffic: Traffic::default(),
            counters: Counters::new(&policy.limits),
            late: VecDeque::new(),
            late_by: SignedDuration::from_secs(policy.stale_seconds.into()),
        }
    }

    fn signalled(&self, about: &About, now: Timestamp) -> Judged {
        let signals = self.policy.judge(&self.traffic, about, now);
        let reasons: Vec<Reason> = signals.iter().map(Reason::from).collect();
        // Of several that ask for the same the first is told, as admission does.
        let Some(signal) = signals.iter().rev().max_by_key(|signal| signal.action) else {
            return Judged::taken();
        };
        let outcome = match signal.action {
            Action::Record => return Judged { outcome: Outcome::Flagged, reasons, ..Judged::taken() },
            Action::Slow => Outcome::Slowed,
            Action::Captcha => Outcome::CaptchaRequired,
            Action::Refuse => Outcome::Refused,
            Action::ShadowBlock => Outcome::ShadowBlocked,
        };
        Judged { outcome, code: Some(signal.name.to_owned()), until: Some(signal.until), reasons }
    }
}

impl Model for Ours {
    fn judge(&mut self, about: &About, now: Timestamp) -> Judged {
        while self.late.front().is_some_and(|(at, _)| *at + self.late_by <= now) {
            let Some((_, entry)) = self.late.pop_front() else { break };
            self.traffic.record(&entry);
        }
        let judged = self.signalled(about, now);
        if !judged.outcome.is_sent() {
            return judged;
        }
        match self.counters.ask(about, now) {
            Ok(()) => judged,
            Err((rule, until)) => {
                Judged { outcome: Outcome::Refused, code: Some(rule), until, reasons: judged.reasons }
            }
        }
    }

    fn record(&mut self, entry: Entry, now: Timestamp) {
        self.counters.record(&entry, now);
        self.late.push_back((now, entry));
    }
}
