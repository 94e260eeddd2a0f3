//! Calls: whose they are, which keys they wait for, how often they read.

use super::*;

#[test]
fn a_call_that_asks_before_our_request_was_answered_settles_it() {
    let mut story = Story::of(Channel::Call, Policy::default());
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    assert_eq!(story.asks(3, Step::Answered), Outcome::SayGate);
    assert_eq!((story.state(1), story.outbox_steps().len()), (&SendState::Accepted, 0));
    assert_eq!(story.at(4, unknown(1, 1)), Outcome::NotMine);
}

#[test]
fn a_call_is_bound_to_the_first_sid_that_is_seen() {
    let mut story = Story::of(Channel::Call, Policy { gate: Gate::None, ..Policy::default() });
    assert_eq!(story.asks_as(1, sid("SM", 1), false, Step::Answered), Outcome::NotMine, "not a call");
    assert_eq!(story.verification.sends[0].sid, None);
    assert_eq!(story.asks_as(2, sid("CA", 1), false, Step::Answered), Outcome::SayCode { again: true });
    let bound = story.verification.clone();
    assert_eq!(story.asks_as(3, sid("CA", 2), false, Step::Answered), Outcome::NotMine);
    assert_eq!(story.verification, bound);

    let mut text = Story::text();
    assert_eq!(text.asks(1, Step::Answered), Outcome::NotMine, "a text is not read aloud");
}

#[test]
fn any_key_opens_the_gate_of_any_key_and_silence_does_not() {
    for key in ["1", "#", "0", "*"] {
        let mut story = Story::call(Policy::default());
        assert_eq!(story.asks(5, Step::Answered), Outcome::SayGate);
        assert_eq!(story.asks(6, gate(key)), Outcome::SayCode { again: true }, "{key}");
    }
    let mut story = Story::call(Policy::default());
    // Nobody is asked twice who pressed nothing, and it costs no try.
    assert_eq!(story.asks(6, gate("")), Outcome::SayNoKey);
    assert_eq!(story.verification.sends[0].wrong_keys, 0);
}

#[test]
fn a_named_gate_opens_to_its_key_and_closes_after_too_many_wrong_ones() {
    let named = || Policy { gate: Gate::NamedKey, max_wrong_keys: 2, ..Policy::default() };
    let mut story = Story::call(named());
    assert_eq!(story.asks(5, gate("5")), Outcome::SayGateAgain);
    assert_eq!(story.asks(6, gate("4")), Outcome::SayCode { again: true });

    let mut story = Story::call(named());
    let said: Vec<Outcome> = ["1", "2", "3"].map(|key| story.asks(5, gate(key))).to_vec();
    assert_eq!(said, [Outcome::SayGateAgain, Outcome::SayGateAgain, Outcome::SayGoodbye]);
    assert_eq!(story.asks(6, gate("4")), Outcome::SayGoodbye, "a call that was told goodbye is over");
    assert_eq!(story.verification.sends[0].readings, 0);
}

#[test]
fn the_code_is_read_again_on_request_up_to_the_cap() {
    let mut story = Story::call(Policy { max_replays: 2, ..Policy::default() });
    assert_eq!(story.asks(5, again("1")), Outcome::SayGoodbye, "who never passed the gate hears nothing");
    assert_eq!(story.asks(6, gate("1")), Outcome::SayCode { again: true });
    assert_eq!(story.asks(7, again("1")), Outcome::SayCode { again: true });
    assert_eq!(story.asks(8, again("1")), Outcome::SayCode { again: false });
    assert_eq!(story.asks(9, again("1")), Outcome::SayGoodbye);
    assert_eq!(story.asks(9, gate("1")), Outcome::SayGoodbye, "nor by way of the gate");
    assert_eq!(story.verification.sends[0].readings, 3);

    let mut story = Story::call(Policy::default());
    story.asks(6, gate("1"));
    assert_eq!(story.asks(7, again("2")), Outcome::SayGoodbye);
    assert_eq!(story.asks(7, again("")), Outcome::SayGoodbye);
}

#[test]
fn a_reading_that_was_begun_is_finished_once() {
    let mut story = Story::call(Policy { max_replays: 1, ..Policy::default() });
    let counts = |story: &Story| {
        let send = &story.verification.sends[0];
        (send.right_keys, send.wrong_keys, send.readings, send.finished)
    };
    assert_eq!(story.asks(5, Step::Read), Outcome::SayGoodbye, "nothing was read yet");
    assert_eq!(story.asks(6, gate("1")), Outcome::SayCode { again: true });
    assert_eq!(counts(&story), (1, 0, 1, 0));
    assert_eq!(story.asks(7, Step::Read), Outcome::SayCodeOnceMore { again: true });
    assert_eq!(counts(&story), (1, 0, 1, 1));
    assert_eq!(story.asks(8, Step::Read), Outcome::SayGoodbye, "a copy hears no code");
    assert_eq!(story.asks(9, again("1")), Outcome::SayCode { again: false });
    assert_eq!(story.asks(10, Step::Read), Outcome::SayCodeOnceMore { again: false });
    assert_eq!(story.asks(11, again("7")), Outcome::SayGoodbye);
    assert_eq!(counts(&story), (2, 1, 2, 2));

    // Who has typed the code in the meantime has heard it, and is thanked.
    let mut story = Story::call(Policy::default());
    story.asks(6, gate("1"));
    story.check(7, true);
    assert_eq!(story.asks(8, Step::Read), Outcome::SayGoodbye);
    assert_eq!(counts(&story), (1, 0, 1, 1));
    let mut story = Story::call(Policy::default());
    story.asks(6, gate("1"));
    story.at(7, Input::Cancel);
    assert_eq!(story.asks(8, Step::Read), Outcome::SayEnded);
    assert_eq!(counts(&story), (1, 0, 1, 1));
}

#[test]
fn the_caps_hold_where_the_numbers_end() {
    let mut story = Story::call(Policy {
        gate: Gate::NamedKey,
        max_replays: u8::MAX,
        max_wrong_keys: u8::MAX,
        ..Policy::default()
    });
    for _ in 0..300 {
        story.asks(5, gate("4"));
    }
    assert_eq!(story.asks(6, again("1")), Outcome::SayGoodbye);
    for _ in 0..300 {
        story.asks(5, gate("5"));
    }
    assert_eq!(story.asks(6, gate("5")), Outcome::SayGoodbye);
}

#[test]
fn a_machine_hears_nothing_secret() {
    for step in [Step::Answered, gate("1"), Step::Read, again("1")] {
        let mut story = Story::call(Policy { gate: Gate::None, ..Policy::default() });
        assert_eq!(story.asks_as(5, sid("CA", 1), true, step), Outcome::SayNothing);
        assert_eq!(story.verification.sends[0].readings, 0);
    }
}

#[test]
fn a_call_of_a_verification_that_has_ended_hears_so() {
    let ends: [(Input, i64); 3] =
        [(Input::Check { matches: true }, 10), (Input::Cancel, 10), (Input::Deadline, 600)];
    for (input, second) in ends {
        let mut story = Story::call(Policy { gate: Gate::None, ..Policy::default() });
        story.at(second, input.clone());
        for step in [Step::Answered, gate("1"), again("1")] {
            assert_eq!(story.asks(second, step), Outcome::SayEnded, "{input:?}");
        }
        let stranger = story.asks_as(second, sid("CA", 2), false, Step::Answered);
        assert_eq!(stranger, Outcome::NotMine, "which is not for strangers to hear");
    }
}
