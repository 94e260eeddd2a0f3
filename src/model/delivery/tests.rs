//! A delivery is what was reported of it, in any order.

use super::*;
use proptest::prelude::*;

fn report(status: Status, error_code: Option<u32>) -> Report {
    Report {
        sid: "SM0123456789abcdef0123456789abcdef".parse().unwrap(),
        id: None,
        about: About::default(),
        fact: Fact { status: Some(status), error_code, ..Fact::default() },
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn the_channel_is_told_by_the_addresses_and_not_by_the_sid() {
    use DeliveryChannel::{Call, Messenger, Rcs, Sms, Unknown, Whatsapp};
    let of = |sid: &str, from: &str, to: &str, prefix: Option<&str>| {
        let address = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut report = report(Status::Sent, None);
        report.sid = format!("{sid}0123456789abcdef0123456789abcdef").parse().unwrap();
        report.about = About { from: address(from), to: address(to), ..About::default() };
        report.fact.other.extend(prefix.map(|prefix| (said::CHANNEL.to_owned(), prefix.to_owned())));
        let delivery = Delivery {
            about: About { num_segments: Some(1), ..report.about.clone() },
            ..Delivery::new(report, at(1))
        };
        assert_eq!(delivery.segments().is_some(), delivery.channel() == Sms, "only texts have segments");
        delivery.channel()
    };
    let (own, person) = ("+15005550006", "+14155550123");
    assert_eq!(of("SM", own, person, None), Sms);
    assert_eq!(of("MM", own, person, None), Sms);
    assert_eq!(of("SM", "", "", None), Sms);
    assert_eq!(of("SM", "whatsapp:+15005550006", "whatsapp:+14155550123", None), Whatsapp);
    assert_eq!(of("MM", own, "WhatsApp:+14155550123", None), Whatsapp);
    assert_eq!(of("SM", "rcs:brand_agent", person, None), Rcs);
    // Somebody writes to us: the person's address is the sender's.
    assert_eq!(of("SM", "messenger:8675309", "messenger:5551234", None), Messenger);
    assert_eq!(of("SM", "messenger:8675309", own, None), Messenger);
    assert_eq!(of("SM", "viber:8675309", own, None), Unknown);
    assert_eq!(of("SM", own, person, Some("rcs")), Rcs);
    assert_eq!(of("CA", own, "sip:alice@example.com", None), Call);
    assert_eq!(of("CA", own, person, None), Call);
}

fn told(reports: &[(Report, i64)]) -> Delivery {
    let (first, rest) = reports.split_first().unwrap();
    rest.iter().fold(Delivery::new(first.0.clone(), at(first.1)), |delivery, (report, second)| {
        delivery.merge(report.clone(), at(*second)).unwrap_or(delivery)
    })
}

#[test]
fn delivered_after_undelivered_holds_and_the_reverse_does_not() {
    use Status::*;
    let forth = told(&[(report(Undelivered, Some(30005)), 1), (report(Delivered, None), 2)]);
    let back = told(&[(report(Delivered, None), 2), (report(Undelivered, Some(30005)), 1)]);
    assert_eq!(forth, back);
    assert_eq!((forth.status(), forth.error_code()), (Some(Delivered), Some(30005)), "it had failed before");
    assert_eq!(forth.history().len(), 2);
}

#[test]
fn a_later_report_without_a_code_does_not_erase_the_reason() {
    let delivery = told(&[(report(Status::Failed, Some(30008)), 1), (report(Status::Failed, None), 2)]);
    assert_eq!(delivery.error_code(), Some(30008));
}

#[test]
fn a_repeated_report_changes_nothing_and_keeps_the_first_time() {
    let delivery = told(&[(report(Status::Sent, None), 5)]);
    assert_eq!(delivery.merge(report(Status::Sent, None), at(9)), None);
    let earlier = delivery.merge(report(Status::Sent, None), at(1)).unwrap();
    assert_eq!((earlier.events.len(), earlier.events[0].received_at), (1, at(1)));
}

#[test]
fn what_is_proved_takes_the_place_of_what_is_not() {
    let heard = Delivery::unproved(report(Status::Delivered, None), at(1));
    let proved = Delivery::new(report(Status::Sent, None), at(5));
    assert_eq!(heard.join(&proved), proved);
    assert_eq!(proved.join(&heard), proved);
    assert_eq!(heard.merge(report(Status::Sent, None), at(5)), Some(proved));
    let more = heard.join(&Delivery::unproved(report(Status::Read, None), at(2)));
    assert!(more.unproved && more.events.len() == 2);
}

#[test]
fn ours_is_asked_for_until_its_status_is_final() {
    let ours =
        |status| Report { id: Some(format!("DL{:030x}01", 1).parse().unwrap()), ..report(status, None) };
    let delivery = Delivery::new(ours(Status::Queued), at(0));
    let due = delivery.ask_at().unwrap();
    assert!((at(120)..=at(150)).contains(&due), "{due}");
    let sent = delivery.merge(ours(Status::Sent), at(5)).unwrap();
    assert_eq!(sent.ask_at(), Some(due), "what is heard on the way moves no entry");
    assert!(sent.asked_for(due).ask_at() > Some(due));
    assert_eq!(sent.not_asked_again().merge(ours(Status::Sending), at(6)).unwrap().ask_at(), None);
    let arrived = sent.merge(ours(Status::Delivered), at(6)).unwrap();
    assert_eq!((arrived.asking, arrived.ask_at()), (None, None));
    let anybodys = Delivery::new(report(Status::Queued, None), at(0));
    assert_eq!((anybodys.asking, anybodys.ask_at()), (None, None));
    assert!(sent.learns(&ours(Status::Delivered)) && !sent.learns(&ours(Status::Queued)));
    assert!(!sent.learns(&ours(Status::Sent)) && sent.learns(&report(Status::Sent, Some(30003))));
    let mut paid = report(Status::Sent, None);
    paid.about.charge = Charge::new(7_900, "usd");
    let known = sent.merge(paid.clone(), at(7)).unwrap();
    assert!(sent.learns(&paid) && !known.learns(&paid) && !known.learns(&ours(Status::Sent)));
    assert!(Delivery { unproved: true, ..known }.learns(&ours(Status::Queued)));
}

#[test]
fn a_flood_of_facts_does_not_push_out_the_status() {
    let flood: Vec<_> = (0..200)
        .map(|n| {
            let mut report = report(Status::Queued, None);
            report.fact.sequence = Some(n);
            (report, i64::from(n))
        })
        .chain([(report(Status::Delivered, None), 300)])
        .collect();
    let delivery = told(&flood);
    assert_eq!((delivery.events.len(), delivery.status()), (Delivery::MAX_EVENTS, Some(Status::Delivered)));
}

#[test]
fn large_facts_do_not_grow_a_delivery_beyond_a_record_nor_push_out_the_status() {
    let long = || Some("\"\u{1}".repeat(9000));
    let large = |n: u32| {
        let mut report = report(Status::Queued, Some(n));
        report.about = About {
            account_sid: long(),
            from: long(),
            to: long(),
            messaging_service_sid: long(),
            direction: long(),
            encoding: long(),
            counted_segments: Some(n),
            num_segments: Some(n),
            charge: Charge::new(u64::MAX, "USD"),
            reference: long(),
        };
        report.fact = Fact {
            carrier_time: long(),
            answered_by: long(),
            sequence: Some(u32::MAX),
            other: (0..n + 90).map(|n| (format!("Odd{n:05}"), "\u{1}".into())).collect(),
            ..report.fact
        };
        (report, i64::from(n))
    };
    let delivery =
        told(&(0..60).map(large).chain([(report(Status::Delivered, None), 99)]).collect::<Vec<_>>());
    let written = serde_json::to_string(&delivery).unwrap().len();
    assert!((40_000..60_000).contains(&written), "{written} bytes");
    assert_eq!(delivery.status(), Some(Status::Delivered));
}

#[test]
fn the_provider_s_count_of_segments_wins_once_it_has_one() {
    let about = |counted_segments, num_segments| About { counted_segments, num_segments, ..About::default() };
    let counts = [about(Some(1), None), about(Some(1), Some(0)), about(Some(1), Some(2)), about(None, None)];
    assert_eq!(counts.map(|about| about.segments()), [Some(1), Some(1), Some(2), None]);
    assert_eq!(about(Some(1), Some(0)).join(&about(None, Some(3))), about(Some(1), Some(3)));
}

#[test]
fn a_delivery_shows_its_numbers_masked() {
    let mut report = report(Status::Sent, None);
    report.about.to = Some("whatsapp:+14155550123".into());
    report.about.from = Some("+15005550006".into());
    report.fact.other.insert("ForwardedFrom".into(), "+15005550006".into());
    let shown = format!("{report:?} {:?}", Delivery::new(report.clone(), at(1)));
    assert!(shown.contains("whatsapp:+1********23") && shown.contains("+1********06"), "{shown}");
    assert!(!shown.contains("4155550123") && !shown.contains("5005550006"), "{shown}");
}

/// Short or long, so that both limits of a delivery are met.
fn any_value() -> impl Strategy<Value = String> {
    ("[pq]", proptest::sample::select(vec![1, 1, 2000])).prop_map(|(text, times)| text.repeat(times))
}

fn any_report() -> impl Strategy<Value = (Report, i64)> {
    let statuses: Vec<Status> = Status::all().collect();
    (
        proptest::option::of(proptest::sample::select(statuses)),
        proptest::option::of(30000u32..30008),
        proptest::option::of(0u32..4),
        proptest::option::of("[ab]"),
        proptest::collection::btree_map("[xy]", any_value(), 0..2),
        0i64..50,
    )
        .prop_map(|(status, error_code, sequence, from, other, second)| {
            let mut report = report(Status::Sent, error_code);
            report.about.from = from;
            report.about.charge =
                u64::try_from(second % 3).ok().and_then(|micros| Charge::new(micros, "USD"));
            report.fact = Fact { status, error_code, sequence, other, ..Fact::default() };
            (report, second)
        })
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_gives_the_same_delivery(
        reports in proptest::collection::vec(any_report(), 1..80),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        seed in any::<u64>(),
    ) {
        let expected = told(&reports);
        let mut shuffled = reports.clone();
        shuffled.extend(order.iter().map(|index| index.get(&reports).clone()));
        let entropy = crate::entropy::Entropy::seeded(seed);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, usize::try_from(entropy.below(at as u64 + 1)).unwrap());
        }
        prop_assert_eq!(told(&shuffled), expected);
    }

    /// What failed and then arrived keeps its error, in whatever order both are told
    /// and however often.
    #[test]
    fn an_error_is_kept_in_any_order(
        reports in proptest::collection::vec(any_report(), 1..20),
        at in any::<prop::sample::Index>(),
        again in any::<bool>(),
    ) {
        let failed = || (report(Status::Undelivered, Some(30003)), 5);
        let mut all = reports.clone();
        all.insert(at.index(all.len()), failed());
        if again {
            all.push(failed());
        }
        let kept = told(&all).error_code();
        prop_assert!(kept.is_some());
        all.reverse();
        prop_assert_eq!(told(&all).error_code(), kept);
    }

    #[test]
    fn joining_is_associative_and_commutative(
        a in proptest::collection::vec(any_report(), 1..10),
        b in proptest::collection::vec(any_report(), 1..10),
        c in proptest::collection::vec(any_report(), 1..10),
        unproved in any::<[bool; 3]>(),
        asking in any::<[Option<(bool, u32, Option<i64>)>; 3]>(),
    ) {
        let heard = |reports: &[_], n: usize| {
            let asking = asking[n].map(|(over, turn, second)| Asking {
                over,
                turn: turn % 4,
                not_before: second.map(|second| at(second.rem_euclid(99))),
            });
            let told = told(reports);
            let asking = asking.filter(|_| !told.status().is_some_and(Status::is_final));
            Delivery { unproved: unproved[n], asking, ..told }
        };
        let (a, b, c) = (heard(&a, 0), heard(&b, 1), heard(&c, 2));
        prop_assert_eq!(a.join(&b), b.join(&a));
        prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
        prop_assert_eq!(a.join(&a), a);
    }

    #[test]
    fn a_delivery_survives_being_written_down(reports in proptest::collection::vec(any_report(), 1..10)) {
        let delivery = told(&reports);
        let text = serde_json::to_string(&delivery).unwrap();
        prop_assert_eq!(serde_json::from_str::<Delivery>(&text).unwrap(), delivery);
    }
}
