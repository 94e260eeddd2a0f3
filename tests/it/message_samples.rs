//! A record of each sort of message of its own, with everything that may be in one.

use dialback::model::channel::Channel;
use dialback::model::id::MessageId;
use dialback::model::limits::Admitted;
use dialback::model::message::{
    Approved, Content, Effect, Message, MessageFailure, MessageStatus, OutboxStep, Priority, Send, SendState,
};
use dialback::store::records::{Facts, facts_of};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// All of them.
pub fn all() -> Vec<Facts> {
    vec![facts_of(&failing()), facts_of(&over())]
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// One whose first send was refused, and that is to go by another channel.
pub fn failing() -> Message {
    let sends = vec![Send {
        state: SendState::Failed { code: Some(30007), reason: "filtered".into() },
        micros: 7_900,
        ..Send::new(1, Channel::Sms, 0, at(1))
    }];
    Message {
        id: MessageId::from_random([9; 15]),
        service: Some("VA0123456789abcdef0123456789abcdef".parse().unwrap()),
        to: "+14155550123".parse().unwrap(),
        content: Content {
            template: Some("order_shipped".into()),
            variables: map(&[("order", "4711")]),
            text: "Your order 4711 is on its way.".into(),
            language: Some("en".into()),
            approved: Some(Approved {
                sid: "HX0123456789abcdef0123456789abcdef".into(),
                variables: map(&[("1", "4711")]),
            }),
        },
        message_type: "transactional".into(),
        priority: Priority::High,
        plan: vec![Channel::Sms, Channel::Whatsapp],
        created_at: at(1),
        send_at: at(1),
        expires_at: at(14_401),
        status: MessageStatus::Queued,
        failure: Some(MessageFailure { code: Some(30007), reason: "filtered".into() }),
        ended_at: None,
        forget_at: None,
        user: Some("u-17".into()),
        tags: map(&[("order", "4711")]),
        test: false,
        turn: Some(1),
        turn_of: None,
        failures: vec![(1, MessageFailure { code: Some(30007), reason: "filtered".into() })],
        request: Some("ab".repeat(32)),
        arrived: Some(1),
        called_off: false,
        counted_at: Some(at(1)),
        has_left: true,
        round: 1,
        admitted: Some(Admitted { key: Some("0123456789ab".into()), ..Admitted::default() }),
        sends,
        outbox: vec![OutboxStep::new(
            Effect::FailOver { number: 1, again: false, next_sender: false },
            at(3),
        )],
    }
}

/// One that is over, and has as little as one can have.
fn over() -> Message {
    let send = Send { state: SendState::Dropped, ..Send::new(1, Channel::Sms, 0, at(5)) };
    let content = Content {
        template: None,
        variables: BTreeMap::new(),
        text: "We are closed tomorrow.".into(),
        language: None,
        approved: None,
    };
    Message {
        id: MessageId::from_random([10; 15]),
        service: None,
        content,
        priority: Priority::Normal,
        plan: vec![Channel::Sms],
        status: MessageStatus::Canceled,
        failure: None,
        ended_at: Some(at(9)),
        forget_at: Some(at(86_409)),
        user: None,
        tags: BTreeMap::new(),
        turn: None,
        turn_of: None,
        failures: Vec::new(),
        request: None,
        arrived: None,
        called_off: true,
        counted_at: None,
        has_left: false,
        round: 0,
        admitted: None,
        sends: vec![send],
        outbox: Vec::new(),
        ..failing()
    }
}
