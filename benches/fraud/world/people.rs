//! Honest people: their numbers, and behind which address they stand. A person is the same
//! again at each visit, whatever the seed.

use super::asked::Asked;
use super::chance::{Chance, mix};
use super::parameters::{Country, Networks, World};
use super::visits::Visit;
use dialback::model::fraud::About;

// What tells one kind of address from another.
const MOBILE: u64 = 1;
const OFFICE: u64 = 2;
const VPN: u64 = 3;
const HOME: u64 = 4;
const CROWD: u64 = 5;
/// So many addresses of a carrier, an office park or a VPN are of one network.
const NEIGHBOURS: u64 = 4;
/// Addresses of a network of IPv4.
const SUBNET: u64 = 256;

/// Whom a visit is about, and by how much the country's conversion is another for them.
pub fn about(world: &World, visit: &Visit) -> About {
    let person = visit.person();
    asked(world, visit, person, &mut Chance::of(&[person, b'n'.into()])).by(&world.brands[visit.brand()])
}

/// The same with a number that is not theirs: of the same country, by a slip.
pub fn mistaken(world: &World, visit: &Visit) -> About {
    let slip = visit.seed ^ 0x5a5a;
    asked(world, visit, visit.person(), &mut Chance::of(&[slip])).by(&world.brands[visit.brand()])
}

fn asked<'a>(world: &'a World, visit: &Visit, person: u64, line: &mut Chance) -> Asked<'a> {
    let country = &world.countries[visit.country()];
    let range = &country.ranges[line.pick(country.ranges.iter().map(|range| range.2))];
    Asked {
        number: range.number(line.any()),
        range: &range.0,
        country: &country.code,
        price: country.price,
        is_voip: line.happens(world.people.voip),
        place: place(world, visit, person, country),
        device: mix(&[person, b'd'.into()]),
        session: visit.seed,
    }
}

/// The address that somebody asks from now, and its network.
fn place(world: &World, visit: &Visit, person: u64, country: &Country) -> (u64, u64) {
    let networks = &world.networks;
    if let Some(crowd) = visit.crowd() {
        return (mix(&[CROWD, crowd as u64]), mix(&[CROWD, crowd as u64, 0]));
    }
    let mut now = Chance::of(&[visit.seed, b'a'.into()]);
    let own = Chance::of(&[person, b'a'.into()]);
    let there = visit.country() as u64;
    let at_home = 1.0 - networks.mobile - networks.office - networks.vpn;
    match now.pick([networks.mobile, networks.office, networks.vpn, at_home].into_iter()) {
        0 => {
            // A person keeps the carrier, and gets another of its addresses each time.
            let carrier = own.clone().below(networks.mobile_carriers);
            shared(&[MOBILE, there, carrier], now.below(carrier_addresses(networks, country)))
        }
        1 => shared(&[OFFICE, there], own.clone().below(networks.office_addresses)),
        2 => shared(&[VPN], now.below(networks.vpn_addresses)),
        _ => home(networks, there, person, own),
    }
}

/// A carrier has more addresses where it has more people.
fn carrier_addresses(networks: &Networks, country: &Country) -> u64 {
    let thousands = (country.rate / 1000.0).ceil().max(1.0) as u64;
    networks.mobile_addresses * thousands
}

fn shared(of: &[u64], place: u64) -> (u64, u64) {
    let all = mix(of);
    (mix(&[all, place, 1]), mix(&[all, place / NEIGHBOURS, 2]))
}

fn home(networks: &Networks, country: u64, person: u64, mut own: Chance) -> (u64, u64) {
    if own.happens(networks.ipv6) {
        return (mix(&[HOME, person, 1]), mix(&[HOME, person, 2]));
    }
    let subnet = mix(&[HOME, country, own.below(networks.home_subnets)]);
    (mix(&[subnet, own.below(SUBNET)]), subnet)
}
