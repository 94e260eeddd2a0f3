//! The life of a verification, told as stories, and what holds in every life.

mod outbox;
mod ways;

use super::retry::Jitter;
use super::*;
use crate::model::policy::Gate;
use proptest::prelude::*;
use std::mem::discriminant;

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
        story.at(0, Input::Claim { number: 1 });
        story.at(1, Input::Accepted { number: 1, sid: sid("CA", 1) });
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

fn not_taken(number: u8, claim: u32) -> Input {
    Input::NotTaken { number, claim, failure: failure("the provider answered 429"), jitter: Jitter(0) }
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
    story.at(0, Input::Claim { number: 1 });
    story.at(1, Input::Refused { number: 1, claim: 1, code: Some(21211), reason: "no such number".into() });
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
    assert_eq!(story.at(31, Input::Claim { number: 1 }), Outcome::Dropped);
    assert_eq!(story.at(31, Input::Claim { number: 2 }), Outcome::Done);

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
    story.at(0, Input::Claim { number: 1 });
    story.at(1, Input::Cancel);
    assert_eq!(story.state(1), &SendState::Sending);
    assert_eq!(story.at(45, Input::Claim { number: 1 }), Outcome::Done);
    assert_eq!(story.outbox_steps(), [(&Effect::LookUp { number: 1 }, 90)]);
    assert_eq!(story.at(46, not_found(1, 2)), Outcome::Done);
    assert_eq!((story.state(1), story.outbox_steps().len()), (&SendState::Dropped, 0), "and not sent again");
}

// Calls.

