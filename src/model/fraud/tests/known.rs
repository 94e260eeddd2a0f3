//! What holds for any traffic.

use super::scene::*;
use crate::model::fraud::{Entry, Outcome, Traffic};
use proptest::prelude::*;

/// Something that happens: of so many numbers and addresses, at a time, and what.
#[derive(Debug, Clone)]
struct Happening {
    number: u64,
    address: u64,
    at: i64,
    what: u8,
}

fn happenings(most: usize) -> impl Strategy<Value = Vec<Happening>> {
    let one = (0..400_u64, 0..40_u64, 0..4 * HOUR, 0..8_u8);
    let one = one.prop_map(|(number, address, at, what)| Happening { number, address, at, what });
    prop::collection::vec(one, 0..most).prop_map(|mut all| {
        all.sort_by_key(|one| one.at);
        all
    })
}

fn entry(one: &Happening) -> Entry {
    let about = about(7_000_000_000 + one.number * 13, 9_000_000 + one.address * 100);
    let at = NOON + one.at;
    match one.what {
        0..4 => decision(&about, at, Outcome::Taken, Vec::new()),
        4 => decision(&about, at, Outcome::Refused, Vec::new()),
        5 => verified(&about, at - 30, at),
        6 => Entry::Unsent { at: time(at), asked_at: time(at - 2), about: Box::new(about) },
        _ => Entry::Verdict { at: time(at), code: 30_450, about: Box::new(about) },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_log_comes_to_the_same(all in happenings(300), number in 0..400_u64) {
        let (mut one, mut other) = (Scene::new(), Scene::new());
        for happening in &all {
            one.traffic.record(&entry(happening));
        }
        for happening in &all {
            other.traffic.record(&entry(happening));
        }
        let about = about(7_000_000_000 + number * 13, 9_000_000);
        prop_assert_eq!(one.judge(&about, NOON + 4 * HOUR), other.judge(&about, NOON + 4 * HOUR));
    }

    #[test]
    fn nothing_makes_it_panic_or_grow(times in prop::collection::vec((any::<u32>(), 0..8_u8, any::<u64>()), 0..400)) {
        let mut scene = Scene { traffic: Traffic::small(), ..Scene::new() };
        for (at, what, number) in times {
            let one = Happening { number: number % 1_000_000, address: number % 1_000, at: i64::from(at) - NOON, what };
            scene.traffic.record(&entry(&one));
            scene.judge(entry(&one).about(), i64::from(at));
        }
        prop_assert!(scene.traffic.is_within_bounds());
    }

    #[test]
    fn verified_codes_of_a_block_and_a_client_never_refuse_more(
        open in 0..30_u64, verified in 0..30_u64, each in 1..900_i64,
    ) {
        // The same requests; in one of the two worlds some of them verify.
        let of = |place: u64| about(7_700_000_000 + 31 * place, 9_000_000);
        let (mut none, mut some) = (Scene::usual(30), Scene::usual(30));
        for place in 0..open.max(verified) {
            let at = NOON + place as i64 * each;
            none.send(&of(place), at);
            some.send(&of(place), at);
            if place < verified {
                some.verify(&of(place), at, at + 1);
            }
        }
        let at = NOON + 30 * each + 900;
        let (without, with) = (none.names(&of(99), at), some.names(&of(99), at));
        prop_assert!(with.iter().all(|name| without.contains(name)), "{with:?} beside {without:?}");
    }
}

#[test]
fn the_order_within_seconds_does_not_matter_much() {
    let log: Vec<(i64, Entry)> = (0..400_i64)
        .map(|place| {
            (
                NOON + 3 * place,
                decision(&stranger(place as u64), NOON + 3 * place, Outcome::Taken, Vec::new()),
            )
        })
        .collect();
    let (mut sorted, mut late) = (Scene::usual(60), Scene::usual(60));
    log.iter().for_each(|(_, entry)| sorted.traffic.record(entry));
    let mut shuffled: Vec<&(i64, Entry)> = log.iter().collect();
    // Every second line comes six seconds late.
    shuffled.sort_by_key(|(at, _)| at + (at / 3 % 2) * 6);
    shuffled.iter().for_each(|(_, entry)| late.traffic.record(entry));
    for at in [NOON + 600, NOON + 1_200, NOON + 3_000] {
        let about = stranger(1_000);
        assert_eq!(sorted.names(&about, at), late.names(&about, at));
    }
}

#[test]
fn a_refused_attack_ends_when_it_ends() {
    let mut scene = Scene::usual(60);
    let of = |place| about(7_700_000_000 + place % 1_000, 9_000_000 + 300 * place);
    let sent = scene.attack(900, NOON, 10, of);
    assert!(sent <= 12, "{sent}");
    let after = NOON + 9_000 + 2 * DAY;
    assert_eq!(scene.names(&about(7_700_000_999, 1), after), [""; 0]);
}

#[test]
fn a_launch_a_campaign_and_a_crowd_behind_one_address_pass() {
    let mut scene = Scene::usual(200);
    let mut refused = 0;
    let mut open: Vec<(i64, super::super::About)> = Vec::new();
    let mut people = |scene: &mut Scene, about: super::super::About, at: i64, verifies: bool| {
        let due = open.extract_if(.., |(asked, _)| *asked + 40 <= at).collect::<Vec<_>>();
        due.iter().for_each(|(asked, about)| scene.verify(about, *asked, asked + 40));
        refused += u32::from(!scene.ask(&about, at));
        if verifies {
            open.push((at, about));
        }
    };
    for place in 0..3_000_u64 {
        let at = NOON + place as i64 * 12;
        // A new country, where two of three verify; a campaign; five thousand at one address.
        people(&mut scene, of_country("VN", "+8432", stranger(10_000 + place)), at, place % 3 != 0);
        people(&mut scene, stranger(100_000 + place), at + 3, place % 5 != 0);
        people(&mut scene, about(8_000_000_000 + 7_919 * place, 77_000_000), at + 6, place % 6 != 0);
    }
    assert!(refused <= 9, "{refused} of 9000");
}
