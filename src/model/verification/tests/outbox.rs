//! The outbox of a verification, told as stories: what is claimed, tried again,
//! looked up and given up.

use super::*;

#[test]
fn a_claimed_send_belongs_to_its_worker_for_the_lease_and_is_then_looked_up() {
    let mut story = Story::text();
    assert_eq!(story.outbox_steps(), [(&Effect::Send { number: 1 }, 0)]);
    assert_eq!(story.at(0, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::Send { number: 1 }, 45)]);
    assert_eq!(story.at(44, Input::Claim { number: 1, routes: Vec::new() }), Outcome::NotMine);
    assert_eq!(story.at(45, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 90)]);
    assert_eq!(story.at(90, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 135)], "a look-up is looked up again");
}

#[test]
fn a_worker_that_is_still_at_it_keeps_its_claim_and_no_other() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    assert_eq!(story.at(30, Input::Hold { number: 1, claim: 1 }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::Send { number: 1 }, 75)]);
    assert_eq!(story.at(29, Input::Hold { number: 1, claim: 1 }), Outcome::Done, "a clock that was set back");
    assert_eq!(story.at(74, Input::Claim { number: 1, routes: Vec::new() }), Outcome::NotMine);
    assert_eq!(story.at(75, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.at(76, Input::Hold { number: 1, claim: 1 }), Outcome::NotMine);
    // A look-up that is held on to is no newer for that.
    story.at(76, unknown(1, 2));
    story.at(79, Input::Claim { number: 1, routes: Vec::new() });
    let doubt = story.verification.outbox[0].doubt.clone().unwrap().since;
    assert_eq!(story.at(95, Input::Hold { number: 1, claim: 3 }), Outcome::Done);
    let asked = story.verification.outbox[0].begun_at;
    assert_eq!((asked, doubt), (Some(at(79)), at(65)));
    story.at(96, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None });
    assert_eq!(story.at(97, Input::Hold { number: 1, claim: 3 }), Outcome::NotMine);
}

#[test]
fn a_worker_that_was_too_slow_decides_nothing_any_more() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(45, Input::Claim { number: 1, routes: Vec::new() });
    let held = story.verification.clone();
    let late = [
        Input::Refused {
            number: 1,
            claim: 1,
            code: Some(21211),
            reason: "late".into(),
            remedy: Remedy::Stop,
        },
        unknown(1, 1),
        not_processed(1, 1),
        not_found(1, 1),
    ];
    for input in late {
        assert_eq!(story.at(46, input.clone()), Outcome::NotMine, "{input:?}");
    }
    assert_eq!(story.verification, held, "it would be sent while the other looks it up");
    assert_eq!(
        story.at(47, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None }),
        Outcome::Done
    );
}

#[test]
fn an_unknown_send_is_looked_up_and_sent_again_only_when_it_is_known_to_be_missing() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(10, unknown(1, 1));
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 13)]);
    assert_eq!(story.at(12, Input::Claim { number: 1, routes: Vec::new() }), Outcome::NotMine);
    story.at(13, Input::Claim { number: 1, routes: Vec::new() });
    story.at(14, not_found(1, 2));
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 20)], "the list may lag");
    assert_eq!(story.state(1), &SendState::Sending);
    story.at(20, Input::Claim { number: 1, routes: Vec::new() });
    story.at(20, not_found(1, 3));
    assert_eq!(
        (story.outbox_steps(), story.state(1)),
        (vec![(&Effect::Send { number: 1 }, 20)], &SendState::Waiting)
    );
    assert_eq!(story.at(20, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::Send { number: 1 }, 65)]);
    assert_eq!(story.verification.outbox[0].attempts, 4, "each beginning counts");
    assert_eq!(story.verification.sends[0].attempts.made, 2, "two of which were to send it");
}

#[test]
fn a_list_that_answers_late_proves_no_more_than_when_it_was_asked() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(10, unknown(1, 1));
    story.at(13, Input::Claim { number: 1, routes: Vec::new() });
    story.at(27, not_found(1, 2));
    assert_eq!(story.state(1), &SendState::Sending, "asked three seconds after the doubt");
    story.at(27, Input::Claim { number: 1, routes: Vec::new() });
    story.at(27, not_found(1, 3));
    assert_eq!(story.state(1), &SendState::Waiting);
}

