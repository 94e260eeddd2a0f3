//! Honest people come as the parameters say: how many, when, from where, to whom.

use crate::whole;
use crate::world::parameters::World;
use crate::world::visits::{Group, HOUR, Stream, Visit};
use crate::world::{people, policy::Policy, run_once};
use std::collections::{HashMap, HashSet};

/// Ordinary days alone: no launch, no campaign, no crowd.
fn ordinary() -> World {
    let mut world = whole();
    (world.launches, world.campaigns, world.crowds) = (Vec::new(), Vec::new(), Vec::new());
    world.days = 14;
    world
}

/// Whether a count is what a mean of so many comes to, but for chance that never is.
fn is_about(count: usize, mean: f64) -> bool {
    (count as f64 - mean).abs() < 5.0 * mean.sqrt() + 1.0
}

#[test]
fn the_same_seed_makes_the_same_stream_and_another_does_not() {
    let world = World { days: 9, ..whole() };
    let stream = |seed: u64| Stream::new(&world, seed);
    assert_eq!(stream(1).visits, stream(1).visits);
    assert_eq!(stream(1).messages, stream(1).messages);
    assert_ne!(stream(1).visits, stream(2).visits);
    let ordered = stream(1).visits.is_sorted_by_key(|visit| visit.at);
    assert!(ordered);
}

#[test]
fn each_country_has_its_rate_and_its_own_night() {
    let world = ordinary();
    let stream = Stream::new(&world, 3);
    let mut counts = vec![0; world.countries.len()];
    let mut nights = vec![0; world.countries.len()];
    for visit in &stream.visits {
        counts[visit.country()] += 1;
        let hour = visit.at.div_euclid(HOUR) + i64::from(world.countries[visit.country()].offset);
        nights[visit.country()] += usize::from((2..6).contains(&hour.rem_euclid(24)));
    }
    let all: f64 = world.clock.hours.iter().sum();
    let night: f64 = world.clock.hours[2..6].iter().sum();
    for (place, country) in world.countries.iter().enumerate() {
        let mean = country.rate * 14.0;
        assert!(is_about(counts[place], mean), "{}: {} for {mean}", country.code, counts[place]);
        assert!(is_about(nights[place], mean * night / all), "{}: {} at night", country.code, nights[place]);
    }
}

#[test]
fn brands_and_ranges_have_their_shares() {
    let world = ordinary();
    let stream = Stream::new(&world, 3);
    let mut brands = vec![0; 3];
    let mut ranges: HashMap<String, usize> = HashMap::new();
    let gb = world.country("GB").unwrap();
    let mut of_gb = 0;
    for visit in stream.visits.iter().take(60_000) {
        brands[visit.brand()] += 1;
        if visit.country() == gb {
            *ranges.entry(people::about(&world, visit).range).or_default() += 1;
            of_gb += 1;
        }
    }
    for (brand, count) in world.brands.iter().zip(brands) {
        assert!(is_about(count, 60_000.0 * brand.share), "{}: {count}", brand.name);
    }
    let all: f64 = world.countries[gb].ranges.iter().map(|range| range.2).sum();
    for range in &world.countries[gb].ranges {
        let mean = f64::from(of_gb) * range.2 / all;
        // People who come again weigh more than once.
        assert!((ranges[&range.0] as f64 - mean).abs() < 0.15 * mean, "{}: {}", range.0, ranges[&range.0]);
    }
}

#[test]
fn a_launch_begins_on_its_day_and_a_campaign_triples_its_own() {
    let world = whole();
    let stream = Stream::new(&world, 4);
    let vn = world.country("VN").unwrap();
    let begins = Stream::at(stream.start, 10, 2);
    let of_launch = stream.visits.iter().filter(|visit| visit.country() == vn);
    assert!(of_launch.clone().all(|visit| visit.at >= begins && visit.is_of(Group::Launch)));
    let rate = world.countries[vn].rate;
    let first = of_launch.filter(|visit| visit.at < begins + 24 * HOUR).count();
    assert!((first as f64) > 1.6 * rate && (first as f64) < 2.4 * rate, "{first}");
    let day = |day: u32| {
        let hours = Stream::at(stream.start, day, 0)..Stream::at(stream.start, day + 1, 0);
        stream.visits.iter().filter(|visit| hours.contains(&visit.at)).count() as f64
    };
    // Both are Wednesdays.
    let factor = day(16) / day(9);
    assert!((2.9..3.2).contains(&factor), "{factor}");
}

#[test]
fn a_crowd_stands_behind_one_address_and_mobile_people_behind_few() {
    let world = whole();
    let stream = Stream::new(&world, 5);
    let of_crowd: Vec<&Visit> = stream.visits.iter().filter(|visit| visit.is_of(Group::Crowd)).collect();
    let addresses: HashSet<_> = of_crowd.iter().map(|visit| people::about(&world, visit).address).collect();
    let numbers: HashSet<_> = of_crowd.iter().map(|visit| people::about(&world, visit).number).collect();
    assert_eq!((of_crowd.len(), addresses.len()), (5000, 1));
    assert!(numbers.len() > 4_990, "{}", numbers.len());
    let mut behind: HashMap<_, usize> = HashMap::new();
    let us = world.country("US").unwrap();
    let of_us = stream.visits.iter().filter(|visit| visit.country() == us).take(20_000);
    of_us.for_each(|visit| *behind.entry(people::about(&world, visit).address).or_default() += 1);
    // Of 3,000 a day: three carriers with 48 addresses each, and sixty offices.
    let mut counts: Vec<usize> = behind.into_values().collect();
    counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let (shared, own) = (counts[..3 * 48].iter().sum::<usize>(), counts.len());
    let mobile = 20_000.0 * world.networks.mobile;
    assert!((shared as f64 / mobile - 1.0).abs() < 0.1, "{shared} behind the carriers' addresses");
    assert!((5_000..9_000).contains(&own), "{own} addresses");
}

#[test]
fn people_verify_as_their_country_does_and_come_again() {
    let mut world = ordinary();
    (world.days, world.record_days, world.scale) = (4, 0, 0.5);
    world.attacks.iter_mut().for_each(|attack| attack.on = false);
    let stream = Stream::new(&world, 6);
    let conversions = stream.visits.iter().map(|visit| world.countries[visit.country()].conversion);
    let expected: f64 = conversions.sum();
    let report = run_once(&world, &Policy::default(), 6, &["none"]).unwrap();
    let verified = report.of("none").unwrap().verified as f64;
    assert!((verified / expected - 1.0).abs() < 0.01, "{verified} for {expected}");
    let again = stream.visits.len() - stream.people(None);
    assert!(again > stream.visits.len() / 100, "{again} came again");
}
