//! Senders to choose from, over every engine: what one refuses goes by the next, what it has
//! taken by none, and what people told one of them holds for all.

use crate::engines::over_each_engine;
use crate::support::{Engine, Find, PERSON, Say, World, eventually, report};
use dialback::app::admission::{self, AdmissionError};
use dialback::app::messaging::{self, Step, VoiceRequest};
use dialback::app::verification::{self, VerificationError};
use dialback::model::account::{Accounts, Proof};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::message::Route;
use dialback::model::policy::{Failover, Policy};
use dialback::model::senders::{Sender, Senders, usual_channels};
use dialback::model::status::Status;
use dialback::model::verification::SendState;
use std::time::Duration;

over_each_engine![
    what_a_sender_refuses_goes_by_the_next_at_once,
    what_is_wrong_with_the_number_goes_by_nobody_else,
    a_busy_account_is_passed_over_and_left_alone,
    what_may_have_been_taken_is_looked_up_where_it_was_begun,
    a_death_between_two_senders_sends_once,
    nobody_who_said_stop_is_written_to_by_the_next_sender,
    another_account_settles_nothing_and_hears_nothing,
    what_did_not_arrive_goes_by_the_next_sender_where_the_service_says_so,
    who_refused_and_who_is_busy_are_passed_over_for_a_third,
    who_was_told_to_stop_is_nobody_to_go_on_by,
    what_the_provider_knows_of_a_stop_holds_for_all_senders,
    an_account_that_can_do_nothing_is_passed_over_with_all_its_senders,
    who_was_written_to_alone_may_use_its_own_words,
    a_stop_that_is_told_late_holds_for_all_senders,
];

const MAIN: &str = "AC0000000000000000000000000000000a";
const OTHER: &str = "AC0000000000000000000000000000000b";
/// In their order: that of the country before those of all countries.
const FIRST: &str = "+15005550001";
const SECOND: &str = "+15005550002";
const THIRD: &str = "+15005550003";

fn sender(name: &str, account: Option<&str>, countries: &[&str]) -> Sender {
    Sender {
        route: Route { sender: name.to_owned(), account: account.map(str::to_owned) },
        channels: usual_channels(name),
        countries: countries.iter().map(|country| (*country).to_owned()).collect(),
        services: Vec::new(),
        weight: 1,
    }
}

/// Two senders, of two accounts; the first one is that of the country.
fn world(engine: Engine) -> World {
    world_of(engine, Failover::Off)
}

fn world_of(engine: Engine, failover: Failover) -> World {
    let list = vec![sender(FIRST, None, &["US"]), sender(SECOND, Some(OTHER), &[])];
    let accounts =
        Accounts { main: Some(MAIN.into()), sending: [OTHER.into()].into(), ..Accounts::default() };
    let policy = Policy { failover, ..Policy::default() };
    let senders = Senders::new(list, None, None).of_account(Some(MAIN.to_owned()));
    World::of_senders(engine, policy, senders, accounts)
}

/// Three senders, the second one of the first one's account, for a service that asks for
/// nothing else.
fn world_of_three(engine: Engine) -> World {
    let shop = dialback::model::id::ServiceId::from_name("");
    let list = vec![
        Sender { services: vec![shop.clone()], ..sender(FIRST, None, &["US"]) },
        Sender { services: vec![shop], ..sender(SECOND, None, &[]) },
        sender(THIRD, Some(OTHER), &["US"]),
    ];
    let accounts =
        Accounts { main: Some(MAIN.into()), sending: [OTHER.into()].into(), ..Accounts::default() };
    let policy = Policy { failover: Failover::Off, ..Policy::default() };
    let senders = Senders::new(list, None, None).of_account(Some(MAIN.to_owned()));
    World::of_senders(engine, policy, senders, accounts)
}

fn proof(account: &str) -> Proof {
    Proof::new(Some(account.into()), "a token".into())
}

/// By whom the gateway was asked to send, in order.
fn asked(world: &World) -> Vec<String> {
    let orders = world.gateway.orders();
    orders.iter().map(|order| order.route.as_ref().map_or_else(String::new, |by| by.sender.clone())).collect()
}

