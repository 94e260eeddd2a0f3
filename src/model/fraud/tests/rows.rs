//! One table for each signal: what fires it, and what does not by one step.

use super::scene::*;
use crate::model::fraud::{About, Action, Entry, FraudChanges, Outcome, Reason, RuleChanges};
use crate::model::lookup::LineFacts;

/// What became of requests before the one that is looked at.
#[derive(Clone, Copy)]
enum Fate {
    Open,
    Verified,
}
use Fate::{Open, Verified};

/// Requests of the last minutes, the oldest first, and whether the signal then fires for
/// the next of them.
fn row(name: &str, count: u64, fate: Fate, each: i64, of: impl Fn(u64) -> super::super::About) -> bool {
    let mut scene = Scene::usual(60);
    for place in 0..count {
        let at = NOON - (count - place) as i64 * each;
        scene.send(&of(place), at);
        if matches!(fate, Verified) {
            scene.verify(&of(place), at, at + 20);
        }
    }
    scene.names(&of(count), NOON).contains(&name)
}

#[test]
fn a_look_up_tells_of_the_number_alone() {
    let scene = Scene::usual(60);
    let told = |swapped_hours, risk| {
        let looked_up = Some(LineFacts { line_type: None, swapped_hours, risk });
        scene.names(&About { looked_up, ..stranger(1) }, NOON)
    };
    for (swapped_hours, risk, names) in [
        (None, None, &[][..]),
        (Some(0), None, &["sim_swap"]),
        (Some(71), None, &["sim_swap"]),
        (Some(72), Some(74), &[]),
        (None, Some(75), &["pumping_risk"]),
        (Some(5), Some(100), &["sim_swap", "pumping_risk"]),
    ] {
        assert_eq!(told(swapped_hours, risk), names, "{swapped_hours:?} {risk:?}");
    }
}

#[test]
fn block_burst_counts_numbers_of_a_block_that_nobody_verified() {
    let hundred = |place| about(7_700_000_000 + place, 9_000_000 + 300 * place);
    let thousand = |place| about(7_700_000_000 + 101 * place, 9_000_000 + 300 * place);
    let rows = [
        (2, Open, false, "two of a hundred"),
        (5, Open, true, "five of a hundred"),
        (5, Verified, false, "five of a hundred that verified"),
        (20, Verified, true, "twenty: approval does not forgive a crowd"),
    ];
    for (count, fate, fires, why) in rows {
        assert_eq!(row("block_burst", count, fate, 20, hundred), fires, "{why}");
    }
    assert!(!row("block_burst", 5, Open, 20, thousand), "five of a thousand");
    assert!(row("block_burst", 8, Open, 20, thousand), "eight of a thousand");
    assert!(!row("block_burst", 8, Open, 1_000, thousand), "eight within two hours");
}

#[test]
fn block_day_counts_for_a_day() {
    let thousand = |place| about(7_700_000_000 + 101 * place, 9_000_000 + 300 * place);
    assert!(row("block_day", 8, Open, 7_000, thousand), "eight within sixteen hours");
    assert!(!row("block_day", 8, Verified, 7_000, thousand), "eight that verified");
    assert!(!row("block_day", 4, Open, 7_000, thousand), "four");
}

#[test]
fn one_client_asks_for_many_numbers() {
    let one = |place| about(7_000_000_000 + place * 1_003, 9_000_000);
    let network = |place| about(7_000_000_000 + place * 1_003, 9_000_192 + place);
    for (name, of) in [("client_numbers", &one as &dyn Fn(u64) -> _), ("subnet_numbers", &network)] {
        assert!(!row(name, 4, Open, 600, of), "{name}: four");
        assert!(row(name, 9, Open, 600, of), "{name}: nine");
        assert!(!row(name, 9, Open, 5, of), "{name}: nine within a minute, who had no time yet");
        assert!(row(name, 45, Open, 1, of), "{name}: forty within a minute, and nobody ever");
        assert!(!row(name, 200, Verified, 60, of), "{name}: two hundred who verify");
    }
    assert!(row("address_hour", 8, Open, 400, one));
    assert!(row("address_day", 14, Open, 5_000, one));
    assert!(!row("address_day", 14, Verified, 5_000, one));
}

#[test]
fn one_client_asks_for_numbers_of_several_countries() {
    let countries = ["FR", "DE", "IT", "ES", "PT"];
    let of = |place: u64| {
        let country = countries[place as usize];
        of_country(country, country, about(7_000_000_000 + place * 1_003, 9_000_000))
    };
    assert!(!row("client_countries", 2, Open, 60, of), "the third");
    assert!(row("client_countries", 3, Open, 60, of), "the fourth");
    assert!(!row("client_countries", 3, Verified, 60, of), "where those before were verified");
}

#[test]
fn a_client_and_a_number_that_repeat() {
    let one = |_| stranger(1);
    assert!(!row("number_repeats", 4, Open, 60, one), "four within minutes");
    assert!(row("number_repeats", 5, Open, 60, one), "five");
    assert!(!row("number_repeats", 5, Open, 3_000, one), "five within four hours");
    assert!(row("number_repeats", 8, Open, 9_000, one), "eight within a day");
    assert!(row("number_repeats", 10, Verified, 7_000, one), "ten within a day, verified or not");
    let two = |place| about(7_000_000_000 + place % 2 * 1_003, 9_000_000);
    assert!(!row("client_repeats", 3, Open, 60, two), "three sends to two numbers");
    assert!(row("client_repeats", 5, Open, 60, two), "five where nobody ever verified");
    assert!(row("client_repeats", 11, Open, 60, two), "eleven sends to two numbers");
    let many = |place| about(7_000_000_000 + place * 1_003, 9_000_000);
    assert!(!row("client_repeats", 11, Open, 60, many), "eleven to eleven");
}

