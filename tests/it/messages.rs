//! Messages of their own over every engine: they leave once, whoever dies between, go by the
//! next channel when one fails, and are counted by their type and no code's limits.

use crate::engines::over_each_engine;
use crate::support::{Engine, Find, PERSON, Say, World, eventually, report};
use dialback::app::messages::{self, MessageError, MessageRequest, RetryRequest};
use dialback::app::privacy::{self, EraseOptions};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::event::EventType;
use dialback::model::id::MessageId;
use dialback::model::message::{Effect, Message, MessageStatus, Priority, SendState};
use dialback::model::policy::Policy;
use dialback::model::status::Status;
use dialback::store::records::{self, Versioned};
use dialback::store::{Kind, Lane};
use std::time::Duration;

over_each_engine![
    it_leaves_and_hears_of_its_end,
    what_is_in_doubt_is_looked_up_before_it_is_sent_again,
    a_death_while_it_is_sent_sends_once,
    a_report_that_comes_before_the_answer_settles_it,
    what_fails_goes_by_the_next_channel,
    no_race_gets_more_of_a_type_than_a_number_may,
    what_never_left_leaves_room_for_another,
    what_is_called_off_does_not_leave,
    what_failed_is_sent_again,
    what_is_over_is_forgotten_in_time,
    an_erased_person_gets_nothing_that_was_promised,
    what_can_wait_does_for_its_senders_turn_and_codes_do_not,
];

fn text(words: &str) -> MessageRequest {
    MessageRequest { to: PERSON.into(), text: Some(words.into()), ..MessageRequest::default() }
}

fn both_ways() -> Policy {
    Policy { channels: vec![Channel::Sms, Channel::Whatsapp], ..Policy::default() }
}

async fn taken(world: &World, request: MessageRequest) -> Message {
    messages::send_message(&world.app.messages, request).await.unwrap().0
}

async fn record(world: &World, id: &MessageId) -> Message {
    let found: Option<Versioned<Message>> = records::get(&*world.store, id.as_str()).await.unwrap();
    found.unwrap().record
}

async fn until(world: &World, id: &MessageId, status: MessageStatus) {
    eventually(status.as_str(), async || record(world, id).await.status == status).await;
}

/// A callback that says so of a send of a message.
async fn told(world: &World, message: &Message, number: u8, status: Status, code: Option<u32>) {
    let sid = message.send(number).unwrap().sid.clone().unwrap();
    let id = message.delivery_id(number);
    let mut report = report(sid.as_str(), status, Some(&id), Some(PERSON));
    report.fact.error_code = code;
    world.tell(report).await;
}

async fn events(world: &World) -> Vec<EventType> {
    let window = dialback::app::Window { limit: 100, after: None };
    let query = dialback::app::events::EventQuery::default();
    let page = dialback::app::events::events(&world.app.directory, &query, &window).await.unwrap();
    let of_messages = page.items.iter().rev().filter(|event| event.body.message.is_some());
    of_messages.map(|event| event.body.event_type).filter(|one| *one != EventType::DeliveryUpdated).collect()
}

async fn it_leaves_and_hears_of_its_end(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let one = taken(&world, text("Your parcel is here.")).await;
    assert_eq!(
        (one.status, one.outbox[0].effect.clone()),
        (MessageStatus::Queued, Effect::Send { number: 1 })
    );
    until(&world, &one.id, MessageStatus::Sent).await;
    let orders = world.gateway.orders();
    assert_eq!((orders.len(), orders[0].code.as_str()), (1, "Your parcel is here."));
    assert_eq!(orders[0].id, one.delivery_id(1));
    let sent = record(&world, &one.id).await;
    told(&world, &sent, 1, Status::Delivered, None).await;
    until(&world, &one.id, MessageStatus::Delivered).await;
    told(&world, &sent, 1, Status::Sent, None).await;
    world.settle().await;
    assert_eq!(record(&world, &one.id).await.status, MessageStatus::Delivered);
    let told = [EventType::MessageQueued, EventType::MessageSent, EventType::MessageDelivered];
    assert_eq!(events(&world).await, told);
    assert_eq!(world.gateway.orders().len(), 1);
}

async fn what_is_in_doubt_is_looked_up_before_it_is_sent_again(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Unknown], [Find::It]);
    world.work();
    let one = taken(&world, text("one")).await;
    eventually("it is in doubt", async || world.gateway.orders().len() == 1).await;
    eventually("it is looked up", async || {
        world.pass(1);
        tokio::time::sleep(Duration::from_millis(5)).await;
        !world.gateway.look_ups().is_empty()
    })
    .await;
    until(&world, &one.id, MessageStatus::Sent).await;
    assert_eq!(world.gateway.orders().len(), 1, "it was there");
    // And one that certainly is not there is sent again.
    world.script([Say::Unknown, Say::Taken], []);
    let other = taken(&world, text("other")).await;
    eventually("it is sent", async || {
        world.pass(1);
        tokio::time::sleep(Duration::from_millis(5)).await;
        record(&world, &other.id).await.status == MessageStatus::Sent
    })
    .await;
    assert_eq!(world.gateway.orders().len(), 3);
    assert!(record(&world, &other.id).await.sends[0].attempts.made == 2, "and says so");
}

