//! The hour of `cargo bench --bench hour`, for some minutes: that nothing comes to be which
//! must not, that failover reaches more people, that it costs nothing where everything is
//! healthy, and that the parameters are read as they are meant.

#[path = "../../benches/hour/world/mod.rs"]
mod world;

mod arguments;

use std::sync::Arc;
use world::Arguments;
use world::parameters::World;
use world::policy::Policy;
use world::report::Report;
use world::tally::Tally;

/// Some minutes of the hour, with more people and everything that is awkward at once.
fn awkward() -> World {
    let mut world = Arguments::read(&[]).unwrap().world(world::WORLD).unwrap();
    (world.minutes, world.people_per_minute) = (3, 14.0);
    (world.away[0].from, world.away[0].minutes) = (1.5, 1.0);
    (world.filtered[0].from, world.filtered[0].minutes) = (0.0, 4.0);
    (world.paused[0].from, world.paused[0].minutes) = (1.0, 2.0);
    world.carriers.iter_mut().for_each(|carrier| carrier.from = 0.0);
    world
}

fn lived(world: World) -> Report {
    world::run_once(&Arc::new(world), 7, &Policy::ALL, false).unwrap()
}

#[test]
fn nothing_comes_to_be_that_must_not_and_failover_reaches_more_people() {
    let report = lived(awkward());
    assert_eq!(report.wrong(), Vec::<String>::new());
    let [none, retries, failover, silence] = &report.tallies[..] else { panic!("four policies") };
    assert!(none.people > 20, "{}", none.people);
    let in_two_minutes = |tally: &Tally| tally.reached[2];
    assert!(in_two_minutes(retries) > in_two_minutes(none), "{report}");
    assert!(in_two_minutes(failover) > in_two_minutes(retries), "{report}");
    assert!(in_two_minutes(silence) > in_two_minutes(retries), "{report}");
}

#[test]
fn where_everything_is_healthy_failover_costs_nothing() {
    let args = ["--healthy", "--minutes", "3", "--seed", "7"].map(str::to_owned);
    let reports = world::run(&Arguments::read(&args).unwrap()).unwrap();
    let [report] = &reports[..] else { panic!("one seed") };
    assert_eq!((report.wrong(), report.took.is_zero()), (Vec::new(), false));
    for tally in &report.tallies {
        assert_eq!(tally.made, [tally.people, 0, 0], "{report}");
        assert_eq!(tally.approved, tally.people, "{report}");
    }
}

#[test]
fn the_same_seed_gives_the_same_people_and_another_seed_others() {
    let world = awkward();
    let numbers = |seed| -> Vec<String> {
        world::people::people(&world, seed).into_iter().map(|person| person.number).collect()
    };
    assert_eq!(numbers(1), numbers(1));
    assert_ne!(numbers(1), numbers(2));
}
