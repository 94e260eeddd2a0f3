//! Whoever was not reached one way may be reached another way at once.

use super::*;
use jiff::SignedDuration;

fn by_way(channel: Channel, failed: Option<u8>) -> Input {
    Input::Resend { channel, gate_key: None, failed, renewed: None }
}

fn story() -> Story {
    let channels = vec![Channel::Sms, Channel::Call, Channel::Whatsapp];
    let mut story = Story::of(Channel::Sms, Policy { channels, ..Policy::default() });
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story
}

fn refused(number: u8) -> Input {
    Input::Refused { number, claim: 1, code: Some(7), reason: "stopped".into(), remedy: Remedy::Stop }
}

#[test]
fn a_way_that_failed_opens_each_other_way_once() {
    let mut story = story();
    assert!(matches!(story.at(1, by_way(Channel::Call, None)), Outcome::TooSoon { .. }), "nothing failed");
    story.at(1, refused(1));
    assert!(matches!(story.resend(2), Outcome::TooSoon { .. }), "the same way waits");
    assert_eq!(story.at(2, by_way(Channel::Call, None)), Outcome::Done);
    assert!(matches!(story.at(3, by_way(Channel::Whatsapp, None)), Outcome::TooSoon { .. }), "a call is out");
    story.at(3, Input::Claim { number: 2, routes: Vec::new() });
    story.at(3, refused(2));
    assert!(matches!(story.resend(4), Outcome::TooSoon { .. }), "texts were tried");
    assert_eq!(story.at(4, by_way(Channel::Whatsapp, None)), Outcome::Done);
    story.at(5, Input::Claim { number: 3, routes: Vec::new() });
    story.at(5, refused(3));
    for channel in [Channel::Sms, Channel::Call, Channel::Whatsapp] {
        assert!(matches!(story.at(6, by_way(channel, None)), Outcome::TooSoon { .. }), "{channel}");
    }
}

#[test]
fn what_is_reported_counts_for_the_send_that_it_was_about() {
    let mut story = story();
    story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None });
    assert!(matches!(story.at(2, by_way(Channel::Call, None)), Outcome::TooSoon { .. }));
    assert_eq!(story.at(2, by_way(Channel::Call, Some(1))), Outcome::Done);
    let late = story.at(3, by_way(Channel::Whatsapp, Some(1)));
    assert!(matches!(late, Outcome::TooSoon { .. }), "another send has followed");
}

#[test]
fn while_nobody_takes_it_another_way_is_open() {
    let mut story = story();
    let failure = Failure { code: Some(20500), reason: "500".into(), after: SignedDuration::ZERO };
    story.at(1, Input::NotProcessed { number: 1, claim: 1, failure, jitter: Jitter(0) });
    assert!(matches!(story.resend(2), Outcome::TooSoon { .. }));
    assert_eq!(story.at(2, by_way(Channel::Call, None)), Outcome::Done);
}
