//! The life of a verification, told as stories, and what holds in every life.

mod any_life;
mod calls;
mod elsewhere;
mod failover;
mod outbox;
mod redaction;
mod senders;
mod ways;

use super::*;
use crate::model::id::Sid;
use crate::model::policy::Gate;
use crate::model::remedy::Remedy;
use jiff::SignedDuration;
use proptest::prelude::*;
use std::mem::discriminant;
use std::time::Duration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn sid(kind: &str, n: u8) -> Sid {
    format!("{kind}{n:032x}").parse().unwrap()
}

fn by(channel: Channel, policy: &Policy) -> Verification {
    let start = Start {
        session: None,
        id: VerificationId::from_random([7; 15]),
        to: "+14155550123".parse().unwrap(),
        locale: None,
        channel,
        code: CodeSeed {
            key_id: "a".into(),
            nonce: "00".repeat(16),
            generation: 1,
            length: policy.code_length,
            alphabet: None,
            context: None,
            custom: None,
        },
        service: None,
        details: Details::default(),
        test: false,
        gate_key: (policy.gate == Gate::NamedKey).then_some(4),
    };
    Verification::start(policy, start, at(0))
}

/// A verification and its rules; each event is a line of a story.
struct Story {
    policy: Policy,
    verification: Verification,
}

impl Story {
    fn of(channel: Channel, policy: Policy) -> Self {
        Self { verification: by(channel, &policy), policy }
    }

    fn text() -> Self {
        Self::of(Channel::Sms, Policy::default())
    }

    /// A call that was taken under the SID `CA…01`.
    fn call(policy: Policy) -> Self {
        let mut story = Self::of(Channel::Call, policy);
        story.at(0, Input::Claim { number: 1, routes: Vec::new() });
        story.at(1, Input::Accepted { number: 1, sid: sid("CA", 1), silent_at: None });
        story
    }

    fn at(&mut self, second: i64, input: Input) -> Outcome {
        let decision = decide(&self.policy, &self.verification, input, at(second));
        self.verification = decision.verification;
        decision.outcome
    }

    fn check(&mut self, second: i64, matches: bool) -> Outcome {
        self.at(second, Input::Check { matches })
    }

    fn resend(&mut self, second: i64) -> Outcome {
        self.at(second, Input::Resend { channel: Channel::Sms, gate_key: None, failed: None, renewed: None })
    }

    fn asks(&mut self, second: i64, step: Step) -> Outcome {
        self.asks_as(second, sid("CA", 1), false, step)
    }

    fn asks_as(&mut self, second: i64, sid: Sid, machine: bool, step: Step) -> Outcome {
        self.at(second, Input::CallAsks { number: 1, sid, machine, step })
    }

    fn state(&self, number: u8) -> &SendState {
        &self.verification.send(number).unwrap().state
    }

    fn outbox_steps(&self) -> Vec<(&Effect, i64)> {
        let second = |step: &OutboxStep| step.due.as_second() - at(0).as_second();
        self.verification.outbox.iter().map(|step| (&step.effect, second(step))).collect()
    }
}

fn failure(reason: &str) -> Failure {
    Failure { code: Some(20500), reason: reason.into(), after: SignedDuration::ZERO }
}

/// What a claim found out, with waits as short as they may be.
fn unknown(number: u8, claim: u32) -> Input {
    Input::Unknown { number, claim, failure: failure("the provider answered 500"), jitter: Jitter(0) }
}

fn not_processed(number: u8, claim: u32) -> Input {
    Input::NotProcessed { number, claim, failure: failure("the provider answered 429"), jitter: Jitter(0) }
}

fn not_found(number: u8, claim: u32) -> Input {
    Input::NotFound { number, claim, jitter: Jitter(0) }
}

fn gate(key: &str) -> Step {
    Step::Gate { digits: key.into() }
}

fn again(key: &str) -> Step {
    Step::Again { digits: key.into() }
}

// Checks.

#[test]
fn the_right_code_is_good_until_the_moment_of_expiry_and_not_in_it() {
    let rows = [
        (0, Outcome::Approved),
        (599, Outcome::Approved),
        (600, Outcome::Ended(Status::Expired)),
        (601, Outcome::Ended(Status::Expired)),
    ];
    for (second, expected) in rows {
        let mut story = Story::text();
        assert_eq!(story.verification.status_at(at(second)) == Status::Pending, second < 600);
        assert_eq!(story.check(second, true), expected, "at {second} s");
        let ended_at = story.verification.ended_at;
        assert_eq!(ended_at, Some(at(second.min(600))), "it ended when it ended, not when that was seen");
    }
}

