//! What is counted of requests, of all or of some. It refuses to know which.

use crate::model::fraud::{About, Outcome};
use schemars::JsonSchema;
use serde::Serialize;

/// What is counted of requests for codes: starts and further sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionFigures")]
pub struct Figures {
    /// All of them.
    pub requests: u64,
    /// Those that were sent without anything to say of them.
    pub taken: u64,
    /// Those that were sent, and that somebody should look at.
    pub flagged: u64,
    /// Those that had to come again later.
    pub slowed: u64,
    /// Those of whom a proof was asked to be a person.
    pub captcha_required: u64,
    /// Those that were refused.
    pub refused: u64,
    /// Those that were answered as usual, and never sent.
    pub shadow_blocked: u64,
    /// Those of the sent that certainly never left.
    pub never_left: u64,
    /// Those that the provider itself takes for fraud: 30450, 30453, 60410.
    pub verdicts: u64,
    /// Verifications that were begun here, without those that never left.
    pub started: u64,
    /// Those of them whose code came back.
    pub verified: u64,
    /// Verified of those started, from 0 to 1; null where none was. Who has the code still
    /// before them counts as not verified.
    pub conversion: Option<f64>,
    /// People that proved their number within a day after something was decided against
    /// them, each once, by what that was: probably honest.
    pub later: Later,
    /// What those cost that were sent, in millionths of a US dollar, by the price table.
    pub sent_micros: u64,
    /// What the others would have cost.
    pub saved_micros: u64,
}

/// People that proved their number later, by what had been decided before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DecisionLater")]
pub struct Later {
    /// Flagged, and sent all the same.
    pub flagged: u64,
    /// Told to come again later.
    pub slowed: u64,
    /// Asked for a proof to be a person.
    pub captcha_required: u64,
    /// Refused, by whatever rule.
    pub refused: u64,
    /// Answered as usual, and not sent.
    pub shadow_blocked: u64,
}

impl Later {
    /// One more person.
    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Taken => {}
            Outcome::Flagged => self.flagged += 1,
            Outcome::Slowed => self.slowed += 1,
            Outcome::CaptchaRequired => self.captcha_required += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::ShadowBlocked => self.shadow_blocked += 1,
        }
    }

    /// Those that got no code at first. Whoever met two of them stands in both.
    pub fn hindered(&self) -> u64 {
        self.slowed + self.captcha_required + self.refused + self.shadow_blocked
    }
}

impl Figures {
    /// Those that were sent.
    pub fn sent(&self) -> u64 {
        self.taken + self.flagged
    }

    /// Those that were not.
    pub fn not_sent(&self) -> u64 {
        self.requests - self.sent()
    }

    /// One more request.
    pub(super) fn decided(&mut self, outcome: Outcome, about: &About) {
        self.requests += 1;
        *match outcome {
            Outcome::Taken => &mut self.taken,
            Outcome::Flagged => &mut self.flagged,
            Outcome::Slowed => &mut self.slowed,
            Outcome::CaptchaRequired => &mut self.captcha_required,
            Outcome::Refused => &mut self.refused,
            Outcome::ShadowBlocked => &mut self.shadow_blocked,
        } += 1;
        match outcome.is_sent() {
            true => self.sent_micros = self.sent_micros.saturating_add(about.micros),
            false => self.saved_micros = self.saved_micros.saturating_add(about.micros),
        }
        self.started += u64::from(outcome.is_sent() && !about.is_resend);
    }

    /// One that was sent certainly never left.
    pub(super) fn never_left(&mut self, about: &About) {
        self.never_left += 1;
        self.started = self.started.saturating_sub(u64::from(!about.is_resend));
        self.sent_micros = self.sent_micros.saturating_sub(about.micros);
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self) {
        self.conversion = (self.started > 0).then(|| self.verified as f64 / self.started as f64);
    }
}
