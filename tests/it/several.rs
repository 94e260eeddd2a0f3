//! Several services on one store, whose clocks differ by seconds.

use crate::over::store_over;
use crate::postgres::{Server, TestDatabase, database};
use crate::support::{Engine, Find, PERSON, Say, Script, World, eventually, parts, request};
use dialback::app::events::{self, EventQuery, Feed};
use dialback::app::{App, Parts, Window, verification};
use dialback::clock::Clock;
use dialback::jobs;
use dialback::model::channel::Channel;
use dialback::model::counter::Counter;
use dialback::model::event::{Event, EventBody, EventType};
use dialback::model::id::EventId;
use dialback::model::limits::Limits;
use dialback::model::policy::Policy;
use dialback::model::verification::SendState;
use dialback::store::memory::Memory;
use dialback::store::postgres::{Options, Postgres};
use dialback::store::{Entry, Index, Key, Kind, Lane, Maintenance, Scan, Store, StoreError, records};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        let view = verification::start(
            &world.app.verifying,
            request(&format!("+1415555{n:04}"), Channel::Sms),
            None,
        )
        .await;
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
    let mut feed = events::feed(&world.app.telling, None, BTreeSet::new()).unwrap();
    world.pass(60);
    let late = world.beside(&ahead(&world, -4));
    verification::start(&world.app.verifying, request(PERSON, Channel::Sms), None).await.unwrap();
    let first = told(&mut feed, 1).await;
    verification::start(&late.verifying, request("+14155550124", Channel::Sms), None).await.unwrap();
    let second = told(&mut feed, 1).await;
    assert!(second[0].id < first[0].id, "it comes later and counts as earlier");
    assert!(ids(&first).is_disjoint(&ids(&second)), "each once");
    // Whoever comes again with the last one it saw misses nothing.
    let mut again = events::feed(&late.telling, Some(first[0].id.clone()), BTreeSet::new()).unwrap();
    let both = ids(&told(&mut again, 2).await);
    assert!(both.contains(&first[0].id) && both.contains(&second[0].id));
}

/// A store that counts how often somebody asks for what people wait for.
struct Asked(Arc<dyn Maintenance>, Arc<AtomicUsize>);

store_over!(Asked, 0, [read commit scan], {
    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        self.1.fetch_add(usize::from(lane == Lane::Person), Ordering::SeqCst);
        self.0.due_in(lane, until, limit).await
    }

    fn is_shared(&self) -> bool {
        true
    }
});

/// Each look is one at the work of all. There is one every two seconds all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_starts_it_sends_without_looking_for_it() {
    const CODES: usize = 100;
    let (gateway, clock, asked) =
        (Arc::<Script>::default(), Clock::stopped(Timestamp::UNIX_EPOCH), Arc::<AtomicUsize>::default());
    let store: Arc<dyn Maintenance> = Arc::new(Asked(Arc::new(Memory::new()), asked.clone()));
    let app = App::new(parts(&store, &gateway, &clock));
    let mut working = JoinSet::new();
    working.spawn(works(&app));
    for n in 0..CODES {
        let to = format!("+1415555{n:04}");
        verification::start(&app.verifying, request(&to, Channel::Sms), None).await.unwrap();
        eventually("it is sent", async || gateway.orders().len() == n + 1).await;
    }
    let looks = asked.load(Ordering::SeqCst);
    assert!(looks * 2 < CODES, "{looks} looks for {CODES} codes");
}

/// A store that counts how often events are looked for.
struct Looked(Arc<dyn Maintenance>, Arc<AtomicUsize>);

store_over!(Looked, 0, [read commit due_in], {
    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        self.1.fetch_add(usize::from(scan.index == Index::Events), Ordering::SeqCst);
        self.0.scan(scan).await
    }

    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }
});

/// Processes on one database, with connections of their own, and clocks that differ.
struct Processes {
    database: TestDatabase,
    stores: Vec<Arc<dyn Maintenance>>,
    gateway: Arc<Script>,
    clocks: Vec<Clock>,
    apps: Vec<App>,
    /// How often one of them looked for events.
    looks: Arc<AtomicUsize>,
}

