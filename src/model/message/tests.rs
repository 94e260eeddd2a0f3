//! The stories of messages of their own, and what holds whatever happens to one.

use super::*;
use crate::model::id::Sid;
use crate::model::policy::{Failover, Policy};
use crate::model::remedy::Remedy;
use jiff::SignedDuration;
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn sid(number: u8) -> Sid {
    format!("SM{number:032x}").parse().unwrap()
}

/// A message by these channels, taken at 0, that may leave at once and lives for ten minutes.
fn message(plan: &[Channel]) -> Message {
    let mut message = Message {
        id: MessageId::from_random([7; 15]),
        service: None,
        to: "+14155550123".parse().unwrap(),
        content: Content {
            template: None,
            variables: BTreeMap::new(),
            text: "It is on its way.".into(),
            language: None,
            approved: None,
        },
        message_type: "transactional".into(),
        priority: Priority::Normal,
        plan: plan.to_vec(),
        created_at: at(0),
        send_at: at(0),
        expires_at: at(600),
        status: MessageStatus::Queued,
        failure: None,
        ended_at: None,
        forget_at: None,
        user: None,
        tags: BTreeMap::new(),
        test: false,
        turn: None,
        turn_of: None,
        failures: Vec::new(),
        request: None,
        arrived: None,
        called_off: false,
        counted_at: None,
        has_left: false,
        round: 0,
        admitted: None,
        sends: Vec::new(),
        outbox: Vec::new(),
    };
    message.ask(plan[0], at(0), at(0));
    message.begun(Keep::default(), at(0))
}

struct Story {
    policy: Policy,
    message: Message,
    now: i64,
}

impl Story {
    fn of(plan: &[Channel]) -> Self {
        Self { policy: Policy::default(), message: message(plan), now: 0 }
    }

    fn put(&mut self, input: MessageInput) -> MessageOutcome {
        let decision = decide_message((&self.policy, Keep::default()), &self.message, input, at(self.now));
        self.message = decision.message;
        decision.outcome
    }

    fn after(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds;
        self
    }

    fn claim(&mut self, number: u8) -> u32 {
        assert_eq!(self.put(MessageInput::Claim { number, routes: Vec::new() }), MessageOutcome::Done);
        self.message.outbox.iter().find(|step| step.number() == number).unwrap().attempts
    }

    fn sent(&mut self, number: u8) {
        self.claim(number);
        let outcome = self.put(MessageInput::Accepted { number, sid: sid(number) });
        assert_eq!(outcome, MessageOutcome::Done);
    }

    fn refused(&mut self, number: u8, remedy: Remedy) {
        let claim = self.claim(number);
        let reason = "refused".to_owned();
        self.put(MessageInput::Refused { number, claim, code: Some(30007), reason, remedy });
    }

    fn not_arrived(&mut self, number: u8, remedy: Remedy) -> MessageOutcome {
        self.put(MessageInput::NotArrived { number, code: Some(30003), reason: "gone".into(), remedy })
    }

    fn stands(&self) -> (MessageStatus, Option<i64>, Option<i64>) {
        let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second() - 1_000_000);
        (self.message.status, seconds(self.message.ended_at), seconds(self.message.forget_at))
    }
}

const DAY: i64 = 86_400;
const BOTH: [Channel; 2] = [Channel::Sms, Channel::Whatsapp];

#[test]
fn what_arrives_is_over_and_is_kept_for_a_day() {
    let mut story = Story::of(&[Channel::Sms]);
    assert_eq!(story.stands(), (MessageStatus::Queued, None, None));
    story.sent(1);
    assert_eq!(story.stands(), (MessageStatus::Sent, None, Some(3 * DAY)), "it may be heard of for two days");
    story.after(9);
    assert_eq!(story.put(MessageInput::Arrived { number: 1 }), MessageOutcome::Done);
    assert_eq!(story.stands(), (MessageStatus::Delivered, Some(9), Some(9 + DAY)));
    assert_eq!(story.not_arrived(1, Remedy::NextChannel), MessageOutcome::NotMine, "late, and wrong");
    assert_eq!(story.put(MessageInput::Arrived { number: 1 }), MessageOutcome::NotMine);
    assert_eq!(story.put(MessageInput::Cancel), MessageOutcome::Stands(MessageStatus::Delivered));
}

