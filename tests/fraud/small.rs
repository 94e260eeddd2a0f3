//! A small world, of one seed, that holds the aims at every change: with room beneath them,
//! so that no luck is needed.

use crate::whole;
use crate::world::parameters::World;
use crate::world::policy::Policy;
use crate::world::run_once;

/// A fifth of the people, eight days instead of twenty-one, and attacks of half their time.
fn small() -> World {
    let mut world = whole();
    (world.days, world.record_days, world.scale) = (8, 4, 0.2);
    for attack in &mut world.attacks {
        for phase in &mut attack.phases {
            phase.day = phase.day.saturating_sub(14).min(2) + 4;
            phase.hours /= 2.0;
            if attack.slow {
                (phase.per_hour, phase.hours) = (phase.per_hour / 2.0, 60.0);
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
    (world.days, world.record_days, world.scale) = (6, 3, 0.05);
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
    assert!(none.all.asked > 6_000 && none.all.dollars > 1_000.0, "{none:?}");
    assert!(none.verified * 10 > none.people as u64 * 7);
}

#[test]
fn it_holds_the_aims_and_is_better_than_authgear() {
    let report = run_once(&small(), &Policy::default(), 1, &["dialback", "authgear"]).unwrap();
    let (ours, theirs) = (report.of("dialback").unwrap(), report.of("authgear").unwrap());
    println!("{report}");
    assert!(ours.all.share() > 0.98, "{}", ours.all.share());
    // The attacks are as large as in the whole world, and beside them is a fifth of the people.
    assert!(ours.hindered_share() < 0.004, "{}", ours.hindered_share());
    assert!(ours.all.first_refusal() <= Some(40), "{:?}", ours.all.first_refusals);
    assert!(ours.all.normal_days < Some(2.5), "{:?}", ours.all.normal_days);
    assert!(ours.all.share() > theirs.all.share() && ours.all.dollars < theirs.all.dollars);
    assert!(ours.hindered_share() < theirs.hindered_share() / 20.0);
}

#[test]
fn without_attackers_nearly_nobody_is_hindered_also_where_nothing_is_known_yet() {
    for record_days in [0, 2] {
        let mut world = small();
        (world.days, world.record_days, world.scale) = (6, record_days, 0.1);
        world.attacks.iter_mut().for_each(|attack| attack.on = false);
        world.campaigns.iter_mut().for_each(|campaign| campaign.day = 4);
        world.crowds.iter_mut().for_each(|crowd| crowd.day = 3);
        world.launches.iter_mut().for_each(|launch| launch.day = 3);
        let report = run_once(&world, &Policy::default(), 2, &["dialback"]).unwrap();
        let ours = report.of("dialback").unwrap();
        assert!(ours.hindered_share() < 0.0005, "{} of {}: {report}", ours.hindered, ours.people);
    }
}
