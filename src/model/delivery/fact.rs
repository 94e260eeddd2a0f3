//! What can be reported of a delivery, and how much of it is kept.

use super::kept::cut;
use super::so_far::CallSoFar;
use crate::model::plain::is_default;
use crate::model::status::Status;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// How a fact came to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A status callback.
    #[default]
    StatusCallback,
    /// The answer to our request to send, or a later look at the resource.
    Api,
    /// The callback of asynchronous answering machine detection.
    AsyncAmd,
    /// The provider asked what to say.
    VoiceRequest,
    /// An inbound message or call.
    Inbound,
    /// An event stream.
    EventStream,
    /// The callback about a recording.
    Recording,
    /// The resource, looked at because nothing was reported.
    Reconciled,
}

/// What was reported, without our own time: two reports with equal facts are
/// one and the same event.
///
/// The order is that of [`Fact::cmp`]'s fields, the status first and greatest
/// first in a delivery's list. Its `Debug` leaves out what was said besides,
/// which may be a number, such as `ForwardedFrom`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// The status, when one was reported that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: Source,
    /// The provider's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// The order of a call's events, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// The provider's own time of a call's event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_at: Option<Timestamp>,
    /// The carrier's time of a message's receipt, `YYMMDDhhmm`, in a zone that
    /// nobody states: kept as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_time: Option<String>,
    /// Who or what answered a call: `human`, `machine_start`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// How a call's signalling ended: 200, 404, 486, 487, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_code: Option<u32>,
    /// How long a call lasted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// How much of a call is billed, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_minutes: Option<u32>,
    /// How long machine detection took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_ms: Option<u32>,
    /// What a call of ours had come to, when it had asked what to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallSoFar>,
    /// Everything else that was said, as it was said: see `said`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, String>,
}

impl Fact {
    /// The most bytes that everything else that was said may take as JSON.
    /// With [`super::Delivery::MAX_EVENTS`] facts of that size a delivery still fits
    /// into a record.
    pub const MAX_OTHER: usize = 1200;

    /// The fact, cut to its size. What is cut depends on the fact alone, so
    /// that equal facts stay equal and merging stays a join: to bound all
    /// events together would forget what was cut, and let in what is less.
    pub(super) fn bounded(mut self) -> Self {
        self.carrier_time = self.carrier_time.map(cut);
        self.answered_by = self.answered_by.map(cut);
        let size = |(name, value): (&String, &String)| 6 + escaped(name) + escaped(value);
        let mut left = self.other.iter().map(size).sum::<usize>();
        while left > Self::MAX_OTHER
            && let Some((name, value)) = self.other.pop_last()
        {
            left -= size((&name, &value));
        }
        self
    }
}

/// How long a text is in JSON, without its quotation marks.
fn escaped(text: &str) -> usize {
    let length = |byte| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact")
            .field("status", &self.status)
            .field("source", &self.source)
            .field("error_code", &self.error_code)
            .field("sequence", &self.sequence)
            .field("carrier_at", &self.carrier_at)
            .field("call", &self.call)
            .field("other", &self.other.keys())
            .finish_non_exhaustive()
    }
}