async fn begun(world: &mut World) -> VerificationId {
    world.work();
    world.start(Channel::Sms).await.verification.id
}

async fn what_a_sender_refuses_goes_by_the_next_at_once(engine: Engine) {
    let mut world = world(engine);
    world.script([Say::Refused(21612), Say::Taken], []);
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [FIRST, SECOND]);
    let record = world.record(&id).await;
    let send = &record.sends[0];
    assert_eq!(
        (record.sends.len(), send.account()),
        (1, Some(OTHER)),
        "it is one send, of the other account"
    );
    assert_eq!(send.attempts.failures[0].code, Some(21612), "and says why");
    let sid = send.sid.clone().unwrap();
    let found = messaging::delivery(&world.app.base, sid.as_str()).await.unwrap();
    let messaging::Found::Delivery(delivery, _) = found else { panic!("{found:?}") };
    assert_eq!(delivery.about.account_sid.as_deref(), Some(OTHER));
}

async fn what_is_wrong_with_the_number_goes_by_nobody_else(engine: Engine) {
    let mut world = world(engine);
    // Landline; filtered, which the next number of a pool would only hide.
    for code in [21614, 30007] {
        world.script([Say::Refused(code)], []);
        let id = begun(&mut world).await;
        eventually("it has failed", async || {
            matches!(world.state(&id, 1).await, SendState::Failed { code: Some(known), .. } if known == code)
        })
        .await;
        verification::cancel(&world.app.admission, &id).await.unwrap();
        world.crash().await;
    }
    assert_eq!(asked(&world), [FIRST, FIRST]);
}

async fn a_busy_account_is_passed_over_and_left_alone(engine: Engine) {
    let mut world = world(engine);
    world.script([Say::NotProcessed(Duration::from_secs(20)), Say::Taken, Say::Taken], []);
    let first = begun(&mut world).await;
    world.until_accepted(&first, 1).await;
    verification::cancel(&world.app.admission, &first).await.unwrap();
    let second = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&second, 1).await;
    assert_eq!(asked(&world), [FIRST, SECOND, SECOND]);
    // The clock stood still: nobody has waited.
    assert!(world.record(&first).await.sends[0].not_by.is_empty(), "it may be asked again");
}

async fn what_may_have_been_taken_is_looked_up_where_it_was_begun(engine: Engine) {
    let mut world = world(engine);
    world.script([Say::Refused(21612), Say::Unknown], [Find::It]);
    let id = begun(&mut world).await;
    eventually("it is in doubt", async || world.record(&id).await.outbox.iter().any(|s| s.is_look_up()))
        .await;
    world.pass(20);
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [FIRST, SECOND]);
    let looked = world.gateway.look_ups();
    let by: Vec<_> = looked.iter().map(|look| look.route.clone().unwrap()).collect();
    assert_eq!(by, [Route { sender: SECOND.to_owned(), account: Some(OTHER.to_owned()) }]);
}

async fn a_death_between_two_senders_sends_once(engine: Engine) {
    let mut world = world(engine);
    world.script([Say::Refused(21612), Say::Silence], [Find::It]);
    let id = begun(&mut world).await;
    eventually("the second is asked", async || world.gateway.orders().len() == 2).await;
    world.crash().await;
    world.gateway.release.notify_waiters();
    let record = world.record(&id).await;
    assert_eq!(record.sends[0].route.as_ref().unwrap().sender, SECOND, "written before it was asked");
    world.pass(60);
    world.work();
    world.until_accepted(&id, 1).await;
    assert_eq!((asked(&world), world.gateway.taken()), (vec![FIRST.to_owned(), SECOND.to_owned()], 1));
}

async fn say(world: &World, sender: &str, opted_out: bool) {
    let (admission, actor) = (&world.app.admission, Actor::operator());
    admission::set_opt_out(admission, &actor, PERSON, Some(sender), opted_out).await.unwrap();
}

