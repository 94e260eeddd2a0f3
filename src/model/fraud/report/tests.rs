//! Reports on made-up lines.

use super::*;
use crate::model::fraud::Action::{Record, Refuse, Slow};
use crate::model::fraud::Entry;
use crate::model::fraud::made::{about, at, line, verified};
use crate::model::fraud::report::figures::Later;

const BURST: (&str, Option<crate::model::fraud::Action>) = ("block_burst", Some(Refuse));

fn report(entries: &[Entry]) -> Report {
    let mut reporting = Reporting::new(at(0), at(10_000));
    entries.iter().for_each(|entry| reporting.take(entry));
    reporting.done(10)
}

fn row<'r>(report: &'r Report, by: Dimension, name: &str) -> &'r Figures {
    let found = report.by[&by].rows.iter().find(|row| row.name == name);
    &found.unwrap_or_else(|| panic!("no {by} {name}")).figures
}

#[test]
fn requests_are_counted_by_what_they_came_to_with_their_money() {
    let entries = [
        line(0, 1, Outcome::Taken, &[]),
        line(1, 2, Outcome::Flagged, &[("block_burst", Some(Record))]),
        line(2, 3, Outcome::Refused, &[BURST]),
        line(3, 4, Outcome::Slowed, &[("client_numbers", Some(Slow))]),
        line(4, 5, Outcome::Refused, &[("country", None)]),
        verified(60, 1, 0),
    ];
    let found = report(&entries);
    let total = &found.total;
    assert_eq!((total.requests, total.sent(), total.not_sent()), (5, 2, 3));
    assert_eq!((total.taken, total.flagged, total.slowed, total.refused), (1, 1, 1, 2));
    assert_eq!((total.sent_micros, total.saved_micros), (80_000, 120_000));
    assert_eq!((total.started, total.verified, total.conversion), (2, 1, Some(0.5)));
    assert_eq!(row(&found, Dimension::Country, "GB"), total, "all are of one country");
    assert_eq!(row(&found, Dimension::Range, "+4479").conversion, Some(0.5));
    assert_eq!(row(&found, Dimension::Rule, "country").refused, 1);
    let burst = row(&found, Dimension::Rule, "block_burst");
    assert_eq!((burst.requests, burst.flagged, burst.refused), (2, 1, 1));
    let names: Vec<_> = found.by[&Dimension::Address].rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["6666666666666666", "6565656565656565", "6464646464646464"], "the worst first");
}

#[test]
fn a_rule_that_only_notes_refused_nothing() {
    let both = [("country", None), ("block_burst", Some(Record))];
    let found = report(&[line(0, 1, Outcome::Refused, &both)]);
    assert_eq!(
        (row(&found, Dimension::Rule, "country").refused, row(&found, Dimension::Rule, "country").flagged),
        (1, 0)
    );
    let burst = row(&found, Dimension::Rule, "block_burst");
    assert_eq!((burst.refused, burst.flagged, burst.saved_micros), (0, 1, 0));
    // One that asks for more than it came to, as where a list lets it pass.
    let found = report(&[line(0, 1, Outcome::Taken, &[BURST])]);
    assert_eq!(row(&found, Dimension::Rule, "block_burst").taken, 1);
}

#[test]
fn who_proves_the_number_within_a_day_was_probably_honest_and_counts_once() {
    let later = |entries: &[Entry]| report(entries).total.later;
    let refused = |seconds, n| line(seconds, n, Outcome::Refused, &[BURST]);
    let twice = [refused(0, 1), refused(1, 1), line(2, 1, Outcome::Taken, &[]), verified(60, 1, 2)];
    assert_eq!(later(&twice), Later { refused: 1, ..Later::default() });
    assert_eq!(row(&report(&twice), Dimension::Rule, "block_burst").later.refused, 1);
    assert_eq!(row(&report(&twice), Dimension::Country, "GB").later.refused, 1);
    let kinds = [
        line(0, 1, Outcome::Slowed, &[("cooldown", None)]),
        line(9, 1, Outcome::Flagged, &[("block_burst", Some(Record))]),
        verified(60, 1, 9),
    ];
    assert_eq!(later(&kinds), Later { slowed: 1, flagged: 1, ..Later::default() });
    assert_eq!(later(&kinds).hindered(), 1, "who is only flagged has the code");
    assert_eq!(later(&[refused(0, 1), verified(86_401, 1, 86_300)]), Later::default(), "a day is over");
    assert_eq!(later(&[refused(9_999, 1), verified(20_000, 1, 19_000)]).refused, 1, "after the stretch");
    assert_eq!(later(&[refused(0, 1), verified(60, 2, 2)]), Later::default(), "somebody else");
}

#[test]
fn what_never_left_was_not_asked_for_and_costs_nothing() {
    let unsent = Entry::Unsent { at: at(9), asked_at: at(0), about: Box::new(about(1)) };
    let verdict = Entry::Verdict { at: at(9), code: 30450, about: Box::new(about(1)) };
    let found = report(&[line(0, 1, Outcome::Taken, &[]), unsent, verdict]).total;
    assert_eq!((found.never_left, found.verdicts, found.started, found.sent_micros), (1, 1, 0, 0));
    assert_eq!(found.conversion, None, "a share of nothing is none");
}

#[test]
fn lines_of_other_times_are_let_be() {
    let early = verified(60, 1, -60);
    let found =
        report(&[line(-60, 1, Outcome::Taken, &[]), early, line(10_000, 2, Outcome::Refused, &[BURST])]);
    assert_eq!(found.total, Figures::default());
    assert!(found.by.values().all(|table| table.rows.is_empty()), "{found:?}");
}

#[test]
fn rows_are_as_many_as_asked_for_and_what_is_kept_is_bounded() {
    let mut reporting = Reporting::new(at(0), at(100_000));
    for n in 0..25_000 {
        let Entry::Decision(mut decision) = line(n, 1, Outcome::Refused, &[BURST]) else { unreachable!() };
        decision.about.range = format!("+44{n}");
        reporting.take(&Entry::Decision(decision));
    }
    let found = reporting.done(3);
    let ranges = &found.by[&Dimension::Range];
    assert_eq!((ranges.rows.len(), ranges.rows[0].name.as_str()), (3, "(others)"));
    assert_eq!((ranges.rows[0].figures.requests, ranges.more), (5_000, 19_998));
    assert_eq!(found.total.requests, 25_000);
}
