//! Randomness, injected so that tests and the sandbox can be repeated.
//!
//! The production source is the operating system. A seeded source exists for
//! tests and for the sandbox's chaos; it is a different type of value, made by
//! a constructor whose name says so, and never reachable from configuration of
//! a real gateway.

use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// A source of random bytes. Cheap to clone; clones share the stream.
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<(u64, u64)>>),
}

impl Entropy {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A repeatable stream (SHA-256 in counter mode): for tests and for the
    /// sandbox's faults only.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new((seed, 0)))))
    }

    /// A source of its own for a part of that name, which draws from nobody else's stream:
    /// a part that draws when real time has passed changes nothing of what others draw.
    /// Of the operating system it is the same again.
    pub fn apart(&self, name: &str) -> Self {
        match &self.0 {
            Source::System => Self::system(),
            Source::Seeded(state) => {
                let seed = state.lock().unwrap_or_else(|broken| broken.into_inner()).0;
                let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(name).finalize();
                let mut own = [0u8; 8];
                own.copy_from_slice(&digest[..8]);
                Self::seeded(u64::from_be_bytes(own))
            }
        }
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can
    /// be done without it.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0u8; N];
        match &self.0 {
            Source::System => getrandom::fill(&mut out).expect("the operating system gives randomness"),
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(|broken| broken.into_inner());
                for chunk in out.chunks_mut(32) {
                    let block = Sha256::new()
                        .chain_update(state.0.to_be_bytes())
                        .chain_update(state.1.to_be_bytes())
                        .finalize();
                    chunk.copy_from_slice(&block[..chunk.len()]);
                    state.1 += 1;
                }
            }
        }
        out
    }

    /// A number in `0..bound` without bias (rejection sampling).
    ///
    /// # Panics
    /// When `bound` is zero.
    pub fn below(&self, bound: u64) -> u64 {
        assert!(bound > 0, "a bound of zero leaves nothing to choose");
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let n = u64::from_be_bytes(self.bytes());
            if n < zone {
                return n % bound;
            }
        }
    }

    /// `N` random bytes in lower-case hexadecimal.
    pub fn hex<const N: usize>(&self) -> String {
        hex::encode(self.bytes::<N>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let (a, b) = (Entropy::seeded(7), Entropy::seeded(7));
        let first: Vec<u64> = (0..50).map(|_| a.below(10)).collect();
        let second: Vec<u64> = (0..50).map(|_| b.below(10)).collect();
        assert_eq!(first, second);
        assert!((0..10).all(|digit| first.contains(&digit)));
    }

    #[test]
    fn a_part_draws_from_a_stream_of_its_own() {
        let (alone, shared) = (Entropy::seeded(7), Entropy::seeded(7));
        let (part, other) = (shared.apart("part"), shared.apart("other"));
        let drawn: Vec<u64> = (0..50).map(|_| part.below(10)).collect();
        let whole = |source: &Entropy| (0..50).map(|_| source.below(10)).collect::<Vec<_>>();
        assert_eq!(whole(&shared), whole(&alone));
        assert_eq!(whole(&alone.apart("part")), drawn);
        assert_ne!(whole(&other), drawn);
    }
}
