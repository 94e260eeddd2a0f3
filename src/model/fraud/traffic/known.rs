//! What may be asked of traffic. It refuses to change anything.

use super::kinds::{Narrow, Wide, hash, plain};
use super::{History, Number, Traffic, Tries, honest_key};
use crate::model::fraud::About;

impl Traffic {
    /// What is known of a request's number.
    pub fn number(&self, about: &About) -> Option<&Number> {
        self.numbers.get(plain(about.number))
    }

    /// Whether its number was verified once.
    pub fn is_proven(&self, about: &About) -> bool {
        self.proven.get(plain(about.number)).is_some()
    }

    /// What is known of something narrow that it comes out of.
    pub fn tries(&self, kind: Narrow, about: &About) -> Option<&Tries> {
        self.narrow[kind as usize].get(kind.key(about)?)
    }

    /// What is known of something wide that it comes out of.
    pub fn history(&self, kind: Wide, about: &About) -> Option<&History> {
        self.wide[kind as usize].get(kind.key(about)?)
    }

    /// Whether anybody has verified who is known by the same number, address, network or
    /// device.
    pub fn is_familiar(&self, about: &About, now: u32) -> bool {
        let is_good = |kind| self.tries(kind, about).is_some_and(|tries: &Tries| tries.good(now) > 0.2);
        self.is_proven(about) || [Narrow::Address, Narrow::Subnet, Narrow::Device].into_iter().any(is_good)
    }

    /// The share of honest people of its country who are familiar already.
    pub fn familiar(&self, about: &About) -> f64 {
        self.honest.get(honest_key(about)).map_or(0.0, |one| one.familiar.value(0.0))
    }

    /// How crowded a block of a hundred and one of a thousand are for honest people of its
    /// country.
    pub fn crowding(&self, about: &About) -> [f64; 2] {
        self.honest.get(honest_key(about)).map_or([0.0; 2], |one| one.crowding.map(|mean| mean.value(0.0)))
    }

    /// How many numbers of its range the provider took for fraud within so many seconds
    /// before the last of them, and when that was.
    pub fn verdicts(&self, about: &About, seconds: u32) -> (usize, u32) {
        let Some(verdicts) = self.verdicts.get(hash(&about.range)) else { return (0, 0) };
        let last = verdicts.iter().map(|one| one.1).max().unwrap_or(0);
        (verdicts.iter().filter(|one| last.saturating_sub(one.1) <= seconds).count(), last)
    }
}
