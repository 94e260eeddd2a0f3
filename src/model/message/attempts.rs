//! How the sending of a message or call went so far: how often it was tried, what
//! came of the tries, in the order in which it came, and how long they took.

use super::send_state::SendState;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How the sending of a message or call went so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// How often it was begun.
    pub made: u32,
    /// When it was begun for the first time; nothing where an earlier version did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<Timestamp>,
    /// What came of the last try that did not succeed. One whose process died has
    /// left nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// Whether tries failed for different reasons.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub varied: bool,
    /// What came of the tries that did not succeed, the first ones first: tries
    /// in a row for one reason are one item. They stay when the send succeeds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failures>,
    /// Tries that failed and are among none of these, for there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u32,
}

/// Why a try did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When that was known.
    pub at: Timestamp,
    /// The provider's error code, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
}

/// Tries in a row that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many tries in a row, 1 or more.
    pub times: u32,
    /// When the first one was known to have failed.
    pub first_at: Timestamp,
    /// When the last one was.
    pub last_at: Timestamp,
    /// The provider's error code, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
}

/// What a try or a look-up without success has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The provider's error code, when it gave one.
    pub code: Option<u32>,
    /// Why, in words without numbers or secrets.
    pub reason: String,
    /// How long the other side asked to be left alone.
    pub after: SignedDuration,
}

impl Attempts {
    /// The most items that are kept of what failed, so that a verification with
    /// all its sends fits into a record: the first ones and the last ones.
    const MOST_KEPT: usize = 5;
    /// The longest reason, in bytes.
    const LONGEST_REASON: usize = 160;

    /// Remembers that it is begun.
    pub fn begin(&mut self, now: Timestamp) {
        self.first_at = self.first_at.or((self.made == 0).then_some(now));
        self.made = self.made.saturating_add(1);
    }

    /// Remembers a failure.
    pub fn note(&mut self, failure: &Failure, now: Timestamp) {
        let (code, reason) = (failure.code, shortened(&failure.reason));
        self.varied |= self.last_error.as_ref().is_some_and(|last| last.reason != reason);
        self.last_error = Some(LastError { at: now, code, reason: reason.clone() });
        if let Some(last) =
            self.failures.last_mut().filter(|last| (last.code, &last.reason) == (code, &reason))
        {
            (last.times, last.last_at) = (last.times.saturating_add(1), now);
            return;
        }
        self.failures.push(Failures { times: 1, first_at: now, last_at: now, code, reason });
        if self.failures.len() > Self::MOST_KEPT {
            self.others = self.others.saturating_add(self.failures.remove(Self::MOST_KEPT / 2).times);
        }
    }

    /// What a send is that waits, and is not tried any more because its code is
    /// about to die: dropped, when it was never begun, else failed by what its
    /// tries came to.
    pub fn given_up(&self) -> SendState {
        match (&self.last_error, self.made) {
            (None, 0) => SendState::Dropped,
            (None, _) => SendState::Failed {
                code: None,
                reason:
                    "whoever sent it stopped, no trace of it was found, and no time was left to send it again"
                        .into(),
            },
            (Some(last), made) => SendState::Failed { code: last.code, reason: self.summary(last, made) },
        }
    }

    fn summary(&self, last: &LastError, made: u32) -> String {
        let reason = &last.reason;
        let span = self.first_at.map(|first| format!(" within {}", spoken(last.at.duration_since(first))));
        let span = span.unwrap_or_default();
        match (made, self.varied) {
            (0 | 1, _) => format!("{reason}, and no time was left to try again"),
            (_, false) => format!("{reason}, at each of {made} tries{span}"),
            (_, true) => format!("{made} tries failed{span}: {}", self.in_order(reason)),
        }
    }

    /// What came of the tries, one after the other; `last` where that was not kept.
    fn in_order(&self, last: &str) -> String {
        if self.failures.is_empty() {
            return format!("the last one by {last}");
        }
        let told = |failures: &Failures| match failures.times {
            1 => failures.reason.clone(),
            times => format!("{} ({times} times)", failures.reason),
        };
        let mut parts: Vec<String> = self.failures.iter().map(told).collect();
        match self.others {
            0 => {}
            1 => parts.insert(Self::MOST_KEPT / 2, "another one".to_owned()),
            others => parts.insert(Self::MOST_KEPT / 2, format!("{others} others")),
        }
        parts.join(", then ")
    }
}

/// A span as people say it, in whole seconds.
fn spoken(span: SignedDuration) -> String {
    match span.as_secs() {
        ..1 => "a second".to_owned(),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

fn shortened(reason: &str) -> String {
    let most = reason.len().min(Attempts::LONGEST_REASON);
    let end = (0..=most).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    reason[..end].to_owned()
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries that fail so, one every ten seconds, each known a second after it began.
    fn after(reasons: &[&str]) -> Attempts {
        let mut attempts = Attempts::default();
        for (n, reason) in (0i64..).zip(reasons) {
            let at = |second| Timestamp::from_second(n * 10 + second).unwrap();
            attempts.begin(at(0));
            let failure =
                Failure { code: Some(20500), reason: (*reason).into(), after: SignedDuration::ZERO };
            attempts.note(&failure, at(1));
        }
        attempts
    }

    fn said(reasons: &[&str]) -> String {
        match after(reasons).given_up() {
            SendState::Failed { code: Some(20500), reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_given_up_says_what_its_tries_came_to_and_in_which_time() {
        assert_eq!(said(&["500"]), "500, and no time was left to try again");
        assert_eq!(said(&["500", "500", "500"]), "500, at each of 3 tries within 21 s");
        assert_eq!(said(&["500"; 40]), "500, at each of 40 tries within 6 min");
        assert_eq!(Attempts::default().given_up(), SendState::Dropped, "nobody ever tried");
        let died = Attempts { made: 1, ..Attempts::default() }.given_up();
        assert!(matches!(died, SendState::Failed { code: None, .. }));
    }

    #[test]
    fn what_tries_came_to_is_told_in_its_order() {
        assert_eq!(said(&["500", "429", "429"]), "3 tries failed within 21 s: 500, then 429 (2 times)");
        assert_eq!(said(&["429", "500", "429"]), "3 tries failed within 21 s: 429, then 500, then 429");
        let many = ["a", "b", "c", "c", "d", "e", "e", "f"];
        let told = "8 tries failed within 71 s: a, then b, then 2 others, then d, then e (2 times), then f";
        assert_eq!(said(&many), told);
    }

    #[test]
    fn what_an_earlier_version_counted_is_told_without_what_it_did_not_keep() {
        let old = Attempts { failures: Vec::new(), first_at: None, ..after(&["500", "429", "429"]) };
        let SendState::Failed { reason, .. } = old.given_up() else { panic!() };
        assert_eq!(reason, "3 tries failed: the last one by 429");
    }

    #[test]
    fn a_hundred_long_reasons_keep_a_send_small() {
        let reasons: Vec<String> = (0..100).map(|n| format!("{n}{}", "é".repeat(500))).collect();
        let attempts = after(&reasons.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(serde_json::to_string(&attempts).unwrap().len() < 2_000);
        assert_eq!(attempts.failures.iter().map(|run| run.times).sum::<u32>() + attempts.others, 100);
    }
}
