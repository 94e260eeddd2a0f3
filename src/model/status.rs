//! Statuses of messages and calls, and their order: none moves backwards.
//!
//! Their words are those of records and of the API. It refuses to know the words
//! of whoever reports them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A status of a message or a call.
///
/// The order of the variants is the order of truth: of two statuses seen, the
/// greater one holds. Nobody promises to report in order, so the order
/// of arrival says nothing. Among the final ones of a message `delivered` is
/// the greatest, because a receipt may follow an `undelivered`, and never the
/// other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Message: will be sent at a set time.
    Scheduled,
    /// Message: taken, its sender not yet picked.
    Accepted,
    /// Message or call: waits at the provider.
    Queued,
    /// Call: is being set up.
    Initiated,
    /// Call: rings at the other end.
    Ringing,
    /// Call: was answered.
    InProgress,
    /// Message: handed upstream.
    Sending,
    /// Message: the carrier has it; the last word where there are no receipts.
    Sent,
    /// Inbound message: on its way to us.
    Receiving,
    /// Inbound message: arrived.
    Received,
    /// Message: some parts arrived (in old reports only).
    #[serde(rename = "partially_delivered")]
    PartiallyDelivered,
    /// Message: the carrier says that it did not arrive.
    Undelivered,
    /// Message or call: could not be sent or placed.
    Failed,
    /// Message or call: called off.
    Canceled,
    /// Call: rang, and nobody answered.
    NoAnswer,
    /// Call: the line was engaged.
    Busy,
    /// Call: took place and ended.
    Completed,
    /// Message: arrived at the handset, as its carrier says.
    Delivered,
    /// Message: was opened (WhatsApp, RCS).
    Read,
}

impl Status {
    const NAMES: [(Self, &'static str); 19] = [
        (Self::Scheduled, "scheduled"),
        (Self::Accepted, "accepted"),
        (Self::Queued, "queued"),
        (Self::Initiated, "initiated"),
        (Self::Ringing, "ringing"),
        (Self::InProgress, "in-progress"),
        (Self::Sending, "sending"),
        (Self::Sent, "sent"),
        (Self::Receiving, "receiving"),
        (Self::Received, "received"),
        (Self::PartiallyDelivered, "partially_delivered"),
        (Self::Undelivered, "undelivered"),
        (Self::Failed, "failed"),
        (Self::Canceled, "canceled"),
        (Self::NoAnswer, "no-answer"),
        (Self::Busy, "busy"),
        (Self::Completed, "completed"),
        (Self::Delivered, "delivered"),
        (Self::Read, "read"),
    ];

    /// The status as it is written in records and in the API.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }

    /// Every status, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(status, _)| *status)
    }

    /// Nothing more is to come, but `read` after `delivered` and `delivered`
    /// after `undelivered`.
    pub fn is_final(self) -> bool {
        self >= Self::PartiallyDelivered || self == Self::Received
    }

    /// The code did not reach the person this way.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Undelivered | Self::Failed | Self::Canceled | Self::NoAnswer | Self::Busy)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no status that is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status).ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_serde_agree() {
        for status in Status::all() {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }

    #[test]
    fn the_order_is_that_of_a_life_cycle() {
        use Status::*;
        let messages = [Accepted, Queued, Sending, Sent, Undelivered, Delivered, Read];
        let calls = [Queued, Initiated, Ringing, InProgress, Completed];
        assert!(messages.is_sorted() && calls.is_sorted());
        assert!([Busy, NoAnswer, Failed, Canceled].iter().all(|end| *end > InProgress && end.is_failure()));
    }
}