#[test]
fn the_provider_takes_it_for_fraud() {
    let mut scene = Scene::usual(60);
    let of = |place: u64| of_country("LV", "+37120", stranger(place));
    for place in 0..5 {
        let about = Box::new(of(place));
        scene.traffic.record(&Entry::Verdict { at: time(NOON + place as i64), code: 30_453, about });
        assert!(scene.names(&of(place), NOON + 10).contains(&"provider_number"));
        assert_eq!(scene.names(&of(99), NOON + 10).contains(&"provider_range"), place == 4, "{place}");
    }
    assert_eq!(scene.names(&of_country("LV", "+37121", stranger(99)), NOON + 10), [""; 0]);
    let signals = scene.judge(&of(99), NOON + 10);
    assert_eq!(signals[0].until, time(NOON + 4 + 1_800), "half an hour after the last");
    assert_eq!(signals[0].subject.as_deref(), Some("+37120"));
    assert_eq!(scene.names(&of(99), NOON + 4 + 1_800), [""; 0]);
    assert_eq!(scene.names(&of(0), NOON + 1_804), [""; 0]);
}

#[test]
fn numbers_of_one_range_at_once() {
    let of = |place| of_country("GB", "+4470", stranger(place));
    assert!(!row("range_burst", 20, Open, 2, of), "twenty");
    assert!(row("range_burst", 40, Open, 2, of), "forty");
}

#[test]
fn fewer_verify_than_are_used_to() {
    let range = |place| of_country("GB", "+4470", stranger(place));
    for (name, count) in [("range_conversion", 60), ("country_conversion", 60), ("country_hour", 40)] {
        assert!(!row(name, 3, Open, 60, range), "{name}: three");
        assert!(row(name, count, Open, 60, range), "{name}: {count}");
        assert!(!row(name, count, Verified, 60, range), "{name}: {count} who verify");
    }
    assert!(row("service_conversion", 150, Open, 60, range));
    assert!(row("key_conversion", 150, Open, 60, range));
    assert!(row("country_day", 80, Open, 800, range));
    let sent = |place| super::super::About { sender: Some("+44100".to_owned()), ..range(place) };
    assert!(row("sender_conversion", 100, Open, 60, sent));
    assert!(row("country_slow", 150, Open, 1_600, range));
}

#[test]
fn whoever_was_verified_passes_what_is_wide() {
    let mut scene = Scene::usual(60);
    let known = stranger(5_000);
    scene.send(&known, NOON - 3 * DAY);
    scene.verify(&known, NOON - 3 * DAY, NOON - 3 * DAY + 20);
    let sent = scene.attack(200, NOON - 2 * HOUR, 30, |place| of_country("GB", "+4470", stranger(place)));
    assert!(sent < 60, "{sent}");
    assert_eq!(scene.names(&known, NOON), [""; 0]);
    assert_eq!(scene.names(&stranger(6_000), NOON), [""; 0], "of another range");
}

#[test]
fn who_is_slowed_down_gets_through_when_the_time_is_over() {
    let mut scene = Scene::new();
    let mut changes = FraudChanges::default();
    let slow = RuleChanges { action: Some(Action::Slow), seconds: Some(60), ..RuleChanges::default() };
    changes.signals.insert("provider_number".to_owned(), slow);
    scene.policy = scene.policy.with(&changes);
    let about = stranger(1);
    scene.traffic.record(&Entry::Verdict { at: time(NOON), code: 60_410, about: Box::new(about.clone()) });
    let signals = scene.judge(&about, NOON + 10);
    assert_eq!((signals[0].action, signals[0].until), (Action::Slow, time(NOON + 70)));
    let reasons: Vec<Reason> = signals.iter().map(Reason::from).collect();
    scene.decide(&about, NOON + 10, Outcome::Slowed, reasons.clone());
    scene.decide(&about, NOON + 40, Outcome::Slowed, reasons);
    assert_eq!(scene.judge(&about, NOON + 69)[0].until, time(NOON + 70), "asking again is no longer wait");
    assert_eq!(scene.names(&about, NOON + 70), [""; 0]);
}

#[test]
fn a_resend_is_money_and_no_further_person() {
    let mut scene = Scene::usual(60);
    for place in 0..4 {
        let again = super::super::About { is_resend: place > 0, ..stranger(1) };
        scene.send(&again, NOON + 60 * place);
    }
    assert_eq!(scene.traffic.number(&stranger(1)).unwrap().day_sends((NOON + 240) as u32), 4.0);
    let tries = scene.traffic.tries(super::super::traffic::Narrow::Address, &stranger(1)).unwrap();
    assert_eq!((tries.open(), tries.others(0, (NOON + 240) as u32, 300).count()), (1.0, 1));
}

#[test]
fn what_never_left_is_as_if_it_had_not_been_asked_for() {
    let mut scene = Scene::usual(60);
    let of = |place: u64| about(7_700_000_000 + place, 9_000_000 + 300 * place);
    for place in 0..10 {
        scene.send(&of(place), NOON);
        let about = Box::new(of(place));
        scene.traffic.record(&Entry::Unsent { at: time(NOON + 2), asked_at: time(NOON), about });
    }
    assert_eq!(scene.names(&of(11), NOON + 5), [""; 0]);
}
