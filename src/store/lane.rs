//! The queues of due work.
//!
//! What a person waits for stands in a queue of its own, so that nothing that
//! nobody waits for is ever in front of it: a receiver of events that answers
//! slowly, and two million records that have expired, keep no code waiting. This
//! module refuses to know who does the work, and which records are due in which.

use jiff::Timestamp;

/// A queue of due records. The number is what stands at rest in PostgreSQL, and
/// the letter what stands in files; neither ever changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Lane {
    /// 0, `d`: what a person waits for: a send, a look-up.
    Person = 0,
    /// 1, `b`: what goes to machines: an event to an endpoint.
    Webhook = 1,
    /// 2, `c`: what nobody waits for: a verification's end, and what has expired.
    Chore = 2,
    /// 3, `l`: what takes long and is done piece by piece: an erasure, the taking away of words.
    Long = 3,
    /// 4, `a`: what was set aside because it failed again and again. Nobody does
    /// it until an operator asks for it.
    Aside = 4,
    /// 5, `o`: messages that nobody waits for as for a code.
    Bulk = 5,
}

/// When a record is due, and in which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// Since when, or from when on; kept to the millisecond.
    pub at: Timestamp,
    /// The queue that it waits in.
    pub lane: Lane,
}

impl Lane {
    /// Every lane there is.
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Webhook, Self::Chore, Self::Long, Self::Aside, Self::Bulk];

    /// The lanes whose work is done.
    pub const WORKED: [Self; 5] = [Self::Person, Self::Webhook, Self::Chore, Self::Long, Self::Bulk];

    /// What it is called outside.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Webhook => "webhook",
            Self::Chore => "chore",
            Self::Long => "long",
            Self::Aside => "aside",
            Self::Bulk => "bulk",
        }
    }

    /// The number at rest.
    pub fn number(self) -> i16 {
        i16::from(self as u8)
    }

    /// The lane with that number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.number() == number)
    }
}
