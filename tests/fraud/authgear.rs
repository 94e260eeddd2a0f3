//! Authgear's model is the one that authgear has: its thresholds, its buckets, its countries
//! of an address, its exemptions.

use crate::world::authgear::{Authgear, Seen, Thresholds};
use crate::world::models::Model;
use dialback::model::channel::Channel;
use dialback::model::counter::Pseudonym;
use dialback::model::fraud::{About, DecisionId, Entry};
use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// A midnight.
const START: i64 = 20_000 * DAY;

fn name(value: u64) -> Pseudonym {
    Pseudonym(value.to_be_bytes())
}

fn about(country: &str, number: u64, address: Option<u64>) -> About {
    About {
        number: name(number),
        block100: name(number / 100),
        block1000: name(number / 1000),
        range: "+4474".into(),
        country: country.into(),
        is_voip: false,
        looked_up: None,
        address: address.map(name),
        subnet: address.map(name),
        device: None,
        session: None,
        key: None,
        service: "shop".into(),
        sender: None,
        channel: Channel::Sms,
        face: "api".into(),
        is_resend: false,
        micros: 50_000,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// How many of so many new numbers, asked for from that address at once, are sent.
fn sent(model: &mut Authgear, country: &str, address: Option<u64>, count: u64, now: i64) -> usize {
    let first = now.unsigned_abs() * 1_000_000;
    let numbers = first..first + count;
    numbers.filter(|number| is_sent(model, &about(country, *number, address), now)).count()
}

fn is_sent(model: &mut Authgear, about: &About, now: i64) -> bool {
    model.judge(about, at(now)).outcome.is_sent()
}

fn verify(model: &mut Authgear, about: About, now: i64) {
    let (asked_at, decision, about) = (at(now), DecisionId("0-0".into()), Box::new(about));
    model.record(Entry::Verified { at: at(now), asked_at, sends: 1, decision, about }, at(now));
}

/// Asks and verifies so many, each from an address of its own.
fn prove(model: &mut Authgear, country: &str, count: u64, now: i64) {
    for place in 0..count {
        let about = about(country, 1 << 60 | now.unsigned_abs() << 20 | place, None);
        model.judge(&about, at(now));
        verify(model, about, now);
    }
}

#[test]
fn thresholds_are_those_of_its_source() {
    let now = 20 * DAY + 12 * HOUR;
    let seen = |days: &[(i64, u32)]| {
        let mut seen = Seen::default();
        days.iter().for_each(|(at, count)| (0..*count).for_each(|_| seen.verified.add(*at)));
        seen
    };
    let of = |days: &[(i64, u32)]| {
        let Thresholds { daily, hourly } = seen(days).of_country(now);
        (daily, hourly)
    };
    assert_eq!(of(&[]), (20.0, 3.0), "the floors");
    assert_eq!(of(&[(10 * DAY, 1000)]), (300.0, 1000.0 / 6.0 * 0.2), "the best day of the last fourteen");
    assert_eq!(of(&[(6 * DAY, 1000)]).0, 300.0, "fourteen days before today's midnight");
    assert_eq!(of(&[(6 * DAY - 1, 1000)]).0, 20.0, "no longer");
    assert_eq!(of(&[(20 * DAY, 40), (now - 60, 60)]), (30.0, 12.0), "today's own, and this hour's");
    let of = |days: &[(i64, u32)]| {
        let Thresholds { daily, hourly } = seen(days).of_address(now);
        (daily, hourly)
    };
    assert_eq!(of(&[]), (10.0, 5.0));
    assert_eq!(of(&[(now - 60, 600)]), (180.0, 20.0));
    assert_eq!(of(&[(now - DAY - 1, 600)]), (10.0, 5.0), "only of the last day");
}

#[test]
fn a_country_has_its_floor_of_an_hour_and_of_a_day() {
    let mut model = Authgear::default();
    assert_eq!(sent(&mut model, "LV", None, 4, START), 3, "three an hour where nobody verified");
    assert_eq!(sent(&mut model, "EE", None, 4, START), 3, "another country is another");
    assert_eq!(sent(&mut model, "LV", None, 4, START + 10 * MINUTE), 0, "half of one has leaked");
    assert_eq!(
        sent(&mut model, "LV", None, 4, START + 30 * MINUTE),
        1,
        "what is refused fills it no further"
    );
    assert_eq!(sent(&mut model, "LV", None, 4, START + 90 * MINUTE), 3, "it has leaked within an hour");
}

#[test]
fn a_country_may_leave_unverified_by_what_it_verified() {
    let mut model = Authgear::default();
    prove(&mut model, "GB", 600, START);
    // 600 / 6 × 0.2 of its best day, where 0.2 of its last hour has gone. The first one after
    // a while counts nothing: what has leaked is taken from it too.
    assert_eq!(sent(&mut model, "GB", None, 40, START + DAY + 2 * HOUR), 20 + 1);
    let mut model = Authgear::default();
    prove(&mut model, "GB", 600, START);
    // 0.2 of its last hour, once the answer of before is five minutes old.
    assert_eq!(sent(&mut model, "GB", None, 200, START + 6 * MINUTE), 120 + 1);
}

#[test]
fn an_answer_is_kept_for_five_minutes() {
    let mut model = Authgear::default();
    assert_eq!(sent(&mut model, "GB", None, 4, START), 3);
    prove(&mut model, "GB", 600, START + MINUTE);
    assert_eq!(sent(&mut model, "GB", None, 4, START + 2 * MINUTE), 1, "one was drained; no wider");
    assert_eq!(sent(&mut model, "GB", None, 200, START + 5 * MINUTE), 120 + 1);
}

#[test]
fn an_address_may_have_five_an_hour() {
    let mut model = Authgear::default();
    prove(&mut model, "GB", 6000, START);
    let now = START + 6 * MINUTE;
    assert_eq!(sent(&mut model, "GB", Some(1), 10, now), 5);
    assert_eq!(sent(&mut model, "GB", Some(2), 10, now), 5, "each address");
    assert_eq!(sent(&mut model, "GB", None, 10, now), 10, "nobody's is not asked");
}

#[test]
fn an_address_may_ask_for_three_countries_beyond_those_it_verified() {
    let mut model = Authgear::default();
    let mut one = |country: &str, now: i64| is_sent(&mut model, &about(country, 7, Some(1)), now);
    let sent = ["GB", "FR", "DE", "GB", "IT"].map(|country| one(country, START));
    assert_eq!(sent, [true, true, true, true, false]);
    verify(&mut model, about("FR", 7, Some(1)), START + 1);
    let mut one = |country: &str, now: i64| is_sent(&mut model, &about(country, 8, Some(1)), now);
    assert!(one("IT", START + 2));
    assert!(!one("ES", START + 3));
    assert!(one("PT", START + 4 + DAY), "a day later");
}

#[test]
fn a_number_that_somebody_verified_is_never_denied() {
    let mut model = Authgear::default();
    prove(&mut model, "LV", 1, START);
    let known = about("LV", 1 << 60 | START.unsigned_abs() << 20, None);
    assert_eq!(sent(&mut model, "LV", None, 10, START), 3);
    assert!(is_sent(&mut model, &known, START));
}
