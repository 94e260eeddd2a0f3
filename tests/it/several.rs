//! Several services on one store, whose clocks differ by seconds.

use crate::support::{Engine, Find, PERSON, Say, World, eventually, request};
use dialback::app::{App, Feed};
use dialback::clock::Clock;
use dialback::jobs;
use dialback::model::channel::Channel;
use dialback::model::event::Event;
use dialback::model::id::EventId;
use dialback::model::policy::Policy;
use dialback::model::verification::SendState;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::future::pending;
use std::time::Duration;
use tokio::task::JoinSet;

fn works(app: &App) -> impl Future<Output = ()> + Send + 'static {
    jobs::run(app.clone(), jobs::Settings::default(), pending())
}

fn ahead(world: &World, seconds: i64) -> Clock {
    Clock::stopped(world.now() + SignedDuration::from_secs(seconds))
}

#[tokio::test]
async fn what_several_processes_see_is_sent_once() {
    let world = World::new(Engine::Shared);
    let mut processes = JoinSet::new();
    for seconds in [-3, 0, 3] {
        processes.spawn(works(&world.beside(&ahead(&world, seconds))));
    }
    let mut ids = Vec::new();
    for n in 0..40 {
        let view = world.app.start(request(&format!("+1415555{n:04}"), Channel::Sms), None).await;
        ids.push(view.unwrap().view.verification.id);
    }
    for id in &ids {
        world.until_accepted(id, 1).await;
    }
    let mut sent: Vec<String> = world.gateway.orders().iter().map(|order| order.id.to_string()).collect();
    sent.sort();
    sent.dedup();
    assert_eq!((sent.len(), world.gateway.orders().len()), (40, 40));
}

#[tokio::test]
async fn a_worker_whose_clock_is_ahead_takes_nothing_over_that_may_still_be_under_way() {
    let mut world = World::new(Engine::Shared);
    world.script([Say::Silence], [Find::Nothing]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("the first has begun", async || world.gateway.orders().len() == 1).await;
    // The other one sees the time five seconds sooner.
    let clock = ahead(&world, 5);
    let mut other = JoinSet::new();
    other.spawn(works(&world.beside(&clock)));
    let pass = |seconds| {
        world.pass(seconds);
        clock.advance(Duration::from_secs(seconds));
    };
    // A request has ended by then, by the clock of its machine.
    pass(39);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((world.gateway.look_ups().len(), world.gateway.orders().len()), (0, 1));
    pass(1);
    eventually("it is looked up", async || world.gateway.look_ups().len() == 1).await;
    eventually("and sent again", async || world.gateway.orders().len() == 2).await;
    world.until_accepted(&id, 1).await;
    // What the first one says now is late, and changes nothing.
    world.gateway.release.notify_one();
    pass(100);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((world.gateway.look_ups().len(), world.gateway.orders().len()), (1, 2));
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
}

/// The claim is renewed every two seconds, by a clock that tests do not move.
#[tokio::test]
async fn a_send_that_takes_long_is_held_on_to_until_its_process_dies() {
    let lease = Duration::from_secs(16);
    let mut world = World::with(Engine::Shared, Policy { lease, ..Policy::default() });
    world.script([Say::Silence], [Find::It]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is being sent", async || world.gateway.orders().len() == 1).await;
    for _ in 0..2 {
        let before = world.record(&id).await.outbox[0].due;
        world.pass(14);
        eventually("it is held on to", async || world.record(&id).await.outbox[0].due > before).await;
    }
    assert_eq!((world.gateway.look_ups().len(), world.gateway.orders().len()), (0, 1));
    world.crash().await;
    world.work();
    world.pass(17);
    world.until_accepted(&id, 1).await;
    assert_eq!((world.gateway.look_ups().len(), world.gateway.orders().len()), (1, 1));
}

/// The next events, as many as there must be.
async fn told(feed: &mut Feed, count: usize) -> Vec<Event> {
    let mut told = Vec::new();
    while told.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(30), feed.next()).await;
        told.extend(next.expect("events in time").unwrap().expect("the stream goes on"));
    }
    told
}

fn ids(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.id.clone()).collect()
}

#[tokio::test]
async fn an_event_of_a_machine_whose_clock_is_behind_is_not_missed() {
    let world = World::new(Engine::Shared);
    let mut feed = world.app.feed(None, BTreeSet::new()).unwrap();
    world.pass(60);
    let late = world.beside(&ahead(&world, -4));
    world.app.start(request(PERSON, Channel::Sms), None).await.unwrap();
    let first = told(&mut feed, 1).await;
    late.start(request("+14155550124", Channel::Sms), None).await.unwrap();
    let second = told(&mut feed, 1).await;
    assert!(second[0].id < first[0].id, "it comes later and counts as earlier");
    assert!(ids(&first).is_disjoint(&ids(&second)), "each once");
    // Whoever comes again with the last one it saw misses nothing.
    let mut again = late.feed(Some(first[0].id.clone()), BTreeSet::new()).unwrap();
    let both = ids(&told(&mut again, 2).await);
    assert!(both.contains(&first[0].id) && both.contains(&second[0].id));
}
