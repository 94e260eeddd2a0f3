//! What did not arrive goes by the next channel by itself, once, over every engine: whoever
//! dies between, whoever comes at the same moment, and never where a rule says no.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, Say, World, eventually, report, resend};
use dialback::app::admission;
use dialback::app::verification::{self, Offer, VerificationError};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::delivery::Report;
use dialback::model::id::VerificationId;
use dialback::model::policy::{Failover, Policy};
use dialback::model::status::Status;
use dialback::model::verification::{Dropped, Effect, Send, SendState, Verification};

over_each_engine![
    what_did_not_arrive_goes_by_the_next_channel,
    what_is_refused_goes_by_the_next_channel,
    a_death_between_the_failure_and_the_next_send_sends_once,
    two_processes_follow_once,
    a_number_is_called_once_an_hour,
    silence_goes_on_where_it_is_asked_for,
    who_wants_nothing_else_gets_nothing_else,
    nothing_else_and_the_next_send_at_one_moment,
];

/// A callback that says so of a send, with a code where one is given.
fn told(verification: &Verification, number: u8, status: Status, code: Option<u32>) -> Report {
    let sid = verification.send(number).unwrap().sid.clone().unwrap();
    let id = verification.delivery_id(number);
    let mut report = report(sid.as_str(), status, Some(&id), Some(PERSON));
    report.fact.error_code = code;
    report
}

async fn undelivered(world: &World, id: &VerificationId, number: u8, code: u32) {
    let record = world.record(id).await;
    world.tell(told(&record, number, Status::Undelivered, Some(code))).await;
}

/// Each send: its channel, and which it follows.
async fn sends(world: &World, id: &VerificationId) -> Vec<(Channel, Option<u8>)> {
    world.record(id).await.sends.iter().map(|send| (send.channel, send.follows)).collect()
}

/// Waits until a second send was taken.
async fn until_followed(world: &World, id: &VerificationId) {
    let is_taken = |send: &Send| send.number == 2 && send.state == SendState::Accepted;
    eventually("it is followed", async || world.record(id).await.sends.iter().any(is_taken)).await;
}

const TEXT: (Channel, Option<u8>) = (Channel::Sms, None);
const CALLED: (Channel, Option<u8>) = (Channel::Call, Some(1));

async fn what_did_not_arrive_goes_by_the_next_channel(engine: Engine) {
    let mut world = World::new(engine);
    let (id, code) = world.sent().await;
    undelivered(&world, &id, 1, 30003).await;
    undelivered(&world, &id, 1, 30003).await;
    until_followed(&world, &id).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT, CALLED]);
    let orders = world.gateway.orders();
    assert_eq!(orders.iter().map(|order| order.code.clone()).collect::<Vec<_>>(), [code.clone(), code]);
    assert!(world.record(&id).await.sends[1].unasked, "nobody asked for the call");
    // A receipt that comes late, for either, sends nothing more.
    let record = world.record(&id).await;
    world.tell(told(&record, 1, Status::Delivered, None)).await;
    world.tell(told(&record, 2, Status::NoAnswer, None)).await;
    world.settle().await;
    assert_eq!(world.gateway.orders().len(), 2);
    assert_eq!(world.record(&id).await.outbox, []);
}

async fn what_is_refused_goes_by_the_next_channel(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Refused(21614), Say::Taken], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    until_followed(&world, &id).await;
    assert_eq!(sends(&world, &id).await, [TEXT, CALLED]);
    assert!(matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21614), .. }));
}

/// What is written is that something follows; who dies before it was sent lets another
/// send it, and who died after it has sent it.
async fn a_death_between_the_failure_and_the_next_send_sends_once(engine: Engine) {
    let mut world = World::new(engine);
    let (id, _) = world.sent().await;
    world.crash().await;
    undelivered(&world, &id, 1, 30005).await;
    assert_eq!(
        world.record(&id).await.outbox[0].effect,
        Effect::FailOver { number: 1, again: false, next_sender: false }
    );
    world.crash().await;
    world.work();
    until_followed(&world, &id).await;
    world.crash().await;
    undelivered(&world, &id, 1, 30005).await;
    world.work();
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT, CALLED]);
    assert_eq!(world.gateway.orders().len(), 2);
}

