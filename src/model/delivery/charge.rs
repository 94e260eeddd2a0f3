//! What a provider charges for a message or call. It refuses to know tables of prices.

use serde::{Deserialize, Serialize};

/// An amount of a currency. Of two for one delivery the greater holds: a price is told once,
/// and what is added to it later only grows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Charge {
    /// Millionths of the currency.
    pub micros: u64,
    /// Its ISO 4217 code, in capitals.
    pub currency: String,
}

impl Charge {
    /// Letters of a currency's code.
    const LETTERS: usize = 3;

    /// So many millionths of that currency, whose code may be written in small letters;
    /// `None` where it can be none.
    pub fn new(micros: u64, currency: &str) -> Option<Self> {
        let is_code = currency.len() == Self::LETTERS && currency.bytes().all(|c| c.is_ascii_alphabetic());
        is_code.then(|| Self { micros, currency: currency.to_ascii_uppercase() })
    }
}
