//! How long people take from asking for a code to offering it, so that a request of the
//! last minutes is not yet held against anybody. It refuses to know who they are.

/// Shares of people by how long they take, learned from those who verified.
#[derive(Debug, Clone)]
pub struct Delays {
    counts: [f64; ENDS.len()],
    total: f64,
}

/// Ends of the bands of time, in seconds.
const ENDS: [u32; 16] = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1_200];

/// What is taken for known before anybody verified: slow people, so that nothing is held
/// against them too early. It weighs as much as sixty people.
const BEFORE: [f64; ENDS.len()] = [0.5, 1.5, 3., 4., 7., 8., 7., 9., 5., 6., 3., 2., 2., 1., 0.5, 0.5];

/// With so many learned, what is older weighs half.
const ENOUGH: f64 = 4_000.0;

impl Default for Delays {
    fn default() -> Self {
        Self { counts: BEFORE, total: BEFORE.iter().sum() }
    }
}

impl Delays {
    /// Learns that somebody took so many seconds.
    pub fn learn(&mut self, seconds: u32) {
        let band = ENDS.partition_point(|end| *end < seconds).min(ENDS.len() - 1);
        self.counts[band] += 1.0;
        self.total += 1.0;
        if self.total > ENOUGH {
            self.counts.iter_mut().for_each(|count| *count /= 2.0);
            self.total /= 2.0;
        }
    }

    /// The share of those who verify at all that has done so at this age, from 0 to 1.
    pub fn share(&self, age: u32) -> f64 {
        let mut begin = 0;
        let mut sum = 0.0;
        for (end, count) in ENDS.iter().zip(&self.counts) {
            if age < *end {
                let part = f64::from(age - begin) / f64::from(end - begin);
                return (sum + part * count) / self.total;
            }
            sum += count;
            begin = *end;
        }
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_from_nothing_to_all() {
        let delays = Delays::default();
        let shares: Vec<f64> = (0..1_300).map(|age| delays.share(age)).collect();
        assert_eq!((shares[0], shares[1_299]), (0.0, 1.0));
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn it_is_learned_how_long_people_take() {
        let mut delays = Delays::default();
        let before = delays.share(60);
        (0..10_000).for_each(|_| delays.learn(50));
        assert!(before < 0.6, "{before}");
        assert!(delays.share(60) > 0.95, "{}", delays.share(60));
        assert!(delays.total <= ENOUGH);
    }
}