impl Processes {
    async fn three(what: &str) -> Option<Self> {
        let database = database(what).await?;
        let (gateway, looks) = (Arc::<Script>::default(), Arc::<AtomicUsize>::default());
        let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let (mut stores, mut clocks, mut apps) = (Vec::new(), Vec::new(), Vec::new());
        for seconds in [-3, 0, 3] {
            let store: Arc<dyn Maintenance> =
                Arc::new(Looked(Arc::new(database.open().await), looks.clone()));
            let clock = Clock::stopped(now + SignedDuration::from_secs(seconds));
            // Their chores are counted by kind.
            let limits = Limits::none();
            apps.push(App::new(Parts { limits, ..parts(&store, &gateway, &clock) }));
            stores.push(store);
            clocks.push(clock);
        }
        Some(Self { database, stores, gateway, clocks, apps, looks })
    }

    async fn start(&self, process: usize, number: usize) {
        let to = format!("+1415555{number:04}");
        verification::start(&self.apps[process].verifying, request(&to, Channel::Sms), None).await.unwrap();
        self.clocks.iter().for_each(|clock| clock.advance(Duration::from_millis(7)));
    }

    async fn conflicts(&self) -> u64 {
        let mut conflicts = 0;
        for store in &self.stores {
            conflicts += store.stats().await.unwrap().conflicts;
        }
        conflicts
    }

    /// All events that there are.
    async fn events(&self) -> BTreeSet<EventId> {
        let window = Window { limit: 1000, after: None };
        ids(&events::events(&self.apps[0].directory, &EventQuery::default(), &window).await.unwrap().items)
    }

    /// A stream of one of them that has begun.
    async fn stream(&self, process: usize, number: usize) -> Feed {
        let mut feed = events::feed(&self.apps[process].telling, None, BTreeSet::new()).unwrap();
        self.start(process, number).await;
        told(&mut feed, 1).await;
        feed
    }
}

/// Three processes, three hundred codes and as many chores that are due at once: of a
/// hundred claims five at most are in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_on_one_database_keep_out_of_each_others_way() {
    const CODES: usize = 300;
    let Some(all) = Processes::three("claims of three processes").await else { return };
    for n in 0..CODES {
        all.start(0, n).await;
        let ends_at = all.clocks[0].now() - SignedDuration::from_hours(1);
        let chore = Counter { ends_at, ..Counter::new(format!("{n:08}")) };
        all.stores[0].commit(vec![records::put(None, &chore)]).await.unwrap();
    }
    let before = all.conflicts().await;
    let mut working = JoinSet::new();
    all.apps.iter().for_each(|app| drop(working.spawn(works(app))));
    eventually("all are sent", async || all.gateway.taken() as usize == CODES).await;
    eventually("all chores are done", async || {
        // What was told of the numbers beside each other is a counter, too, a second later.
        let left = all.stores[0].walk(Kind::Counter, None, 9).await.unwrap();
        left.iter().all(|(id, _)| id.len() != 8)
    })
    .await;
    assert_eq!(all.gateway.orders().len(), CODES, "each once");
    let conflicts = all.conflicts().await - before;
    assert!(conflicts * 20 <= CODES as u64, "{conflicts} conflicts for {CODES} claims");
}

/// The same of processes that have one connection in common, where there is no database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_in_memory_keep_out_of_each_others_way() {
    const CODES: usize = 300;
    let world = World::new(Engine::Shared);
    for n in 0..CODES {
        verification::start(&world.app.verifying, request(&format!("+1415555{n:04}"), Channel::Sms), None)
            .await
            .unwrap();
    }
    let before = world.store.stats().await.unwrap().conflicts;
    let mut working = JoinSet::new();
    (0..3).for_each(|_| drop(working.spawn(works(&world.beside(&world.clock)))));
    eventually("all are sent", async || world.gateway.taken() as usize == CODES).await;
    let conflicts = world.store.stats().await.unwrap().conflicts - before;
    assert!(conflicts * 20 <= CODES as u64, "{conflicts} conflicts for {CODES} claims");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_three_processes_tell_each_event_once_and_look_for_none_again() {
    let Some(all) = Processes::three("streams of three processes").await else { return };
    let mut feeds = Vec::new();
    for process in 0..3 {
        feeds.push(all.stream(process, process).await);
    }
    let before = all.events().await;
    let write = async |process: usize| {
        for n in 0..40 {
            all.start(process, 100 * (process + 1) + n).await;
        }
    };
    let mut tellers = JoinSet::new();
    for mut feed in feeds {
        let before = before.clone();
        tellers.spawn(async move {
            let mut new = Vec::new();
            while new.len() < 120 {
                new.extend(told(&mut feed, 1).await.into_iter().filter(|event| !before.contains(&event.id)));
            }
            (feed, new)
        });
    }
    tokio::join!(write(0), write(1), write(2));
    let all_new: BTreeSet<EventId> = all.events().await.difference(&before).cloned().collect();
    assert_eq!(all_new.len(), 120);
    let mut feeds = Vec::new();
    while let Some(teller) = tellers.join_next().await {
        let (feed, new) = teller.unwrap();
        assert_eq!((new.len(), ids(&new)), (120, all_new.clone()), "each once");
        feeds.push(feed);
    }
    let looks = all.looks.load(Ordering::SeqCst);
    for process in 0..3 {
        all.start(process, 900 + process).await;
        for feed in &mut feeds {
            assert_eq!(told(feed, 1).await.len(), 1);
        }
    }
    assert_eq!(all.looks.load(Ordering::SeqCst), looks, "nothing was looked through again");
}

