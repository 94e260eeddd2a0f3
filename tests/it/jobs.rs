//! Work that falls due: nothing keeps anything else waiting, what fails for good is
//! set aside and shown, and processes on one store keep out of each other's way.

use crate::engines::over_each_engine;
use crate::over::store_over;
use crate::support::{Engine, Find, PERSON, Say, Script, World, eventually, parts, proof, report, request};
use dialback::app::verification::{self, Idempotency};
use dialback::app::{App, admin, events, messaging, privacy};
use dialback::clock::Clock;
use dialback::gateway::SendError;
use dialback::jobs::{self, Settings};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::counter::Counter;
use dialback::model::delivery::Delivery;
use dialback::model::erasure::{Erasure, Place, State};
use dialback::model::status::Status;
use dialback::model::verification::Verification;
use dialback::store::memory::Memory;
use dialback::store::records::{self, Record};
use dialback::store::{
    Change, Commit, CountedError, Due, Entry, Key, Kind, Lane, Maintenance, Scan, Store, StoreError, kinds,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

const TWICE: Settings = Settings {
    sweep_hour: None,
    looks_at_templates: false,
    max_person_in_flight: 32,
    max_chores_in_flight: 2,
    max_long_in_flight: 1,
    max_bulk_in_flight: 8,
    set_aside_after: 2,
    backoff: Duration::from_millis(1),
    drain: Duration::from_secs(20),
};

/// A count that is due then.
fn counter(n: u32, due: Timestamp) -> Counter {
    let ends_at = due - SignedDuration::from_mins(5);
    Counter { ends_at, ..Counter::new(format!("{n:08}")) }
}

/// A record of a kind that does not read.
fn unread(n: u32, at: Timestamp) -> Change {
    Change {
        body: Some(br#"{"format":1,"record":{"to":"+14155550123"}}"#.to_vec()),
        ..records::put(None, &counter(n, at))
    }
}

over_each_engine!(
    what_panics_is_set_aside_shown_and_tried_again,
    what_does_not_read_goes_aside_alone,
    what_is_dropped_unread_leaves_no_line_behind,
    what_somebody_was_given_nobody_else_is_given,
);

async fn what_panics_is_set_aside_shown_and_tried_again(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::Panic, Find::It);
    let id = world.start(Channel::Sms).await.verification.id;
    let name = format!("verification/{id}");
    world.script([Say::Panic, Say::Panic], []);
    world.always(Say::Panic, Find::Nothing);
    world.work_within(TWICE);
    for nth in 1..=20 {
        eventually("it is tried, or was set aside", async || {
            world.gateway.orders().len() >= nth
                || !admin::queue(&world.app.base).await.unwrap().aside.is_empty()
        })
        .await;
        if !admin::queue(&world.app.base).await.unwrap().aside.is_empty() {
            break;
        }
        world.pass(60);
    }
    let queue = admin::queue(&world.app.base).await.unwrap();
    assert_eq!(queue.aside.len(), 1, "{queue:?}");
    let trouble = queue.aside[0].trouble.clone().unwrap();
    assert_eq!((queue.aside[0].name.as_str(), trouble.failures), (name.as_str(), 2));
    assert!(trouble.reason.contains("panicked") && !trouble.reason.contains("4155550123"), "{trouble:?}");
    let tried = world.gateway.orders().len();
    assert!(tried <= 2, "{tried} times");
    // Nothing happens to it by itself, and it holds together.
    world.pass(120);
    assert_eq!(crate::care::checked(&*world.store).await.damage, Vec::<String>::new());
    assert_eq!(world.gateway.orders().len(), tried);
    world.always(Say::Taken, Find::It);
    admin::retry_job(&world.app.base, &Actor::operator(), &name).await.unwrap();
    world.until_accepted(&id, 1).await;
    let queue = admin::queue(&world.app.base).await.unwrap();
    assert!(queue.aside.is_empty() && queue.troubled.is_empty(), "{queue:?}");
    assert!(admin::retry_job(&world.app.base, &Actor::operator(), &name).await.is_err(), "it is not there");
}

async fn what_does_not_read_goes_aside_alone(engine: Engine) {
    let mut world = World::new(engine);
    let now = world.now();
    let at = |n: u32| now - SignedDuration::from_secs(i64::from(n));
    let good: Vec<Change> = (0..150).map(|n| records::put(None, &counter(n, at(n)))).collect();
    for some in good.chunks(Change::MAX_COMMIT) {
        world.store.commit(some.to_vec()).await.unwrap();
    }
    world.store.commit(vec![unread(999, at(500))]).await.unwrap();
    let before = world.store.stats().await.unwrap().commits;
    world.work_within(TWICE);
    let counters = async || world.store.walk(Kind::Counter, None, 999).await.unwrap().len();
    eventually("the others go", async || counters().await == 1).await;
    eventually("it is aside", async || admin::queue(&world.app.base).await.unwrap().aside.len() == 1).await;
    let queue = admin::queue(&world.app.base).await.unwrap();
    let aside = &queue.aside[0];
    assert!(aside.name.starts_with("tally/~") && aside.kind == "tally" && aside.due == at(500), "{aside:?}");
    let reason = &aside.trouble.as_ref().unwrap().reason;
    assert!(reason.contains("does not read") && !reason.contains("4155550123"), "{reason}");
    // A hundred and fifty in few commits, and one that sets aside.
    let commits = world.store.stats().await.unwrap().commits - before;
    assert!(commits <= 10, "{commits} commits");
    admin::drop_job(&world.app.base, &Actor::operator(), &aside.name).await.unwrap();
    assert_eq!((counters().await, admin::queue(&world.app.base).await.unwrap().aside.len()), (0, 0));
    assert_eq!(world.store.due_in(Lane::Aside, Timestamp::MAX, 9).await.unwrap(), []);
}

async fn what_is_dropped_unread_leaves_no_line_behind(engine: Engine) {
    let world = World::new(engine);
    let key = async |to| {
        let started =
            verification::start(&world.app.verifying, request(to, Channel::Sms), None).await.unwrap();
        Key::new(Kind::Verification, started.view.verification.id.as_str())
    };
    let (bad, good) = (key(PERSON).await, key("+14155550124").await);
    let stored = world.store.read(&bad).await.unwrap().unwrap();
    let facts = kinds::facts(&bad, &stored.body).unwrap();
    let unread = Change {
        key: bad.clone(),
        expected: stored.version,
        body: Some(br#"{"format":1,"record":{}}"#.to_vec()),
        due_before: facts.due,
        due_after: facts.due.map(|due| Due { lane: Lane::Aside, ..due }),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    world.store.commit(vec![unread]).await.unwrap();
    let lines = async |key: &Key| {
        let lines = world.store.entries_of(key).await.unwrap();
        lines.into_iter().collect::<BTreeSet<Entry>>()
    };
    let all: BTreeSet<Entry> = facts.entries.into_iter().collect();
    assert!(all.len() > 1 && lines(&bad).await == all, "{all:?}");
    admin::drop_job(&world.app.base, &Actor::operator(), &format!("verification/{}", bad.id)).await.unwrap();
    assert_eq!((lines(&bad).await.len(), lines(&good).await.len()), (0, all.len()));
    assert_eq!(world.store.check().await.unwrap().damage, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_person_waits_for_stands_in_front_of_every_chore() {
    let world = World::new(Engine::Memory);
    for n in 0..20 {
        let some = (n * 50..n * 50 + 50).map(|n| records::put(None, &counter(n, world.later(-3600))));
        world.store.commit(some.collect()).await.unwrap();
    }
    let id = world.start(Channel::Sms).await.verification.id;
    let due = world.store.due(world.now(), 5).await.unwrap();
    assert_eq!(due.iter().map(|(key, _)| key.id.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    let queue = admin::queue(&world.app.base).await.unwrap();
    let told: Vec<_> = queue.depths.iter().map(|one| (one.lane, one.kind, one.waiting)).collect();
    assert_eq!(told, [("person", "verification", 1), ("chore", "tally", 1000)]);
    assert_eq!(queue.at.duration_since(queue.depths[1].oldest), SignedDuration::from_hours(1));
}

async fn what_somebody_was_given_nobody_else_is_given(engine: Engine) {
    let world = World::new(engine);
    if engine == Engine::Sled {
        // One process has it, and nobody else asks.
        return;
    }
    for n in 0..10 {
        world.store.commit(vec![records::put(None, &counter(n, world.now()))]).await.unwrap();
    }
    let minute = Duration::from_secs(60);
    let claim = async |limit| world.store.claim(Lane::Chore, world.now(), limit, minute).await.unwrap();
    let (first, second) = (claim(6).await, claim(9).await);
    let both: BTreeSet<Key> = first.iter().chain(&second).map(|(key, _)| key.clone()).collect();
    assert_eq!((first.len(), second.len(), both.len()), (6, 4, 10));
    assert_eq!(claim(9).await, []);
    assert_eq!(world.store.due_in(Lane::Chore, world.now(), 99).await.unwrap().len(), 10, "still due");
    // Who writes it and lets it be due at another time has it free for all.
    let old = records::get::<Counter>(&*world.store, &first[0].0.id).await.unwrap().unwrap();
    let later = counter(old.record.id.parse().unwrap(), world.later(-5));
    world.store.commit(vec![records::put(Some(&old), &later)]).await.unwrap();
    assert_eq!(claim(9).await, [(first[0].0.clone(), world.later(-5))]);
}

/// A store that says how often it was asked for a listing.
struct Asked(Memory, Arc<AtomicUsize>);

store_over!(Asked, 0, [read commit due_in], {
    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.scan(scan).await
    }
});

#[tokio::test]
async fn a_stream_that_is_up_to_date_reads_nothing_and_then_only_what_is_new() {
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let scans = Arc::new(AtomicUsize::new(0));
    let store: Arc<dyn Maintenance> = Arc::new(Asked(Memory::new(), scans.clone()));
    let app = App::new(parts(&store, &Arc::new(Script::default()), &clock));
    let mut feed = events::feed(&app.telling, None, BTreeSet::new()).unwrap();
    verification::start(&app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap().len(), 1);
    clock.advance(Duration::from_secs(7200));
    // It looks once more up to now, and then no more, however often it wakes.
    let idle = tokio::time::timeout(Duration::from_millis(2500), feed.next()).await;
    assert!(idle.is_err(), "nothing happened");
    let up_to_date = scans.load(Ordering::SeqCst);
    let idle = tokio::time::timeout(Duration::from_millis(1500), feed.next()).await;
    assert!(idle.is_err() && scans.load(Ordering::SeqCst) == up_to_date);
    verification::start(&app.verifying, request("+14155550124", Channel::Sms), None).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap().len(), 1);
    assert!(scans.load(Ordering::SeqCst) <= up_to_date + 2, "from where it was, and not from two hours ago");
}

/// An erasure goes through all there is in pages, and is due again in between.
#[tokio::test]
async fn an_erasure_goes_on_where_it_was_left() {
    let world = World::new(Engine::Memory);
    for n in 0..40 {
        let sid = format!("SM{n:032x}");
        messaging::record(
            &world.app.messaging,
            &proof(),
            report(&sid, Status::Delivered, None, Some(PERSON)),
        )
        .await
        .unwrap();
    }
    let begun = erasure_begun(&world.app).await;
    let old =
        records::get::<dialback::model::erasure::Erasure>(&*world.store, begun.id.as_str()).await.unwrap();
    let old = old.unwrap();
    // As a page leaves it, in the middle of the deliveries.
    let place = dialback::model::erasure::Place::Record {
        kind: Kind::Delivery.name().to_owned(),
        id: format!("SM{:032x}", 19),
    };
    let paused = old.record.claimed(world.now()).paused(place, world.now());
    assert_eq!(Record::lane(&paused), Lane::Long);
    world.store.commit(vec![records::put(Some(&old), &paused)]).await.unwrap();
    privacy::tend_erasure(&world.app.privacy, begun.id.as_str()).await.unwrap();
    let after = privacy::erasure(&world.app.base, &begun.id).await.unwrap();
    assert_eq!((after.attempts, after.place, after.deleted["delivery"]), (1, None, 20), "the second half");
}

/// An erasure of the person's data, asked for and not yet done.
async fn erasure_begun(app: &App) -> Erasure {
    let options = privacy::EraseOptions::default();
    privacy::erase(&app.privacy, &Actor::operator(), PERSON, options).await.unwrap()
}

/// A store whose commits take a while.
struct Slow(Memory);

store_over!(Slow, 0, [read due_in scan], {
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.0.commit_counted(commit).await
    }
});

/// What is listed under a number is gone through first, and that ends with its page, too.
#[tokio::test]
async fn the_first_page_of_an_erasure_ends_in_time_however_much_is_listed() {
    const ALL: usize = 150;
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let store: Arc<dyn Maintenance> = Arc::new(Slow(Memory::new()));
    let app = App::new(parts(&store, &Arc::new(Script::default()), &clock));
    let first = verification::start(&app.verifying, request(PERSON, Channel::Sms), None)
        .await
        .unwrap()
        .view
        .verification
        .id;
    let first = records::get::<Verification>(&*store, first.as_str()).await.unwrap().unwrap().record;
    let more = (1..ALL).map(|n| Verification { id: format!("VE{n:032x}").parse().unwrap(), ..first.clone() });
    let more: Vec<Change> = more.map(|one| records::put(None, &one)).collect();
    for some in more.chunks(Change::MAX_COMMIT) {
        store.commit(some.to_vec()).await.unwrap();
    }
    let begun = erasure_begun(&app).await;
    privacy::erase_page(&app.privacy, begun.id.as_str()).await.unwrap();
    let after = privacy::erasure(&app.base, &begun.id).await.unwrap();
    let deleted = after.deleted["verification"];
    assert!(after.place.is_some() && (1..ALL as u64).contains(&deleted), "{after:?}");
    privacy::tend_erasure(&app.privacy, begun.id.as_str()).await.unwrap();
    let after = privacy::erasure(&app.base, &begun.id).await.unwrap();
    assert_eq!((after.state, after.attempts, after.deleted["verification"]), (State::Done, 1, ALL as u64));
}

/// With something left the number stays; what is behind the walk is done all the same
/// without another one, and failures at Twilio are counted over all pages.
#[tokio::test]
async fn an_erasure_with_something_left_goes_on_behind_its_walk_and_ends() {
    let world = World::new(Engine::Memory);
    let deliver = async |nth: u32| {
        let sid = format!("SM{nth:032x}");
        messaging::record(
            &world.app.messaging,
            &proof(),
            report(&sid, Status::Delivered, None, Some(PERSON)),
        )
        .await
        .unwrap();
    };
    for nth in 0..20 {
        deliver(nth).await;
    }
    let refusal = || SendError::Refused { code: Some(20003), reason: "scripted".into() };
    world.gateway.redactions.lock().unwrap().extend((0..20).map(|_| refusal()));
    let begun = erasure_begun(&world.app).await;
    privacy::tend_erasure(&world.app.privacy, begun.id.as_str()).await.unwrap();
    let tried = || world.gateway.redacted.lock().unwrap().len();
    assert_eq!(tried(), 10);
    let asked = world.gateway.redacted.lock().unwrap().clone();
    deliver(99).await;
    let old = records::get::<Erasure>(&*world.store, begun.id.as_str()).await.unwrap().unwrap();
    // As a page leaves it that Twilio took nothing of, with a message under way here.
    let at = records::get::<Delivery>(&*world.store, asked[0].as_str()).await.unwrap().unwrap();
    let place = Place::Delivery { at: at.record.first_seen, id: asked[0].as_str().to_owned(), failures: 8 };
    let mut paused = old.record.claimed(world.now()).paused(place, world.now());
    paused.number = begun.number.clone();
    paused.leave("verification", "under way");
    world.store.commit(vec![records::put(Some(&old), &paused)]).await.unwrap();
    privacy::tend_erasure(&world.app.privacy, begun.id.as_str()).await.unwrap();
    let after = privacy::erasure(&world.app.base, &begun.id).await.unwrap();
    assert_eq!(tried() - asked.len(), 2, "the ninth and the tenth in a row");
    assert_eq!(after.deleted["delivery"], 20, "nothing was gone through again");
    assert_eq!((after.place, after.state, after.number), (None, State::Running, begun.number));
    assert!(after.next_at.is_some_and(|at| at > world.now()) && after.left.len() >= 2, "{:?}", after.left);
}

/// A lane whose places are all taken waits for one of them, whatever becomes due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_without_a_place_does_not_turn() {
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let shortly = Clock::stopped("2026-11-20T09:00:00.010Z".parse().unwrap());
    let (rounds, gateway) = (Arc::new(AtomicUsize::new(0)), Arc::new(Script::default()));
    let store: Arc<dyn Maintenance> = Arc::new(Rounds(Memory::new(), rounds.clone()));
    let app = App::new(parts(&store, &gateway, &clock));
    let later = App::new(parts(&store, &gateway, &shortly));
    gateway.says.lock().unwrap().push_back(Say::Silence);
    verification::start(&app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    verification::start(&later.verifying, request("+14155550124", Channel::Sms), None).await.unwrap();
    let settings = Settings { max_person_in_flight: 1, ..Settings::default() };
    let worker = tokio::spawn(jobs::run(app, settings, pending()));
    eventually("the first one hangs", async || gateway.orders().len() == 1).await;
    clock.advance(Duration::from_millis(20));
    let before = rounds.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let turned = rounds.load(Ordering::SeqCst) - before;
    assert!(turned < 50, "{turned} looks at a lane that has no place");
    gateway.release.notify_one();
    eventually("the second one has its turn", async || gateway.orders().len() >= 2).await;
    worker.abort();
}

/// What is over is not shown as trouble for ever, and what is new always is.
#[tokio::test]
async fn troubles_that_are_over_are_shown_no_more_and_new_ones_always_are() {
    let world = World::new(Engine::Memory);
    let app = world.app.clone();
    let note = |n: u32| {
        app.base.board.note_trouble(
            &Key::new(Kind::Verification, format!("VE{n:04}")),
            1,
            "no",
            app.base.now(),
        )
    };
    note(0);
    world.clock.advance(Duration::from_secs(1));
    (1..=1000).for_each(note);
    let troubled = admin::queue(&world.app.base).await.unwrap().troubled;
    let names: BTreeSet<&str> = troubled.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names.len(), names.contains("verification/VE1000")), (1000, true));
    assert!(!names.contains("verification/VE0000"), "the oldest makes room");
    world.pass(9 * 60);
    note_again(&world.app);
    world.pass(2 * 60);
    let troubled = admin::queue(&world.app.base).await.unwrap().troubled;
    assert_eq!(troubled.len(), 1, "the one that failed again");
}

fn note_again(app: &App) {
    app.base.board.note_trouble(&Key::new(Kind::Verification, "VE0007"), 2, "no", app.base.now());
}

/// A store that commits the deletion of counts only as far as it is let, and says
/// when one waits.
struct Held(Memory, Arc<Semaphore>, Arc<Semaphore>);

store_over!(Held, 0, [read due_in scan], {
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        if commit.changes.iter().any(|change| change.key.kind == Kind::Counter && change.body.is_none()) {
            self.2.add_permits(1);
            self.1.acquire().await.unwrap().forget();
        }
        self.0.commit_counted(commit).await
    }
});

/// An idempotency key that was used long ago and comes again is free as soon as a chore
/// has a place, however many others are due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_answer_that_somebody_waits_for_goes_before_all_chores() {
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let let_go = Arc::new(Semaphore::new(0));
    let taken = Arc::new(Semaphore::new(0));
    let store: Arc<dyn Maintenance> = Arc::new(Held(Memory::new(), let_go.clone(), taken.clone()));
    let app = App::new(parts(&store, &Arc::new(Script::default()), &clock));
    let key = || Some(Idempotency { caller: "a".into(), key: "b".into() });
    let first = verification::start(&app.verifying, request(PERSON, Channel::Sms), key()).await.unwrap();
    for n in 0..20 {
        let some = (n * 50..n * 50 + 50).map(|n| records::put(None, &counter(n, clock.now())));
        store.commit(some.collect()).await.unwrap();
    }
    clock.advance(Duration::from_secs(25 * 3600));
    let settings = Settings { max_chores_in_flight: 1, ..Settings::default() };
    let worker = tokio::spawn(jobs::run(app.clone(), settings, pending()));
    taken.acquire().await.unwrap().forget();
    let again = tokio::spawn(async move {
        verification::start(&app.verifying, request(PERSON, Channel::Sms), key()).await
    });
    // It gives up where it waits too long; that it was asked for stays.
    let answer = again.await.unwrap();
    assert!(answer.is_err(), "the only place is taken: {answer:?}");
    let answers = async || store.walk(Kind::IdempotencyRecord, None, 9).await.unwrap().len();
    assert_eq!(answers().await, 1, "of {}", first.view.verification.id);
    let_go.add_permits(1);
    eventually("it goes next", async || answers().await == 0).await;
    let left = store.walk(Kind::Counter, None, 9999).await.unwrap().len();
    assert!(left >= 1000 - 64, "{left} of a thousand");
    worker.abort();
}

