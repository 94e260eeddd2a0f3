//! SMS pumping protection: too many texts to one prefix in a while, and the prefix
//! is blocked for a while. Off until a tester switches it on.
//!
//! It refuses to know messages and who is exempt; it counts numbers by their prefix.

use super::recent::Recent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a tester says about the protection.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Protection {
    /// Whether it is on.
    pub enabled: bool,
    /// How many texts to a prefix pass within the window.
    pub burst: u32,
    /// The window, in seconds.
    pub window_seconds: u32,
    /// How long a prefix stays blocked, in seconds; Twilio says 15 to 30 minutes.
    pub block_seconds: u32,
}

impl Default for Protection {
    fn default() -> Self {
        Self { enabled: false, burst: 10, window_seconds: 60, block_seconds: 1_800 }
    }
}

/// What is known of a prefix.
#[derive(Default)]
struct Prefix {
    seen: VecDeque<Timestamp>,
    until: Option<Timestamp>,
}

/// The protection and what it has seen.
pub(super) struct Pumping {
    /// What the tester says.
    pub protection: Protection,
    /// By account and prefix.
    prefixes: Recent<(String, String), Prefix>,
}

impl Pumping {
    /// A protection that is off and has seen nothing; it remembers `limit` prefixes of
    /// accounts at most.
    pub fn new(limit: usize) -> Self {
        Self { protection: Protection::default(), prefixes: Recent::new(limit) }
    }

    /// The accounts and prefixes that are remembered.
    #[cfg(test)]
    pub fn prefixes(&self) -> impl Iterator<Item = &(String, String)> {
        self.prefixes.keys()
    }

    /// Counts a text of an account; true when it is blocked.
    pub fn blocks(&mut self, account: &str, number: &str, now: Timestamp) -> bool {
        let Protection { enabled, burst, window_seconds, block_seconds } = self.protection;
        if !enabled {
            return false;
        }
        let place = (account.to_owned(), prefix(number).to_owned());
        if self.prefixes.get(&place).is_none() {
            self.prefixes.insert(place.clone(), Prefix::default());
        }
        let Some(known) = self.prefixes.touch(&place) else { return false };
        if known.until.is_some_and(|until| now < until) {
            return true;
        }
        let window = SignedDuration::from_secs(i64::from(window_seconds));
        while known.seen.front().is_some_and(|at| now.duration_since(*at) >= window) {
            known.seen.pop_front();
        }
        if known.seen.len() < usize::try_from(burst).unwrap_or(usize::MAX) {
            known.seen.push_back(now);
            return false;
        }
        known.seen.clear();
        known.until = now.checked_add(SignedDuration::from_secs(i64::from(block_seconds))).ok();
        true
    }
}

/// The thousand numbers that a number is among.
pub(super) fn prefix(number: &str) -> &str {
    number.get(..number.len().saturating_sub(3)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_to_one_prefix_blocks_it_for_a_while() {
        let mut pumping = Pumping::new(100);
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert!((0..50).all(|n| !pumping.blocks("AC1", &format!("+3712123{n:04}"), at(0))), "off by default");
        pumping.protection = Protection { enabled: true, burst: 3, window_seconds: 60, block_seconds: 900 };
        let mut blocks = |account: &str, number: &str, seconds| pumping.blocks(account, number, at(seconds));
        for n in 0..3 {
            assert!(!blocks("AC1", &format!("+371212345{n:02}"), n * 10));
        }
        assert!(blocks("AC1", "+37121234599", 30));
        assert!(!blocks("AC1", "+37121239999", 30) && !blocks("AC2", "+37121234599", 30));
        assert!(blocks("AC1", "+37121234501", 929) && !blocks("AC1", "+37121234501", 930));
    }
}