async fn nobody_who_said_stop_is_written_to_by_the_next_sender(engine: Engine) {
    let mut world = world(engine);
    say(&world, FIRST, true).await;
    let request = || crate::support::request(PERSON, Channel::Sms);
    let refused = verification::start(&world.app.verifying, request(), None).await.err().unwrap();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::OptedOut)), "{refused:?}");
    // Who then writes START to the other one is written to by that, and by no other.
    world.pass(1);
    say(&world, SECOND, false).await;
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [SECOND]);
    // What was promised leaves by nobody once the last word is to stop.
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.crash().await;
    let id = world.start(Channel::Sms).await.verification.id;
    world.pass(1);
    say(&world, SECOND, true).await;
    world.work();
    eventually("it is not sent", async || {
        matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21610), .. })
    })
    .await;
    assert_eq!(asked(&world), [SECOND]);
}

async fn another_account_settles_nothing_and_hears_nothing(engine: Engine) {
    let mut world = world(engine);
    world.script([Say::Silence], []);
    let id = begun(&mut world).await;
    eventually("it is asked", async || world.gateway.orders().len() == 1).await;
    let own = world.record(&id).await.delivery_id(1);
    // It sends, too, but did not send this one.
    let told = || report(&format!("SM{:032x}", 77), Status::Delivered, Some(&own), Some(PERSON));
    let recorded = messaging::record(&world.app.messaging, &proof(OTHER), told()).await.unwrap();
    assert_eq!((recorded.delivery.id, world.state(&id, 1).await), (None, SendState::Sending));
    let told = report(&format!("SM{:032x}", 78), Status::Sent, Some(&own), Some(PERSON));
    messaging::record(&world.app.messaging, &proof(MAIN), told).await.unwrap();
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    world.gateway.release.notify_waiters();
    verification::cancel(&world.app.admission, &id).await.unwrap();

    let call = world.start(Channel::Call).await.verification.id;
    world.until_accepted(&call, 1).await;
    let record = world.record(&call).await;
    let request = |step| VoiceRequest {
        verification: call.clone(),
        number: 1,
        sid: record.sends[0].sid.clone().unwrap(),
        from: None,
        to: Some(PERSON.to_owned()),
        machine: false,
        step,
    };
    let foreign = messaging::speak(&world.app.messaging, &proof(OTHER), request(Step::Answered)).await;
    assert!(foreign.is_err(), "a code was offered to another account");
    assert!(messaging::speak(&world.app.messaging, &proof(MAIN), request(Step::Answered)).await.is_ok());
}

async fn what_did_not_arrive_goes_by_the_next_sender_where_the_service_says_so(engine: Engine) {
    let mut world = world_of(engine, Failover::OnFailure);
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    let record = world.record(&id).await;
    let sid = record.sends[0].sid.clone().unwrap();
    let mut told = report(sid.as_str(), Status::Undelivered, Some(&record.delivery_id(1)), Some(PERSON));
    told.fact.error_code = Some(21612);
    messaging::record(&world.app.messaging, &proof(MAIN), told).await.unwrap();
    eventually("it is followed", async || {
        world.record(&id).await.send(2).is_some_and(|send| send.state == SendState::Accepted)
    })
    .await;
    let record = world.record(&id).await;
    assert_eq!((record.sends[1].channel, record.sends[1].follows), (Channel::Sms, Some(1)));
    assert_eq!(asked(&world), [FIRST, SECOND]);
    // Nobody is left of this channel then.
    let sid = record.sends[1].sid.clone().unwrap();
    let mut told = report(sid.as_str(), Status::Undelivered, Some(&record.delivery_id(2)), Some(PERSON));
    told.fact.error_code = Some(21612);
    messaging::record(&world.app.messaging, &proof(OTHER), told).await.unwrap();
    eventually("it is called", async || world.record(&id).await.sends.len() == 3).await;
    assert_eq!(world.record(&id).await.sends[2].channel, Channel::Call);
}

/// By whom it is sent in the end, of three.
async fn who_refused_and_who_is_busy_are_passed_over_for_a_third(engine: Engine) {
    let mut world = world_of_three(engine);
    world.script([Say::Refused(21612), Say::NotProcessed(Duration::from_secs(20)), Say::Taken], []);
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [FIRST, SECOND, THIRD]);
    let send = world.record(&id).await.sends[0].clone();
    assert_eq!((send.account(), &*send.not_by), (Some(OTHER), &[FIRST.to_owned()][..]));
}