/// A store that is asked once in each round of a lane whether others work on it.
struct Rounds(Memory, Arc<AtomicUsize>);

store_over!(Rounds, 0, [read commit due_in scan], {
    fn is_shared(&self) -> bool {
        self.1.fetch_add(1, Ordering::SeqCst);
        false
    }
});

/// What is due in the lanes of before is found in the ones of now.
#[tokio::test]
async fn older_processes_on_one_database_file_what_newer_ones_find() {
    let Some(database) = crate::postgres::database("lanes of older processes").await else { return };
    let store = database.open().await;
    let at = Timestamp::from_second(1_000).unwrap();
    for n in 0..5 {
        store.commit(vec![records::put(None, &counter(n, at))]).await.unwrap();
    }
    let client = database.client().await;
    client.execute("UPDATE dialback_record SET lane = 0", &[]).await.unwrap();
    assert_eq!(store.due(Timestamp::MAX, 9).await.unwrap(), [], "it hides no person's");
    let next = database.open().await;
    assert_eq!(next.due_in(Lane::Chore, Timestamp::MAX, 9).await.unwrap().len(), 5);
    let lane: i16 = client.query_one("SELECT max(lane) FROM dialback_record", &[]).await.unwrap().get(0);
    assert_eq!((lane, next.check().await.unwrap().damaged), (Lane::Chore.number(), 0));
    let due = Due { at, lane: Lane::Chore };
    let absent = next.absent(&[(Key::new(Kind::Counter, "00000001"), due)], &[]).await.unwrap();
    assert_eq!(absent.due, []);
}

/// However much was set aside before it, the operator reaches it by its name.
#[tokio::test]
async fn what_was_set_aside_behind_a_thousand_others_is_found() {
    let world = World::new(Engine::Memory);
    let aside = |n: i64| {
        let due = Due { at: Timestamp::from_second(n).unwrap(), lane: Lane::Aside };
        let key = Key::new(Kind::Event, format!("E{n}"));
        Change { key, due_after: Some(due), ..unread(0, due.at) }
    };
    for first in (0..1100).step_by(50) {
        world.store.commit((first..first + 50).map(aside).collect()).await.unwrap();
    }
    let (base, operator) = (&world.app.base, Actor::operator());
    admin::drop_job(base, &operator, "event/E1099").await.unwrap();
    admin::retry_job(base, &operator, "event/E1098").await.unwrap();
    assert!(admin::drop_job(base, &operator, "event/E1099").await.is_err(), "it is gone");
    assert_eq!(world.store.due_in(Lane::Aside, Timestamp::MAX, 9999).await.unwrap().len(), 1098);
    assert_eq!(world.store.due_in(Lane::Chore, Timestamp::MAX, 9999).await.unwrap().len(), 1);
}
