//! Whom an entry names, as people write it.

use crate::app::admission::{Admission, AdmissionError, numbers};
use crate::app::services::find;
use crate::model::channel::Channel;
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::lists::{BadTarget, Target};
use crate::model::phone::PhoneNumber;
use crate::model::service::BadSetting;
use crate::model::typed;
use std::net::IpAddr;

/// Whom somebody names, each in its own field: one of the first four.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedTarget {
    /// A number in any writing.
    pub number: Option<String>,
    /// What numbers begin with, or the ends of a block.
    pub range: Option<String>,
    /// A network or an address.
    pub network: Option<String>,
    /// A country, by its ISO 3166 code.
    pub country: Option<String>,
    /// The channel alone by which the country is meant.
    pub channel: Option<Channel>,
}

impl NamedTarget {
    /// What a text names by its looks: a network has a slash or is an address, a range a star
    /// or two ends, a country is two letters, and the rest is a number.
    pub fn of_text(text: &str, channel: Option<Channel>) -> Self {
        let plain = typed::plain(text);
        let squeezed: String = plain.chars().filter(|c| *c != ' ').collect();
        let some = Some(text.trim().to_owned());
        let named = match () {
            () if plain.contains('/') || plain.parse::<IpAddr>().is_ok() => {
                Self { network: some, ..Self::default() }
            }
            () if squeezed.ends_with('*') || squeezed.contains("-+") => {
                Self { range: some, ..Self::default() }
            }
            () if !plain.is_empty()
                && plain.len() <= 3
                && plain.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
            {
                Self { country: some, ..Self::default() }
            }
            () => Self { number: some, ..Self::default() },
        };
        Self { channel, ..named }
    }

    /// The fields that are there, by their names.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let channel = self.channel.map(Channel::as_str);
        let all = [
            ("number", self.number.as_deref()),
            ("range", self.range.as_deref()),
            ("network", self.network.as_deref()),
            ("country", self.country.as_deref()),
            ("channel", channel),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Whom they name, for an entry that is made.
    ///
    /// # Errors
    /// None of them or several, and what is wrong with one.
    pub fn target(&self, admission: &Admission) -> Result<Target, AdmissionError> {
        let read = |text: &str| numbers::number_of_form(admission, text);
        self.read(read)?
            .ok_or_else(|| wrong("number", "say whom: one of number, range, network and country is needed"))
    }

    /// The same for entries that are looked for; nothing where none is named. A number may be
    /// one that no plan has any more.
    ///
    /// # Errors
    /// Several of them, and what is wrong with one.
    pub fn sought(&self, admission: &Admission) -> Result<Option<Target>, AdmissionError> {
        let read = |text: &str| match numbers::number_of_form(admission, text) {
            Ok(number) => Ok(number),
            Err(error) => PhoneNumber::parse_to_find(text, &admission.numbers).map_err(|_| error),
        };
        self.read(read)
    }

    fn read(
        &self,
        number: impl Fn(&str) -> Result<PhoneNumber, AdmissionError>,
    ) -> Result<Option<Target>, AdmissionError> {
        let target = match (&self.number, &self.range, &self.network, &self.country) {
            (None, None, None, None) => None,
            (Some(text), None, None, None) => Some(Target::number(&number(text)?)),
            (None, Some(text), None, None) => Some(Target::Range(text.parse::<_>().map_err(of_target)?)),
            (None, None, Some(text), None) => Some(Target::Network(text.parse::<_>().map_err(of_target)?)),
            (None, None, None, Some(text)) => Some(Target::country(text, self.channel)?),
            _ => {
                let second = self.fields()[1].0;
                return Err(wrong(
                    second,
                    "an entry names one of number, range, network and country: make one for each",
                ));
            }
        };
        if self.channel.is_some() && self.country.is_none() {
            return Err(wrong(
                "channel",
                "is for countries: numbers, ranges and networks are listed for all channels",
            ));
        }
        Ok(target)
    }
}

/// The service that somebody calls by its id, its key in the configuration or its name.
///
/// # Errors
/// None or several of this name, or the store's.
pub async fn service_called(admission: &Admission, name: &str) -> Result<ServiceId, AdmissionError> {
    find::service_named(&admission.directory, &ServiceSet::all(), name).await.map_err(AdmissionError::Service)
}

fn of_target(bad: BadTarget) -> AdmissionError {
    bad.into()
}

fn wrong(field: &str, what: &str) -> AdmissionError {
    AdmissionError::Setting(BadSetting { field: field.to_owned(), what: what.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_what_it_looks_like() {
        for (text, field) in [
            ("+4479*", "range"),
            ("+1 415 555 0000 - +1 415 555 0999", "range"),
            ("203.0.113.7", "network"),
            ("2001:db8::1", "network"),
            ("10.0.0.0/8", "network"),
            ("de", "country"),
            ("USA", "country"),
            ("+14155550123", "number"),
            ("0151 23456789", "number"),
            ("", "number"),
        ] {
            assert_eq!(NamedTarget::of_text(text, None).fields()[0].0, field, "{text}");
        }
    }
}