async fn who_was_told_to_stop_is_nobody_to_go_on_by(engine: Engine) {
    let mut world = world_of_three(engine);
    say(&world, FIRST, true).await;
    say(&world, THIRD, true).await;
    world.pass(1);
    say(&world, SECOND, false).await;
    world.script([Say::NotProcessed(Duration::from_secs(5)), Say::Taken], []);
    let id = begun(&mut world).await;
    eventually("it waits", async || world.gateway.orders().len() == 1).await;
    world.settle().await;
    assert_eq!(asked(&world), [SECOND], "nobody is asked at once who asked to be left alone");
    world.pass(31);
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [SECOND, SECOND]);
}

async fn what_the_provider_knows_of_a_stop_holds_for_all_senders(engine: Engine) {
    let mut world = world_of_three(engine);
    world.script([Say::Refused(21610)], []);
    let id = begun(&mut world).await;
    eventually("it has failed", async || {
        matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21610), .. })
    })
    .await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    let request = crate::support::request(PERSON, Channel::Sms);
    let refused = verification::start(&world.app.verifying, request, None).await.err().unwrap();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::OptedOut)), "{refused:?}");
    assert_eq!(asked(&world), [FIRST]);
}

async fn an_account_that_can_do_nothing_is_passed_over_with_all_its_senders(engine: Engine) {
    let mut world = world_of_three(engine);
    world.script([Say::Refused(20003), Say::Taken], []);
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [FIRST, THIRD]);
    // A trial account says that of the number: nobody else is asked.
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.script([Say::Refused(21608)], []);
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it has failed", async || {
        matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21608), .. })
    })
    .await;
    assert_eq!(asked(&world).len(), 3);
}

/// On WhatsApp without a template another sender is no way on: it waits as it always does.
async fn who_was_written_to_alone_may_use_its_own_words(engine: Engine) {
    let shop = dialback::model::id::ServiceId::from_name("");
    let own = "whatsapp:+15005550006";
    let listed = |name: &str| Sender { services: vec![shop.clone()], ..sender(name, None, &[]) };
    let list = vec![listed(own), listed("whatsapp:+15005550007")];
    let accounts = Accounts { main: Some(MAIN.into()), ..Accounts::default() };
    let policy = Policy { failover: Failover::Off, channels: vec![Channel::Whatsapp], ..Policy::default() };
    let mut world = World::of_senders(engine, policy, Senders::new(list, None, None), accounts);
    let person = format!("whatsapp:{PERSON}");
    messaging::wrote(&world.app.messaging, &proof(MAIN), &person, &[own]).await.unwrap();
    world.script([Say::NotProcessed(Duration::from_secs(5)), Say::Taken], []);
    world.work();
    let id = world.start(Channel::Whatsapp).await.verification.id;
    eventually("it is asked", async || world.gateway.orders().len() == 1).await;
    world.settle().await;
    assert_eq!(asked(&world), [own]);
    world.pass(31);
    world.until_accepted(&id, 1).await;
    assert_eq!(asked(&world), [own, own]);
}

/// A messaging service takes a message and says only later that the person has told it to
/// stop (21610).
async fn a_stop_that_is_told_late_holds_for_all_senders(engine: Engine) {
    let mut world = world_of_three(engine);
    let id = begun(&mut world).await;
    world.until_accepted(&id, 1).await;
    let record = world.record(&id).await;
    let sid = record.sends[0].sid.clone().unwrap();
    let mut told = report(sid.as_str(), Status::Failed, Some(&record.delivery_id(1)), Some(PERSON));
    (told.fact.error_code, told.about.from) = (Some(21610), Some(FIRST.to_owned()));
    messaging::record(&world.app.messaging, &proof(MAIN), told).await.unwrap();
    verification::cancel(&world.app.admission, &id).await.unwrap();
    let request = crate::support::request(PERSON, Channel::Sms);
    let refused = verification::start(&world.app.verifying, request, None).await.err().unwrap();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::OptedOut)), "{refused:?}");
}
