//! Who comes in the hour, and what each of them would do: the same people under every
//! policy, for nothing of it depends on what becomes of their codes.

use super::chance::Chance;
use super::parameters::{Country, World};

/// Somebody who wants to verify their number.
#[derive(Debug, Clone)]
pub struct Person {
    /// When they come, in milliseconds of the hour.
    pub at: u64,
    pub country: usize,
    pub service: usize,
    /// Their number, in E.164.
    pub number: String,
    pub has_whatsapp: bool,
    pub answers_calls: bool,
    /// How long their telephone rings, in milliseconds.
    pub picks_up: u64,
    /// From the code to its being typed, in milliseconds.
    pub types: u64,
    /// How long they wait for a code before they ask again, in milliseconds.
    pub patience: u64,
    /// How often they ask again.
    pub asks: u32,
    pub by_call: bool,
    pub begins_anew: bool,
    pub mistypes: bool,
}

/// Everybody, in the order in which they come.
pub fn people(world: &World, seed: u64) -> Vec<Person> {
    let mut chance = Chance::of(&[seed, 1]);
    let mut people = Vec::new();
    for minute in 0..u64::from(world.minutes) {
        for _ in 0..chance.poisson(world.people_per_minute) {
            people.push(person(world, minute * 60_000 + chance.below(60_000), &mut chance));
        }
    }
    people.sort_by_key(|person| person.at);
    // Nobody comes twice: who begins anew is the same person.
    let mut seen = std::collections::BTreeSet::new();
    people.retain(|person: &Person| seen.insert(person.number.clone()));
    people
}

fn person(world: &World, at: u64, chance: &mut Chance) -> Person {
    let country = chance.pick(world.countries.iter().map(|country| country.share));
    let service = chance.pick(world.services.iter().map(|service| service.share));
    let own = &world.people;
    let asks = if chance.happens(own.asks_again) { 1 + u32::from(chance.happens(0.5)) } else { 0 };
    Person {
        at,
        country,
        service,
        number: number(&world.countries[country], chance),
        has_whatsapp: chance.happens(world.countries[country].whatsapp),
        answers_calls: chance.happens(own.answers_calls),
        picks_up: own.picks_up.draw(chance),
        types: own.types.draw(chance),
        patience: own.patience.draw(chance),
        asks,
        by_call: chance.happens(own.by_call),
        begins_anew: chance.happens(own.begins_anew),
        mistypes: chance.happens(own.mistypes),
    }
}

fn number(country: &Country, chance: &mut Chance) -> String {
    let digits = (0..country.digits).map(|_| char::from(b'0' + chance.below(10) as u8));
    std::iter::once(country.prefix.clone()).chain(digits.map(String::from)).collect()
}
