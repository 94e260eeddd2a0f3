//! What bounds the work.

use std::time::Duration;

/// What bounds the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of what people wait for, so much at once.
    pub max_person_in_flight: usize,
    /// Commits of expired records at once; each has up to 64 records.
    pub max_chores_in_flight: usize,
    /// Pages of what takes long at once.
    pub max_long_in_flight: usize,
    /// Of messages that nobody waits for as for a code, so much at once.
    pub max_bulk_in_flight: usize,
    /// How often in a row something fails before it is set aside.
    pub set_aside_after: u32,
    /// The first wait after a failure; each further one is twice as long, a minute
    /// at most.
    pub backoff: Duration,
    /// How long what is under way may take after the stop.
    pub drain: Duration,
    /// The hour of UTC (0 to 23) at which the provider's lists are compared every day;
    /// `None` for never.
    pub sweep_hour: Option<i8>,
    /// Whether the provider is asked if templates are approved.
    pub looks_at_templates: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_person_in_flight: 32,
            max_chores_in_flight: 2,
            max_long_in_flight: 1,
            max_bulk_in_flight: 8,
            set_aside_after: 5,
            backoff: Duration::from_secs(1),
            drain: Duration::from_secs(20),
            sweep_hour: None,
            looks_at_templates: false,
        }
    }
}
