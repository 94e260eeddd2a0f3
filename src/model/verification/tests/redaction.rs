//! What messages said is taken away at the provider once their code is dead.

use super::*;

fn redact(number: u8) -> Effect {
    Effect::Redact { number }
}

fn story_of(redact: bool) -> Story {
    let mut story = Story::of(Channel::Sms, Policy { redact, ..Policy::default() });
    taken(&mut story, 1, 0);
    story
}

/// Claims the send of that number, and has it taken.
fn taken(story: &mut Story, number: u8, second: i64) {
    story.at(second, Input::Claim { number, routes: Vec::new() });
    story.at(second + 1, Input::Accepted { number, sid: sid("SM", number), silent_at: None });
}

fn not_redacted(after: i64) -> Input {
    Input::NotRedacted { number: 1, after: SignedDuration::from_secs(after), jitter: Jitter(0) }
}

#[test]
fn each_message_is_redacted_once_after_every_end() {
    let ends: [(Input, i64); 3] =
        [(Input::Check { matches: true }, 60), (Input::Cancel, 60), (Input::Deadline, 600)];
    for (end, second) in ends {
        let mut story = story_of(true);
        assert_eq!(story.outbox_steps(), [], "the code still lives");
        story.resend(30);
        taken(&mut story, 2, 31);
        story.at(second, end.clone());
        let due = second + 5;
        assert_eq!(story.outbox_steps(), [(&redact(1), due), (&redact(2), due)], "{end:?}");
        assert!(story.verification.is_only_redacting());
        assert_eq!(story.at(due, Input::Redacted { number: 1 }), Outcome::Done);
        assert_eq!(story.at(due, Input::Redacted { number: 1 }), Outcome::NotMine);
        assert_eq!(story.outbox_steps(), [(&redact(2), due)]);
        story.at(due, Input::Redacted { number: 2 });
        assert_eq!((story.outbox_steps(), story.verification.due()), (vec![], None));
        assert!(story.verification.sends.iter().all(|send| send.redacted));
        story.at(due + 1, Input::Deadline);
        assert_eq!(story.outbox_steps(), [], "not once more");
    }
}

#[test]
fn where_nobody_asks_for_it_words_stay_where_they_are() {
    let mut story = story_of(false);
    story.check(60, true);
    assert_eq!(story.outbox_steps(), []);
}

#[test]
fn what_cannot_be_redacted_now_is_later_and_without_end() {
    let mut story = story_of(true);
    story.at(600, Input::Deadline);
    let mut now = 605;
    // The shortest waits that are drawn; the provider may ask for longer, within reason.
    for (asked, wait) in [(0, 5), (0, 5), (90, 90), (86_400, 3600)] {
        assert_eq!(story.at(now, not_redacted(asked)), Outcome::Done);
        now += wait;
        assert_eq!(story.outbox_steps(), [(&redact(1), now)]);
    }
    for _ in 0..100 {
        story
            .at(now, Input::NotRedacted { number: 1, after: SignedDuration::ZERO, jitter: Jitter(u32::MAX) });
        now = story.verification.due().unwrap().as_second() - at(0).as_second();
    }
    assert_eq!(story.at(now, Input::Redacted { number: 1 }), Outcome::Done);
}

#[test]
fn calls_tests_and_what_never_left_have_nothing_to_redact() {
    let mut call = Story::call(Policy { redact: true, ..Policy::default() });
    call.at(600, Input::Deadline);
    assert_eq!(call.outbox_steps(), []);
    let mut pretended = story_of(true);
    pretended.verification.sends[0].shadow = true;
    pretended.at(600, Input::Deadline);
    assert_eq!(pretended.outbox_steps(), []);
}

/// Who still finds out whether a message was taken goes first: somebody waits for that.
#[test]
fn a_message_that_was_in_doubt_is_redacted_once_it_is_found() {
    let mut story = story_of(true);
    story.resend(30);
    story.at(30, Input::Claim { number: 2, routes: Vec::new() });
    story.at(31, unknown(2, 1));
    let look_up = story.verification.outbox[0].due;
    story.check(32, true);
    assert!(!story.verification.is_only_redacting());
    assert_eq!(story.verification.due(), Some(look_up), "what is redacted is no earlier");
    story.at(50, Input::Accepted { number: 2, sid: sid("SM", 2), silent_at: None });
    assert_eq!(story.outbox_steps(), [(&redact(1), 37), (&redact(2), 55)]);
    assert!(story.verification.is_only_redacting());
}
