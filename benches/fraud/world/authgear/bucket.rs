//! Authgear's leaking bucket, by the script that it gives its Redis. It refuses to know
//! what is counted.

/// A bucket that leaks what it may hold within its time.
#[derive(Debug, Default, Clone, Copy)]
pub struct Bucket {
    level: f64,
    changed_at: Option<i64>,
}

impl Bucket {
    /// Adds so many, or takes them out: whether it holds more than it may then.
    ///
    /// What is above the threshold of now is cut off before, so a bucket that was refused
    /// through has room again after the time of one.
    pub fn add(&mut self, now: i64, threshold: f64, period: i64, count: f64) -> bool {
        let elapsed = (now - self.changed_at.unwrap_or(now)) as f64;
        let leaked = elapsed * (threshold / period as f64);
        self.level = (self.level.min(threshold) - leaked + count).max(0.0);
        self.changed_at = Some(now);
        self.level > threshold
    }
}
