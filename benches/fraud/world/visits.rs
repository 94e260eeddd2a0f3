//! When who asks: the stream that every model lives through. It refuses to know what comes
//! of it.

use super::attackers::{self, Message};
use super::chance::{Chance, mix};
use super::parameters::{Crowd, World};
use std::collections::HashSet;

/// Milliseconds of an hour.
pub const HOUR: i64 = 3_600_000;

/// What an honest person may be of beside the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Launch,
    Campaign,
    Crowd,
}

impl Group {
    pub const ALL: [Self; 3] = [Self::Launch, Self::Campaign, Self::Crowd];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// An honest person comes and wants a code.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// In milliseconds since 1970.
    pub at: i64,
    /// What all of its own chance comes from.
    pub seed: u64,
    person: u64,
    country: u16,
    brand: u8,
    groups: u8,
    crowd: u8,
}

impl Visit {
    /// Who it is: the same number for the same person.
    pub fn person(&self) -> u64 {
        mix(&[self.country.into(), self.person])
    }

    pub fn country(&self) -> usize {
        self.country.into()
    }

    pub fn brand(&self) -> usize {
        self.brand.into()
    }

    /// The crowd that it is of, by its place.
    pub fn crowd(&self) -> Option<usize> {
        usize::from(self.crowd).checked_sub(1)
    }

    pub fn is_of(&self, group: Group) -> bool {
        self.groups & group.bit() != 0
    }
}

/// All that happens, in order.
pub struct Stream {
    pub visits: Vec<Visit>,
    pub messages: Vec<Message>,
    /// When the world begins, in milliseconds since 1970.
    pub start: i64,
    /// From when on models refuse, and figures are of.
    pub refusing: i64,
    /// When its last day is over.
    pub end: i64,
}

impl Stream {
    /// The stream of a world; the same for the same seed.
    pub fn new(world: &World, seed: u64) -> Self {
        let start = world.start.parse::<jiff::Timestamp>().map_or(0, |start| start.as_millisecond());
        let end = start + i64::from(world.days) * 24 * HOUR;
        let refusing = Self::at(start, world.record_days, 0);
        let mut made = Made { world, start, visits: Vec::new() };
        for country in 0..world.countries.len() {
            made.country(country, &mut Chance::of(&[seed, b'v'.into(), country as u64]));
        }
        for (place, crowd) in world.crowds.iter().enumerate() {
            made.crowd(place, crowd, &mut Chance::of(&[seed, b'c'.into(), place as u64]));
        }
        let mut visits = made.visits;
        visits.retain(|visit| visit.at < end);
        visits.sort_by_key(|visit| (visit.at, visit.seed));
        Self { visits, messages: attackers::messages(world, seed, (start, end)), start, refusing, end }
    }

    /// How many different honest people come while models refuse, of all or of a group.
    pub fn people(&self, group: Option<Group>) -> usize {
        let is_of =
            |visit: &&Visit| visit.at >= self.refusing && group.is_none_or(|group| visit.is_of(group));
        self.visits.iter().filter(is_of).map(Visit::person).collect::<HashSet<_>>().len()
    }

    /// When an hour of a day of the world begins.
    pub fn at(start: i64, day: u32, hour: u32) -> i64 {
        start + (i64::from(day) * 24 + i64::from(hour)) * HOUR
    }
}

struct Made<'a> {
    world: &'a World,
    start: i64,
    visits: Vec<Visit>,
}

impl Made<'_> {
    /// The visits of a country, hour by hour.
    fn country(&mut self, place: usize, chance: &mut Chance) {
        let world = self.world;
        let launch = world.launches.iter().find(|launch| world.country(&launch.country) == Some(place));
        let start = self.start;
        let begins = launch.map(|launch| Stream::at(start, launch.day, launch.hour));
        for hour in 0..i64::from(world.days) * 24 {
            let at = start + hour * HOUR;
            let since = begins.map(|begins| at - begins);
            let launched = match (launch, since) {
                (Some(_), Some(..0)) => 0.0,
                (Some(launch), Some(since)) if since < 24 * HOUR => launch.first_day,
                _ => 1.0,
            };
            let mean = self.mean(place, at) * launched;
            let groups = if launch.is_some() { Group::Launch.bit() } else { 0 };
            let campaigns = world.campaigns.iter().filter(|campaign| {
                let begins = Stream::at(start, campaign.day, campaign.hour);
                (begins..begins + i64::from(campaign.hours) * HOUR).contains(&at)
            });
            let in_campaign = if campaigns.clone().next().is_some() { Group::Campaign.bit() } else { 0 };
            for _ in 0..chance.poisson(mean) {
                self.visit(at, place, groups | in_campaign, None, chance);
            }
            for campaign in campaigns {
                let brand = campaign.brand.as_ref().and_then(|brand| world.brand(brand));
                for _ in 0..chance.poisson(mean * (campaign.factor - 1.0)) {
                    self.visit(at, place, groups | in_campaign, brand, chance);
                }
            }
        }
    }

    /// How many come in an hour of an ordinary day.
    fn mean(&self, place: usize, at: i64) -> f64 {
        let (clock, country) = (&self.world.clock, &self.world.countries[place]);
        let local = at.div_euclid(HOUR) + i64::from(country.offset);
        // 1970 began on a Thursday.
        let weekday = (local.div_euclid(24) + 3).rem_euclid(7) as usize;
        let mean = |weights: &[f64]| weights.iter().sum::<f64>() / weights.len() as f64;
        let hour = clock.hours[local.rem_euclid(24) as usize] / mean(&clock.hours);
        let day = clock.weekdays[weekday] / mean(&clock.weekdays);
        self.world.scale * country.rate / 24.0 * hour * day
    }

    fn visit(&mut self, hour: i64, place: usize, groups: u8, brand: Option<usize>, chance: &mut Chance) {
        let world = self.world;
        let customers = (world.countries[place].rate * world.scale * world.people.customers_days).max(1.0);
        let person = match chance.happens(world.people.returning) {
            true => chance.below(customers as u64),
            false => chance.any() | 1 << 63,
        };
        let brand = brand.unwrap_or_else(|| chance.pick(world.brands.iter().map(|brand| brand.share)));
        let at = hour + chance.below(HOUR as u64) as i64;
        let seed = chance.any();
        self.visits.push(Visit {
            at,
            seed,
            person,
            country: place as u16,
            brand: brand as u8,
            groups,
            crowd: 0,
        });
    }

    fn crowd(&mut self, place: usize, crowd: &Crowd, chance: &mut Chance) {
        let world = self.world;
        let (Some(country), Some(brand)) = (world.country(&crowd.country), world.brand(&crowd.brand)) else {
            return;
        };
        let begins = Stream::at(self.start, crowd.day, crowd.hour);
        for _ in 0..crowd.people {
            let at = begins + chance.below(u64::from(crowd.hours) * HOUR as u64) as i64;
            self.visits.push(Visit {
                at,
                seed: chance.any(),
                person: chance.any() | 1 << 63,
                country: country as u16,
                brand: brand as u8,
                groups: Group::Crowd.bit(),
                crowd: place as u8 + 1,
            });
        }
    }
}
