//! Who and where a delivery is, as far as anybody said.

use super::charge::Charge;
use super::kept::cut;
use crate::model::phone::mask;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who and where a delivery is. Its `Debug` shows addresses masked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The account, `AC…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_sid: Option<String>,
    /// The sender's address: a number, a short code, a name, `whatsapp:+…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The recipient's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The messaging service, `MG…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service_sid: Option<String>,
    /// The word for who began it: `inbound`, `outbound-api`, ….
    /// See `said`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The alphabet of a text message that we sent: `GSM-7`, `UCS-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Its segments, as we counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_segments: Option<u32>,
    /// A message's segments as the provider says; it says 0 as long as it has not
    /// decided on a sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_segments: Option<u32>,
    /// What the provider charges for it, which it says some time after its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
    /// The provider's own name for it, where the SID is made of ours. A report that has
    /// another one is about something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About")
            .field("from", &self.from.as_deref().map(mask))
            .field("to", &self.to.as_deref().map(mask))
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

impl About {
    /// How many segments a message costs: the provider's number where it has
    /// one, else
    /// as we counted them.
    pub fn segments(&self) -> Option<u32> {
        self.num_segments.filter(|segments| *segments > 0).or(self.counted_segments)
    }

    /// Whether it is certainly something else than what a report is about, though both have
    /// one SID: the provider calls them differently.
    pub fn is_another_than(&self, reported: &Self) -> bool {
        self.reference.as_ref().zip(reported.reference.as_ref()).is_some_and(|(own, other)| own != other)
    }

    pub(super) fn bounded(self) -> Self {
        Self {
            account_sid: self.account_sid.map(cut),
            from: self.from.map(cut),
            to: self.to.map(cut),
            messaging_service_sid: self.messaging_service_sid.map(cut),
            direction: self.direction.map(cut),
            encoding: self.encoding.map(cut),
            reference: self.reference.map(cut),
            ..self
        }
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        let greatest = |a: &Option<String>, b: &Option<String>| a.as_ref().max(b.as_ref()).cloned();
        Self {
            account_sid: greatest(&self.account_sid, &other.account_sid),
            from: greatest(&self.from, &other.from),
            to: greatest(&self.to, &other.to),
            messaging_service_sid: greatest(&self.messaging_service_sid, &other.messaging_service_sid),
            direction: greatest(&self.direction, &other.direction),
            encoding: greatest(&self.encoding, &other.encoding),
            counted_segments: self.counted_segments.max(other.counted_segments),
            num_segments: self.num_segments.max(other.num_segments),
            charge: self.charge.as_ref().max(other.charge.as_ref()).cloned(),
            reference: greatest(&self.reference, &other.reference),
        }
    }
}
