//! A small world, of one seed, that holds the aims at every change: with room beneath them,
//! so that no luck is needed.

use crate::whole;
use crate::world::parameters::World;
use crate::world::policy::Policy;
use crate::world::run_once;

/// A tenth of the people, nine days instead of twenty-one, attacks as they are but for slow
/// pumping, which is slower where there are fewer people.
fn small() -> World {
    let mut world = whole();
    (world.days, world.record_days, world.scale) = (9, 4, 0.1);
    for attack in &mut world.attacks {
        for phase in &mut attack.phases {
            phase.day -= 11;
            if attack.slow {
                (phase.per_hour, phase.hours) = (phase.per_hour / 10.0, 96.0);
            }
        }
    }
    world.launches.iter_mut().for_each(|launch| launch.day = 5);
    world.campaigns.iter_mut().for_each(|campaign| campaign.day = 6);
    world.crowds.iter_mut().for_each(|crowd| (crowd.day, crowd.people) = (5, 1000));
    world
}

#[test]
fn the_same_seed_comes_to_the_same_figures() {
    let mut world = small();
    (world.days, world.record_days) = (6, 3);
    let run = || {
        let report = run_once(&world, &Policy::default(), 1, &["dialback", "authgear", "none"]).unwrap();
        let figures = report.models.into_iter().map(|mut figures| {
            figures.micros_each = 0.0;
            format!("{figures:?}")
        });
        figures.collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn nobody_is_hindered_where_nothing_refuses_and_everything_is_paid() {
    let report = run_once(&small(), &Policy::default(), 1, &["none"]).unwrap();
    let none = report.of("none").unwrap();
    assert_eq!((none.hindered, none.all.refused), (0, 0));
    assert!(none.all.asked > 10_000 && none.all.dollars > 1_500.0, "{none:?}");
    assert!(none.verified * 10 > none.people as u64 * 7);
}
