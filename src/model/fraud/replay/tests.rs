//! Two policies over made-up traffic: a burst in a block, and what came before and after it.

use super::*;
use crate::model::counter::Pseudonym;
use crate::model::fraud::Action::{Record, Refuse};
use crate::model::fraud::made::{at, decision, line, verified};
use crate::model::fraud::{Action, Entry, FraudChanges, FraudPolicy, Outcome, RuleChanges};
use std::collections::BTreeMap;

/// Every signal only recorded, but for bursts in blocks from three numbers on.
fn policy(action: Action) -> Policies {
    let values = BTreeMap::from([("numbers".to_owned(), 3.0)]);
    let burst = RuleChanges { action: Some(action), seconds: None, values };
    let signals = BTreeMap::from([("block_burst".to_owned(), burst)]);
    let changes = FraudChanges { action: Some(Record), signals };
    Policies { whole: FraudPolicy::default().with(&changes), services: BTreeMap::new() }
}

fn replayed(current: Action, candidate: Action, entries: &[Entry]) -> Replayed {
    let mut replay = Replay::new(policy(current), policy(candidate), at(0), at(100_000));
    entries.iter().for_each(|entry| replay.take(entry));
    replay.done()
}

/// Ten numbers of one block, a second apart; the fifth is proved in the end.
fn burst(outcome: Outcome) -> Vec<Entry> {
    let reasons: &[_] = if outcome.is_sent() { &[] } else { &[("block_burst", Some(Refuse))] };
    let mut lines: Vec<Entry> = (1..=10).map(|n| line(i64::from(n), n, outcome, reasons)).collect();
    lines.push(verified(500, 9, 9));
    lines
}

#[test]
fn what_another_policy_refuses_is_told_with_its_money_and_who_of_it_was_honest() {
    let found = replayed(Record, Refuse, &burst(Outcome::Taken));
    assert_eq!((found.requests, found.verified), (10, 1));
    assert!((5..10).contains(&found.now_refused.requests), "a burst is seen after some: {found:#?}");
    let refused = found.now_refused.requests;
    assert_eq!((found.sent_by_both, found.now_refused.unknown), (10 - refused, 0));
    assert_eq!(found.now_refused.micros, 40_000 * refused);
    assert_eq!(found.now_refused.verified, 1);
    assert_eq!(found.rules["block_burst"].now_refused, found.now_refused);
    assert_eq!(found.countries["GB"].now_refused, found.now_refused);
    let first = &found.examples[0];
    assert_eq!((first.current.is_sent(), first.candidate), (true, Outcome::Refused));
    assert_eq!(first.decision, format!("page-{}", 10 - refused + 1));
    let honest: Vec<_> = found.examples.iter().filter(|example| example.verified).collect();
    assert_eq!((honest.len(), honest[0].decision.as_str()), (1, "page-9"));
}

#[test]
fn the_same_policy_differs_in_nothing() {
    for action in Action::ALL {
        let found = replayed(action, action, &burst(Outcome::Taken));
        assert_eq!((found.now_refused.requests, found.no_longer_refused.requests), (0, 0), "{action}");
        assert_eq!(found.sent_by_both + found.held_by_both, 10, "{action}");
        assert!(found.examples.is_empty() && found.rules.is_empty());
    }
}

#[test]
fn of_what_was_refused_then_nobody_knows_what_would_have_become() {
    let found = replayed(Refuse, Record, &burst(Outcome::Refused));
    let again = &found.no_longer_refused;
    assert!(again.requests > 0 && again.unknown == again.requests, "{found:#?}");
    assert_eq!((found.now_refused.requests, again.micros), (0, 40_000 * again.requests));
    let known = replayed(Refuse, Record, &burst(Outcome::Taken));
    assert_eq!((known.no_longer_refused.unknown, known.no_longer_refused.verified), (0, 1));
}

#[test]
fn what_limits_lists_and_other_rules_refused_stays_refused() {
    let lines: Vec<Entry> =
        (1..=10).map(|n| line(i64::from(n), n, Outcome::Refused, &[("number_sends", None)])).collect();
    let found = replayed(Record, Refuse, &lines);
    assert_eq!((found.requests, found.refused_by_others, found.now_refused.requests), (10, 10, 0));
    // Even where a signal that refuses stood beside.
    let mut both = decision(1, 1, Outcome::Refused, &[("country", None), ("block_burst", Some(Refuse))]);
    both.code = Some("country_not_offered".to_owned());
    assert_eq!(replayed(Refuse, Record, &[Entry::Decision(Box::new(both))]).refused_by_others, 1);
}

#[test]
fn what_the_allow_list_let_pass_passes() {
    let passed: Vec<Entry> =
        (1..=10).map(|n| line(i64::from(n), n, Outcome::Taken, &[("block_burst", Some(Refuse))])).collect();
    assert_eq!(replayed(Record, Refuse, &passed).sent_by_both, 10);
}

#[test]
fn a_way_of_refusing_that_differs_is_counted_apart() {
    let found = replayed(Action::Captcha, Refuse, &burst(Outcome::Taken));
    assert!(found.held_otherwise > 0 && found.held_by_both == 0, "{found:#?}");
    assert_eq!(found.held_otherwise + found.sent_by_both, 10);
}

#[test]
fn a_number_that_was_sent_another_code_is_proved_all_the_same() {
    // The policy refuses the first request of the last number, and its next one an hour later not.
    let mut lines = burst(Outcome::Taken);
    lines.push(line(8_000, 9, Outcome::Taken, &[]));
    lines.push(verified(8_100, 9, 8_000));
    let found = replayed(Record, Refuse, &lines);
    assert_eq!((found.verified, found.now_refused.verified), (2, 1));
}

#[test]
fn what_came_before_the_stretch_is_learned_and_not_judged() {
    let mut replay = Replay::new(policy(Record), policy(Refuse), at(10), at(100_000));
    burst(Outcome::Taken).iter().for_each(|entry| replay.take(entry));
    let found = replay.done();
    assert_eq!((found.requests, found.now_refused.requests), (1, 1), "the burst was known already");
}

#[test]
fn a_service_keeps_what_it_sets_of_its_own() {
    let own = |policies: &Policies| policies.of("shop").clone();
    let mut candidate = policy(Refuse);
    candidate.services.insert("shop".to_owned(), own(&policy(Record)));
    let mut replay = Replay::new(policy(Record), candidate, at(0), at(100_000));
    burst(Outcome::Taken).iter().for_each(|entry| replay.take(entry));
    assert_eq!(replay.done().now_refused.requests, 0);
}

#[test]
fn many_numbers_are_replayed_in_bounded_memory() {
    let mut replay = Replay::new(policy(Record), policy(Refuse), at(0), at(100_000));
    for n in 0..3_000_u32 {
        let mut one = decision(i64::from(n), 1, Outcome::Taken, &[]);
        let mut name = [0; 8];
        name[..4].copy_from_slice(&n.to_be_bytes());
        one.about.number = Pseudonym(name);
        replay.take(&Entry::Decision(Box::new(one)));
    }
    let found = replay.done();
    assert!(found.now_refused.requests > 2_500 && found.examples.len() == 10, "{found:#?}");
}