async fn two_processes_follow_once(engine: Engine) {
    let mut world = World::new(engine);
    let (id, _) = world.sent().await;
    let (key, other) = (id.to_string(), world.beside(&world.clock));
    world.crash().await;
    undelivered(&world, &id, 1, 30006).await;
    let (one, two) = (world.app.clone(), other);
    let tend = dialback::app::messaging::tend_verification;
    let (first, second) = tokio::join!(tend(&one.messaging, &key), tend(&two.messaging, &key));
    assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
    world.work();
    until_followed(&world, &id).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT, CALLED]);
    assert_eq!(world.gateway.orders().len(), 2);
}

async fn a_number_is_called_once_an_hour(engine: Engine) {
    let mut world = World::new(engine);
    let (id, _) = world.sent().await;
    undelivered(&world, &id, 1, 30003).await;
    until_followed(&world, &id).await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    let next = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&next, 1).await;
    undelivered(&world, &next, 1, 30003).await;
    world.settle().await;
    let record = world.record(&next).await;
    assert_eq!((record.sends.len(), record.outbox.len()), (1, 0));
    let why = record.sends[0].not_followed.clone().unwrap();
    assert!(why.contains("number_failover_calls"), "{why}");
    verification::cancel(&world.app.admission, &next).await.unwrap();
    world.pass(3700);
    let later = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&later, 1).await;
    undelivered(&world, &later, 1, 30003).await;
    until_followed(&world, &later).await;
}

async fn who_wants_nothing_else_gets_nothing_else(engine: Engine) {
    let policy = Policy { failover: Failover::OnSilence, ..Policy::default() };
    let mut world = World::with(engine, policy);
    let (id, _) = world.sent().await;
    world.settle().await;
    assert!(world.record(&id).await.fails_over_at(1).is_some());
    verification::stay(&world.app.admission, &id).await.unwrap();
    world.pass(100);
    undelivered(&world, &id, 1, 30003).await;
    world.settle().await;
    let record = world.record(&id).await;
    assert_eq!((record.sends.len(), record.outbox.len()), (1, 0));
    assert_eq!(record.sends[0].not_followed.as_deref(), Some("who waits for the code wants nothing else"));
    // Who asks is sent to, at once, for the other way has failed; and what fails then is
    // not followed either.
    resend(&world.app, &id, Some(Channel::Call)).await.unwrap();
    until_followed(&world, &id).await;
    let called = world.record(&id).await;
    world.tell(told(&called, 2, Status::NoAnswer, None)).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT, (Channel::Call, None)]);
    verification::cancel(&world.app.admission, &id).await.unwrap();
    assert!(matches!(verification::stay(&world.app.admission, &id).await, Err(VerificationError::Ended(_))));
}

/// Whoever is first, the person is called at most once, and what was dropped says why.
async fn nothing_else_and_the_next_send_at_one_moment(engine: Engine) {
    for turn in 0..4 {
        let mut world = World::new(engine);
        let (id, _) = world.sent().await;
        world.crash().await;
        undelivered(&world, &id, 1, 30003).await;
        let (app, key) = (world.app.clone(), id.to_string());
        let follows = async {
            if turn % 2 == 1 {
                tokio::task::yield_now().await;
            }
            dialback::app::messaging::tend_verification(&app.messaging, &key).await
        };
        let (followed, stays) = tokio::join!(follows, verification::stay(&app.admission, &id));
        stays.unwrap();
        assert!(followed.is_ok(), "{followed:?}");
        world.work();
        world.settle().await;
        let record = world.record(&id).await;
        assert!(record.stays && record.outbox.is_empty(), "{record:?}");
        assert_eq!(world.gateway.orders().len(), 1, "it had not begun to leave: {record:?}");
        match record.sends.len() {
            1 => assert!(record.sends[0].not_followed.is_some(), "{record:?}"),
            _ => assert_eq!(record.why_dropped(2), Some(Dropped::Unwanted), "{record:?}"),
        }
    }
}

