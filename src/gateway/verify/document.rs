//! What Verify says, as far as it is read.

use crate::gateway::http::Answer;
use crate::model::channel::Channel;
use crate::model::id::is_sid;
use crate::model::verification;
use crate::twilio::response::ErrorDocument;
use jiff::Timestamp;
use serde::Deserialize;

/// What stands before its names of verifications, as before ours.
const PREFIX: &str = "VE";

/// A verification there.
#[derive(Deserialize)]
pub(super) struct Verification {
    pub(super) sid: String,
    #[serde(default)]
    send_code_attempts: Vec<Attempt>,
}

/// A message or call that it has made.
#[derive(Deserialize)]
struct Attempt {
    #[serde(default)]
    time: String,
    #[serde(default)]
    channel: String,
}

impl Verification {
    /// Nothing where the answer is none.
    pub(super) fn read(answer: &Answer) -> Option<Self> {
        let read: Self = serde_json::from_slice(&answer.body).ok()?;
        is_sid(&read.sid, PREFIX).then_some(read)
    }

    /// Whether it has sent by that channel at that time or later. Times are in whole seconds.
    pub(super) fn has_tried(&self, channel: Channel, earliest: Timestamp) -> bool {
        self.send_code_attempts.iter().any(|attempt| {
            let at = attempt.time.parse::<Timestamp>().ok();
            attempt.channel.eq_ignore_ascii_case(channel.as_str()) && at.is_some_and(|at| at >= earliest)
        })
    }
}

/// What came of a check there.
#[derive(Deserialize)]
pub(super) struct Checked {
    #[serde(default)]
    sid: Option<String>,
    status: String,
    #[serde(default)]
    valid: Option<bool>,
}

impl Checked {
    /// Nothing where the answer is none, or about another verification than was named.
    pub(super) fn read(answer: &Answer, named: Option<&str>) -> Option<Self> {
        let read: Self = serde_json::from_slice(&answer.body).ok()?;
        let is_named = named.zip(read.sid.as_deref()).is_none_or(|(named, sid)| named == sid);
        is_named.then_some(read)
    }

    /// Right is what both its words say.
    pub(super) fn says(&self) -> verification::Answer {
        use verification::Answer;
        match (self.status.as_str(), self.valid) {
            ("approved", None | Some(true)) => Answer::Right,
            // The last of those that it compares was compared, too.
            ("approved" | "pending" | "max_attempts_reached", _) => Answer::Wrong,
            _ => Answer::Over,
        }
    }
}

/// The code of an error; nothing where the answer is no error document.
pub(super) fn error_code(answer: &Answer) -> Option<u32> {
    serde_json::from_slice::<ErrorDocument>(&answer.body).ok()?.code
}
