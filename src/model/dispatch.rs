//! The sending of one event to one endpoint, a webhook out: how often it was tried, what
//! came back, and when it is tried again (the retry schedule is in `webhook_retry`). It
//! refuses to know how anything is sent.

use crate::model::id::{EndpointId, EventId};
use crate::model::plain::after;
use crate::model::webhook_retry::{self, LONGEST_RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The sending of one event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The event that is sent.
    pub event: EventId,
    /// Where it is sent to.
    pub endpoint: EndpointId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// How often it was tried since it was last asked for.
    pub attempts: u32,
    /// When it is tried next, or, while it is being tried, from when on somebody
    /// else may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// What came of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Try>,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// Where a dispatch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DispatchStatus")]
pub enum State {
    /// It is tried, now or later.
    Pending,
    /// The endpoint took it.
    Delivered,
    /// It was given up.
    Failed,
}

impl State {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The state as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "DispatchAttempt")]
pub struct Try {
    /// When it began.
    pub at: Timestamp,
    /// The HTTP status that came back.
    pub status: Option<u16>,
    /// Why none came back, or why it was no good one.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// What an endpoint's answer means for a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Taken,
    /// It was not; try again, not before this span.
    Again(SignedDuration),
    /// Nothing will ever be taken there (410).
    Gone,
}

impl Dispatch {
    /// One that is due at once.
    pub fn new(event: EventId, endpoint: EndpointId, now: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            event,
            endpoint,
            created_at: now,
            state: State::Pending,
            attempts: 0,
            next_at: Some(now),
            last: None,
            expires_at,
        }
    }

    /// The id of the sending of that event to that endpoint.
    pub fn id_of(event: &EventId, endpoint: &EndpointId) -> String {
        format!("{event}.{endpoint}")
    }

    /// When something is to be done: the next attempt, or forgetting it.
    pub fn due(&self) -> Timestamp {
        self.next_at.filter(|_| self.state == State::Pending).unwrap_or(self.expires_at)
    }

    /// Taken by a job, until the end of a lease.
    pub fn claimed(&self, now: Timestamp, lease: SignedDuration) -> Self {
        Self { attempts: self.attempts + 1, next_at: Some(after(now, lease)), ..self.clone() }
    }

    /// Deferred without an attempt.
    pub fn defer(&self, until: Timestamp) -> Self {
        Self { next_at: Some(until), ..self.clone() }
    }

    /// After an attempt.
    pub fn settled(&self, attempt: Try, verdict: Verdict, now: Timestamp) -> Self {
        let (state, next_at) = match verdict {
            Verdict::Taken => (State::Delivered, None),
            Verdict::Again(retry_after) => match webhook_retry::next_try(self.attempts, retry_after, now) {
                Some(at) => (State::Pending, Some(at)),
                None => (State::Failed, None),
            },
            Verdict::Gone => (State::Failed, None),
        };
        // What is still to be tried is not forgotten before.
        let expires_at =
            self.expires_at.max(next_at.map_or(Timestamp::MIN, |at| after(at, LONGEST_RETRY_AFTER)));
        Self { state, next_at, expires_at, last: Some(attempt), ..self.clone() }
    }

    /// Given up without trying.
    pub fn given_up(&self, why: &str, now: Timestamp) -> Self {
        let attempt = Try { at: now, status: None, error: Some(why.to_owned()), millis: 0 };
        Self { state: State::Failed, next_at: None, last: Some(attempt), ..self.clone() }
    }

    /// Asked for again: the retry schedule begins anew.
    pub fn again(&self, now: Timestamp) -> Self {
        Self { state: State::Pending, attempts: 0, next_at: Some(now), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tried(dispatch: &Dispatch, verdict: Verdict) -> Dispatch {
        let now = dispatch.due();
        let attempt = Try { at: now, status: Some(500), error: None, millis: 1 };
        dispatch.claimed(now, SignedDuration::from_mins(1)).settled(attempt, verdict, now)
    }

    fn fresh() -> Dispatch {
        Dispatch::new(EventId::new(at(0), 1), EndpointId::from_random([1; 16]), at(0), at(3 * 86_400))
    }

    #[test]
    fn the_retry_schedule_has_eight_tries_and_then_it_is_given_up() {
        let mut dispatch = fresh();
        let mut times = Vec::new();
        while dispatch.state == State::Pending {
            times.push(dispatch.due().as_second());
            dispatch = tried(&dispatch, Verdict::Again(SignedDuration::ZERO));
        }
        assert_eq!(times, [0, 5, 305, 2105, 9305, 27_305, 63_305, 99_305]);
        assert_eq!((dispatch.state, dispatch.attempts, dispatch.due()), (State::Failed, 8, at(3 * 86_400)));
        assert_eq!(dispatch.again(at(7)).due(), at(7));
    }

    #[test]
    fn an_endpoint_may_ask_for_a_longer_wait_and_not_for_a_shorter_one() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(tried(&fresh(), Verdict::Again(hour)).due(), at(3600));
        assert_eq!(tried(&fresh(), Verdict::Again(hour * 1000)).due(), at(86_400));
        assert_eq!(tried(&fresh(), Verdict::Again(SignedDuration::from_secs(1))).due(), at(5));
        assert_eq!(tried(&fresh(), Verdict::Taken).state, State::Delivered);
        assert_eq!(tried(&fresh(), Verdict::Gone).state, State::Failed);
    }
}
