//! How the sending of a message or call went so far: how often it was tried, and
//! what came of the last try.

use super::SendState;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How the sending of a message or call went so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How often it was begun.
    pub made: u32,
    /// What came of the last try that did not succeed. One whose worker died has
    /// left nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// Whether tries failed for different reasons.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varied: bool,
}

/// Why a try did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When that was known.
    pub at: Timestamp,
    /// Twilio's error code, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
}

/// What a try or a look-up without success has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Twilio's error code, when it gave one.
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
    /// How long the other side asked to be left alone.
    pub after: SignedDuration,
}

impl Attempts {
    /// Remembers a failure.
    pub fn note(&mut self, failure: &Failure, now: Timestamp) {
        let Failure { code, reason, .. } = failure.clone();
        self.varied |= self.last_error.as_ref().is_some_and(|last| last.reason != reason);
        self.last_error = Some(LastError { at: now, code, reason });
    }

    /// What a send is that waits, and is not tried any more because its code is
    /// about to die: dropped, when it was never begun, else failed by what its
    /// tries came to.
    pub fn given_up(&self) -> SendState {
        match (&self.last_error, self.made) {
            (None, 0) => SendState::Dropped,
            (None, _) => SendState::Failed {
                code: None,
                reason: "whoever sent it stopped before it left, and no time was left to send it again"
                    .into(),
            },
            (Some(last), made) => SendState::Failed { code: last.code, reason: self.summary(last, made) },
        }
    }

    fn summary(&self, last: &LastError, made: u32) -> String {
        let reason = &last.reason;
        match (made, self.varied) {
            (0 | 1, _) => format!("{reason}, and no time was left to try again"),
            (_, false) => format!("{reason}, at each of {made} tries"),
            (_, true) => format!("{made} tries failed, the last one so: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(reasons: &[&str]) -> Attempts {
        let mut attempts = Attempts::default();
        for reason in reasons {
            attempts.made += 1;
            let failure =
                Failure { code: Some(20500), reason: (*reason).into(), after: SignedDuration::ZERO };
            attempts.note(&failure, Timestamp::UNIX_EPOCH);
        }
        attempts
    }

    #[test]
    fn what_is_given_up_says_what_its_tries_came_to() {
        let said = |reasons: &[&str]| match after(reasons).given_up() {
            SendState::Failed { code: Some(20500), reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(&["500"]), "500, and no time was left to try again");
        assert_eq!(said(&["500", "500", "500"]), "500, at each of 3 tries");
        assert_eq!(said(&["500", "429", "429"]), "3 tries failed, the last one so: 429");
        assert_eq!(Attempts::default().given_up(), SendState::Dropped, "nobody ever tried");
        let died = Attempts { made: 1, ..Attempts::default() }.given_up();
        assert!(matches!(died, SendState::Failed { code: None, .. }));
    }
}
