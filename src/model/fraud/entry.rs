//! The log of what was decided about requests for codes, and of what became of them.

use super::{About, Action, Signal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t")]
pub enum Entry {
    /// A request was decided about.
    #[serde(rename = "d")]
    Decision(Box<Decision>),
    /// The right code was offered for a verification.
    #[serde(rename = "v")]
    Verified {
        /// When.
        at: Timestamp,
        /// When its first send was asked for.
        asked_at: Timestamp,
        /// How many sends it took; each of them was a decision.
        sends: u32,
        /// The decision that began it.
        decision: DecisionId,
        /// Whom it was about, as its first send was.
        about: Box<About>,
    },
    /// A send certainly never left: it is as if it had not been asked for.
    #[serde(rename = "u")]
    Unsent {
        /// When that was known.
        at: Timestamp,
        /// When it was asked for.
        asked_at: Timestamp,
        /// Whom it was about.
        about: Box<About>,
    },
    /// The provider refused a send, for it takes it for fraud: 30450, 30453, 60410.
    #[serde(rename = "b")]
    Verdict {
        /// When.
        at: Timestamp,
        /// The provider's code.
        code: u32,
        /// Whom it was about.
        about: Box<About>,
    },
}

impl Entry {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Decision(decision) => decision.at,
            Self::Verified { at, .. } | Self::Unsent { at, .. } | Self::Verdict { at, .. } => *at,
        }
    }

    /// Whom it is about.
    pub fn about(&self) -> &About {
        match self {
            Self::Decision(decision) => &decision.about,
            Self::Verified { about, .. } | Self::Unsent { about, .. } | Self::Verdict { about, .. } => about,
        }
    }
}

/// A decision about one request, as it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its name: that of its page of the log, and its place there.
    pub id: DecisionId,
    /// When it was taken, by the clock of the process that took it.
    pub at: Timestamp,
    /// Whom it was about.
    #[serde(rename = "w")]
    pub about: About,
    /// What it came to.
    #[serde(rename = "o")]
    pub outcome: Outcome,
    /// The stable code of the rule that came first, where it was not taken.
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Until when that holds, where time changes it.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What each rule had to say that had something to say.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The verification that it began or sent again.
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<String>,
}

/// What a decision came to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was sent.
    Taken,
    /// It was sent, and somebody should look at it.
    Flagged,
    /// It has to come again later.
    Slowed,
    /// Whoever asks has to prove first to be a person.
    CaptchaRequired,
    /// It was refused.
    Refused,
    /// It was answered as usual, and nothing was sent.
    ShadowBlocked,
}

impl Outcome {
    /// Every one there is, from the mildest to the hardest.
    pub const ALL: [Self; 6] =
        [Self::Taken, Self::Flagged, Self::Slowed, Self::CaptchaRequired, Self::Refused, Self::ShadowBlocked];

    /// What a request comes to of which a signal asks this, where nothing asks for more.
    pub fn of(action: Action) -> Self {
        match action {
            Action::Record => Self::Flagged,
            Action::Slow => Self::Slowed,
            Action::Captcha => Self::CaptchaRequired,
            Action::Refuse => Self::Refused,
            Action::ShadowBlock => Self::ShadowBlocked,
        }
    }

    /// Whether something was sent.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Taken | Self::Flagged)
    }

    /// As it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Flagged => "flagged",
            Self::Slowed => "slowed",
            Self::CaptchaRequired => "captcha_required",
            Self::Refused => "refused",
            Self::ShadowBlocked => "shadow_blocked",
        }
    }
}

/// What one rule had to say, with the counters as they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reason {
    /// The rule's name: `country`, `number_sends`, `block_burst`.
    pub rule: String,
    /// What it asks for; nothing where it is no signal's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What there was, where it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// From what on it says something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Of whom or what: `+4479`, `GB`; nothing where that is somebody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Until when what it asks for holds, where time changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl From<&Signal> for Reason {
    fn from(signal: &Signal) -> Self {
        Self {
            rule: signal.name.to_owned(),
            action: Some(signal.action),
            value: Some(signal.value),
            threshold: Some(signal.threshold),
            subject: signal.subject.clone(),
            until: Some(signal.until),
        }
    }
}

/// The name of a decision: that of its page of the log, a hyphen, and its place there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DecisionId(pub String);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
