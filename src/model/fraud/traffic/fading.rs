//! Counts that fade. It refuses to know what is counted.

/// A count of what happened of late: what is older weighs less, half for each half-life.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fading {
    count: f32,
    at: u32,
}

impl Fading {
    /// One more happened. One that is told late counts as of now.
    pub fn add(&mut self, now: u32, half_life: f64) {
        self.count = (self.value(now, half_life) + 1.0) as f32;
        self.at = self.at.max(now);
    }

    /// What it comes to now.
    pub fn value(&self, now: u32, half_life: f64) -> f64 {
        if self.count == 0.0 {
            return 0.0;
        }
        f64::from(self.count) * (-f64::from(now.saturating_sub(self.at)) / half_life).exp2()
    }
}

/// A mean of what was told of late: where there is much, what is older weighs half.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    const MUCH: f64 = 1_000.0;

    /// Learns of one more.
    pub fn learn(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
        if self.count > Self::MUCH {
            self.sum /= 2.0;
            self.count /= 2.0;
        }
    }

    /// What it comes to; where little was told, what is usual elsewhere.
    pub fn value(self, elsewhere: f64) -> f64 {
        const LITTLE: f64 = 20.0;
        (self.sum + LITTLE * elsewhere) / (self.count + LITTLE)
    }
}
