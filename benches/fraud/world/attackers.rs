//! The messages that attackers ask for: when, for which number, from where. It refuses to
//! know which of them are refused: an attacker goes on.

use super::asked::Asked;
use super::attack::{Attack, Numbers};
use super::chance::{Chance, mix};
use super::parameters::{Range, World};
use super::visits::HOUR;
use dialback::model::fraud::About;

/// An attacker asks for a code.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// In milliseconds since 1970.
    pub at: i64,
    pub attack: u8,
    pub phase: u8,
    /// Which of its attack, from 0 on.
    pub place: u64,
    pub seed: u64,
}

/// Every message of every attack that is on, in order.
pub fn messages(world: &World, seed: u64, (start, end): (i64, i64)) -> Vec<Message> {
    let mut all = Vec::new();
    for (number, attack) in world.attacks.iter().enumerate().filter(|(_, attack)| attack.on) {
        let mut chance = Chance::of(&[seed, b'x'.into(), name(attack)]);
        let mut times = Vec::new();
        for (phase, of) in attack.phases.iter().enumerate() {
            let begins = start + (i64::from(of.day) * 24 + i64::from(of.hour)) * HOUR;
            let count = (of.per_hour * of.hours).round() as u64;
            let length = (of.hours * HOUR as f64) as u64;
            times.extend((0..count).map(|_| (begins + chance.below(length) as i64, phase)));
        }
        times.retain(|(at, _)| *at < end);
        times.sort_unstable();
        all.extend(times.into_iter().enumerate().map(|(place, (at, phase))| Message {
            at,
            attack: number as u8,
            phase: phase as u8,
            place: place as u64,
            seed: mix(&[seed, name(attack)]),
        }));
    }
    all.sort_by_key(|message| (message.at, message.attack, message.place));
    all
}

/// What tells an attack from the others, wherever it stands in the file.
fn name(attack: &Attack) -> u64 {
    attack.name.bytes().fold(0, |all, byte| mix(&[all, byte.into()]))
}

/// Whom a message is about.
pub fn about(world: &World, message: &Message) -> About {
    let attack = &world.attacks[usize::from(message.attack)];
    let mut chance = Chance::of(&[message.seed, message.place]);
    let (range, country, price, number) = number(world, attack, message, &mut chance);
    let asked = Asked {
        number,
        range: &range.0,
        country,
        price,
        is_voip: false,
        place: place(attack, message, &mut chance),
        device: mix(&[message.seed, b'd'.into(), one_of(attack.devices, &mut chance)]),
        session: chance.any(),
    };
    let brand = world.brand(&attack.brand).unwrap_or_default();
    About { is_resend: chance.happens(attack.resends), ..asked.by(&world.brands[brand]) }
}

/// One of so many, or a new one.
fn one_of(count: u64, chance: &mut Chance) -> u64 {
    if count == 0 { chance.any() } else { chance.below(count) }
}

fn place(attack: &Attack, message: &Message, chance: &mut Chance) -> (u64, u64) {
    let address = one_of(attack.addresses, chance);
    let subnet = if attack.subnets == 0 { address } else { address % attack.subnets };
    (mix(&[message.seed, b'a'.into(), address]), mix(&[message.seed, b'w'.into(), subnet]))
}

/// The range, the country, the price and the number.
fn number<'a>(
    world: &'a World,
    attack: &'a Attack,
    message: &Message,
    chance: &mut Chance,
) -> (&'a Range, &'a str, f64, u64) {
    let (mut from, step) = match attack.numbers {
        Numbers::Random => (chance.clone(), 0),
        Numbers::Pool { count } => (Chance::of(&[message.seed, b'p'.into(), chance.below(count)]), 0),
        Numbers::Consecutive { block } => {
            (Chance::of(&[message.seed, b'b'.into(), message.place / block]), message.place % block)
        }
    };
    let (ranges, country, price) = target(world, attack, &mut from);
    let range = &ranges[from.pick(ranges.iter().map(|range| range.2))];
    let first = from.below(range.size());
    (range, country, price, range.number(first.wrapping_add(step)))
}

fn target<'a>(world: &'a World, attack: &'a Attack, chance: &mut Chance) -> (&'a [Range], &'a str, f64) {
    let of_world = |code: &str| world.country(code).map(|place| &world.countries[place]);
    let place = chance.below((attack.countries.len() + attack.targets.len()) as u64) as usize;
    if let Some(country) = attack.countries.get(place).and_then(|code| of_world(code)) {
        return (&country.ranges, &country.code, country.price);
    }
    let target = &attack.targets[place - attack.countries.len()];
    let price = target.price.or_else(|| of_world(&target.country).map(|country| country.price));
    (&target.ranges, &target.country, price.unwrap_or_default())
}
