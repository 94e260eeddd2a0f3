//! Which records are due in which queue, and how many wait there. It refuses to know how
//! an engine keeps what is due.

use super::{Due, Key, Kind, Lane};
use jiff::Timestamp;

/// How much of a kind waits in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    /// The lane that it waits in.
    pub lane: Lane,
    /// The kind of what waits.
    pub kind: Kind,
    /// Records that are overdue.
    pub waiting: u64,
    /// Since when the most overdue of them is due.
    pub oldest: Timestamp,
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

impl Lane {
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