#[test]
fn what_fails_goes_by_the_next_channel_and_then_is_kept_for_a_week() {
    let mut story = Story::of(&BOTH);
    story.refused(1, Remedy::NextChannel);
    assert_eq!(story.message.to_be_followed(), Some((1, at(0))));
    assert_eq!(
        (story.message.ways_on(), story.message.status),
        (vec![Channel::Whatsapp], MessageStatus::Queued)
    );
    let wrong = MessageInput::Follow { number: 1, channel: Channel::Sms };
    assert_eq!(story.put(wrong), MessageOutcome::NotMine, "it was tried");
    let follow = MessageInput::Follow { number: 1, channel: Channel::Whatsapp };
    assert_eq!(story.put(follow.clone()), MessageOutcome::Done);
    assert_eq!(story.put(follow), MessageOutcome::NotMine, "once");
    story.sent(2);
    assert_eq!(story.message.status, MessageStatus::Sent);
    story.after(5);
    story.not_arrived(2, Remedy::NextChannel);
    assert_eq!(story.stands(), (MessageStatus::Failed, Some(5), Some(5 + 7 * DAY)));
    assert_eq!(story.message.failure.as_ref().unwrap().code, Some(30003));
}

#[test]
fn what_became_of_the_send_that_left_is_the_reason_and_each_keeps_its_own() {
    let mut story = Story::of(&BOTH);
    story.sent(1);
    story.not_arrived(1, Remedy::NextChannel);
    story.put(MessageInput::Follow { number: 1, channel: Channel::Whatsapp });
    story.refused(2, Remedy::Stop);
    assert_eq!(story.message.failure.as_ref().unwrap().code, Some(30003));
    let codes: Vec<_> = story.message.failures.iter().map(|(number, why)| (*number, why.code)).collect();
    assert_eq!(codes, [(1, Some(30003)), (2, Some(30007))]);
}

#[test]
fn what_is_not_next_is_put_off_until_its_turn() {
    let mut story = Story::of(&[Channel::Sms]);
    let put_off = MessageInput::PutOff { number: 1, until: at(30), sender: None };
    assert_eq!(story.put(put_off.clone()), MessageOutcome::Done);
    assert_eq!((story.message.due(), story.message.turn), (Some(at(30)), Some(1)));
    assert_eq!(
        story.put(MessageInput::Claim { number: 1, routes: Vec::new() }),
        MessageOutcome::NotMine,
        "not yet"
    );
    story.after(30).claim(1);
    assert_eq!(story.put(put_off), MessageOutcome::NotMine, "it is under way");
}

#[test]
fn a_late_receipt_sends_nothing_twice() {
    let mut story = Story::of(&BOTH);
    story.sent(1);
    story.not_arrived(1, Remedy::NextChannel);
    assert_eq!(story.message.status, MessageStatus::Queued, "another one is to follow");
    story.put(MessageInput::Arrived { number: 1 });
    assert_eq!((story.message.status, story.message.outbox.len()), (MessageStatus::Delivered, 0));
    // And where the other one waits already.
    let mut story = Story::of(&BOTH);
    story.sent(1);
    story.not_arrived(1, Remedy::NextChannel);
    story.put(MessageInput::Follow { number: 1, channel: Channel::Whatsapp });
    story.put(MessageInput::Arrived { number: 1 });
    assert_eq!(story.message.send(2).unwrap().state, SendState::Dropped);
    assert_eq!(story.put(MessageInput::Claim { number: 2, routes: Vec::new() }), MessageOutcome::NotMine);
}

#[test]
fn what_stops_is_not_followed_and_no_service_that_says_so_follows() {
    let mut story = Story::of(&BOTH);
    story.refused(1, Remedy::Stop);
    assert_eq!(story.message.status, MessageStatus::Failed);
    let mut story = Story::of(&BOTH);
    story.policy.failover = Failover::Off;
    story.refused(1, Remedy::NextChannel);
    assert_eq!(story.message.status, MessageStatus::Failed);
}

#[test]
fn nothing_follows_where_rules_refuse_it_and_it_says_why() {
    let mut story = Story::of(&BOTH);
    story.refused(1, Remedy::NextChannel);
    let why = Some("the recipient has opted out".to_owned());
    story.put(MessageInput::NotFollowed { number: 1, why: why.clone() });
    assert_eq!(
        (story.message.status, &story.message.send(1).unwrap().not_followed),
        (MessageStatus::Failed, &why)
    );
}

#[test]
fn what_passes_by_itself_is_tried_once_more_by_the_same_channel() {
    let mut story = Story::of(&[Channel::Sms]);
    story.sent(1);
    story.not_arrived(1, Remedy::Again);
    assert_eq!(story.message.to_be_followed(), Some((1, at(5))));
    let follow = MessageInput::Follow { number: 1, channel: Channel::Sms };
    assert_eq!(story.put(follow.clone()), MessageOutcome::NotMine, "not yet");
    assert_eq!(story.after(5).put(follow), MessageOutcome::Done);
    story.sent(2);
    story.not_arrived(2, Remedy::Again);
    assert_eq!(story.message.status, MessageStatus::Failed, "once");
}

