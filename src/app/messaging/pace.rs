//! How long what is sent takes, as it was seen of late: so that what never leaves can be
//! told to have taken as long. It refuses to know who asks.

use crate::app::messaging::arrivals::{Arrivals, Silence};
use crate::entropy::Entropy;
use crate::model::channel::Channel;
use crate::model::status::Status;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A part of the way of a message or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Leg {
    /// From the request until the provider has taken it.
    Taken(Channel),
    /// From when it was asked for until a sender of a pool was found for the message.
    Queued,
    /// From when it was asked for until the message is on its way to a carrier.
    Sending,
    /// From when it was asked for until a carrier has the message.
    Sent,
    /// From when it was asked for until it has arrived.
    Delivered,
    /// From when it was asked for until the call is begun.
    Initiated,
    /// From when it was asked for until the telephone rings.
    Ringing,
}

/// The last durations of each leg, and how long messages take to arrive.
#[derive(Debug, Default)]
pub struct Pace {
    legs: [Ring; LEGS],
    arrivals: Arrivals,
}

/// Durations that are kept of a leg.
const KEPT: usize = 64;
/// Legs, of which [`Leg::Taken`] is one for each channel.
const LEGS: usize = 9;
/// What takes longer is no usual case.
const LONGEST: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
struct Ring(Mutex<(Vec<Duration>, usize)>);

impl Leg {
    /// The leg that ends with a status; nothing where none does.
    pub(in crate::app) fn to(status: Status, is_call: bool) -> Option<Self> {
        match (is_call, status) {
            (false, Status::Queued) => Some(Self::Queued),
            (false, Status::Sending) => Some(Self::Sending),
            (false, Status::Sent) => Some(Self::Sent),
            (false, Status::Delivered) => Some(Self::Delivered),
            (true, Status::Initiated) => Some(Self::Initiated),
            (true, Status::Ringing) => Some(Self::Ringing),
            _ => None,
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Taken(Channel::Sms) => 0,
            Self::Taken(Channel::Call) => 1,
            Self::Taken(Channel::Whatsapp) => 2,
            Self::Sent => 3,
            Self::Delivered => 4,
            Self::Initiated => 5,
            Self::Ringing => 6,
            Self::Queued => 7,
            Self::Sending => 8,
        }
    }

    /// How long it takes where nothing was seen yet.
    fn usual(self) -> Duration {
        Duration::from_millis(match self {
            Self::Taken(_) => 150,
            Self::Queued => 300,
            Self::Sending => 500,
            Self::Sent => 800,
            Self::Initiated => 400,
            Self::Delivered => 2_600,
            Self::Ringing => 2_500,
        })
    }
}

impl Pace {
    /// For how long news of a message are waited for, as was learned so far.
    pub fn silences(&self) -> Vec<Silence> {
        self.arrivals.silences()
    }

    /// How long messages take to arrive, by country and channel.
    pub(in crate::app) fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Learns how long a leg took.
    pub(in crate::app) fn learn(&self, leg: Leg, took: Duration) {
        if took > LONGEST {
            return;
        }
        // Nothing is ever half-changed under this lock.
        let mut ring = self.legs[leg.place()].0.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, next) = &mut *ring;
        match seen.len() < KEPT {
            true => seen.push(took),
            false => seen[*next] = took,
        }
        *next = (*next + 1) % KEPT;
    }

    /// How long a leg takes now and then: one of those that were seen, a tenth more or less.
    pub(in crate::app) fn draw(&self, leg: Leg, entropy: &Entropy) -> Duration {
        let ring = self.legs[leg.place()].0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = &ring.0;
        let at = usize::try_from(entropy.below(seen.len().max(1) as u64)).unwrap_or(0);
        let took = seen.get(at).copied().unwrap_or_else(|| leg.usual());
        let share = u32::try_from(900 + entropy.below(201)).unwrap_or(1000);
        took * share / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_as_long_as_what_was_seen_of_late() {
        let (pace, entropy) = (Pace::default(), Entropy::seeded(7));
        let drawn = |millis: u64| {
            let took = pace.draw(Leg::Sent, &entropy).as_millis() as u64;
            assert!((millis * 9 / 10..=millis * 11 / 10).contains(&took), "{took} of {millis}");
        };
        (0..20).for_each(|_| drawn(800));
        pace.learn(Leg::Sent, Duration::from_secs(3600));
        (0..100).for_each(|_| pace.learn(Leg::Sent, Duration::from_millis(5_000)));
        (0..20).for_each(|_| drawn(5_000));
        (0..KEPT).for_each(|_| pace.learn(Leg::Sent, Duration::from_millis(40)));
        (0..20).for_each(|_| drawn(40));
    }
}