#[test]
fn a_code_is_good_once() {
    let mut story = Story::text();
    assert_eq!(story.check(1, true), Outcome::Approved);
    assert_eq!(story.check(2, true), Outcome::Ended(Status::Approved));
    assert_eq!((story.verification.checks, story.verification.ended_at), (1, Some(at(1))));
}

#[test]
fn the_last_check_may_be_the_right_one() {
    let mut story = Story::text();
    let wrong: Vec<Outcome> = (1..5).map(|second| story.check(second, false)).collect();
    assert_eq!(wrong, vec![Outcome::Wrong; 4]);
    assert_eq!(story.verification.checks_left(&story.policy), 1);
    assert_eq!(story.check(5, true), Outcome::Approved);
}

#[test]
fn one_wrong_code_too_many_ends_it() {
    let mut story = Story::text();
    for second in 1..=5 {
        assert_eq!(story.verification.status, Status::Pending);
        assert_eq!(story.check(second, false), Outcome::Wrong);
    }
    assert_eq!(story.verification.status, Status::MaxAttemptsReached);
    assert_eq!(story.check(6, true), Outcome::Ended(Status::MaxAttemptsReached));
    assert_eq!(story.verification.checks, 5);
}

#[test]
fn a_limit_that_was_lowered_meanwhile_holds() {
    let mut story = Story::text();
    assert!((1..=3).all(|second| story.check(second, false) == Outcome::Wrong));
    story.policy.max_checks = 3;
    assert_eq!(story.check(4, true), Outcome::Ended(Status::MaxAttemptsReached));
    assert_eq!((story.verification.checks, story.verification.status), (3, Status::MaxAttemptsReached));
}

// Sends.

#[test]
fn the_wait_between_sends_grows_and_the_sends_run_out() {
    let mut story = Story::text();
    let mut second = 0;
    for wait in [30, 60, 120, 240] {
        assert_eq!(story.resend(second + wait - 1), Outcome::TooSoon { at: at(second + wait) });
        second += wait;
        assert_eq!(story.resend(second), Outcome::Done, "{wait} s after the one before");
    }
    assert_eq!(story.verification.sends_left(&story.policy), 0);
    assert_eq!(story.verification.resend_at(&story.policy), None);
    assert_eq!(story.resend(second + 149), Outcome::NoSendsLeft);
    assert_eq!(story.verification.sends.len(), 5);
}

#[test]
fn the_last_wait_repeats_and_an_empty_cooldown_waits_for_nothing() {
    let policy = Policy { cooldown: vec![Duration::from_secs(10)], ..Policy::default() };
    assert_eq!(
        [1, 2, 9].map(|sends| policy.cooldown_after(sends)),
        [Duration::from_secs(10); 3],
        "one step is every step"
    );
    let mut story = Story::of(Channel::Sms, Policy { cooldown: vec![], ..Policy::default() });
    assert_eq!(story.resend(0), Outcome::Done);
}

#[test]
fn a_failed_send_does_not_shorten_the_wait() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(
        1,
        Input::Refused {
            number: 1,
            claim: 1,
            code: Some(21211),
            reason: "no such number".into(),
            remedy: Remedy::Stop,
        },
    );
    assert_eq!(story.resend(2), Outcome::TooSoon { at: at(30) });
}

#[test]
fn a_wrong_code_does_not_send_and_does_not_change_the_wait() {
    let mut story = Story::text();
    story.check(29, false);
    assert_eq!(story.verification.sends.len(), 1);
    assert_eq!(story.resend(30), Outcome::Done);
}

#[test]
fn sending_again_repeats_the_code_unless_the_policy_wants_a_new_one() {
    let generations = |new_code_on_resend| {
        let mut story = Story::of(Channel::Sms, Policy { new_code_on_resend, ..Policy::default() });
        story.resend(30);
        let sends = story.verification.sends.iter().map(|send| send.generation).collect::<Vec<_>>();
        (sends, story.verification.code.generation)
    };
    assert_eq!(generations(false), (vec![1, 1], 1));
    assert_eq!(generations(true), (vec![1, 2], 2));
}

