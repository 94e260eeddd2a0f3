//! Checks of codes that the provider makes: counted before it is asked, settled by what it
//! says.

use super::*;
use crate::model::verification::{Answer, OpenCheck};

/// One whose text the provider took under its name.
fn taken() -> Story {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None });
    named(&mut story, "one");
    story
}

fn named(story: &mut Story, reference: &str) {
    let number = u8::try_from(story.verification.sends.len()).unwrap();
    story.at(1, Input::Named { number, reference: Some(reference.to_owned()) });
}

fn counted(story: &mut Story, second: i64) -> OpenCheck {
    match story.at(second, Input::Offer) {
        Outcome::Counted(open) => open,
        other => panic!("{other:?}"),
    }
}

fn told(story: &mut Story, second: i64, open: &OpenCheck, answer: Answer) -> Outcome {
    story.at(second, Input::Told { open: open.clone(), answer })
}

#[test]
fn the_right_code_approves_once_and_only_what_was_counted() {
    let mut story = taken();
    let (one, other) = (counted(&mut story, 10), counted(&mut story, 11));
    assert_eq!((story.verification.checks, story.verification.settled_checks()), (2, 0));
    let foreign = OpenCheck { number: 9, ..one.clone() };
    assert_eq!(told(&mut story, 12, &foreign, Answer::Right), Outcome::NotMine);
    assert_eq!(told(&mut story, 12, &one, Answer::Right), Outcome::Approved);
    assert_eq!(told(&mut story, 12, &one, Answer::Right), Outcome::Ended(Status::Approved));
    // To the second the provider says that there is nothing any more.
    assert_eq!(told(&mut story, 13, &other, Answer::Over), Outcome::Ended(Status::Approved));
    assert_eq!((story.verification.checks, story.verification.open_checks.len()), (1, 0));
}

#[test]
fn what_is_over_waits_for_those_that_are_open() {
    let mut story = taken();
    let (one, other) = (counted(&mut story, 10), counted(&mut story, 10));
    assert_eq!(told(&mut story, 11, &other, Answer::Over), Outcome::NotMine);
    assert_eq!(story.verification.status, Status::Pending, "the other one may be right");
    assert_eq!(told(&mut story, 12, &one, Answer::Over), Outcome::Ended(Status::Expired));
    assert_eq!(story.verification.checks, 0);
    let mut story = taken();
    let one = counted(&mut story, 10);
    let used_up = Outcome::Ended(Status::MaxAttemptsReached);
    assert_eq!(told(&mut story, 11, &one, Answer::UsedUp), used_up);
}

#[test]
fn whoever_guesses_at_once_has_no_more_checks() {
    let mut story = taken();
    let open: Vec<OpenCheck> = (0..5).map(|second| counted(&mut story, second)).collect();
    let used_up = Outcome::Ended(Status::MaxAttemptsReached);
    assert_eq!(story.at(5, Input::Offer), Outcome::NotMine);
    assert_eq!(story.verification.status, Status::Pending, "of the five one may be right");
    for (at, open) in open.iter().enumerate() {
        assert_eq!(told(&mut story, 6, open, Answer::Wrong), Outcome::Wrong);
        assert_eq!(story.verification.status == Status::Pending, at < 4);
    }
    assert_eq!(story.at(7, Input::Offer), used_up);
}

#[test]
fn a_check_that_was_not_made_is_given_back_and_a_lost_one_is_not() {
    let mut story = taken();
    let (one, other) = (counted(&mut story, 10), counted(&mut story, 10));
    assert_eq!(told(&mut story, 11, &one, Answer::NotAsked), Outcome::NotMine);
    let third = counted(&mut story, 12);
    assert_ne!(third.number, other.number);
    assert_eq!(told(&mut story, 13, &other, Answer::Lost), Outcome::NotMine);
    assert_eq!(told(&mut story, 13, &third, Answer::Wrong), Outcome::Wrong);
    assert_eq!((story.verification.checks, story.verification.settled_checks()), (2, 2));
}

#[test]
fn who_died_while_asking_holds_nothing_up() {
    let mut story = taken();
    for second in 10..15 {
        counted(&mut story, second);
    }
    let longest = story.policy.longest_send + story.policy.lease;
    let later = 15 + i64::try_from(longest.as_secs()).unwrap();
    assert_eq!(story.at(later, Input::Offer), Outcome::Ended(Status::MaxAttemptsReached));
    assert_eq!(story.verification.status, Status::MaxAttemptsReached);
}

#[test]
fn a_code_for_another_payment_approves_nothing() {
    let mut story = taken();
    let one = counted(&mut story, 10);
    let seed = CodeSeed { context: Some("other".to_owned()), ..story.verification.code.clone() };
    let renewed = Some(Box::new((seed, Details::default())));
    let resend = Input::Resend { channel: Channel::Sms, gate_key: None, failed: None, renewed };
    assert_eq!(story.at(40, resend), Outcome::Done);
    assert_eq!(told(&mut story, 41, &one, Answer::Right), Outcome::Wrong);
    assert_eq!(story.verification.status, Status::Pending);
}

#[test]
fn what_has_another_name_by_now_is_not_over() {
    let mut story = taken();
    let one = counted(&mut story, 10);
    story.resend(40);
    named(&mut story, "other");
    assert_eq!(told(&mut story, 41, &one, Answer::Over), Outcome::NotMine);
    assert_eq!((story.verification.status, story.verification.checks), (Status::Pending, 0));
    let two = counted(&mut story, 42);
    assert_eq!(two.reference.as_deref(), Some("other"));
    assert_eq!(
        story.at(700, Input::Told { open: two, answer: Answer::Right }),
        Outcome::Ended(Status::Expired)
    );
}

#[test]
fn what_is_being_sent_again_is_not_over() {
    for answer in [Answer::Over, Answer::UsedUp] {
        let mut story = taken();
        story.resend(40);
        for second in [41, 45] {
            let one = counted(&mut story, second);
            assert_eq!(told(&mut story, second + 1, &one, answer), Outcome::NotMine);
            story.at(43, Input::Claim { number: 2, routes: Vec::new() });
        }
        assert_eq!((story.verification.status, story.verification.checks), (Status::Pending, 0));
        story.at(47, Input::Accepted { number: 2, sid: sid("SM", 2), silent_at: None });
        let one = counted(&mut story, 48);
        assert!(matches!(told(&mut story, 49, &one, answer), Outcome::Ended(_)));
    }
}

#[test]
fn what_never_left_has_no_name() {
    let mut story = Story::text();
    story.verification.sends[0].shadow = true;
    named(&mut story, "made up");
    assert_eq!(story.verification.reference, None);
    story.resend(40);
    named(&mut story, "one");
    assert_eq!(story.verification.reference.as_deref(), Some("one"));
    story.verification.sends[1].shadow = true;
    named(&mut story, "made up");
    assert_eq!(story.verification.reference.as_deref(), Some("one"));
}

#[test]
fn the_right_code_after_the_end_is_no_wrong_one() {
    let mut story = taken();
    let (one, other) = (counted(&mut story, 10), counted(&mut story, 10));
    assert_eq!(story.at(11, Input::Cancel), Outcome::Done);
    let canceled = Outcome::Ended(Status::Canceled);
    assert_eq!(told(&mut story, 12, &one, Answer::Right), canceled);
    assert_eq!((story.verification.checks, story.verification.settled_checks()), (1, 0));
    assert_eq!(told(&mut story, 12, &other, Answer::Wrong), canceled);
    assert_eq!(story.verification.settled_checks(), 1);
}
