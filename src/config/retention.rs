//! `[retention]`: how long each kind of record is kept.
//!
//! It refuses to know who deletes.

use super::reader::Reader;
use std::time::Duration;

/// How long records are kept; `None` for ever.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Verifications that have ended, from their beginning on.
    pub verifications: Option<Duration>,
    /// Deliveries, from when they were first heard of.
    pub deliveries: Option<Duration>,
    /// Events and what became of their webhooks.
    pub events: Option<Duration>,
    /// The audit log.
    pub audit: Option<Duration>,
    /// The log of decisions about requests for codes.
    pub decisions: Option<Duration>,
    /// Messages of their own that left or were called off, from their end on.
    pub messages: Duration,
    /// Those that failed.
    pub failed_messages: Duration,
}

/// The most days that can be meant: ten years.
const MOST_DAYS: u64 = 3650;
/// The retry schedule of webhooks takes 28 hours from the first try to the last: an event that is
/// forgotten earlier is one that some endpoint never hears of.
const LEAST_EVENT_DAYS: u64 = 2;

impl Retention {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mut days = |key: &str| r.number::<u64>(key, 0..=MOST_DAYS);
        let verifications = days("retention.verifications_days");
        let deliveries = days("retention.deliveries_days");
        let events = days("retention.events_days");
        let audit = days("retention.audit_days");
        let decisions = days("retention.decisions_days");
        if (1..LEAST_EVENT_DAYS).contains(&events) {
            let mend = format!("write 0 to keep them for ever, or at least {LEAST_EVENT_DAYS}");
            r.note("retention.events_days", "is shorter than webhooks are tried", mend);
        }
        let hours = r.number::<u64>("retention.messages_hours", 1..=MOST_DAYS * 24);
        let failed_days = r.number::<u64>("retention.failed_messages_days", 1..=MOST_DAYS);
        let span = |days: u64| (days > 0).then(|| Duration::from_secs(days * 86_400));
        Self {
            verifications: span(verifications),
            deliveries: span(deliveries),
            events: span(events),
            audit: span(audit),
            decisions: span(decisions),
            messages: Duration::from_secs(hours * 3600),
            failed_messages: Duration::from_secs(failed_days * 86_400),
        }
    }
}