fn event(n: u128, at: Timestamp) -> Event {
    let (body, expires_at) =
        (EventBody::new(EventType::EndpointTest, at), at + SignedDuration::from_hours(72));
    Event { id: EventId::new(at, n), body, expires_at }
}

/// As an older process writes it, too: of the order in which lines come it knows nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_commit_ends_late_is_told_then_and_nobody_waits_for_it() {
    let Some(all) = Processes::three("late commits").await else { return };
    let mut feed = all.stream(1, 0).await;
    let (late, stranger) = (all.database.client().await, all.database.client().await);
    stranger.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
    let old = event(7, all.clocks[1].now() - SignedDuration::from_secs(5));
    let change = records::put(None, &old);
    let body = String::from_utf8(change.body.unwrap()).unwrap();
    let at = change.entries_added[0].at.as_millisecond();
    late.batch_execute("BEGIN").await.unwrap();
    let record =
        "INSERT INTO dialback_record (id, kind, version, body, lane) VALUES ($1, 101, 1, $2::text::jsonb, 2)";
    late.execute(record, &[&old.id.as_str(), &body]).await.unwrap();
    let line = "INSERT INTO dialback_entry (index_letter, scope, at, id) VALUES (101, '', $1, $2)";
    late.execute(line, &[&at, &old.id.as_str()]).await.unwrap();
    for n in 1..4 {
        all.start(n % 3, n).await;
        assert_eq!(told(&mut feed, 1).await.len(), 1, "while others are at it");
    }
    late.batch_execute("COMMIT").await.unwrap();
    assert_eq!(ids(&told(&mut feed, 1).await), [old.id.clone()].into());
    stranger.batch_execute("COMMIT").await.unwrap();
    all.start(2, 9).await;
    let last = told(&mut feed, 1).await;
    assert!(last.len() == 1 && last[0].id != old.id, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_come_is_read_in_pages_each_once_and_marks_end_with_their_server() {
    let Some(server) = Server::start("what has come since").await else { return };
    let store = Postgres::open(&server.url(), Options::default()).await.unwrap();
    let now: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
    let write = async |n: u128| store.commit(vec![records::put(None, &event(n, now))]).await.unwrap();
    write(1000).await;
    let mut mark = store.arrivals(None, now, 9).await.unwrap().unwrap().mark;
    for n in (0..10).rev() {
        write(n).await;
    }
    write(2000).await;
    let (mut found, mut pages) = (Vec::new(), Vec::new());
    loop {
        let page = store.arrivals(Some(&mark), now, 4).await.unwrap().unwrap();
        write(3000 + pages.len() as u128).await;
        pages.push(page.ids.len());
        found.extend(page.ids);
        mark = page.mark;
        if page.is_all {
            break;
        }
    }
    let name = |n: u128| EventId::new(now, n).as_str().to_owned();
    let order: Vec<String> = (0..10).rev().chain([2000]).map(name).collect();
    assert_eq!((pages, found), (vec![4, 4, 3], order), "as they came, and none that came since");
    let page = store.arrivals(Some(&mark), now, 9).await.unwrap().unwrap();
    assert_eq!(page.ids, [name(3000), name(3001), name(3002)]);
    let later = now + SignedDuration::from_secs(1);
    assert_eq!(store.arrivals(Some(&mark), later, 9).await.unwrap().unwrap().ids, Vec::<String>::new());
    server.kill_immediate();
    server.restart().await;
    let refused = store.arrivals(Some(&page.mark), now, 9).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    store.close().await;
}
