//! What is known of one number. It refuses to know whose it is.

use super::history::DAY;

/// What is known of one number. Times are seconds since 1970, zero for never.
#[derive(Debug, Clone, Default)]
pub struct Number {
    sends: [u32; Self::MOST],
    /// When it last counted as one that was asked for.
    pub asked_at: u32,
    /// Whether that one stands open.
    pub is_open: bool,
    /// When it last counted as refused.
    pub refused_at: u32,
    /// When it was last verified.
    pub verified_at: u32,
    /// When the provider last took it for fraud.
    pub verdict_at: u32,
    /// When it was first told to come again later, since its last send.
    pub slowed_at: u32,
}

impl Number {
    /// The most sends that are kept.
    pub const MOST: usize = 12;

    /// A code was sent.
    pub fn sent(&mut self, at: u32) {
        let oldest = (0..Self::MOST).min_by_key(|place| self.sends[*place]).unwrap_or(0);
        self.sends[oldest] = self.sends[oldest].max(at);
        self.slowed_at = 0;
    }

    /// A send of this time never left.
    pub fn unsent(&mut self, at: u32) {
        if let Some(send) = self.sends.iter_mut().find(|send| send.abs_diff(at) <= 1) {
            *send = 0;
        }
    }

    /// Sends within the last so many seconds, and after the number was last verified.
    pub fn unverified_sends(&self, now: u32, seconds: u32) -> f64 {
        self.count(|at| now.saturating_sub(at) < seconds && at > self.verified_at)
    }

    /// Sends within a day, whatever became of them.
    pub fn day_sends(&self, now: u32) -> f64 {
        self.count(|at| now.saturating_sub(at) < DAY)
    }

    fn count(&self, is_meant: impl Fn(u32) -> bool) -> f64 {
        self.sends.iter().filter(|at| **at > 0 && is_meant(**at)).map(|_| 1.0).sum()
    }
}