#[test]
fn a_code_that_a_newer_one_has_killed_is_neither_sent_nor_read_aloud() {
    let policy = Policy { new_code_on_resend: true, gate: Gate::None, ..Policy::default() };
    let mut story = Story::of(Channel::Sms, policy.clone());
    story.resend(30);
    assert_eq!(story.at(31, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Dropped);
    assert_eq!(story.at(31, Input::Claim { number: 2, routes: Vec::new() }), Outcome::Done);

    let mut story = Story::call(policy);
    story.resend(30);
    assert_eq!(story.asks(31, Step::Answered), Outcome::SayEnded);
}

#[test]
fn new_details_leave_the_code_and_another_seed_kills_it() {
    let mut story = Story::of(Channel::Sms, Policy { cooldown: vec![], ..Policy::default() });
    let details = Details { purpose: Some("log in".into()), ..Details::default() };
    let again = |seed: CodeSeed| Input::Resend {
        channel: Channel::Sms,
        gate_key: None,
        failed: None,
        renewed: Some(Box::new((seed, details.clone()))),
    };
    let seed = story.verification.code.clone();
    story.at(1, again(seed.clone()));
    assert_eq!((&story.verification.code, &story.verification.details), (&seed, &details));
    story.at(2, again(CodeSeed { nonce: "another".into(), ..seed }));
    assert_eq!((story.verification.code.generation, story.verification.sends[2].generation), (2, 2));
}

#[test]
fn a_channel_that_is_not_offered_is_refused() {
    let mut story = Story::of(Channel::Sms, Policy { channels: vec![Channel::Sms], ..Policy::default() });
    let by_call = Input::Resend { channel: Channel::Call, gate_key: None, failed: None, renewed: None };
    assert_eq!(story.at(60, by_call), Outcome::ChannelOff);
}

#[test]
fn only_calls_have_a_gate_key() {
    let mut story =
        Story::of(Channel::Sms, Policy { gate: Gate::NamedKey, cooldown: vec![], ..Policy::default() });
    assert_eq!(story.verification.sends[0].gate_key, None);
    story.at(1, Input::Resend { channel: Channel::Call, gate_key: Some(9), failed: None, renewed: None });
    assert_eq!(story.verification.sends[1].gate_key, Some(9));
}

// The end.

#[test]
fn calling_off_ends_it_and_drops_what_was_not_begun() {
    let mut story = Story::text();
    assert_eq!(story.at(1, Input::Cancel), Outcome::Done);
    assert_eq!(story.at(2, Input::Cancel), Outcome::Ended(Status::Canceled));
    assert_eq!(story.check(3, true), Outcome::Ended(Status::Canceled));
    assert_eq!(story.resend(60), Outcome::Ended(Status::Canceled));
    assert_eq!((story.state(1), story.verification.due()), (&SendState::Dropped, None));
}

#[test]
fn the_applications_word_counts_for_a_code_that_it_chose_and_for_no_other() {
    let word = |custom: bool, test: bool| {
        let mut story = Story::text();
        story.verification.code.custom = custom.then(|| "00".into());
        story.verification.test = test;
        (story.at(1, Input::Approve), story.verification.status)
    };
    assert_eq!(word(true, false), (Outcome::Done, Status::Approved));
    for (custom, test) in [(false, false), (true, true), (false, true)] {
        assert_eq!(word(custom, test), (Outcome::CodeNotChosen, Status::Pending));
    }
    // What has ended has ended, whose code it ever was.
    let mut story = Story::text();
    story.at(1, Input::Cancel);
    assert_eq!(story.at(2, Input::Approve), Outcome::Ended(Status::Canceled));
}

#[test]
fn a_deadline_ends_it_in_time_and_does_nothing_before() {
    let mut story = Story::text();
    let before = story.verification.clone();
    story.at(599, Input::Deadline);
    assert_eq!(story.verification, before);
    story.at(600, Input::Deadline);
    assert_eq!((story.verification.status, story.verification.due()), (Status::Expired, None));
}

#[test]
fn a_send_under_way_at_the_end_is_still_found_out() {
    let mut story = Story::text();
    story.at(0, Input::Claim { number: 1, routes: Vec::new() });
    story.at(1, Input::Cancel);
    assert_eq!(story.state(1), &SendState::Sending);
    assert_eq!(story.at(45, Input::Claim { number: 1, routes: Vec::new() }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 90)]);
    assert_eq!(story.at(46, not_found(1, 2)), Outcome::Done);
    assert_eq!((story.state(1), story.outbox_steps().len()), (&SendState::Dropped, 0), "and not sent again");
}
