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
    /// whatever this says.
    pub max: u64,
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
    /// Where more than [`Counter::MOST_COUNTED`](super::Counter::MOST_COUNTED) limits have something
    /// counted, what none of this call counts is forgotten, first what ends first: for a
    /// counter all of whose limits stand in the call, so that others were deleted.
    ForgetOthers,
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
