//! What is known of traffic at a moment: what the log comes to.

use super::Entry;

/// What is known of traffic at a moment, within bounds that no traffic exceeds.
#[derive(Debug, Clone, Default)]
pub struct Traffic {}

impl Traffic {
    /// Takes a line of the log. Lines come nearly in order: those of other processes a few
    /// seconds late.
    pub fn record(&mut self, entry: &Entry) {
        let _ = entry;
    }
}
