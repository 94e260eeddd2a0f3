//! What judges requests by what is known of traffic, and keeps the lines of the log until
//! they are written. It refuses to know where they are written.

use super::drafts::Drafts;
use crate::entropy::Entropy;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{
    About, Action, Decision, DecisionId, Entry, FraudChanges, FraudPolicy, Outcome, Page, Reason, Signal,
    Traffic,
};
use crate::model::pseudonym::Pseudonyms;
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What judges requests, and keeps what came of them.
pub struct Watch {
    policy: FraudPolicy,
    /// What makes the names in the log: the one of the counters.
    pub(in crate::app) names: Pseudonyms,
    entropy: Entropy,
    full: Notify,
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) traffic: Traffic,
    pub(super) drafts: Drafts,
    /// Whoever was forgotten since the process began, while what was before is being
    /// learnt: the log that is read may have had them still. Nothing once it is learnt.
    forgotten: Forgotten,
}

/// Whom what is learnt must not bring back.
enum Forgotten {
    /// These, for it is not learnt yet.
    These(Vec<Pseudonym>),
    /// Nobody, for it is.
    Learnt,
}

impl Default for Forgotten {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

/// A place in the log that was given away for a decision that is about to be taken. Where
/// none is taken it stays empty.
pub(in crate::app) struct Seat {
    watch: Arc<Watch>,
    id: DecisionId,
}

/// What a decision came to, beside its name and time.
#[derive(Debug, Clone)]
pub(in crate::app) struct Taken {
    /// Whom it was about.
    pub(in crate::app) about: About,
    /// What it came to.
    pub(in crate::app) outcome: Outcome,
    /// The stable code of the rule that came first.
    pub(in crate::app) code: Option<String>,
    /// Until when that holds.
    pub(in crate::app) until: Option<Timestamp>,
    /// What each rule had to say.
    pub(in crate::app) reasons: Vec<Reason>,
    /// The verification that it began or sent again.
    pub(in crate::app) verification: Option<String>,
}

impl Taken {
    /// The same as the log has it.
    pub(in crate::app) fn decision(self, id: DecisionId, at: Timestamp) -> Decision {
        let Self { about, outcome, code, until, reasons, verification } = self;
        Decision { id, at, about, outcome, code, until, reasons, verification }
    }

    /// It is marked by limits that refuse nobody and are full.
    pub(in crate::app) fn flagged_by(&mut self, limits: &[&str]) {
        if limits.is_empty() {
            return;
        }
        if self.outcome == Outcome::Taken {
            self.outcome = Outcome::Flagged;
        }
        self.reasons.extend(limits.iter().map(|limit| by(limit)));
    }

    /// It is refused by a rule after all.
    pub(in crate::app) fn refused_by(&mut self, rule: &str, code: &str, until: Option<Timestamp>) {
        (self.outcome, self.code, self.until) = (Outcome::Refused, Some(code.to_owned()), until);
        self.reasons.insert(0, by(rule));
    }
}

/// That a rule had something to say.
pub(in crate::app) fn by(rule: &str) -> Reason {
    Reason { rule: rule.to_owned(), action: None, value: None, threshold: None, subject: None, until: None }
}

impl Watch {
    /// What judges by this policy, under names that this key makes.
    pub fn new(policy: FraudPolicy, names: Pseudonyms, entropy: Entropy) -> Self {
        Self { policy, names, entropy, full: Notify::new(), inner: Mutex::default() }
    }

    /// The policy for services that set nothing of their own.
    pub(in crate::app) fn policy(&self) -> &FraudPolicy {
        &self.policy
    }

    /// What speaks against a request of a service that changes the policy like this.
    pub(in crate::app) fn judge(&self, changes: &FraudChanges, about: &About, now: Timestamp) -> Vec<Signal> {
        let policy = self.policy_with(changes);
        policy.judge(&self.inner().traffic, about, now)
    }

    /// The policy of a service that changes it like this.
    fn policy_with(&self, changes: &FraudChanges) -> Cow<'_, FraudPolicy> {
        match changes.is_empty() {
            true => Cow::Borrowed(&self.policy),
            false => Cow::Owned(self.policy.with(changes)),
        }
    }

    /// Whether a request of a service that changes the policy like this may be answered as
    /// usual and not sent.
    pub(in crate::app) fn may_shadow(&self, changes: &FraudChanges) -> bool {
        let policy = self.policy_with(changes);
        policy.rules().iter().any(|rule| rule.action == Action::ShadowBlock)
    }

    /// A place for a decision that is about to be taken: its name is known from now on.
    pub(in crate::app) fn next(self: &Arc<Self>, now: Timestamp) -> Seat {
        let id = self.inner().drafts.place(now, || self.chance());
        Seat { watch: self.clone(), id }
    }

    /// Takes a line of the log.
    pub(in crate::app) fn record(&self, entry: Entry) {
        let mut inner = self.inner();
        inner.traffic.record(&entry);
        let at = entry.at();
        if inner.drafts.add(entry, at, || self.chance()) {
            self.full.notify_one();
        }
    }

    /// Forgets whoever has that number, in what is known of traffic and in lines that are
    /// not written yet.
    pub(in crate::app) fn forget(&self, number: Pseudonym) {
        let mut inner = self.inner();
        inner.traffic.forget(number);
        inner.drafts.forget(number);
        if let Forgotten::These(numbers) = &mut inner.forgotten {
            numbers.push(number);
        }
    }

    /// Takes what another process decided.
    pub(super) fn hear(&self, page: &Page) {
        let mut inner = self.inner();
        page.lines.iter().for_each(|line| inner.traffic.record(line));
    }

    /// Goes by what the log comes to, and by the lines that are not written yet.
    pub(super) fn adopt(&self, mut traffic: Traffic) {
        let before = {
            let mut inner = self.inner();
            if let Forgotten::These(numbers) = std::mem::replace(&mut inner.forgotten, Forgotten::Learnt) {
                numbers.into_iter().for_each(|number| traffic.forget(number));
            }
            inner.drafts.lines().for_each(|line| traffic.record(line));
            std::mem::replace(&mut inner.traffic, traffic)
        };
        // It is large, and nobody waits for this.
        drop(before);
    }

    /// Waits until a page is full, or a closed one waits for nothing any more.
    pub(super) async fn is_full(&self) {
        self.full.notified().await;
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing is ever half-changed under this lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part of a page's id that is by chance.
    fn chance(&self) -> String {
        self.entropy.hex::<6>()
    }
}

impl Seat {
    /// The name of the decision.
    pub(in crate::app) fn id(&self) -> &DecisionId {
        &self.id
    }

    /// What was decided.
    pub(in crate::app) fn record(self, decision: Decision) {
        self.watch.record(Entry::Decision(Box::new(decision)));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let is_ready = self.watch.inner().drafts.release(&self.id);
        if is_ready {
            self.watch.full.notify_one();
        }
    }
}
