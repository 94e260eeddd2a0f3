//! An attack, as the file of parameters says it.

use super::parameters::{Delay, Range};
use serde::Deserialize;

/// An attack.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    pub name: String,
    pub about: String,
    pub on: bool,
    /// Whether it is meant to stay below every burst: its loss is told in normal days.
    #[serde(default)]
    pub slow: bool,
    pub brand: String,
    /// Countries whose own ranges it takes, each as often.
    #[serde(default)]
    pub countries: Vec<String>,
    /// Ranges of its own, in the country that each names.
    #[serde(default)]
    pub targets: Vec<Target>,
    pub numbers: Numbers,
    /// From how many addresses, and of how many networks these are; 0 for a new one each
    /// time.
    pub addresses: u64,
    pub subnets: u64,
    /// From how many devices; 0 for a new one each time.
    pub devices: u64,
    /// Share of its requests that are resends.
    #[serde(default)]
    pub resends: f64,
    /// Share of the messages that were sent to it which the provider takes for fraud.
    #[serde(default)]
    pub verdicts: f64,
    /// How long it takes to verify, where it does.
    pub verify_delay: Option<Delay>,
    pub phases: Vec<Phase>,
}

/// Ranges that an attack has in a country.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub country: String,
    pub ranges: Vec<Range>,
    /// What a message costs there, where that is not the country's price.
    pub price: Option<f64>,
}

/// Which numbers of its ranges an attack takes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub enum Numbers {
    /// One after the other, so many, and then so many elsewhere.
    Consecutive { block: u64 },
    /// Any.
    Random,
    /// Any of a few.
    Pool { count: u64 },
}

/// A time of an attack.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub day: u32,
    pub hour: u32,
    pub hours: f64,
    pub per_hour: f64,
    /// Whether it is told how many were sent before the first refusal.
    #[serde(default = "yes")]
    pub burst: bool,
    /// Share of the codes that it verifies.
    #[serde(default)]
    pub verifies: f64,
}

fn yes() -> bool {
    true
}