#[test]
fn a_call_that_asks_before_our_request_was_answered_settles_it() {
    let mut story = Story::of(Channel::Call, Policy::default());
    story.at(0, Input::Claim { number: 1 });
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

// Any life.

fn any_policy() -> impl Strategy<Value = Policy> {
    let gates = prop_oneof![Just(Gate::AnyKey), Just(Gate::NamedKey), Just(Gate::None)];
    let schedule = proptest::collection::vec((0u64..200).prop_map(Duration::from_secs), 0..3);
    let caps = || prop_oneof![0u8..4, Just(u8::MAX)];
    (1u32..4, 1u8..5, any::<bool>(), gates, caps(), caps(), schedule).prop_map(
        |(max_checks, max_sends, new_code_on_resend, gate, max_replays, max_wrong_keys, cooldown)| Policy {
            max_checks,
            max_sends,
            new_code_on_resend,
            gate,
            max_replays,
            max_wrong_keys,
            cooldown,
            ..Policy::default()
        },
    )
}

fn any_event() -> impl Strategy<Value = Input> {
    let channel = || prop_oneof![Just(Channel::Sms), Just(Channel::Call)];
    let number = || 0u8..5;
    let any_sid = || (prop_oneof![Just("SM"), Just("CA")], 0u8..3).prop_map(|(kind, n)| sid(kind, n));
    let any_failure = || {
        let after = prop_oneof![Just(0), 0i64..900, Just(i64::MAX), Just(-1)];
        after.prop_map(|after| Failure { after: SignedDuration::from_secs(after), ..failure("no") })
    };
    let jitter = || any::<u32>().prop_map(Jitter);
    let step = prop_oneof![
        Just(Step::Answered),
        "[0-9#*]{0,2}".prop_map(|digits| Step::Gate { digits }),
        "[12]{0,1}".prop_map(|digits| Step::Again { digits }),
    ];
    prop_oneof![
        1 => Just(Input::Check { matches: true }),
        2 => Just(Input::Check { matches: false }),
        3 => (channel(), proptest::option::of(1u8..10))
            .prop_map(|(channel, gate_key)| Input::Resend { channel, gate_key, failed: None, renewed: None }),
        1 => Just(Input::Cancel),
        1 => Just(Input::Approve),
        1 => Just(Input::Deadline),
        4 => number().prop_map(|number| Input::Claim { number }),
        2 => (number(), any_sid()).prop_map(|(number, sid)| Input::Accepted { number, sid }),
        1 => (number(), 0u32..4).prop_map(|(number, claim)| Input::Refused {
            number, claim, code: Some(30007), reason: "no".into() }),
        2 => (number(), 0u32..4, any_failure(), jitter()).prop_map(|(number, claim, failure, jitter)|
            Input::Unknown { number, claim, failure, jitter }),
        2 => (number(), 0u32..4, any_failure(), jitter()).prop_map(|(number, claim, failure, jitter)|
            Input::NotTaken { number, claim, failure, jitter }),
        2 => (number(), 0u32..4, jitter()).prop_map(|(number, claim, jitter)|
            Input::NotFound { number, claim, jitter }),
        3 => (number(), any_sid(), any::<bool>(), step)
            .prop_map(|(number, sid, machine, step)| Input::CallAsks { number, sid, machine, step }),
    ]
}

/// Mostly forward, sometimes back: clocks of two machines differ.
fn any_times() -> impl Strategy<Value = Vec<(i64, Input)>> {
    proptest::collection::vec((-5i64..60, any_event()), 0..60)
}

fn is_settled(state: &SendState) -> bool {
    !matches!(state, SendState::Waiting | SendState::Sending)
}

fn holds(policy: &Policy, old: &Verification, input: &Input, new: &Decision, now: Timestamp) {
    let next = &new.verification;
    assert!(next.checks <= policy.max_checks);
    assert!(next.sends.len() <= usize::from(policy.max_sends));
    assert!(old.status == Status::Pending || next.status == old.status, "a final status was left");
    assert_eq!(next.ended_at.is_some(), next.status != Status::Pending);
    for step in &next.outbox {
        let send = next.send(step.number()).expect("an job is about a send that exists");
        assert!(!is_settled(&send.state), "a step about a send that is settled");
        assert_eq!(next.outbox.iter().filter(|other| other.number() == send.number).count(), 1);
    }
    for send in &next.sends {
        let has_outbox_step = next.outbox.iter().any(|step| step.number() == send.number);
        assert_eq!(has_outbox_step, !is_settled(&send.state), "a send that nobody will settle");
    }
    for (before, after) in old.sends.iter().zip(&next.sends) {
        assert!(before.state != SendState::Accepted || after.state == SendState::Accepted);
        assert!(before.sid.is_none() || before.sid == after.sid, "a binding was changed");
        assert!(after.readings <= policy.max_replays.saturating_add(1));
    }
    for step in &next.outbox {
        let was = old.outbox.iter().find(|other| other.number() == step.number());
        let sends_again = was.is_some_and(|was| was.is_look_up()) && !step.is_look_up();
        let since = was.and_then(|was| was.doubt.as_ref()).map(|doubt| doubt.since);
        let is_missing = since.is_none_or(|since| now.duration_since(since) >= retry::MISSING.least);
        assert!(!sends_again || is_missing, "sent again before it was known to be missing");
        let is_retried =
            was.is_some_and(|was| was.due != step.due) && *input != Input::Claim { number: step.number() };
        let last = next.expires_at.checked_sub(SignedDuration::from_secs(15)).unwrap();
        assert!(step.is_look_up() || !is_retried || step.due <= last, "beyond the life of the code");
    }
    assert!(next.due().is_some() || next.status != Status::Pending);
    let approved_now = old.status == Status::Pending && next.status == Status::Approved;
    let was_alive = old.status_at(now) == Status::Pending;
    let is_right = *input == Input::Check { matches: true };
    assert_eq!(new.outcome == Outcome::Approved, approved_now);
    assert!(!approved_now || (was_alive && is_right));
    if let Outcome::SayCode { .. } = new.outcome {
        assert!(was_alive, "a dead code was read aloud");
    }
    let is_check = discriminant(input) == discriminant(&Input::Check { matches: true });
    assert!(is_check || next.checks == old.checks);
}

proptest! {
    #[test]
    fn in_any_life_the_limits_and_the_outbox_hold(
        policy in any_policy(),
        by_call in any::<bool>(),
        inputs in any_times(),
    ) {
        let mut verification = by(if by_call { Channel::Call } else { Channel::Sms }, &policy);
        let (mut second, mut approvals) = (0, 0);
        for (passed, input) in inputs {
            second += passed;
            let decision = decide(&policy, &verification, input.clone(), at(second));
            holds(&policy, &verification, &input, &decision, at(second));
            approvals += usize::from(decision.outcome == Outcome::Approved);
            verification = decision.verification;
        }
        prop_assert!(approvals <= 1);
        let text = serde_json::to_string(&verification).unwrap();
        prop_assert_eq!(serde_json::from_str::<Verification>(&text).unwrap(), verification);
    }
}
