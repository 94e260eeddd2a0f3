//! The last requests out of something narrow: a block of numbers, an address, a network, a
//! device, a session. It refuses to know which, and whether they are good.

use super::delays::Delays;
use super::fading::Fading;

/// The last requests for different numbers.
#[derive(Debug, Clone, Default)]
pub struct Tries {
    recent: Vec<Try>,
    good: Fading,
    refused: Fading,
    sends: Fading,
}

/// One of them: a code was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// Half of the number's pseudonym.
    pub number: u32,
    /// When.
    pub at: u32,
    /// The country's two letters.
    pub country: [u8; 2],
    /// Whether it was verified.
    pub is_verified: bool,
}

/// What there is within a window up to now, but for one number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Crowd {
    /// Different numbers that a code was sent to.
    pub numbers: f64,
    /// Of those, what would be verified by now if all ever were: the young count in part.
    pub ripe: f64,
    /// Of those, the ones that were verified.
    pub verified: f64,
}

impl Tries {
    /// The most that are kept.
    pub const MOST: usize = 24;

    /// How fast it is forgotten that somebody verified: in a day by half, in seconds.
    const GOOD: f64 = 86_400.0;

    /// How fast it is forgotten that something was refused: in half an hour by half.
    const REFUSED: f64 = 1_800.0;

    /// How fast a send is forgotten: in six hours by half.
    const SENDS: f64 = 21_600.0;

    /// Adds a request. One that stands open for the same number stays the same request.
    pub fn add(&mut self, new: Try) {
        let same = |one: &&mut Try| one.number == new.number && !one.is_verified;
        if let Some(one) = self.recent.iter_mut().rev().find(same) {
            if new.at.saturating_sub(one.at) > 3_600 {
                one.at = new.at;
            }
            return;
        }
        if self.recent.len() >= Self::MOST {
            self.recent.remove(0);
        }
        self.recent.push(new);
    }

    /// A code was sent, whether or not one was sent to the number before.
    pub fn send(&mut self, now: u32) {
        self.sends.add(now, Self::SENDS);
    }

    /// How many were sent of late since anybody verified.
    pub fn sends(&self, now: u32) -> f64 {
        self.sends.value(now, Self::SENDS)
    }

    /// The number's request was verified.
    pub fn verify(&mut self, number: u32, now: u32) {
        if let Some(one) = self.recent.iter_mut().rev().find(|one| one.number == number) {
            one.is_verified = true;
        }
        self.good.add(now, Self::GOOD);
        self.sends = Fading::default();
    }

    /// The number's request was never sent.
    pub fn forget(&mut self, number: u32) {
        if let Some(place) = self.recent.iter().rposition(|one| one.number == number && !one.is_verified) {
            self.recent.remove(place);
        }
    }

    /// Another number was refused.
    pub fn refuse(&mut self, now: u32) {
        self.refused.add(now, Self::REFUSED);
    }

    /// How many were verified of late.
    pub fn good(&self, now: u32) -> f64 {
        self.good.value(now, Self::GOOD)
    }

    /// How many were refused of late.
    pub fn refused(&self, now: u32) -> f64 {
        self.refused.value(now, Self::REFUSED)
    }

    /// When the last was asked for.
    pub fn last(&self) -> Option<u32> {
        self.recent.iter().map(|one| one.at).max()
    }

    /// Different numbers that stand open.
    pub fn open(&self) -> f64 {
        self.recent.iter().filter(|one| !one.is_verified).map(|_| 1.0).sum()
    }

    /// Every request of the last so many seconds, but those for this number.
    pub fn others(&self, number: u32, now: u32, seconds: u32) -> impl Iterator<Item = &Try> {
        self.recent.iter().filter(move |one| one.number != number && now.saturating_sub(one.at) <= seconds)
    }

    /// What there is within the last so many seconds, but for this number.
    pub fn crowd(&self, number: u32, now: u32, seconds: u32, delays: &Delays) -> Crowd {
        let mut crowd = Crowd::default();
        for one in self.others(number, now, seconds) {
            crowd.numbers += 1.0;
            if one.is_verified {
                crowd.ripe += 1.0;
                crowd.verified += 1.0;
            } else {
                crowd.ripe += delays.share(now.saturating_sub(one.at));
            }
        }
        crowd
    }
}

impl Crowd {
    /// Those that nobody verified, however young.
    pub fn unverified(&self) -> f64 {
        self.numbers - self.verified
    }
}