async fn a_death_while_it_is_sent_sends_once(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], [Find::It]);
    world.work();
    let one = taken(&world, text("one")).await;
    eventually("it is under way", async || world.gateway.orders().len() == 1).await;
    world.crash().await;
    assert_eq!(record(&world, &one.id).await.sends[0].state, SendState::Sending);
    world.pass(120);
    world.work();
    until(&world, &one.id, MessageStatus::Sent).await;
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 1));
}

async fn a_report_that_comes_before_the_answer_settles_it(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], []);
    world.work();
    let one = taken(&world, text("one")).await;
    eventually("it is under way", async || world.gateway.orders().len() == 1).await;
    let (sid, id) = (format!("SM{:032x}", 77), one.delivery_id(1));
    world.tell(report(&sid, Status::Sent, Some(&id), Some(PERSON))).await;
    assert_eq!(record(&world, &one.id).await.status, MessageStatus::Sent);
    world.tell(report(&sid, Status::Undelivered, Some(&id), Some(PERSON))).await;
    until(&world, &one.id, MessageStatus::Failed).await;
    world.gateway.release.notify_waiters();
    world.settle().await;
    assert_eq!(record(&world, &one.id).await.status, MessageStatus::Failed);
    assert_eq!(world.gateway.orders().len(), 1);
}

async fn what_fails_goes_by_the_next_channel(engine: Engine) {
    let mut world = World::with(engine, both_ways());
    world.script([Say::Refused(21614), Say::Taken], []);
    world.work();
    let one = taken(&world, text("one")).await;
    until(&world, &one.id, MessageStatus::Sent).await;
    let followed = record(&world, &one.id).await;
    let sends: Vec<_> = followed.sends.iter().map(|send| (send.channel, send.follows)).collect();
    assert_eq!(sends, [(Channel::Sms, None), (Channel::Whatsapp, Some(1))]);
    // The provider says so later, and a person who wants no more of it gets no more.
    let two = taken(&world, text("two")).await;
    until(&world, &two.id, MessageStatus::Sent).await;
    let sent = record(&world, &two.id).await;
    let actor = Actor::operator();
    let admission = &world.app.admission;
    let sender = Some("type:transactional");
    dialback::app::admission::set_opt_out(admission, &actor, PERSON, sender, true).await.unwrap();
    told(&world, &sent, 1, Status::Undelivered, Some(30003)).await;
    until(&world, &two.id, MessageStatus::Failed).await;
    let over = record(&world, &two.id).await;
    assert!(over.sends[0].not_followed.as_ref().unwrap().contains("opted out"), "{:?}", over.sends);
    let refused = messages::send_message(&world.app.messages, text("three")).await.unwrap_err();
    assert!(refused.to_string().contains("opted out"), "{refused}");
    let security = MessageRequest { message_type: Some("security".into()), ..text("Was that you?") };
    taken(&world, security).await;
}

async fn no_race_gets_more_of_a_type_than_a_number_may(engine: Engine) {
    let world = World::new(engine);
    let beside = world.beside(&world.clock);
    let ask = |app: &dialback::app::App| {
        let (messaging, words) = (app.messages.clone(), text("Sale!"));
        tokio::spawn(async move {
            let request = MessageRequest { message_type: Some("marketing".into()), ..words };
            messages::send_message(&messaging, request).await
        })
    };
    let all: Vec<_> = (0..4).flat_map(|_| [ask(&world.app), ask(&beside)]).collect();
    let mut taken = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => taken += 1,
            Err(MessageError::Admission(refused)) => {
                assert!(refused.to_string().starts_with("the limit message_type is reached"), "{refused}");
            }
            Err(other) => assert!(matches!(other, MessageError::Fault(_)), "{other}"),
        }
    }
    assert_eq!(taken, 2);
    // Codes are not kept from anybody by that.
    world.start(Channel::Sms).await;
}

async fn what_never_left_leaves_room_for_another(engine: Engine) {
    let mut world = World::new(engine);
    let marketing = || MessageRequest { message_type: Some("marketing".into()), ..text("Sale!") };
    let one = taken(&world, marketing()).await;
    taken(&world, marketing()).await;
    messages::send_message(&world.app.messages, marketing()).await.unwrap_err();
    messages::cancel_message(&world.app.messages, &one.id, |_| true).await.unwrap();
    world.work();
    taken(&world, marketing()).await;
    messages::send_message(&world.app.messages, marketing()).await.unwrap_err();
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 2);
}

