//! What did not arrive goes by the next channel, by itself and once.

use super::*;
use crate::model::policy::Failover;

const ALL: [Channel; 3] = [Channel::Sms, Channel::Whatsapp, Channel::Call];

fn story_of(failover: Failover, channels: &[Channel]) -> Story {
    let policy = Policy { channels: channels.to_vec(), failover, ..Policy::default() };
    let mut story = Story::of(channels[0], policy);
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story
}

fn accepted(number: u8) -> Input {
    Input::Accepted { number, sid: sid("SM", number), silent_at: Some(at(40)) }
}

fn not_arrived(number: u8, remedy: Remedy) -> Input {
    Input::NotArrived { number, remedy }
}

fn refused(number: u8, remedy: Remedy) -> Input {
    Input::Refused { number, claim: 1, code: Some(7), reason: "no".into(), remedy }
}

fn follow(number: u8, channel: Channel) -> Input {
    Input::Follow { number, channel, gate_key: None }
}

fn failover(number: u8, again: bool) -> Effect {
    Effect::FailOver { number, again, next_sender: false }
}

/// The second from which on something follows by itself, and by which ways it may.
fn next(story: &Story, number: u8) -> Option<(i64, Vec<Channel>)> {
    let due = story.verification.fails_over_at(number)?;
    Some((due.as_second() - at(0).as_second(), story.verification.ways_on(&story.policy, number)))
}

#[test]
fn each_remedy_leads_on_or_ends_it() {
    for remedy in Remedy::ALL {
        let mut told = story_of(Failover::OnFailure, &ALL);
        told.at(1, accepted(1));
        assert_eq!(next(&told, 1), None, "nothing follows what was taken");
        told.at(2, not_arrived(1, remedy));
        let others = vec![Channel::Whatsapp, Channel::Call];
        let expected = match remedy {
            Remedy::Again => Some((7, ALL.to_vec())),
            _ if remedy.is_next_sender() => Some((2, ALL.to_vec())),
            _ if remedy.moves_on() => Some((2, others.clone())),
            _ => None,
        };
        assert_eq!(next(&told, 1), expected, "{remedy}");
        let mut at_once = story_of(Failover::OnFailure, &ALL);
        at_once.at(2, refused(1, remedy));
        assert_eq!(next(&at_once, 1), expected, "{remedy}");
    }
}

#[test]
fn it_follows_with_the_same_code_without_a_wait_and_once() {
    let mut story = story_of(Failover::OnFailure, &ALL);
    story.policy.new_code_on_resend = true;
    story.at(1, accepted(1));
    story.at(2, not_arrived(1, Remedy::NextChannel));
    assert_eq!(story.at(2, follow(1, Channel::Sms)), Outcome::NotMine, "that way was tried");
    assert_eq!(story.at(2, follow(1, Channel::Whatsapp)), Outcome::Done);
    assert_eq!(story.at(2, follow(1, Channel::Call)), Outcome::NotMine, "once");
    assert_eq!(story.at(2, not_arrived(1, Remedy::NextChannel)), Outcome::NotMine);
    let sends: Vec<_> =
        story.verification.sends.iter().map(|send| (send.channel, send.generation, send.follows)).collect();
    assert_eq!(sends, [(Channel::Sms, 1, None), (Channel::Whatsapp, 1, Some(1))]);
    story.at(3, Input::Claim { number: 2, routes: Vec::new() });
    story.at(3, refused(2, Remedy::NextChannel));
    assert_eq!(next(&story, 2), Some((3, vec![Channel::Call])));
    assert_eq!(story.at(3, follow(2, Channel::Call)), Outcome::Done);
    story.at(4, Input::Claim { number: 3, routes: Vec::new() });
    story.at(4, refused(3, Remedy::NextChannel));
    assert_eq!(next(&story, 3), None, "no way is left");
}

#[test]
fn the_same_way_is_tried_again_once_where_the_failure_passes() {
    let mut story = story_of(Failover::OnFailure, &[Channel::Sms]);
    story.at(1, accepted(1));
    story.at(2, not_arrived(1, Remedy::Again));
    assert_eq!(story.outbox_steps(), [(&failover(1, true), 7)]);
    assert_eq!(story.at(7, follow(1, Channel::Sms)), Outcome::Done);
    story.at(8, Input::Claim { number: 2, routes: Vec::new() });
    story.at(8, Input::Accepted { number: 2, sid: sid("SM", 2), silent_at: None });
    story.at(9, not_arrived(2, Remedy::Again));
    assert_eq!(next(&story, 2), None);
}

#[test]
fn silence_leads_on_only_where_it_is_asked_for() {
    for (failover_is, expected) in [
        (Failover::Off, None),
        (Failover::OnFailure, None),
        (Failover::OnSilence, Some((40, vec![Channel::Call]))),
    ] {
        let mut story = story_of(failover_is, &[Channel::Sms, Channel::Call]);
        story.at(1, accepted(1));
        assert_eq!(next(&story, 1), expected, "{failover_is:?}");
    }
    let mut story = story_of(Failover::OnSilence, &[Channel::Sms, Channel::Call]);
    story.at(1, accepted(1));
    story.at(5, not_arrived(1, Remedy::NextChannel));
    assert_eq!(story.outbox_steps(), [(&failover(1, false), 5)], "what failed is waited for no longer");
    let mut story = story_of(Failover::OnSilence, &[Channel::Sms, Channel::Call]);
    story.at(1, accepted(1));
    story.at(5, not_arrived(1, Remedy::Stop));
    assert_eq!(next(&story, 1), None, "what was stopped is not silent");
}

