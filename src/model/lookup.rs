//! What a provider tells of a number beyond its plan, as far as everybody has to agree on
//! it. It refuses to know how it is asked, and what follows.

use crate::model::phone::{Kind, Line};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What can be asked for, each at a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupField {
    /// What sort of telephone the number leads to.
    LineType,
    /// When its SIM was changed last.
    SimSwap,
    /// How probable it is that texts to it are pumped.
    PumpingRisk,
}

impl LookupField {
    /// As Lookups v2 calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LineType => "line_type_intelligence",
            Self::SimSwap => "sim_swap",
            Self::PumpingRisk => "sms_pumping_risk",
        }
    }
}

/// What is asked for, and how.
#[derive(Debug, Clone)]
pub struct LookupSettings {
    /// What is asked for; never nothing.
    pub fields: Vec<LookupField>,
    /// Where, without a slash at its end; `None`: the sandbox, else Twilio.
    pub base_url: Option<String>,
    /// For a whole request.
    pub request_timeout: Duration,
    /// How long the line type is remembered; what may change at any moment is for minutes.
    pub remembered: Duration,
    /// How many numbers are asked about in a day, by all processes together.
    pub most_per_day: u64,
}

/// What sort of telephone a number leads to, in the words of Lookups v2
/// (`line_type_intelligence.type`); its `unknown` is nothing said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineType {
    /// A mobile, which takes texts and calls.
    Mobile,
    /// A landline, which takes calls alone.
    Landline,
    /// Internet telephony at an address.
    FixedVoip,
    /// Internet telephony anywhere.
    NonFixedVoip,
    /// A number that follows a person.
    Personal,
    /// Free for who calls.
    TollFree,
    /// Dear for who calls.
    Premium,
    /// Who calls pays a share.
    SharedCost,
    /// A company's number in the whole country.
    Uan,
    /// Where people leave messages, and read none.
    Voicemail,
    /// A telephone that only shows who called.
    Pager,
}

impl LineType {
    /// The same as numbering plans tell it.
    pub const fn line(self) -> Line {
        match self {
            Self::Mobile => Line::Mobile,
            Self::Landline => Line::Landline,
            Self::FixedVoip | Self::NonFixedVoip => Line::Special(Kind::Voip),
            Self::Personal => Line::Special(Kind::Personal),
            Self::TollFree => Line::Special(Kind::TollFree),
            Self::Premium => Line::Special(Kind::Premium),
            Self::SharedCost => Line::Special(Kind::SharedCost),
            Self::Uan => Line::Special(Kind::Uan),
            Self::Voicemail => Line::Special(Kind::Voicemail),
            Self::Pager => Line::Special(Kind::Pager),
        }
    }
}

/// What was told of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookedUp {
    /// What sort of telephone it leads to, where somebody said.
    pub line_type: Option<LineType>,
    /// When its SIM was changed last; the time of the answer where a carrier tells only
    /// that it was within a period.
    pub swapped_at: Option<Timestamp>,
    /// How probable pumping is, of a hundred.
    pub risk: Option<u8>,
}

/// The same at the time of a request, as the log of decisions has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFacts {
    /// What sort of telephone it leads to.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub line_type: Option<LineType>,
    /// How many whole hours ago the SIM was changed.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub swapped_hours: Option<u32>,
    /// How probable pumping is, of a hundred.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<u8>,
}

impl LookedUp {
    /// Where nobody said anything.
    pub const NOTHING: Self = Self { line_type: None, swapped_at: None, risk: None };

    /// What sort of telephone it leads to; [`Line::Unknown`] where nobody said.
    pub const fn line(&self) -> Line {
        match self.line_type {
            Some(of) => of.line(),
            None => Line::Unknown,
        }
    }

    /// What the log of decisions has of it, where there is anything.
    pub fn facts(&self, now: Timestamp) -> Option<LineFacts> {
        let hours =
            |at: Timestamp| u32::try_from(now.duration_since(at).as_hours().max(0)).unwrap_or(u32::MAX);
        (*self != Self::NOTHING).then(|| LineFacts {
            line_type: self.line_type,
            swapped_hours: self.swapped_at.map(hours),
            risk: self.risk,
        })
    }
}
