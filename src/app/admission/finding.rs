//! What a rule finds, and what all of them come to.

use crate::app::admission::AdmissionError;
use crate::model::channel::Channel;
use jiff::Timestamp;

/// What a rule finds.
#[derive(Debug, Clone)]
pub(in crate::app) enum Finding {
    /// It goes on, and the operator is told.
    Flag(String),
    /// It may be at this time, and not before.
    Slow {
        /// From when on.
        until: Timestamp,
        /// As it is said.
        why: AdmissionError,
    },
    /// Not before whoever asks has proved to be a person.
    Captcha {
        /// As it is said.
        why: AdmissionError,
    },
    /// It is answered as usual, and nothing is sent.
    Shadow {
        /// Until when, if nothing more happens.
        until: Timestamp,
    },
    /// Not at all.
    Refuse {
        /// Until when, where time changes it.
        until: Option<Timestamp>,
        /// As it is said.
        why: AdmissionError,
    },
}

impl Finding {
    /// That it may not be, whenever it comes.
    pub(in crate::app) fn never(why: AdmissionError) -> Self {
        Self::Refuse { until: None, why }
    }

    /// Why it may not be now; nothing where it may, or is answered as if it might.
    pub(in crate::app) fn refusal(&self) -> Option<&AdmissionError> {
        match self {
            Self::Flag(_) | Self::Shadow { .. } => None,
            Self::Slow { why, .. } | Self::Captcha { why } | Self::Refuse { why, .. } => Some(why),
        }
    }
}

/// What one rule had to say of a request.
#[derive(Debug, Clone)]
pub(in crate::app) struct Reason {
    /// The rule's name.
    pub(in crate::app) rule: &'static str,
    /// The rule's code.
    pub(in crate::app) code: &'static str,
    /// The channel that it is about, where it is about one.
    pub(in crate::app) channel: Option<Channel>,
    /// What it found.
    pub(in crate::app) finding: Finding,
}

/// What all rules come to.
#[derive(Debug, Clone)]
pub(in crate::app) enum Verdict {
    /// It may be, by this channel.
    Taken(Channel),
    /// The same, and the operator is told why it is looked at.
    Flagged(Channel),
    /// It may be at this time: nothing is sent before.
    Slowed {
        /// The stable word of the rule that came first.
        code: &'static str,
        /// From when on.
        until: Timestamp,
        /// As it is said.
        why: AdmissionError,
    },
    /// It may be once whoever asks has proved to be a person.
    CaptchaRequired {
        /// The stable word of the rule that came first.
        code: &'static str,
        /// As it is said.
        why: AdmissionError,
    },
    /// It is answered as if it were taken by this channel, and nothing is sent.
    ShadowBlocked {
        /// The channel.
        channel: Channel,
        /// The stable word of the rule that came first.
        code: &'static str,
        /// Until when, if nothing more happens.
        until: Timestamp,
    },
    /// No: the code of the rule is `code`.
    Refused {
        /// The stable word of the rule that came first.
        code: &'static str,
        /// Until when, where time changes it.
        until: Option<Timestamp>,
        /// As it is said.
        why: AdmissionError,
    },
}

/// A verdict with every reason.
#[derive(Debug, Clone)]
pub(in crate::app) struct Admitted {
    /// What all rules come to.
    pub(in crate::app) verdict: Verdict,
    /// What each rule had to say that had something to say, in the order of the rules.
    pub(in crate::app) reasons: Vec<Reason>,
}
