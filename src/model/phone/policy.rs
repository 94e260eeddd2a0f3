//! What an operator says of numbers: which are refused, and how national ones are
//! read.

use super::error::PhoneError;
use super::kind::Kind;
use super::number::PhoneNumber;
use crate::model::{region, typed};
use std::collections::BTreeSet;

/// What is refused, and how national numbers are read.
#[derive(Debug, Clone)]
pub struct NumberPolicy {
    /// ISO 3166 region in which numbers without a country code are read.
    pub default_region: Option<String>,
    /// Kinds that are refused.
    pub refuse: BTreeSet<Kind>,
    /// E.164 prefixes taken as they are, if the length is that of the country:
    /// a provider's numbers for tests and numbers of fiction, in the sandbox only.
    pub fictional: Vec<String>,
}

impl Default for NumberPolicy {
    fn default() -> Self {
        Self {
            default_region: None,
            refuse: BTreeSet::from([Kind::Premium, Kind::Satellite, Kind::SharedCost, Kind::Personal]),
            fictional: Vec::new(),
        }
    }
}

impl NumberPolicy {
    /// Whether a number is one of those that are taken as they are.
    pub(super) fn is_fictional(&self, number: &PhoneNumber) -> bool {
        let full = number.in_full();
        let length_fits = !full.starts_with("+1") || full.len() == 12;
        length_fits && self.fictional.iter().any(|prefix| full.starts_with(prefix.as_str()))
    }
}

impl PhoneError {
    /// The same with the country by whose plan it was judged, where the text names
    /// none and the policy's region was taken.
    #[must_use]
    pub fn read_by(self, text: &str, policy: &NumberPolicy) -> Self {
        let has_own = typed::plain(text).contains('+');
        let region = policy.default_region.as_deref().and_then(region::find).filter(|_| !has_own);
        let code = self.country_code();
        match region.filter(|region| Some(region.calling_code) == code) {
            Some(region) => Self::ReadBy { region: region.id.clone(), error: Box::new(self) },
            None => self,
        }
    }
}