#[test]
fn who_waits_may_want_nothing_else() {
    // Before anything follows: nothing does, whatever is told of it.
    let mut story = story_of(Failover::OnSilence, &ALL);
    story.at(1, accepted(1));
    assert_eq!(story.verification.about_to_follow(&story.policy, &ALL), Some((Channel::Whatsapp, false)));
    assert_eq!(story.verification.about_to_follow(&story.policy, &ALL[2..]), Some((Channel::Call, false)));
    assert_eq!(story.at(2, Input::Stay), Outcome::Done);
    assert_eq!(story.at(2, Input::Stay), Outcome::Done, "twice");
    assert_eq!(story.verification.about_to_follow(&story.policy, &ALL), None);
    assert_eq!(story.at(40, follow(1, Channel::Whatsapp)), Outcome::NotMine);
    assert_eq!(story.at(50, not_arrived(1, Remedy::NextChannel)), Outcome::NotMine);
    assert_eq!(story.outbox_steps(), []);
    assert!(story.verification.sends[0].not_followed.is_some());
    // What is about to leave does not.
    let mut story = story_of(Failover::OnFailure, &ALL);
    story.at(1, refused(1, Remedy::NextChannel));
    story.at(1, follow(1, Channel::Call));
    assert_eq!(story.verification.about_to_follow(&story.policy, &[]), Some((Channel::Call, true)));
    story.at(2, Input::Stay);
    assert_eq!((story.state(2), story.outbox_steps()), (&SendState::Dropped, vec![]));
    assert_eq!(story.verification.why_dropped(2), Some(Dropped::Unwanted));
    assert_eq!(story.verification.channel(), Channel::Sms);
    assert!(story.verification.is_way_out(Channel::Call, None), "it may still be asked for");
    // What has begun to leave does, and is not followed.
    let mut story = story_of(Failover::OnFailure, &ALL);
    story.at(1, refused(1, Remedy::NextChannel));
    story.at(1, follow(1, Channel::Whatsapp));
    story.at(2, Input::Claim { number: 2, routes: Vec::new() });
    assert_eq!(story.verification.about_to_follow(&story.policy, &ALL), None);
    story.at(3, Input::Stay);
    assert_eq!(story.at(4, accepted(2)), Outcome::Done);
    story.at(5, not_arrived(2, Remedy::NextChannel));
    assert_eq!(story.outbox_steps(), []);
    // And of what has ended that cannot be said.
    story.at(6, Input::Cancel);
    assert_eq!(story.at(7, Input::Stay), Outcome::Ended(Status::Canceled));
}

#[test]
fn what_is_told_late_of_an_earlier_send_leaves_what_follows_a_later_one() {
    let mut story = story_of(Failover::OnSilence, &ALL);
    story.at(1, accepted(1));
    story.at(40, follow(1, Channel::Whatsapp));
    story.at(41, Input::Claim { number: 2, routes: Vec::new() });
    story.at(41, Input::Accepted { number: 2, sid: sid("SM", 2), silent_at: Some(at(80)) });
    assert_eq!(story.at(50, not_arrived(1, Remedy::NextChannel)), Outcome::NotMine);
    assert_eq!(next(&story, 2), Some((80, vec![Channel::Call])));
}

#[test]
fn nothing_follows_where_nobody_waits_for_it() {
    type Before = fn(&mut Story);
    let rows: [(&str, Before); 5] = [
        ("it is off", |story| story.policy.failover = Failover::Off),
        ("no send is left", |story| story.policy.max_sends = 1),
        ("it was called off", |story| {
            story.at(2, Input::Cancel);
        }),
        ("it was approved", |story| {
            story.check(2, true);
        }),
        ("somebody asked again", |story| {
            story.resend(31);
        }),
    ];
    for (why, before) in rows {
        let mut story = story_of(Failover::OnFailure, &[Channel::Sms, Channel::Call]);
        story.at(1, accepted(1));
        before(&mut story);
        story.at(32, not_arrived(1, Remedy::NextChannel));
        assert_eq!(next(&story, 1), None, "{why}");
    }
    let mut late = story_of(Failover::OnFailure, &[Channel::Sms, Channel::Call]);
    late.at(1, accepted(1));
    late.at(586, not_arrived(1, Remedy::NextChannel));
    assert_eq!(next(&late, 1), None, "its code is about to die");
}

#[test]
fn what_is_to_follow_ends_with_what_comes_before() {
    let begun = || {
        let mut story = story_of(Failover::OnFailure, &[Channel::Sms, Channel::Call]);
        story.at(1, refused(1, Remedy::NextChannel));
        assert!(next(&story, 1).is_some());
        story
    };
    let mut arrived = begun();
    arrived.at(2, accepted(1));
    let mut checked = begun();
    checked.check(2, true);
    let mut asked = begun();
    asked.at(2, Input::Resend { channel: Channel::Call, gate_key: None, failed: None, renewed: None });
    let mut expired = begun();
    expired.at(600, Input::Deadline);
    for story in [arrived, checked, asked, expired] {
        assert_eq!(
            (next(&story, 1), story.verification.send(1).unwrap().not_followed.as_ref()),
            (None, None)
        );
    }
    let mut ruled_out = begun();
    assert_eq!(ruled_out.at(2, Input::NotFollowed { number: 1, why: Some("a limit".into()) }), Outcome::Done);
    assert_eq!(ruled_out.at(2, follow(1, Channel::Call)), Outcome::NotMine);
    assert_eq!(ruled_out.verification.send(1).unwrap().not_followed.as_deref(), Some("a limit"));
    assert!(ruled_out.verification.due().is_some(), "it still ends in time");
}
