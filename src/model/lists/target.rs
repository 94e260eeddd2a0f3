//! To whom an entry of a list does something. It refuses to know what.

use super::bad_target::BadTarget;
use super::network::Network;
use super::range::Range;
use crate::model::channel::Channel;
use crate::model::phone::PhoneNumber;
use crate::model::region;
use serde::{Deserialize, Serialize};

/// To whom an entry does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A person's number, in the spelling that stands for all.
    Number(PhoneNumber),
    /// A number that was erased, by the keyed name that only who knows it can make.
    ErasedNumber(String),
    /// Numbers that begin alike.
    Range(Range),
    /// The network that the person's device is in.
    Network(Network),
    /// All numbers of a country.
    Country {
        /// Its ISO 3166 code.
        region: String,
        /// Codes by this channel alone; nothing for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Channel>,
    },
}

impl Target {
    /// A person's number, under whichever spelling.
    pub fn number(number: &PhoneNumber) -> Self {
        Self::Number(number.person().number().clone())
    }

    /// A country, by its code in any case.
    ///
    /// # Errors
    /// What is none.
    pub fn country(text: &str, channel: Option<Channel>) -> Result<Self, BadTarget> {
        let region = text.trim().to_ascii_uppercase();
        region::check(&region)
            .map_err(|why| BadTarget(format!("country: there is none of this code; {why}")))?;
        Ok(Self::Country { region, channel })
    }

    /// What sort of thing it is, as the API names the field.
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::ErasedNumber(_) => "number",
            Self::Range(_) => "range",
            Self::Network(_) => "network",
            Self::Country { .. } => "country",
        }
    }

    /// All of it as it is written; nothing of an erased number.
    pub fn in_full(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.in_full().to_owned()),
            Self::ErasedNumber(_) => None,
            Self::Range(range) => Some(range.to_string()),
            Self::Network(network) => Some(network.to_string()),
            Self::Country { region, .. } => Some(region.clone()),
        }
    }

    /// The same as it may be shown to anybody: a number is masked.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.masked(),
            target => target.in_full().unwrap_or_else(|| "erased number".to_owned()),
        }
    }

    /// The channel that it is about alone.
    pub fn channel(&self) -> Option<Channel> {
        match self {
            Self::Country { channel, .. } => *channel,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_named_by_its_code() {
        assert_eq!(Target::country(" de", None).unwrap().shown(), "DE");
        for (text, told) in [("UK", "did you mean GB?"), ("XX", "ISO 3166"), ("", "ISO 3166")] {
            let error = Target::country(text, None).unwrap_err().to_string();
            assert!(error.starts_with("country: ") && error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn a_number_is_its_person_s_and_masked_unless_asked_for() {
        let target = Target::number(&"+5215512345678".parse().unwrap());
        assert_eq!(target, Target::number(&"+525512345678".parse().unwrap()));
        assert_eq!(target.in_full().as_deref(), Some("+525512345678"));
        assert!(!target.shown().contains("551234"), "{}", target.shown());
        assert_eq!(serde_json::to_string(&target).unwrap(), r#"{"number":"+525512345678"}"#);
    }
}
