//! How long what is kept.

use crate::model::message::Keep;
use jiff::SignedDuration;

/// How long records are kept; `None` for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention {
    /// Verifications that have ended, from their beginning on.
    pub verifications: Option<SignedDuration>,
    /// Deliveries, from when they were first heard of.
    pub deliveries: Option<SignedDuration>,
    /// Events, as [`EventSettings::retention`](crate::app::events::EventSettings::retention) has it.
    pub events: Option<SignedDuration>,
    /// The audit log, and receipts of erasures.
    pub audit: Option<SignedDuration>,
    /// The log of decisions about requests for codes.
    pub decisions: Option<SignedDuration>,
    /// Messages of their own, from their end on.
    pub messages: Keep,
}
