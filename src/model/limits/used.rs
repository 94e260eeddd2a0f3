//! What is used of a limit, as it is shown. It refuses to know whose it is.

use jiff::Timestamp;
use serde::Serialize;

/// What is used of a limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "LimitUse")]
pub struct Used {
    /// The rule, as `[limits]` names it.
    pub rule: String,
    /// What tells apart several of the same rule: a service's last characters, or a
    /// hundred of a thousand numbers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// How much is used within its time; of money in millionths of a US dollar.
    pub used: u64,
    /// How much there may be, by the configuration; null where it names no such time any
    /// more. A service may have another limit.
    pub max: Option<u64>,
    /// The same in dollars, where it is money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dollars: Option<Dollars>,
    /// How long its time is, in seconds.
    pub seconds: u32,
    /// From when on there is room for one more; null where there is, and for a block of
    /// payments, whose length each service says.
    pub retry_at: Option<Timestamp>,
    /// From when on nothing of it counts any more, if nothing more comes.
    pub until: Timestamp,
}

/// Money that is used of a limit, in US dollars by the price table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Dollars {
    /// How much is used: `12.50`.
    pub used: String,
    /// How much there may be; null where the configuration names no such time any more.
    pub max: Option<String>,
}