#[test]
fn a_look_up_that_does_not_tell_is_repeated_and_the_doubt_stays_as_old_as_it_is() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(0, unknown(1, 1));
    let due = |story: &Story| story.outbox_steps()[0].1;
    for (claim, input) in [(2, unknown(1, 2)), (3, not_processed(1, 3)), (4, unknown(1, 4))] {
        let now = due(&story);
        story.at(now, Input::Claim { number: 1, routes: Vec::new() });
        assert_eq!(story.at(now, input), Outcome::Done);
        assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, now + 3)], "claim {claim}");
    }
    story.at(12, Input::Claim { number: 1, routes: Vec::new() });
    story.at(12, not_found(1, 5));
    assert_eq!(story.state(1), &SendState::Waiting, "it has been in doubt for long enough");
    let last = story.verification.sends[0].attempts.last_error.clone().unwrap();
    assert_eq!((last.at, last.reason.as_str()), (at(0), "the provider answered 500"), "a look-up is no try");
}

#[test]
fn a_look_up_that_nobody_answers_is_given_up_long_after_the_end() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(0, unknown(1, 1));
    let mut look_ups = 0;
    while let Some(step) = story.verification.outbox.first().cloned() {
        let (now, claim) = (step.due.as_second() - at(0).as_second() + 1, step.attempts + 1);
        story.at(now, Input::Claim { number: 1, routes: Vec::new() });
        let jitter = Jitter(u32::MAX / 2);
        story.at(now, Input::Unknown { number: 1, claim, failure: failure("no answer"), jitter });
        look_ups += 1;
        assert!(now < 600 + 30 * 60 + 600 && look_ups < 100);
    }
    let SendState::Failed { reason, .. } = story.state(1) else { panic!() };
    assert_eq!(reason, "the outcome was never found out: no answer");
    assert_eq!(story.verification.due(), None);
}

#[test]
fn what_was_not_processed_is_tried_again_until_the_code_would_arrive_dead() {
    let mut story = Story::text();
    let mut times = Vec::new();
    while let Some(step) = story.verification.outbox.first().cloned() {
        let now = step.due.as_second() - at(0).as_second();
        times.push(now);
        assert_eq!(story.at(now, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
        let jitter = Jitter(u32::MAX);
        let failure = failure("the provider answered 429");
        story.at(now, Input::NotProcessed { number: 1, claim: step.attempts + 1, failure, jitter });
    }
    assert_eq!(times[..7], [0, 2, 6, 14, 30, 60, 90]);
    assert_eq!(times.last(), Some(&583), "the last one just in time");
    let reason = format!("the provider answered 429, at each of {} tries within 9 min", times.len());
    assert_eq!(story.state(1), &SendState::Failed { code: Some(20500), reason });
    assert_eq!((story.verification.status, story.verification.due()), (Status::Pending, Some(at(600))));
}

#[test]
fn a_send_that_was_tried_and_ran_out_of_time_has_failed_and_says_why() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(1, not_processed(1, 1));
    assert_eq!(story.verification.next_attempt_at(1), Some(at(2)));
    let late = story.verification.clone();
    story.at(600, Input::Deadline);
    let reason = "the provider answered 429, and no time was left to try again";
    assert_eq!(story.state(1), &SendState::Failed { code: Some(20500), reason: reason.into() });
    story.verification = late;
    story.at(5, Input::Cancel);
    assert_eq!(story.state(1), &SendState::Dropped, "nobody wanted it any more");
    assert_eq!(story.verification.next_attempt_at(1), None);
}

#[test]
fn a_code_that_would_arrive_dead_is_not_sent() {
    for (second, expected) in [(585, Outcome::Done), (586, Outcome::Dropped)] {
        let mut story = Story::text();
        assert_eq!(
            story.at(second, Input::Claim { number: 1, routes: Vec::new() }),
            expected,
            "at {second} s"
        );
    }
    let mut story = Story::text();
    story.at(586, Input::Claim { number: 1, routes: Vec::new() });
    assert_eq!((story.state(1), story.outbox_steps().len()), (&SendState::Dropped, 0));
    let mut story = Story::text();
    story.at(570, Input::Claim { number: 1, routes: Vec::new() });
    story.at(571, not_processed(1, 1));
    assert_eq!(
        story.at(590, Input::Claim { number: 1, routes: Vec::new() }),
        Outcome::Dropped,
        "nor repeated"
    );
    assert!(matches!(story.state(1), SendState::Failed { code: Some(20500), .. }));
}

#[test]
fn accepted_is_final_and_the_first_name_stays() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    assert_eq!(story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None }), Outcome::Done);
    let accepted = story.verification.clone();
    let later = [
        Input::Accepted { number: 1, sid: sid("SM", 2), silent_at: None },
        Input::Refused { number: 1, claim: 1, code: None, reason: "late".into(), remedy: Remedy::Stop },
        unknown(1, 1),
        not_processed(1, 1),
        not_found(1, 1),
        Input::Claim { number: 1, routes: Vec::new() },
    ];
    for input in later {
        assert_eq!(story.at(50, input.clone()), Outcome::NotMine, "{input:?}");
    }
    assert_eq!(story.verification, accepted);
}