#[test]
fn what_cannot_leave_in_time_expires() {
    let mut story = Story::of(&[Channel::Sms]);
    assert_eq!(
        story.after(590).put(MessageInput::Claim { number: 1, routes: Vec::new() }),
        MessageOutcome::Dropped
    );
    assert_eq!(story.stands(), (MessageStatus::Expired, Some(590), Some(590 + 7 * DAY)));
    // And where each try came to nothing.
    let mut story = Story::of(&[Channel::Sms]);
    loop {
        let claim = story.claim(1);
        let failure = Failure { code: Some(20429), reason: "429".into(), after: SignedDuration::ZERO };
        story.put(MessageInput::NotProcessed { number: 1, claim, failure, jitter: Jitter(u32::MAX / 2) });
        let Some(due) = story.message.outbox.first().map(|step| step.due) else { break };
        story.now = due.as_second() - 1_000_000 + 1;
    }
    assert_eq!(story.message.status, MessageStatus::Expired);
    assert_eq!(story.message.failure.as_ref().unwrap().code, Some(20429));
}

#[test]
fn what_is_called_off_does_not_leave_unless_it_has() {
    let mut story = Story::of(&[Channel::Sms]);
    assert_eq!(story.put(MessageInput::Cancel), MessageOutcome::Done);
    assert_eq!(story.stands(), (MessageStatus::Canceled, Some(0), Some(DAY)));
    assert_eq!(story.put(MessageInput::Claim { number: 1, routes: Vec::new() }), MessageOutcome::NotMine);
    assert_eq!(story.put(MessageInput::Cancel), MessageOutcome::NotMine, "it is");
    // It was under way.
    let mut story = Story::of(&[Channel::Sms]);
    story.claim(1);
    story.put(MessageInput::Cancel);
    assert_eq!(story.message.status, MessageStatus::Canceled);
    assert!(story.message.is_at_work(), "what became of it is found out");
    story.put(MessageInput::Accepted { number: 1, sid: sid(1) });
    assert_eq!(story.stands(), (MessageStatus::Sent, None, Some(3 * DAY)), "it had left");
    assert_eq!(story.put(MessageInput::Cancel), MessageOutcome::Stands(MessageStatus::Sent));
    // Nothing takes the place of what nobody wants any more.
    let mut story = Story::of(&BOTH);
    story.claim(1);
    story.put(MessageInput::Cancel);
    story.put(MessageInput::Accepted { number: 1, sid: sid(1) });
    story.not_arrived(1, Remedy::NextChannel);
    assert_eq!((story.message.status, story.message.outbox.len()), (MessageStatus::Failed, 0));
}

#[test]
fn what_was_given_up_and_had_left_all_the_same_is_not_sent_again() {
    let mut story = Story::of(&BOTH);
    let claim = story.claim(1);
    let failure = Failure { code: None, reason: "no answer".into(), after: SignedDuration::ZERO };
    story.put(MessageInput::Unknown { number: 1, claim, failure, jitter: Jitter(0) });
    let step = story.message.outbox[0].clone();
    story.now = step.due.as_second() - 1_000_000 + 1;
    let claim = story.claim(1);
    let (code, reason, remedy) = (None, "not looked up".to_owned(), Remedy::Stop);
    story.put(MessageInput::Refused { number: 1, claim, code, reason, remedy });
    assert_eq!((story.message.status, story.message.has_left), (MessageStatus::Failed, true));
    story.put(MessageInput::Retry { channel: Channel::Sms, expires_at: at(story.now + 600) });
    assert_eq!(story.message.status, MessageStatus::Queued);
    story.put(MessageInput::Accepted { number: 1, sid: sid(1) });
    assert_eq!(story.message.status, MessageStatus::Sent);
    assert_eq!(story.message.send(2).unwrap().state, SendState::Dropped, "it would come twice");
    story.not_arrived(1, Remedy::NextChannel);
    assert_eq!(story.message.to_be_followed().map(|(number, _)| number), Some(1));
}

