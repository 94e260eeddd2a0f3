//! What all entries together say of a request.
//!
//! The order, and nothing else decides:
//!
//! 1. The number's own entries. If they say anything, that is it.
//! 2. Otherwise two are asked: the narrowest network that the person's address is in, and
//!    the number, by the longest range that it begins with, then its country by the
//!    channel, then its country by all channels. A block of either is a block; otherwise an
//!    allowance of either is one.
//!
//! Of one target, what is said for the service alone counts before what is said for all,
//! and then a block before an allowance. An entry that has ended is not there, so the next
//! wider one counts. Without an address no network counts; of a number without a country
//! no country does.

use super::effect::Effect;
use super::entry::ListEntry;
use super::listed::{Listed, Said};
use super::nested::Nested;
use super::network::Network;
use super::place::{Place, Says};
use super::target::Target;
use crate::model::channel::Channel;
use crate::model::id::ServiceId;
use crate::model::phone::PersonKey;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

/// All entries, as they are looked up.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    numbers: HashMap<String, Place>,
    erased: HashMap<String, Place>,
    /// By what numbers begin with, and how long such beginnings are: a bit for each length.
    ranges: HashMap<String, Place>,
    lengths: u32,
    networks: Nested,
    countries: HashMap<String, HashMap<Option<Channel>, Place>>,
}

/// A request for a code, as the lists look at it.
pub struct Asked<'a> {
    /// Whose number it is.
    pub person: &'a PersonKey,
    /// Of which service the code would be.
    pub service: &'a ServiceId,
    /// The person's address, where the face knows it.
    pub address: Option<IpAddr>,
    /// When it is asked.
    pub now: Timestamp,
    /// The number's country, ISO 3166; asked for only where a country is listed.
    pub region: &'a dyn Fn() -> Option<String>,
    /// The name of the person's number once it is erased; asked for only where one is listed.
    pub name: &'a dyn Fn() -> String,
}

impl Matcher {
    /// Of entries, and of numbers that are safe without one.
    pub fn new<'e>(
        entries: impl IntoIterator<Item = &'e ListEntry>,
        safe: impl IntoIterator<Item = PersonKey>,
    ) -> Self {
        let (mut matcher, mut networks) = (Self::default(), BTreeMap::<Network, Place>::new());
        for entry in entries {
            let reason = entry.reason.as_deref().map(Arc::from);
            let said = Said { effect: entry.effect, reason, until: entry.ends_at };
            let says = Says { service: entry.service.clone(), said };
            let place = match &entry.target {
                Target::Number(number) => {
                    matcher.numbers.entry(number.person().as_str().to_owned()).or_default()
                }
                Target::ErasedNumber(name) => matcher.erased.entry(name.clone()).or_default(),
                Target::Range(range) => {
                    matcher.lengths |= 1 << range.prefix().len();
                    matcher.ranges.entry(range.prefix().to_owned()).or_default()
                }
                Target::Network(network) => networks.entry(*network).or_default(),
                Target::Country { region, channel } => {
                    matcher.countries.entry(region.clone()).or_default().entry(*channel).or_default()
                }
            };
            place.add(says);
        }
        for person in safe {
            let said = Said { effect: Effect::Allow, reason: None, until: None };
            let says = Says { service: None, said };
            matcher.numbers.entry(person.as_str().to_owned()).or_default().add(says);
        }
        Self { networks: Nested::of(networks), ..matcher }
    }

    /// What they say of a request.
    pub fn judge(&self, asked: &Asked<'_>) -> Listed {
        if let Some(said) = self.of_number(asked) {
            return Listed::everywhere(&said);
        }
        let says = |place: &Place| place.says(asked.service, asked.now);
        let of_network = asked.address.and_then(|address| self.networks.find(address, says));
        if let Some(said) = of_network.as_ref().filter(|said| said.effect == Effect::Block) {
            return Listed::everywhere(said);
        }
        if let Some(said) = self.of_ranges(asked) {
            let said = Said::of_both(of_network, Some(said.clone())).unwrap_or(said);
            return Listed::everywhere(&said);
        }
        let country = match self.countries.is_empty() {
            true => None,
            false => (asked.region)().and_then(|region| self.countries.get(&region)),
        };
        let of_country = |channel: Channel| {
            let of = |channel: Option<Channel>| country.and_then(|places| says(places.get(&channel)?));
            of(Some(channel)).or_else(|| of(None))
        };
        Listed::by_channel(|channel| Said::of_both(of_network.clone(), of_country(channel)))
    }

    fn of_number(&self, asked: &Asked<'_>) -> Option<Said> {
        let own = self.numbers.get(asked.person.as_str());
        let erased = match self.erased.is_empty() {
            true => None,
            false => self.erased.get(&(asked.name)()),
        };
        Place::say(own.into_iter().chain(erased), asked.service, asked.now)
    }

    /// What the longest range says that says anything. One person's spellings begin
    /// differently, and each of them counts.
    fn of_ranges(&self, asked: &Asked<'_>) -> Option<Said> {
        if self.ranges.is_empty() {
            return None;
        }
        let spellings = asked.person.spellings();
        let mut lengths = self.lengths;
        while let Some(length) = lengths.checked_ilog2() {
            lengths &= !(1 << length);
            let begun = |spelling: &String| self.ranges.get(spelling.get(..length as usize)?);
            let says = Place::say(spellings.iter().filter_map(begun), asked.service, asked.now);
            if says.is_some() {
                return says;
            }
        }
        None
    }
}
