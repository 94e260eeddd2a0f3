//! What is added to a counter, and how much there may be.

use crate::model::lease::CLOCK_SLACK;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How much of something there may be within a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What it is called: its count is kept under this name, and a refusal says it.
    /// No two limits of one addition have the same.
    pub name: String,
    /// What it counts: additions of the same word.
    pub of: String,
    /// How long its window is, in seconds, at least one. A limit whose length was
    /// changed counts anew.
    pub seconds: u32,
    /// The most there may be. Of distinct members at most [`super::Members::MOST`],
    /// whatever this says. Of failures in a row: after so many there is a first wait.
    pub max: u64,
    /// How it counts.
    pub form: Form,
    /// Counts as ever and refuses nobody: for a rule that is tried, and for what has
    /// happened already.
    pub track: bool,
}

impl Limit {
    /// The most that are kept one by one.
    pub const MOST_EXACT: u64 = 128;

    /// A limit that weighs what there was within the window, and refuses.
    pub fn new(name: impl Into<String>, of: impl Into<String>, seconds: u32, max: u64) -> Self {
        Self { name: name.into(), of: of.into(), seconds, max, form: Form::Weighed, track: false }
    }

    /// The same where each is kept by its time, if so many can be.
    pub fn exact(self) -> Self {
        Self { form: Form::Exact, ..self }
    }

    /// The same where what was added holds for as long as was said then, whatever is said now.
    pub fn lasting(self) -> Self {
        Self { form: Form::Lasting, ..self }
    }

    /// The same of failures in a row.
    pub fn streak(self, backoff: Backoff) -> Self {
        Self { form: Form::Streak(backoff), ..self }
    }

    /// The same, and it refuses nobody.
    pub fn tracked(self) -> Self {
        Self { track: true, ..self }
    }

    /// How it counts, for what does not fit into a record is weighed.
    pub(super) fn counted(&self) -> Form {
        match self.form {
            Form::Exact | Form::Lasting if self.max > Self::MOST_EXACT => Form::Weighed,
            form => form,
        }
    }
}

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// In two buckets that are weighed: small, whatever the number is, and off by what
    /// the head of the module says.
    #[default]
    Weighed,
    /// Each one by its time, so that no window whatever has more: for small numbers. One
    /// that allows more than [`Limit::MOST_EXACT`] is weighed.
    Exact,
    /// As `Exact`, and the window stays as long as it was when the first of it was added: for
    /// what holds until a certain time, so that whoever asks later asks for a shorter one. Of
    /// every other form what was counted within another length counts no more.
    Lasting,
    /// Failures in a row, until a success; [`Limit::seconds`] is for how long the last one
    /// is remembered, at least as long as it makes anybody wait.
    Streak(Backoff),
}

/// How long to wait after failures in a row. The first wait is after [`Limit::max`] of
/// them, and each further one doubles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, in seconds.
    pub first_seconds: u32,
    /// The longest wait, in seconds.
    pub longest_seconds: u32,
    /// Whether a failure after a wait that is over is the first of a row of its own.
    pub anew: bool,
}

/// What is added. What no limit counts changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addition {
    /// So many more.
    Amount {
        /// The word of the limits that count it.
        of: String,
        /// How many more, 0 or more.
        amount: u64,
    },
    /// So many of those that were added at that time are given back: to the bucket
    /// that they came from, and to none when that has gone. It is never refused, and
    /// counts before what the same call adds.
    GiveBack {
        /// The word that it was added under.
        of: String,
        /// How many of those that were added.
        amount: u64,
        /// When they were added, by the clock that added them. Had that gone
        /// backwards over the border of a bucket, what the earlier bucket does not
        /// have is taken from the later.
        added_at: Timestamp,
    },
    /// One of a set of distinct members, again or for the first time. It is not given
    /// back: others may have added the same.
    Member {
        /// The word of the limits that count members.
        of: String,
        /// The member; one that is there already counts no more.
        member: Pseudonym,
    },
    /// Nothing is added, and it is refused all the same where not even one more has room.
    /// It is asked before the same call adds.
    Room {
        /// The word of the limits that are asked.
        of: String,
    },
    /// One more failure in a row. No limit refuses it, for it has happened; who has to
    /// wait is asked by [`Addition::Room`].
    Failure {
        /// The word of the limits of failures in a row.
        of: String,
    },
    /// The row of failures is over.
    Success {
        /// The word of the limits of failures in a row.
        of: String,
    },
    /// Where more than [`Counter::MOST_COUNTED`](super::Counter::MOST_COUNTED) limits have something
    /// counted, what none of this call counts is forgotten, first what ends first: for a
    /// counter all of whose limits stand in the call, so that others were deleted.
    ForgetOthers,
}

impl Addition {
    /// The word of the limits that it is for.
    pub(super) fn of(&self) -> Option<&String> {
        match self {
            Self::Amount { of, .. }
            | Self::GiveBack { of, .. }
            | Self::Member { of, .. }
            | Self::Room { of }
            | Self::Failure { of }
            | Self::Success { of } => Some(of),
            Self::ForgetOthers => None,
        }
    }
}

/// A limit has no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Which limit; of several the one that has no room for longest.
    pub limit: String,
    /// The first time, to the millisecond, at which the same additions pass if nothing
    /// else is added. `None` when they never do: they are more than the limit itself.
    pub passes_at: Option<Timestamp>,
}

/// The time of so many milliseconds, or the last there is.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A length of so many seconds, at least one, in milliseconds.
pub(super) fn length(seconds: u32) -> i64 {
    i64::from(seconds.max(1)) * 1000
}

/// By how much a time of somebody else's clock may be ahead, in milliseconds.
pub(super) fn slack() -> i64 {
    i64::try_from(CLOCK_SLACK.as_millis()).unwrap_or(i64::MAX)
}

/// Stands for a member: the first eight bytes of a keyed hash of it. Written as 16
/// hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 8]);

/// Its 16 hexadecimal digits.
impl std::fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for Pseudonym {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Pseudonym {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| D::Error::custom("no pseudonym of 16 hex digits"))?;
        Ok(Self(bytes))
    }
}