#[test]
fn what_failed_is_sent_again_when_somebody_says_so() {
    let mut story = Story::of(&BOTH);
    let retry = |at: Timestamp| MessageInput::Retry { channel: Channel::Sms, expires_at: at };
    assert_eq!(story.put(retry(at(900))), MessageOutcome::Stands(MessageStatus::Queued));
    story.refused(1, Remedy::Stop);
    assert_eq!(story.after(60).put(retry(at(900))), MessageOutcome::Done);
    assert_eq!(story.stands(), (MessageStatus::Queued, None, None));
    assert_eq!((story.message.round, story.message.expires_at), (1, at(900)));
    // The whole plan is open again.
    story.refused(2, Remedy::NextChannel);
    assert_eq!(story.message.ways_on(), [Channel::Whatsapp]);
    story.put(MessageInput::Follow { number: 2, channel: Channel::Whatsapp });
    story.sent(3);
    story.put(MessageInput::Arrived { number: 3 });
    assert_eq!(story.message.status, MessageStatus::Delivered);
}

#[test]
fn nobody_sends_one_twenty_times_and_then_again() {
    let mut story = Story::of(&[Channel::Sms]);
    for number in 1..=20 {
        story.refused(number, Remedy::Stop);
        let retry = MessageInput::Retry { channel: Channel::Sms, expires_at: at(story.now + 600) };
        let outcome = story.put(retry);
        let expected = if number < 20 { MessageOutcome::Done } else { MessageOutcome::NoSendsLeft };
        assert_eq!(outcome, expected, "{number}");
    }
}

#[test]
fn a_test_numbers_message_is_over_at_once() {
    let mut one = Message { test: true, sends: Vec::new(), outbox: Vec::new(), ..message(&[Channel::Sms]) };
    one.ask(Channel::Sms, at(0), at(0));
    let one = one.begun(Keep::default(), at(0));
    assert_eq!((one.status, one.ended_at, one.outbox.len()), (MessageStatus::Sent, Some(at(0)), 0));
}

fn inputs() -> impl Strategy<Value = MessageInput> {
    let number = 1_u8..4;
    let claim = 0_u32..4;
    let remedy = proptest::sample::select(Remedy::ALL.to_vec());
    let channel = proptest::sample::select(BOTH.to_vec());
    let failure = || Failure { code: None, reason: "no".into(), after: SignedDuration::ZERO };
    (number, claim, remedy, channel, 0..15_u8, any::<u32>(), 60..2000_i64).prop_map(
        move |(number, claim, remedy, channel, which, chance, life)| {
            let (reason, jitter) = ("no".to_owned(), Jitter(chance));
            match which {
                0..2 => MessageInput::Claim { number, routes: Vec::new() },
                2 => MessageInput::Claim { number, routes: vec![Route::of("+15005550001")] },
                3 => MessageInput::Accepted { number, sid: sid(number) },
                4 => MessageInput::Refused { number, claim, code: None, reason, remedy },
                5 => MessageInput::NotProcessed { number, claim, failure: failure(), jitter },
                6 => MessageInput::Unknown { number, claim, failure: failure(), jitter },
                7 => MessageInput::NotFound { number, claim, jitter },
                8 => MessageInput::Arrived { number },
                9 => MessageInput::NotArrived { number, code: None, reason, remedy },
                10 => MessageInput::Follow { number, channel },
                11 => MessageInput::Cancel,
                13 => MessageInput::NextSender { number, claim, failure: failure(), spent: Vec::new() },
                12 => MessageInput::PutOff { number, until: at(life), sender: None },
                _ => MessageInput::Retry { channel, expires_at: at(life) },
            }
        },
    )
}

proptest! {
    /// Whatever happens, and whenever: nothing stands still that is not over, nothing leaves
    /// twice without a look-up between, and what arrived stays so.
    #[test]
    fn a_message_is_at_work_or_over(all in proptest::collection::vec((inputs(), 0..120_i64), 0..60)) {
        let mut story = Story::of(&BOTH);
        for (input, later) in all {
            story.now += later;
            let before = story.message.clone();
            story.put(input.clone());
            let now = &story.message;
            prop_assert_eq!(now.status == MessageStatus::Queued && now.outbox.is_empty(), false, "{:?}", input);
            prop_assert!(now.due().is_some(), "{:?}", input);
            prop_assert!(now.sends.len() <= MOST_SENDS);
            if before.status == MessageStatus::Delivered {
                prop_assert_eq!(now.status, MessageStatus::Delivered);
            }
            // Each send that is under way is begun by one claim, which counts.
            for send in &now.sends {
                let was = before.send(send.number);
                let again = was.is_some_and(|was| {
                    was.state == SendState::Sending && send.state == SendState::Sending
                        && send.attempts.made > was.attempts.made
                });
                prop_assert!(!again, "a send that is under way is looked up, and not sent");
            }
            let followed = now.sends.iter().filter_map(|send| send.follows);
            let mut once: Vec<u8> = followed.clone().collect();
            once.dedup();
            prop_assert_eq!(once.len(), followed.count());
        }
    }
}
