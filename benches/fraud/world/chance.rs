//! Chance that is the same again for the same seed, on every machine. It refuses to know
//! what is drawn.

use oorandom::Rand64;

/// Draws, one after the other.
#[derive(Debug, Clone)]
pub struct Chance(Rand64);

impl Chance {
    /// Draws that are told apart by all of these.
    pub fn of(parts: &[u64]) -> Self {
        Self(Rand64::new(mix(parts).into()))
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// From 0 up to 1.
    pub fn share(&mut self) -> f64 {
        self.0.rand_float()
    }

    /// Whether something happens that does so in this share of cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// A whole number below that, and 0 below none.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.rand_range(0..end) }
    }

    /// The place of one of several, by their weights.
    pub fn pick(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.share() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (place, weight) in weights.enumerate().filter(|(_, weight)| *weight > 0.0) {
            last = place;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// From the normal distribution (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (length, turn) = (1.0 - self.share(), self.share());
        (-2.0 * length.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    }

    /// How many happen where so many do on average.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let (end, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > end {
            product *= self.share();
            count += 1;
        }
        count
    }
}

/// One number for several: every bit of each changes all of its bits (the finisher of
/// SplitMix64).
pub fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |all, part| {
        let mut mixed = (all ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}
