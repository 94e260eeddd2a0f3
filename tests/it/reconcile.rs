//! What the provider has not reported is asked for: as rarely as it may be, by one process at
//! a time, and never of what was not sent.

use crate::support::{Engine, World, eventually, report};
use dialback::app::messaging;
use dialback::gateway::SendError;
use dialback::model::channel::Channel;
use dialback::model::delivery::{Delivery, Source};
use dialback::model::id::{Sid, VerificationId};
use dialback::model::status::Status;
use dialback::model::verification::Verification;
use dialback::store::records::{self, Versioned};
use std::time::Duration;

/// Longer than a message may be silent, however much that is stretched.
const SILENT: u64 = 160;

async fn delivery(world: &World, sid: &Sid) -> Delivery {
    let found: Option<Versioned<Delivery>> = records::get(&*world.store, sid.as_str()).await.unwrap();
    found.unwrap().record
}

/// A message whose reports are lost.
async fn silent(world: &mut World) -> (VerificationId, Sid) {
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&id, 1).await;
    let sid = world.record(&id).await.send(1).unwrap().sid.clone().unwrap();
    (id, sid)
}

/// The same when nobody works: whoever asks is asked to by the test.
async fn left_alone(engine: Engine) -> (World, VerificationId, Sid) {
    let mut world = World::new(engine);
    let (id, sid) = silent(&mut world).await;
    world.settle().await;
    world.crash().await;
    world.pass(SILENT);
    (world, id, sid)
}

fn asked(world: &World) -> Vec<Sid> {
    world.gateway.fetched.lock().unwrap().clone()
}

fn answers(world: &World, answers: impl IntoIterator<Item = Result<Option<Status>, SendError>>) {
    world.gateway.fetches.lock().unwrap().extend(answers);
}

async fn arrives_by_being_asked_for(engine: Engine) {
    let mut world = World::new(engine);
    let (_, sid) = silent(&mut world).await;
    world.pass(100);
    world.settle().await;
    assert_eq!(asked(&world), [], "it may still be on its way");
    answers(&world, [Ok(Some(Status::Delivered))]);
    world.pass(SILENT - 100);
    eventually("it is asked for", async || delivery(&world, &sid).await.status() == Some(Status::Delivered))
        .await;
    let known = delivery(&world, &sid).await;
    assert_eq!((known.events[0].fact.source, known.asking), (Source::Reconciled, None));
    world.pass(86_400);
    world.settle().await;
    assert_eq!(asked(&world), [sid], "what is over is asked for no more");
}

#[tokio::test]
async fn a_message_whose_receipts_are_lost_arrives_by_being_asked_for() {
    for engine in [Engine::Memory, Engine::Sled, Engine::Shared] {
        arrives_by_being_asked_for(engine).await;
    }
}

#[tokio::test]
async fn what_is_reported_in_time_is_never_asked_for() {
    let mut world = World::new(Engine::Memory);
    let (id, sid) = silent(&mut world).await;
    world.tell(report(sid.as_str(), Status::Delivered, Some(&id.delivery(1)), None)).await;
    world.pass(SILENT);
    world.settle().await;
    assert_eq!((asked(&world), delivery(&world, &sid).await.asking), (Vec::new(), None));
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_later_and_no_turn_is_spent() {
    let (world, _, sid) = left_alone(Engine::Memory).await;
    let after = Duration::from_secs(20);
    answers(&world, [Err(SendError::NotProcessed { code: Some(20429), reason: "scripted".into(), after })]);
    messaging::ask(&world.app.messaging, &[sid.as_str()]).await.unwrap();
    let put_off = delivery(&world, &sid).await;
    assert_eq!((put_off.asking.unwrap().turn, asked(&world).len()), (0, 1));
    assert!(put_off.ask_at() >= Some(world.later(20)), "as late as it wants, by the store's word");
    world.pass(60);
    // The process that was refused leaves it alone meanwhile; another one has not been.
    answers(&world, [Ok(Some(Status::Sent))]);
    messaging::ask(&world.beside(&world.clock).messaging, &[sid.as_str()]).await.unwrap();
    let sent = delivery(&world, &sid).await;
    assert_eq!((sent.status(), sent.events[0].fact.source), (Some(Status::Sent), Source::Reconciled));
    assert!(sent.asking.unwrap().turn > 0 && sent.ask_at() > Some(world.now()), "and once more, later");
}

#[tokio::test]
async fn what_the_provider_does_not_know_is_not_asked_for_again() {
    let (world, _, sid) = left_alone(Engine::Memory).await;
    for _ in 0..3 {
        messaging::ask(&world.app.messaging, &[sid.as_str()]).await.unwrap();
        world.pass(3600);
    }
    let gone = delivery(&world, &sid).await;
    assert_eq!((asked(&world), gone.ask_at(), gone.status()), (vec![sid], None, Some(Status::Queued)));
}

#[tokio::test]
async fn two_processes_ask_once() {
    let (world, _, sid) = left_alone(Engine::Memory).await;
    answers(&world, [Ok(Some(Status::Sent)), Ok(Some(Status::Sent))]);
    let (other, sids) = (world.beside(&world.clock), [sid.as_str()]);
    let (one, two) =
        tokio::join!(messaging::ask(&world.app.messaging, &sids), messaging::ask(&other.messaging, &sids));
    one.unwrap();
    two.unwrap();
    assert_eq!(asked(&world), [sid]);
}

#[tokio::test]
async fn what_was_only_pretended_and_what_goes_to_test_numbers_is_never_asked_for() {
    let shadow = |verification: &mut Verification| verification.sends[0].shadow = true;
    let test = |verification: &mut Verification| verification.test = true;
    for make in [shadow as fn(&mut Verification), test] {
        let (world, id, sid) = left_alone(Engine::Memory).await;
        let old: Versioned<Verification> = records::get(&*world.store, id.as_str()).await.unwrap().unwrap();
        let mut new = old.record.clone();
        make(&mut new);
        records::save(&*world.store, Some(&old), &new).await.unwrap();
        messaging::ask(&world.app.messaging, &[sid.as_str()]).await.unwrap();
        assert_eq!((asked(&world), delivery(&world, &sid).await.ask_at()), (Vec::new(), None));
    }
}
