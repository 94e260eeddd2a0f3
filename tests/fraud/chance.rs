//! Draws come out as they are asked for, and the same again.

use crate::world::chance::{Chance, mix};
use crate::world::parameters::Delay;

#[test]
fn the_same_seed_draws_the_same_and_another_does_not() {
    let drawn = |seed: u64| {
        let mut chance = Chance::of(&[seed, 7]);
        (0..8).map(|_| chance.any()).collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    assert_ne!(mix(&[1, 2]), mix(&[2, 1]));
}

#[test]
fn shares_means_and_medians_come_out_as_they_are_asked_for() {
    let mut chance = Chance::of(&[3]);
    let happened = (0..100_000).filter(|_| chance.happens(0.2)).count();
    assert!((19_000..21_000).contains(&happened), "{happened}");
    for mean in [0.3, 8.0, 400.0] {
        let all: u64 = (0..20_000).map(|_| chance.poisson(mean)).sum();
        let found = all as f64 / 20_000.0;
        assert!((found - mean).abs() < 0.05 * mean, "{found} for {mean}");
    }
    let mut picked = [0; 3];
    (0..30_000).for_each(|_| picked[chance.pick([1.0, 0.0, 2.0].into_iter())] += 1);
    assert!(picked[1] == 0 && (9_000..11_000).contains(&picked[0]), "{picked:?}");
    let delay = Delay { median: 30.0, sigma: 0.7 };
    let below = (0..20_000).filter(|_| delay.draw(&mut chance) < 30_000).count();
    assert!((9_600..10_400).contains(&below), "{below}");
}
