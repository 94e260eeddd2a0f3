//! Which decisions are wanted, and a decision with what became of it: later lines of the
//! same number. It refuses to know where lines come from.

use crate::model::fraud::{Decision, Entry, Outcome};
use crate::model::id::{ServiceId, VerificationId};
use crate::model::key::ServiceSet;
use crate::model::phone::PhoneNumber;
use jiff::{SignedDuration, Timestamp};

/// Which decisions to list.
#[derive(Debug, Clone, Default)]
pub struct DecisionQuery {
    /// Those about this number.
    pub number: Option<PhoneNumber>,
    /// Those of this verification.
    pub verification: Option<VerificationId>,
    /// Those that came to this.
    pub outcome: Option<Outcome>,
    /// Those that this rule had something to say of.
    pub rule: Option<String>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// A decision, with what became of it.
#[derive(Debug, Clone)]
pub struct Followed {
    /// What was decided.
    pub decision: Decision,
    /// When the number was proved, if it was within a day.
    pub verified_at: Option<Timestamp>,
    /// When it was known that it had certainly never left.
    pub never_left_at: Option<Timestamp>,
    /// The provider's code, where it takes it for fraud.
    pub provider_code: Option<u32>,
}

/// How long after a decision a proof of its number still tells of it.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

impl Followed {
    /// A decision with nothing known of it.
    pub(super) fn new(decision: Decision) -> Self {
        Self { decision, verified_at: None, never_left_at: None, provider_code: None }
    }

    /// The same with what lines of its number tell of it.
    pub(super) fn with<'e>(mut self, lines: impl Iterator<Item = &'e Entry>) -> Self {
        let decided = self.decision.at;
        for line in lines.filter(|line| line.about().number == self.decision.about.number) {
            match line {
                Entry::Verified { at, .. } if *at >= decided && at.duration_since(decided) <= A_DAY => {
                    self.verified_at = Some(self.verified_at.map_or(*at, |earlier| earlier.min(*at)));
                }
                Entry::Unsent { at, asked_at, .. } if is_same(*asked_at, decided) => {
                    self.never_left_at = Some(*at);
                }
                Entry::Verdict { at, code, .. }
                    if *at >= decided
                        && at.duration_since(decided) <= A_DAY
                        && self.decision.outcome.is_sent() =>
                {
                    self.provider_code.get_or_insert(*code);
                }
                _ => {}
            }
        }
        self
    }
}

/// Whether a send is the one that was decided about: it was asked for in the same look, at
/// most a moment later.
fn is_same(asked_at: Timestamp, decided: Timestamp) -> bool {
    asked_at.duration_since(decided).abs() <= SignedDuration::from_secs(2)
}

impl DecisionQuery {
    /// Whether a decision is among them, but for its number.
    pub(super) fn takes(&self, decision: &Decision) -> bool {
        let is_named = |rule: &String| decision.reasons.iter().any(|reason| reason.rule == *rule);
        let is_of = |id: &VerificationId| decision.verification.as_deref() == Some(id.as_str());
        self.verification.as_ref().is_none_or(is_of)
            && self.outcome.is_none_or(|outcome| decision.outcome == outcome)
            && self.rule.as_ref().is_none_or(is_named)
            && self.since.is_none_or(|since| decision.at >= since)
            && self.until.is_none_or(|until| decision.at < until)
    }
}

/// Whether a key of these services may see a decision.
pub(super) fn may_see(services: &ServiceSet, service: &str) -> bool {
    services.is_all() || service.parse::<ServiceId>().is_ok_and(|id| services.has(&id))
}