#[test]
fn news_that_a_refused_or_dropped_send_was_taken_after_all_is_believed() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(
        1,
        Input::Refused { number: 1, claim: 1, code: None, reason: "given up".into(), remedy: Remedy::Stop },
    );
    assert_eq!(story.at(2, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None }), Outcome::Done);
    assert_eq!(story.state(1), &SendState::Accepted);
}

#[test]
fn one_message_settles_one_send() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.resend(30);
    story.at(30, Input::Claim { number: 2, routes: Vec::new() });
    let found = |number| Input::Accepted { number, sid: sid("SM", 1), silent_at: None };
    assert_eq!(story.at(40, found(2)), Outcome::Done);
    assert_eq!(story.at(40, found(1)), Outcome::NotMine);
    assert_eq!((story.state(1), story.state(2)), (&SendState::Sending, &SendState::Accepted));
    assert_eq!(story.outbox_steps(), [(&Effect::Send { number: 1 }, 45)], "it is looked up again");
}

#[test]
fn a_callback_may_come_before_the_answer_to_our_own_request() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    assert_eq!(story.at(1, Input::Accepted { number: 1, sid: sid("SM", 1), silent_at: None }), Outcome::Done);
    assert_eq!(story.at(5, unknown(1, 1)), Outcome::NotMine);
    assert_eq!((story.state(1), story.outbox_steps().len()), (&SendState::Accepted, 0), "nothing to look up");
}

#[test]
fn events_about_sends_that_do_not_exist_are_nobodys() {
    let inputs = [
        Input::Claim { number: 9, routes: Vec::new() },
        Input::Accepted { number: 0, sid: sid("SM", 1), silent_at: None },
        Input::Refused { number: 9, claim: 1, code: None, reason: String::new(), remedy: Remedy::Stop },
        unknown(9, 1),
        not_processed(9, 1),
        not_found(9, 1),
        Input::CallAsks { number: 9, sid: sid("CA", 1), machine: false, step: Step::Answered },
    ];
    let mut story = Story::text();
    let before = story.verification.clone();
    assert!(inputs.into_iter().all(|input| story.at(1, input) == Outcome::NotMine));
    assert_eq!(story.verification, before);
}

#[test]
fn a_retry_gives_way_to_a_newer_send_of_the_same_code_by_the_same_channel() {
    let policy = Policy { cooldown: vec![], ..Policy::default() };
    let tried = || {
        let mut story = Story::of(Channel::Sms, policy.clone());
        story.at(0, Input::Claim { number: 1, routes: Vec::new() });
        story.at(1, not_processed(1, 1));
        story
    };
    let mut story = tried();
    story.resend(1);
    assert_eq!(
        story.at(2, Input::Claim { number: 1, routes: Vec::new() }),
        Outcome::Dropped,
        "the person would get it twice"
    );
    assert_eq!(
        (story.at(2, Input::Claim { number: 2, routes: Vec::new() }), story.state(1)),
        (Outcome::Done, &SendState::Dropped)
    );

    let mut story = tried();
    story.resend(1);
    story.at(1, Input::Claim { number: 2, routes: Vec::new() });
    story.at(
        1,
        Input::Refused { number: 2, claim: 1, code: Some(7), reason: "stopped".into(), remedy: Remedy::Stop },
    );
    assert_eq!(
        story.at(2, Input::Claim { number: 1, routes: Vec::new() }),
        Outcome::Done,
        "what was refused replaces nothing"
    );

    let mut story = tried();
    story.at(1, Input::Resend { channel: Channel::Call, gate_key: None, failed: None, renewed: None });
    assert_eq!(
        story.at(2, Input::Claim { number: 1, routes: Vec::new() }),
        Outcome::Done,
        "a call is no text"
    );

    let mut story = Story::of(Channel::Sms, policy.clone());
    story.resend(0);
    assert_eq!(
        story.at(2, Input::Claim { number: 1, routes: Vec::new() }),
        Outcome::Done,
        "what was never tried was promised"
    );
}
