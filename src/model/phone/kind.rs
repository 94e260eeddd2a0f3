//! Kinds of numbers: what telephone a number leads to, by its plan, and which
//! of them cost somebody money.

use rlibphonenumber::PhoneNumberType as Type;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of numbers that cost somebody else's money or reach nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Premium rate: the callee earns from each call.
    Premium,
    /// Satellite networks and other global services (+870, +878, +881, +882, +883, +979).
    Satellite,
    /// Cost shared between both sides.
    SharedCost,
    /// Personal numbers, which follow their owner at a price (+1 500, +44 70).
    Personal,
    /// Pagers, which show what was sent.
    Pager,
    /// Voicemail boxes, with no telephone behind them.
    Voicemail,
    /// Universal access: a company's one number.
    Uan,
    /// Freephone: seldom a person.
    TollFree,
    /// Internet telephony: numbers of no place.
    Voip,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Premium => "premium-rate",
            Self::Satellite => "satellite and global-service",
            Self::SharedCost => "shared-cost",
            Self::Personal => "personal",
            Self::Pager => "pager",
            Self::Voicemail => "voicemail",
            Self::Uan => "universal-access",
            Self::TollFree => "toll-free",
            Self::Voip => "internet telephony",
        })
    }
}

/// What sort of telephone a number leads to, as its plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A mobile, which takes texts and calls.
    Mobile,
    /// A landline, which takes calls alone.
    Landline,
    /// One of the two: plans like North America's do not tell.
    Either,
    /// Neither of the two: a kind of its own.
    Special(Kind),
    /// A number that no plan knows, of the sandbox or of tests.
    Unknown,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mobile => f.write_str("mobile"),
            Self::Landline => f.write_str("landline"),
            Self::Either => f.write_str("landline or mobile"),
            Self::Special(kind) => kind.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// What sort of telephone a number of the library's leads to.
pub(super) fn line_of(number: &rlibphonenumber::PhoneNumber) -> Line {
    // ITU-T E.164: shared and global codes, among them Inmarsat (870),
    // Iridium and Globalstar (881), international networks (882, 883).
    match number.country_code {
        870 | 878 | 881 | 882 | 883 => return Line::Special(Kind::Satellite),
        979 => return Line::Special(Kind::Premium),
        808 => return Line::Special(Kind::SharedCost),
        _ => {}
    }
    match number.get_type() {
        Type::Mobile => Line::Mobile,
        Type::FixedLine => Line::Landline,
        Type::FixedLineOrMobile => Line::Either,
        Type::PremiumRate => Line::Special(Kind::Premium),
        Type::SharedCost => Line::Special(Kind::SharedCost),
        Type::PersonalNumber => Line::Special(Kind::Personal),
        Type::Pager => Line::Special(Kind::Pager),
        Type::VoiceMail => Line::Special(Kind::Voicemail),
        Type::UAN => Line::Special(Kind::Uan),
        Type::TollFree => Line::Special(Kind::TollFree),
        Type::VoIP => Line::Special(Kind::Voip),
        Type::Unknown => Line::Unknown,
    }
}
