//! By whom sends leave, where there is a choice, and what the next sender takes over.

use super::*;
use crate::model::message::Route;
use crate::model::policy::Failover;

const ALL: [&str; 3] = ["+15005550001", "+15005550002", "+15005550003"];

fn routes() -> Vec<Route> {
    ALL.map(Route::of).into()
}

fn story() -> Story {
    let policy = Policy { failover: Failover::OnFailure, ..Policy::default() };
    Story::of(Channel::Sms, policy)
}

fn claim(story: &mut Story, second: i64) -> Option<String> {
    assert_eq!(story.at(second, Input::Claim { number: 1, routes: routes() }), Outcome::Done);
    sender_of(story, 1)
}

fn sender_of(story: &Story, number: u8) -> Option<String> {
    story.verification.send(number)?.route.as_ref().map(|route| route.sender.clone())
}

fn next_sender(story: &mut Story, second: i64, is_spent: bool) -> Outcome {
    let own = sender_of(story, 1).into_iter();
    let spent = own.filter(|_| is_spent).collect();
    let claim = story.verification.outbox[0].attempts;
    let failure = Failure { code: Some(7), reason: "no".into(), after: SignedDuration::ZERO };
    story.at(second, Input::NextSender { number: 1, claim, failure, spent })
}

#[test]
fn the_sender_is_written_before_anything_leaves_and_stays_while_it_is_in_doubt() {
    let mut story = story();
    assert_eq!(claim(&mut story, 0).as_deref(), Some(ALL[0]));
    // Whoever began it died: it is looked up where it was begun, whatever is the best by now.
    let other = vec![Route::of(ALL[2])];
    assert_eq!(story.at(60, Input::Claim { number: 1, routes: other }), Outcome::Done);
    assert_eq!(sender_of(&story, 1).as_deref(), Some(ALL[0]));
    assert_eq!(next_sender(&mut story, 61, true), Outcome::NotMine, "it may be there");
}

#[test]
fn who_refused_is_not_asked_again_and_the_next_one_is_at_once() {
    let mut story = story();
    for sender in ALL {
        assert_eq!(claim(&mut story, 0).as_deref(), Some(sender));
        assert_eq!(next_sender(&mut story, 0, true), Outcome::Done);
        assert_eq!(story.verification.outbox[0].due, at(0));
    }
    assert_eq!(claim(&mut story, 0), None, "nobody is left");
    assert_eq!(story.verification.send(1).unwrap().attempts.failures[0].times, 3);
    assert_eq!(story.verification.sends.len(), 1, "it is the same send");
}

#[test]
fn who_had_no_time_may_be_asked_again() {
    let mut story = story();
    claim(&mut story, 0);
    assert_eq!(next_sender(&mut story, 0, false), Outcome::Done);
    assert_eq!(claim(&mut story, 0).as_deref(), Some(ALL[0]));
}

#[test]
fn nothing_is_sent_by_the_next_one_when_its_code_is_as_good_as_dead() {
    let mut story = story();
    claim(&mut story, 0);
    story.at(599, Input::Hold { number: 1, claim: 1 });
    assert_eq!(next_sender(&mut story, 599, true), Outcome::Done);
    assert!(matches!(story.state(1), SendState::Failed { .. }), "{:?}", story.state(1));
}

#[test]
fn what_did_not_arrive_goes_by_the_next_sender_of_its_channel() {
    let mut story = story();
    claim(&mut story, 0);
    story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None });
    story.at(2, Input::NotArrived { number: 1, remedy: Remedy::NextSender });
    assert_eq!(story.verification.ways_on(&story.policy, 1)[0], Channel::Sms);
    let follow = Input::Follow { number: 1, channel: Channel::Sms, gate_key: None };
    assert_eq!(story.at(2, follow), Outcome::Done);
    story.at(2, Input::Claim { number: 2, routes: routes() });
    assert_eq!(sender_of(&story, 2).as_deref(), Some(ALL[1]));
    assert_eq!(story.verification.send(2).unwrap().follows, Some(1));
}

#[test]
fn who_asks_again_gets_it_from_the_first_one_again() {
    let mut story = story();
    claim(&mut story, 0);
    story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None });
    story.at(60, Input::Resend { channel: Channel::Sms, gate_key: None, failed: None, renewed: None });
    story.at(60, Input::Claim { number: 2, routes: routes() });
    assert_eq!(sender_of(&story, 2).as_deref(), Some(ALL[0]));
}