async fn silence_goes_on_where_it_is_asked_for(engine: Engine) {
    let policy = Policy { failover: Failover::OnSilence, ..Policy::default() };
    let mut world = World::with(engine, policy);
    let (id, _) = world.sent().await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT]);
    world.pass(46);
    until_followed(&world, &id).await;
    assert_eq!(sends(&world, &id).await, [TEXT, CALLED]);
    // Of one that arrived nothing more is sent.
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.pass(3700);
    let next = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&next, 1).await;
    let record = world.record(&next).await;
    world.tell(told(&record, 1, Status::Delivered, None)).await;
    world.pass(46);
    world.settle().await;
    let record = world.record(&next).await;
    assert_eq!((record.sends.len(), record.outbox.len(), record.sends[0].not_followed.clone()), (1, 0, None));
}

/// Nothing follows where it is off, where the person said no, where the code has done its
/// work, or where they asked for something else themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_follows_where_somebody_said_no() {
    for (why, code) in [("it was stopped", 21610), ("the person blocked it", 30004), ("it is fraud", 30450)] {
        let mut world = World::new(Engine::Memory);
        let (id, _) = world.sent().await;
        undelivered(&world, &id, 1, code).await;
        world.settle().await;
        assert_eq!(sends(&world, &id).await, [TEXT], "{why}");
    }
    let mut world = World::with(Engine::Memory, Policy { failover: Failover::Off, ..Policy::default() });
    let (id, _) = world.sent().await;
    undelivered(&world, &id, 1, 30003).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT], "it is off");

    let mut world = World::new(Engine::Memory);
    let (id, code) = world.sent().await;
    verification::check(&world.app.verifying, &id, Offer::from(code.as_str())).await.unwrap();
    undelivered(&world, &id, 1, 30003).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT], "it was approved");

    let mut world = World::new(Engine::Memory);
    let (id, _) = world.sent().await;
    world.crash().await;
    undelivered(&world, &id, 1, 30003).await;
    resend(&world.app, &id, Some(Channel::Call)).await.unwrap();
    world.work();
    until_followed(&world, &id).await;
    world.settle().await;
    assert_eq!(sends(&world, &id).await, [TEXT, (Channel::Call, None)], "they asked for a call themselves");
}

/// What only an operator can mend is told once for a service and a code, however often it
/// happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_an_operator_can_mend_is_told_once() {
    let mut world = World::new(Engine::Memory);
    world.work();
    for _ in 0..2 {
        let id = world.start(Channel::Sms).await.verification.id;
        world.until_accepted(&id, 1).await;
        undelivered(&world, &id, 1, 30007).await;
        verification::cancel(&world.app.admission, &id).await.unwrap();
    }
    world.app.admission.alerts.flush(&world.app.telling).await;
    let told: Vec<_> = world.at_rest().into_iter().filter(|body| body.contains("operator.alert")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("30007"), "{told:?}");
}

/// Who has told the sender to stop since is not called in the place of the text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_said_stop_since_is_not_called() {
    let mut world = World::new(Engine::Memory);
    let (id, _) = world.sent().await;
    let operator = Actor::operator();
    admission::set_opt_out(&world.app.admission, &operator, PERSON, None, true).await.unwrap();
    undelivered(&world, &id, 1, 30003).await;
    world.settle().await;
    let record = world.record(&id).await;
    assert_eq!(record.sends.len(), 1);
    let why = record.sends[0].not_followed.clone().unwrap();
    assert!(why.contains("opted out"), "{why}");
}
