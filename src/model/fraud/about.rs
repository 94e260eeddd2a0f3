//! Whom and what a request for a code is about, by names that are nobody's.

use crate::model::channel::Channel;
use crate::model::counter::Pseudonym;
use crate::model::lookup::LineFacts;
use serde::{Deserialize, Serialize};

/// Whom and what a request for a code is about. Numbers, blocks, addresses, networks,
/// devices and sessions are keyed pseudonyms, whose key is in no store; the rest says
/// nothing about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The person's number, however it was written.
    #[serde(rename = "n")]
    pub number: Pseudonym,
    /// The hundred consecutive numbers that it is of.
    #[serde(rename = "h")]
    pub block100: Pseudonym,
    /// The thousand consecutive numbers that it is of.
    #[serde(rename = "k")]
    pub block1000: Pseudonym,
    /// The range that it is of, as its plan writes it: `+4479`.
    #[serde(rename = "r")]
    pub range: String,
    /// The country, by its ISO 3166 code; `??` where no plan knows the number.
    #[serde(rename = "c")]
    pub country: String,
    /// Whether it is a number of internet telephony, by its plan or by a look-up.
    #[serde(rename = "v", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_voip: bool,
    /// What else a look-up told of it; nothing where none was made.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub looked_up: Option<LineFacts>,
    /// The address of the person's device: IPv4, or a network of 64 bits.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Pseudonym>,
    /// The network around it: 24 bits of IPv4, 56 of IPv6.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Pseudonym>,
    /// The person's device, as the application names it.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Pseudonym>,
    /// The session of the pages.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Pseudonym>,
    /// The id of the API key, or the name of another caller.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The service's id.
    #[serde(rename = "s")]
    pub service: String,
    /// Who it is sent from, where that is known before: a number, a name, or the SID of a
    /// messaging service.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// By which channel.
    #[serde(rename = "m")]
    pub channel: Channel,
    /// By which face, as its profile names it: `api`, `verify`, `pages`.
    #[serde(rename = "p")]
    pub face: String,
    /// Whether it is a further send of a verification that stands open.
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_resend: bool,
    /// What it costs by the price table, in millionths of a US dollar.
    #[serde(rename = "u", default, skip_serializing_if = "is_nothing")]
    pub micros: u64,
}

fn is_nothing(micros: &u64) -> bool {
    *micros == 0
}
