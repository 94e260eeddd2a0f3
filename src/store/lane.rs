//! The queues of due work, and which records are due in which.
//!
//! What a person waits for stands in a queue of its own, so that nothing that
//! nobody waits for is ever in front of it: a receiver of events that answers
//! slowly, and two million records to be tidied away, keep no code waiting. This
//! module refuses to know who does the work.

use super::{Key, Kind};
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
    /// 2, `c`: what nobody waits for: a verification's end, and what is only tidied away.
    Chore = 2,
    /// 3, `l`: what takes long and is done a page at a time: an erasure.
    Long = 3,
    /// 4, `a`: what was set aside because it failed again and again. Nobody does
    /// it until an operator asks for it.
    Aside = 4,
}

/// When a record is due, and in which queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// Since when, or from when on; kept to the millisecond.
    pub at: Timestamp,
    /// Where.
    pub lane: Lane,
}

impl Due {
    /// Where else a record of this kind may stand that is due in this lane: a dispatch
    /// that is over stood among those to be sent when there were two lanes, and a
    /// verification that only has to end among those that people wait for.
    pub(super) fn early_lane(self, kind: Kind) -> Option<Lane> {
        let early = kind.early_lane();
        let is_elsewhere = self.lane != early && self.lane != Lane::Aside && kind.lanes().contains(&early);
        is_elsewhere.then_some(early)
    }

    /// Every lane in which its entry may stand: its own, that one, and where it may have
    /// been set aside.
    pub(super) fn lanes_at_rest(self, kind: Kind) -> impl Iterator<Item = Lane> {
        [self.lane, Lane::Aside].into_iter().chain(self.early_lane(kind))
    }
}

/// How much of a kind waits in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The lane.
    pub lane: Lane,
    /// The kind.
    pub kind: Kind,
    /// Records that are overdue.
    pub waiting: u64,
    /// Since when the most overdue of them is due.
    pub oldest: Timestamp,
}

impl Lane {
    /// Every lane there is.
    pub const ALL: [Self; 5] = [Self::Person, Self::Webhook, Self::Chore, Self::Long, Self::Aside];

    /// The lanes whose work is done.
    pub const WORKED: [Self; 4] = [Self::Person, Self::Webhook, Self::Chore, Self::Long];

    /// What it is called outside.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Webhook => "webhook",
            Self::Chore => "chore",
            Self::Long => "long",
            Self::Aside => "aside",
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

    /// The kinds that are due in it; anything may be set aside.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self == Self::Aside || kind.lanes().contains(&self))
    }

    /// The kinds whose records stood in it when there were only two lanes, and
    /// belong elsewhere now: an older process may still write them here.
    pub fn strays(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| kind.early_lane() == self && !kind.lanes().contains(&self))
    }
}

impl Kind {
    /// The lane in which records of this kind are usually due.
    pub fn lane(self) -> Lane {
        self.lanes().first().copied().unwrap_or(Lane::Person)
    }

    /// Every lane in which a due entry of this kind may be found at rest.
    pub fn lanes_at_rest(self) -> impl Iterator<Item = Lane> {
        Lane::ALL.into_iter().filter(move |lane| {
            *lane == Lane::Aside || *lane == self.early_lane() || self.lanes().contains(lane)
        })
    }
}

/// Counts what waits, for an engine that has no quicker way.
pub(super) fn count(lane: Lane, due: impl Iterator<Item = (Key, Timestamp)>) -> Vec<Depth> {
    let mut depths: Vec<Depth> = Vec::new();
    for (key, at) in due {
        match depths.iter_mut().find(|depth| depth.kind == key.kind) {
            Some(depth) => {
                depth.waiting += 1;
                depth.oldest = depth.oldest.min(at);
            }
            None => depths.push(Depth { lane, kind: key.kind, waiting: 1, oldest: at }),
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_lane_and_what_stood_elsewhere_is_a_stray_there() {
        for kind in Kind::ALL {
            let usual = kind.lane();
            assert!(usual.kinds().any(|one| one == kind), "{kind:?}");
            assert!(usual != Lane::Aside && Lane::Aside.kinds().any(|one| one == kind), "{kind:?}");
            let is_stray = kind.early_lane().strays().any(|one| one == kind);
            assert_eq!(is_stray, !kind.lanes().contains(&kind.early_lane()), "{kind:?}");
        }
        assert!(Lane::Person.strays().any(|kind| kind == Kind::IdempotencyRecord));
        assert!(Lane::Webhook.strays().eq([Kind::Event, Kind::Erasure]));
        assert_eq!(Lane::ALL.map(|lane| Lane::from_number(lane.number())), Lane::ALL.map(Some));
    }
}
