//! Attackers ask as the parameters say.

use crate::whole;
use crate::world::attackers::{self, Message};
use crate::world::parameters::World;
use crate::world::visits::Stream;
use dialback::model::fraud::About;
use std::collections::HashSet;

/// Whom the messages of an attack are about.
fn asked(name: &str) -> (Vec<Message>, Vec<About>) {
    let mut world = whole();
    world.attacks.iter_mut().for_each(|attack| attack.on = attack.name == name);
    world.countries.iter_mut().for_each(|country| country.rate = 0.0);
    let messages = Stream::new(&world, 1).messages;
    let about = messages.iter().map(|message| attackers::about(&world, message)).collect();
    (messages, about)
}

fn different<T: std::hash::Hash + Eq>(all: &[About], of: impl Fn(&About) -> T) -> usize {
    all.iter().map(of).collect::<HashSet<T>>().len()
}

#[test]
fn consecutive_numbers_are_whole_blocks_from_addresses_that_rotate() {
    let (messages, about) = asked("consecutive");
    assert_eq!(about.len(), 4 * 600 + 3 * 900 + 6 * 300);
    let blocks: Vec<&[About]> = about.chunks(400).collect();
    assert_eq!(blocks.len(), 18);
    for block in blocks {
        assert_eq!(different(block, |about| about.number), block.len());
        assert!(different(block, |about| about.block100) <= 5);
        assert_eq!(different(block, |about| about.range.clone()), 1);
    }
    let addresses = different(&about, |about| about.address);
    assert!((1_800..=2_000).contains(&addresses), "{addresses}");
    assert_eq!(different(&about, |about| about.subnet), 900);
    assert!(about.iter().all(|about| about.micros >= 78_000));
    let phases: Vec<usize> =
        (0..3).map(|phase| messages.iter().filter(|message| message.phase == phase).count()).collect();
    assert_eq!(phases, [2400, 2700, 1800]);
}

#[test]
fn slow_pumping_stays_under_the_limits_of_every_number() {
    let (messages, about) = asked("slow_pumping");
    assert_eq!(about.len(), 144 * 40);
    assert_eq!(different(&about, |about| about.range.clone()), 12);
    let mut of_numbers = std::collections::HashMap::<_, Vec<i64>>::new();
    for (message, about) in messages.iter().zip(&about) {
        of_numbers.entry(about.number).or_default().push(message.at);
    }
    let in_a_day = |times: &Vec<i64>| {
        let within = |at: &i64| times.iter().filter(|other| (*at..at + 86_400_000).contains(*other)).count();
        times.iter().map(within).max()
    };
    let most = of_numbers.values().filter_map(in_a_day).max().unwrap();
    assert!(most < 10, "{most} for one number within a day");
}

#[test]
fn one_network_mixes_countries_and_a_broken_client_repeats() {
    let (_, about) = asked("residential");
    assert_eq!(
        (different(&about, |about| about.subnet), different(&about, |about| about.country.clone())),
        (1, 28)
    );
    assert_eq!(different(&about, |about| about.number), about.len());
    let (_, about) = asked("broken_client");
    let counts = (different(&about, |about| about.number), different(&about, |about| about.device));
    assert_eq!(counts, (3, 1));
    let resends = about.iter().filter(|about| about.is_resend).count();
    assert!((900..1_260).contains(&resends), "{resends} of {}", about.len());
}

#[test]
fn an_attack_is_the_same_wherever_it_stands_and_whatever_others_are_made() {
    let of = |world: &World| {
        let place = world.attacks.iter().position(|attack| attack.name == "residential").unwrap();
        let messages = Stream::new(world, 1).messages;
        let own = messages.iter().filter(|message| usize::from(message.attack) == place);
        own.map(|message| (message.at, attackers::about(world, message))).collect::<Vec<_>>()
    };
    let mut world = whole();
    world.countries.iter_mut().for_each(|country| country.rate = 0.0);
    let before = of(&world);
    world.attacks.reverse();
    world.attacks.iter_mut().for_each(|attack| attack.on = true);
    assert_eq!(before, of(&world));
}