async fn what_is_called_off_does_not_leave(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let later = MessageRequest { send_at: Some(world.later(3600)), ..text("later") };
    let one = taken(&world, later.clone()).await;
    let other = taken(&world, later).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 0, "not yet");
    let off = messages::cancel_message(&world.app.messages, &one.id, |_| true).await.unwrap();
    assert_eq!(off.status, MessageStatus::Canceled);
    messages::cancel_message(&world.app.messages, &one.id, |_| true).await.unwrap();
    world.pass(3601);
    until(&world, &other.id, MessageStatus::Sent).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 1);
    let sent = messages::cancel_message(&world.app.messages, &other.id, |_| true).await.unwrap_err();
    assert_eq!(sent.to_string(), "the message is sent");
    let foreign = messages::cancel_message(&world.app.messages, &other.id, |_| false).await.unwrap_err();
    assert_eq!(foreign.to_string(), "nothing has this name");
}

async fn what_failed_is_sent_again(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Refused(21211), Say::Taken], []);
    world.work();
    let one = taken(&world, text("one")).await;
    let again = RetryRequest { id: one.id.clone(), channel: None, expires_at: None };
    until(&world, &one.id, MessageStatus::Failed).await;
    let racing: Vec<_> = (0..4)
        .map(|_| {
            let (messaging, again) = (world.app.messages.clone(), again.clone());
            tokio::spawn(async move { messages::retry_message(&messaging, &again, |_| true).await })
        })
        .collect();
    let mut taken = 0;
    for one in racing {
        taken += usize::from(one.await.unwrap().is_ok());
    }
    assert_eq!(taken, 1, "whoever comes second finds it on its way");
    until(&world, &one.id, MessageStatus::Sent).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 2);
    let kinds = events(&world).await;
    assert_eq!(kinds.iter().filter(|kind| **kind == EventType::MessageQueued).count(), 2);
}

async fn what_is_over_is_forgotten_in_time(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Taken, Say::Refused(21211)], []);
    world.work();
    let one = taken(&world, text("one")).await;
    until(&world, &one.id, MessageStatus::Sent).await;
    let sent = record(&world, &one.id).await;
    told(&world, &sent, 1, Status::Delivered, None).await;
    let other = taken(&world, MessageRequest { priority: Priority::High, ..text("other") }).await;
    until(&world, &other.id, MessageStatus::Failed).await;
    let is_there =
        async |id: &MessageId| records::get::<Message>(&*world.store, id.as_str()).await.unwrap().is_some();
    world.pass(24 * 3600 - 60);
    world.settle().await;
    assert!(is_there(&one.id).await && is_there(&other.id).await);
    world.pass(120);
    eventually("it is forgotten", async || !is_there(&one.id).await).await;
    assert!(is_there(&other.id).await, "somebody may want to send it again");
    world.pass(6 * 24 * 3600);
    eventually("it is, too", async || !is_there(&other.id).await).await;
    assert!(world.store.due_in(Lane::Bulk, world.now(), 1).await.unwrap().is_empty());
}

async fn an_erased_person_gets_nothing_that_was_promised(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let sent = taken(&world, text("now")).await;
    until(&world, &sent.id, MessageStatus::Sent).await;
    let later = MessageRequest { send_at: Some(world.later(3600)), ..text("later") };
    taken(&world, later).await;
    let options = EraseOptions::default();
    let begun = privacy::erase(&world.app.privacy, &Actor::operator(), PERSON, options).await.unwrap();
    eventually("it is erased", async || {
        let walked = world.app.base.whole_store().walk(Kind::Message, None, 10).await.unwrap();
        walked.is_empty()
    })
    .await;
    world.pass(7200);
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 1);
    assert!(begun.number.is_some());
}

/// The sender is a number of +1, which sends a segment a second behind a burst of ten.
async fn what_can_wait_does_for_its_senders_turn_and_codes_do_not(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    for person in 200..212 {
        taken(&world, MessageRequest { to: format!("+1415555{person:04}"), ..text("Sale!") }).await;
    }
    let orders = || world.gateway.orders().len();
    let stays = async |count: usize| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(orders(), count);
    };
    eventually("a burst has left", async || orders() == 10).await;
    stays(10).await;
    world.start(Channel::Sms).await;
    eventually("the code has left", async || orders() == 11).await;
    let high = MessageRequest { to: "+14155550300".into(), priority: Priority::High, ..text("Now!") };
    taken(&world, high).await;
    eventually("so has what is waited for", async || orders() == 12).await;
    stays(12).await;
    world.pass(2);
    eventually("the rest has left", async || orders() == 14).await;
}
