//! The erasing of a person's data: a job that stays until it is done, and the
//! receipt that it leaves.
//!
//! It holds the number only while there is something to be found by it. What is
//! left to be done at the provider after that is found by the erasure's own id, which
//! stands in what was left of each delivery. This module refuses to know how
//! anything is found or deleted.

use crate::model::audit::Actor;
use crate::model::id::{ErasureId, Sid};
use crate::model::phone::PhoneNumber;
use crate::model::plain::after;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The erasing of one number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id: `ER` and 32 hexadecimal digits.
    pub id: ErasureId,
    /// The number, until nothing is found by it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<PhoneNumber>,
    /// The number as it may be shown.
    pub masked: String,
    /// Whether opt-outs are erased too.
    pub opt_outs: bool,
    /// Whether the provider's own records of messages and calls are deleted, beyond
    /// what was said in them.
    pub delete_at_twilio: bool,
    /// Who asked for it.
    pub actor: Actor,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// How far it is.
    pub state: State,
    /// How often it was begun.
    #[serde(default)]
    pub attempts: u32,
    /// When it goes on, or, while somebody is at it, from when on somebody else
    /// may take over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// What was deleted here, by kind.
    #[serde(default)]
    pub deleted: BTreeMap<String, u64>,
    /// Records of others in which the number was mentioned, and is no longer, by
    /// kind.
    #[serde(default)]
    pub scrubbed: BTreeMap<String, u64>,
    /// How many messages and calls were redacted at the provider, or were gone there.
    #[serde(default)]
    pub redacted: u64,
    /// The first [`Erasure::MOST_NAMED`] of them.
    #[serde(default)]
    pub redacted_sids: Vec<Sid>,
    /// What was kept of the person, by kind, and why.
    #[serde(default)]
    pub kept: Vec<Kept>,
    /// What could not be done yet, as of the last attempt: the first
    /// [`Erasure::MOST_NAMED`] of it.
    #[serde(default)]
    pub left: Vec<Left>,
    /// Where this attempt goes on; nothing between two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// When it was done or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ErasureStatus")]
pub enum State {
    /// It is being done, or goes on later.
    Running,
    /// Everything is erased that was to be.
    Done,
    /// What is left could not be done for [`Erasure::PATIENCE`].
    GivenUp,
}

/// Up to where an attempt has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Behind a record, by the name of its kind and its id.
    Record {
        /// The name of its kind, as in an export.
        kind: String,
        /// Its id among those of its kind.
        id: String,
    },
    /// All records were gone through: behind a delivery that the provider was told of, and
    /// how often in a row it did not take that.
    Delivery {
        /// When it was first seen.
        at: Timestamp,
        /// The provider's name for it.
        id: String,
        /// Failures in a row.
        failures: u32,
    },
}

/// Records that were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ErasureKept")]
pub struct Kept {
    /// What they are.
    pub what: String,
    /// How many there are, 1 or more.
    pub count: u64,
    /// Why, and what would change it.
    pub why: String,
}

/// Something that could not be done yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ErasureLeft")]
pub struct Left {
    /// The message or call at Twilio, or the verification here.
    pub what: String,
    /// What stood in the way, for the operator.
    pub why: String,
}

/// The waits between the attempts of one erasure; the last one repeats.
const ERASURE_RETRY_SCHEDULE: [SignedDuration; 6] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(6),
];

impl Erasure {
    /// Messages and calls that are named in a receipt, and lines of what is left.
    pub const MOST_NAMED: usize = 200;
    /// How long somebody may be at it before somebody else takes over; whoever is
    /// at it says so again in time.
    pub const LEASE: SignedDuration = SignedDuration::from_mins(2);
    /// How long it is tried.
    pub const PATIENCE: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Somebody is at it.
    pub fn claimed(&self, now: Timestamp) -> Self {
        let next_at = Some(after(now, Self::LEASE));
        // What was kept is found out again as long as it is looked for.
        let kept = if self.number.is_some() { Vec::new() } else { self.kept.clone() };
        Self { next_at, attempts: self.attempts + 1, left: Vec::new(), kept, ..self.clone() }
    }

    /// Somebody is at it still.
    pub fn renewed(&self, now: Timestamp) -> Self {
        Self { next_at: Some(after(now, Self::LEASE)), ..self.clone() }
    }

    /// The rest is left to the next page, behind what others have to do.
    pub fn paused(&self, place: Place, now: Timestamp) -> Self {
        Self { place: Some(place), next_at: Some(now), ..self.clone() }
    }

    /// As it is after an attempt: done, to be gone on with, or given up.
    pub fn settled(&self, now: Timestamp) -> Self {
        let is_over = now.duration_since(self.asked_at) >= Self::PATIENCE;
        let state = match (self.left.is_empty(), is_over) {
            (true, _) => State::Done,
            (false, true) => State::GivenUp,
            (false, false) => State::Running,
        };
        let step = (self.attempts.saturating_sub(1) as usize).min(ERASURE_RETRY_SCHEDULE.len() - 1);
        let is_running = state == State::Running;
        Self {
            state,
            number: self.number.clone().filter(|_| is_running),
            next_at: is_running.then(|| after(now, ERASURE_RETRY_SCHEDULE[step])),
            finished_at: (!is_running).then_some(now),
            place: None,
            ..self.clone()
        }
    }

    /// One more thing that could not be done.
    pub fn leave(&mut self, what: impl Into<String>, why: impl Into<String>) {
        if self.left.len() < Self::MOST_NAMED {
            self.left.push(Left { what: what.into(), why: why.into() });
        }
    }
}
