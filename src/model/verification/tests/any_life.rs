//! What holds in every life, whatever happens in it.

use super::*;
use crate::model::message::Route;
use crate::model::policy::Failover;

fn any_policy() -> impl Strategy<Value = Policy> {
    let gates = prop_oneof![Just(Gate::AnyKey), Just(Gate::NamedKey), Just(Gate::None)];
    let schedule = proptest::collection::vec((0u64..200).prop_map(Duration::from_secs), 0..3);
    let caps = || prop_oneof![0u8..4, Just(u8::MAX)];
    let failover = proptest::sample::select(Failover::ALL.to_vec());
    (1u32..4, 1u8..5, any::<(bool, bool)>(), gates, (caps(), caps()), schedule, failover).prop_map(
        |(
            max_checks,
            max_sends,
            (new_code_on_resend, redact),
            gate,
            (max_replays, max_wrong_keys),
            cooldown,
            failover,
        )| Policy {
            failover,
            redact,
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
    let remedy = || proptest::sample::select(Remedy::ALL.to_vec());
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
        2 => (number(), channel()).prop_map(|(number, channel)|
            Input::Follow { number, channel, gate_key: None }),
        1 => (number(), any::<bool>()).prop_map(|(number, arrived)|
            Input::NotFollowed { number, why: (!arrived).then(|| "no".to_owned()) }),
        2 => (number(), remedy()).prop_map(|(number, remedy)| Input::NotArrived { number, remedy }),
        1 => Just(Input::Cancel),
        1 => Just(Input::Approve),
        1 => Just(Input::Deadline),
        4 => (number(), any::<bool>()).prop_map(|(number, is_choice)| Input::Claim { number, routes: routes(is_choice) }),
        2 => (number(), 0u32..4, any_failure(), any::<bool>()).prop_map(|(number, claim, failure, is_spent)|
            Input::NextSender {
                number, claim, failure, spent: if is_spent { vec!["+15005550001".to_owned()] } else { Vec::new() } }),
        2 => (number(), any_sid(), proptest::option::of(0i64..900)).prop_map(|(number, sid, silent)|
            Input::Accepted { number, sid, silent_at: silent.map(at) }),
        1 => (number(), 0u32..4).prop_map(|(number, claim)| Input::Refused {
            number, claim, code: Some(30007), reason: "no".into(), remedy: Remedy::Stop }),
        2 => (number(), 0u32..4, any_failure(), jitter()).prop_map(|(number, claim, failure, jitter)|
            Input::Unknown { number, claim, failure, jitter }),
        2 => (number(), 0u32..4, any_failure(), jitter()).prop_map(|(number, claim, failure, jitter)|
            Input::NotProcessed { number, claim, failure, jitter }),
        2 => (number(), 0u32..4, jitter()).prop_map(|(number, claim, jitter)|
            Input::NotFound { number, claim, jitter }),
        1 => number().prop_map(|number| Input::Redacted { number }),
        1 => (number(), -1i64..900, jitter()).prop_map(|(number, after, jitter)|
            Input::NotRedacted { number, after: SignedDuration::from_secs(after), jitter }),
        3 => (number(), any_sid(), any::<bool>(), step)
            .prop_map(|(number, sid, machine, step)| Input::CallAsks { number, sid, machine, step }),
    ]
}

fn routes(is_choice: bool) -> Vec<Route> {
    if is_choice { ["+15005550001", "+15005550002"].map(Route::of).into() } else { Vec::new() }
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
        let is_after = step.is_failover() || step.is_redaction();
        assert_eq!(is_settled(&send.state), is_after, "a step about a send that is settled");
        assert!(!step.is_redaction() || (policy.redact && next.status != Status::Pending && !send.redacted));
        assert!(!step.is_failover() || next.sends.last() == Some(send), "something else was sent since");
        assert_eq!(next.outbox.iter().filter(|other| other.number() == send.number).count(), 1);
    }
    for send in &next.sends {
        let has_outbox_step = next.outbox.iter().any(|step| step.is_about(send.number));
        assert_eq!(has_outbox_step, !is_settled(&send.state), "a send that nobody will settle");
    }
    if policy.redact && *next != *old && next.status != Status::Pending {
        for send in
            next.sends.iter().filter(|send| send.state == SendState::Accepted && send.channel.is_message())
        {
            let is_to_be = next.outbox.iter().any(|step| step.is_redaction() && step.number() == send.number);
            assert!(send.sid.is_none() || is_to_be != send.redacted, "words of ours stay where they are");
        }
    }
    for (before, after) in old.sends.iter().zip(&next.sends) {
        let is_under_way = before.state != SendState::Waiting;
        assert!(!is_under_way || before.route == after.route, "who sends changed while it was sent");
        let is_spent = |route: &Route| after.not_by.contains(&route.sender);
        let begins = after.state == SendState::Sending && !is_under_way;
        assert!(!begins || !after.route.as_ref().is_some_and(is_spent), "who refused it is asked again");
        assert!(before.state != SendState::Accepted || after.state == SendState::Accepted);
        assert!(before.sid.is_none() || before.sid == after.sid, "a binding was changed");
        assert!(after.readings <= policy.max_replays.saturating_add(1));
    }
    for step in &next.outbox {
        let was = old.outbox.iter().find(|other| other.number() == step.number());
        let sends_again = was.is_some_and(|was| was.is_look_up()) && !step.is_look_up();
        let since = was.and_then(|was| was.doubt.as_ref()).map(|doubt| doubt.since);
        let is_missing = since
            .is_none_or(|since| now.duration_since(since) >= crate::model::message::retry::MISSING.least);
        assert!(!sends_again || is_missing, "sent again before it was known to be missing");
        let is_retried = step.is_about(step.number())
            && was.is_some_and(|was| was.due != step.due)
            && !matches!(input, Input::Claim { number, .. } if *number == step.number());
        let last = next.expires_at.checked_sub(SignedDuration::from_secs(15)).unwrap();
        assert!(step.is_look_up() || !is_retried || step.due <= last, "beyond the life of the code");
    }
    let follows_before = old.sends.iter().filter_map(|send| send.follows).collect::<Vec<_>>();
    let follows = next.sends.iter().filter_map(|send| send.follows).collect::<Vec<_>>();
    assert!(follows.windows(2).all(|two| two[0] < two[1]), "one send was followed twice: {follows:?}");
    if follows.len() > follows_before.len() {
        assert!(matches!(input, Input::Follow { .. }) && policy.failover != Failover::Off);
        assert_eq!(next.code.generation, old.code.generation, "another code follows");
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
