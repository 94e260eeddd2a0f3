//! The provider's lists are compared with what is known: what was never heard of is found,
//! what was lost is made up for, once a day by one process, and nothing is lost where the
//! provider fails half-way.

use crate::instance::{Setup, answer, binary, poll, text};
use crate::support::{Engine, PERSON, World, report};
use dialback::app::messaging::{self, Daily, DeliveryFilter, Sweep, SweepPlan, Swept};
use dialback::app::{App, Window};
use dialback::gateway::{ListPage, Listed, Listing, SendError};
use dialback::model::channel::Channel;
use dialback::model::delivery::{About, Charge, Delivery, Erased, Fact, Report, Source};
use dialback::model::id::Sid;
use dialback::model::phone::mask;
use dialback::model::status::Status;
use dialback::store::records::{self, Versioned};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: u64 = 86_400;

fn sid(n: u32) -> String {
    format!("SM{n:030x}ff")
}

/// A message as a list has it, a minute old and paid.
fn listed(world: &World, sid: &str, status: Status) -> Listed {
    let told = report(sid, status, None, Some(PERSON));
    let charge = status.is_final().then(|| Charge::new(7_900, "USD")).flatten();
    let about = About { charge, ..told.about };
    let fact = Fact { source: Source::Reconciled, ..told.fact };
    Listed { report: Report { about, fact, ..told }, at: Some(world.later(-60)) }
}

fn page(items: Vec<Listed>, next: Option<&str>) -> Result<ListPage, SendError> {
    Ok(ListPage { items, unread: 0, next: next.map(str::to_owned) })
}

fn empty() -> Result<ListPage, SendError> {
    page(Vec::new(), None)
}

fn pages(world: &World, pages: impl IntoIterator<Item = Result<ListPage, SendError>>) {
    world.gateway.pages.lock().unwrap().extend(pages);
}

/// How many pages were read since this was asked the last time.
fn read(world: &World) -> usize {
    std::mem::take(&mut *world.gateway.read.lock().unwrap()).len()
}

async fn swept_with(world: &World, since: Timestamp, is_dry: bool) -> Swept {
    let plan = SweepPlan { since, kept: Some(SignedDuration::from_hours(90 * 24)), is_dry };
    let mut sweep = Sweep::new(&world.app.messaging, plan);
    while sweep.step().await.unwrap() {}
    sweep.end()
}

/// A sweep of the last day.
async fn swept(world: &World) -> Swept {
    swept_with(world, world.later(-(DAY as i64)), false).await
}

async fn delivery(world: &World, sid: &str) -> Option<Delivery> {
    let found: Option<Versioned<Delivery>> = records::get(&*world.store, sid).await.unwrap();
    found.map(|found| found.record)
}

/// How often it was written.
async fn version(world: &World, sid: &Sid) -> u64 {
    records::get::<Delivery>(&*world.store, sid.as_str()).await.unwrap().unwrap().version
}

/// A message of ours whose reports are lost.
async fn silent(world: &mut World) -> Sid {
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.until_accepted(&id, 1).await;
    world.settle().await;
    world.record(&id).await.send(1).unwrap().sid.clone().unwrap()
}

#[tokio::test]
async fn a_lost_receipt_ends_in_the_true_state_and_a_second_sweep_changes_nothing() {
    for engine in [Engine::Memory, Engine::Sled, Engine::Postgres] {
        if engine == Engine::Postgres && !crate::engines::has_postgres() {
            continue;
        }
        let mut world = World::new(engine);
        let ours = silent(&mut world).await;
        let lists = || [page(vec![listed(&world, ours.as_str(), Status::Delivered)], None), empty()];
        pages(&world, lists());
        let first = swept(&world).await;
        let (found, change) = (first.messages, &first.changes[0]);
        assert_eq!((found.seen, found.new, found.changed, found.moved, found.priced), (1, 0, 1, 1, 1));
        assert_eq!((first.stopped.as_deref(), first.changes.len()), (None, 1));
        assert_eq!((change.was, change.is), (Some(Status::Queued), Some(Status::Delivered)));
        assert_eq!(change.to.as_deref(), Some(&*mask(PERSON)));
        let known = delivery(&world, ours.as_str()).await.unwrap();
        assert_eq!(
            (known.status(), known.events[0].fact.source),
            (Some(Status::Delivered), Source::Reconciled)
        );
        assert_eq!((known.about.charge.clone(), known.asking), (Charge::new(7_900, "USD"), None));
        world.settle().await;
        let before = version(&world, &ours).await;
        pages(&world, lists());
        let second = swept(&world).await.messages;
        assert_eq!((second.seen, second.new, second.changed, second.moved), (1, 0, 0, 0));
        assert_eq!(version(&world, &ours).await, before, "nothing was written");
    }
}

#[tokio::test]
async fn what_was_never_heard_of_is_listed_when_it_left_and_stays_a_strangers() {
    let world = World::new(Engine::Memory);
    pages(&world, [page(vec![listed(&world, &sid(1), Status::Undelivered)], None), empty()]);
    let dry = swept_with(&world, world.later(-100), true).await;
    assert_eq!((dry.messages.new, dry.dry_run, delivery(&world, &sid(1)).await), (1, true, None));
    pages(&world, [page(vec![listed(&world, &sid(1), Status::Undelivered)], None), empty()]);
    let found = swept_with(&world, world.later(-100), false).await;
    assert!(found.messages.new == 1 && found.changes[0].is_new, "{found:?}");
    let known = delivery(&world, &sid(1)).await.unwrap();
    assert_eq!((known.id.as_ref(), known.first_seen, known.asking), (None, world.later(-60), None));
    let all = Window { limit: 10, after: None };
    let filter = DeliveryFilter { to: Some(PERSON.to_owned()), ..DeliveryFilter::default() };
    let page = messaging::deliveries(&world.app.admission, &filter, &all).await.unwrap();
    assert_eq!(page.items.len(), 1);
}

#[tokio::test]
async fn what_left_before_is_passed_over_and_what_was_erased_or_deleted_is_not_brought_back() {
    let world = World::new(Engine::Memory);
    let gone = Erased {
        redacted: true,
        at: world.now(),
        by: format!("ER{:032x}", 1).parse().unwrap(),
        account: None,
    };
    let erased = Delivery::erased(sid(1).parse().unwrap(), world.now(), gone);
    records::save(&*world.store, None, &erased).await.unwrap();
    let early = Listed { at: Some(world.later(-200)), ..listed(&world, &sid(2), Status::Delivered) };
    let items = vec![listed(&world, &sid(1), Status::Delivered), early];
    pages(&world, [page(items, None), empty()]);
    let found = swept_with(&world, world.later(-100), false).await.messages;
    assert_eq!((found.seen, found.new, found.changed), (1, 0, 0));
    assert_eq!((delivery(&world, &sid(1)).await, delivery(&world, &sid(2)).await), (Some(erased), None));
    let plan = SweepPlan { since: Timestamp::MIN, kept: Some(SignedDuration::from_hours(24)), is_dry: false };
    assert_eq!(Sweep::new(&world.app.messaging, plan).end().since, world.later(-(DAY as i64)));
}

fn busy(seconds: u64) -> Result<ListPage, SendError> {
    let after = Duration::from_secs(seconds);
    Err(SendError::NotProcessed { code: Some(20429), reason: "scripted".into(), after })
}

fn garbage() -> Result<ListPage, SendError> {
    Err(SendError::unknown("the answer was no list"))
}

/// A first page, and then these.
async fn swept_after_one_page(then: Vec<Result<ListPage, SendError>>) -> (World, Swept) {
    let world = World::new(Engine::Memory);
    pages(
        &world,
        [page(vec![listed(&world, &sid(1), Status::Delivered)], Some("/2"))].into_iter().chain(then),
    );
    let found = swept(&world).await;
    assert!(delivery(&world, &sid(1)).await.is_some(), "what was read is kept");
    (world, found)
}

#[tokio::test]
async fn a_provider_that_fails_half_way_loses_nothing_and_is_said_to() {
    let refused = Err(SendError::Refused { code: Some(20003), reason: "authenticate".into() });
    let ends = [
        (vec![busy(0), garbage(), garbage()], 4, "the answer was no list"),
        (vec![refused], 2, "authenticate"),
        (vec![busy(60)], 2, "asked again in 60 seconds"),
        (Vec::new(), 2, "nobody keeps a list"),
    ];
    let ends = ends.map(|(failures, reads, wanted)| async move {
        let (world, found) = swept_after_one_page(failures).await;
        assert!(found.stopped.as_deref().is_some_and(|why| why.contains(wanted)), "{wanted}: {found:?}");
        assert_eq!((found.messages.new, found.calls.seen, read(&world)), (1, 0, reads), "{wanted}");
    });
    futures_util::future::join_all(ends).await;
}

#[tokio::test]
async fn a_page_that_was_not_read_is_read_again() {
    let (world, found) = swept_after_one_page(vec![busy(0), garbage(), empty(), empty()]).await;
    assert_eq!((found.stopped, found.messages.new), (None, 1));
    let (messages, next) = ((Listing::Messages, None), (Listing::Messages, Some("/2".to_owned())));
    let wanted = [messages, next.clone(), next.clone(), next, (Listing::Calls, None)];
    assert_eq!(*world.gateway.read.lock().unwrap(), wanted);
}

fn daily(app: &App) -> Daily {
    Daily::new(&app.messaging, 3)
}

async fn sweeps(daily: &Daily, app: &App) -> Option<Swept> {
    daily.sweep(&app.messaging, None).await.unwrap()
}

#[tokio::test]
async fn two_processes_sweep_once_a_day() {
    for engine in [Engine::Memory, Engine::Shared] {
        let world = World::new(engine);
        let other = world.beside(&world.clock);
        let (one, two) = (daily(&world.app), daily(&other));
        assert!(sweeps(&one, &world.app).await.is_none(), "it is nine o'clock");
        for _ in 0..3 {
            world.pass(DAY);
            pages(&world, [empty(), empty()]);
            let (first, second) = tokio::join!(sweeps(&one, &world.app), sweeps(&two, &other));
            let done: Vec<Swept> = first.into_iter().chain(second).collect();
            assert_eq!((done.len(), read(&world)), (1, 2));
            assert_eq!((done[0].stopped.as_deref(), done[0].since), (None, world.later(-2 * DAY as i64)));
            // Neither again, nor one that has begun since.
            for (daily, app) in [(&one, &world.app), (&two, &other), (&daily(&other), &other)] {
                assert!(sweeps(daily, app).await.is_none());
            }
        }
    }
}

#[tokio::test]
async fn a_sweep_that_ended_early_or_was_killed_is_done_again() {
    let world = World::new(Engine::Memory);
    let (app, other, third) = (world.app.clone(), world.beside(&world.clock), world.beside(&world.clock));
    let (one, two, three) = (daily(&app), daily(&other), daily(&third));
    world.pass(DAY);
    pages(&world, [busy(60)]);
    assert!(sweeps(&one, &app).await.unwrap().stopped.is_some());
    world.pass(1800);
    assert!(sweeps(&two, &other).await.is_none(), "half an hour is too early");
    world.pass(1900);
    // Killed where it waits to read the first page again.
    pages(&world, [busy(1), empty(), empty()]);
    let killed = tokio::time::timeout(Duration::from_millis(200), sweeps(&two, &other)).await;
    assert!(killed.is_err() && world.gateway.pages.lock().unwrap().len() == 2);
    assert!(sweeps(&three, &third).await.is_none(), "the lease is not over");
    world.pass(80);
    assert!(sweeps(&three, &third).await.is_some_and(|swept| swept.stopped.is_none()));
}

/// What the command tells as JSON.
fn told(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_compares_the_lists_of_the_account_by_way_of_the_server() {
    let app = Setup::sandbox().start().await;
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        binary(dir.path())
            .env("DIALBACK_STORE__URL", &app.store)
            .arg("reconcile")
            .args(args)
            .output()
            .unwrap()
    };
    let known = text(&app.begin("+15551230901", "sms").await["id"]);
    app.verification(&known, |view| view["deliveries"][0]["status"] == "delivered").await;
    let messages = format!("{}/2010-04-01/Accounts/{}/Messages.json", app.sandbox, app.account);
    let form = [("From", "+15005550006"), ("To", "+15551230902"), ("Body", "somebody else's")];
    let foreign =
        answer(app.http.post(messages).basic_auth(&app.account, Some(&app.token)).form(&form)).await;
    assert_eq!(foreign.status, 201, "{}", foreign.text);
    let foreign = text(&foreign.json()["sid"]);
    let dry = told(&run(&["--json", "--dry-run"]));
    assert_eq!((&dry["messages"]["new"], &dry["dry_run"]), (&json!(1), &json!(true)), "{dry}");
    let lines = run(&[]);
    let said = String::from_utf8(lines.stdout).unwrap();
    assert!(said.contains("2 seen, 1 never heard of") && said.contains(&foreign), "{said}");
    assert!(!said.contains("5551230902"), "{said}");
    let again = told(&run(&["--json", "--since", "1h"]));
    assert_eq!((&again["messages"]["new"], &again["stopped"]), (&json!(0), &Value::Null), "{again}");
    let shown = app.get(&format!("/v1/deliveries/{foreign}")).await.json();
    assert_eq!(
        (&shown["events"][0]["source"], &shown["id"]),
        (&json!("reconciled"), &Value::Null),
        "{shown}"
    );
    // A receipt that never came is found in the list.
    app.phone("+15551230903", json!({ "callbacks": { "lose": 1.0 } })).await;
    let id = text(&app.begin("+15551230903", "sms").await["id"]);
    let arrived = poll(|| async {
        told(&run(&["--json"]));
        let view = app.get(&format!("/v1/verifications/{id}")).await.json();
        Some(view["deliveries"][0]["status"].clone()).filter(|status| *status == "delivered")
    });
    arrived.await.expect("it is found to have arrived");
    let refused = run(&["--since", "2099-01-01T00:00:00Z"]);
    assert!(!refused.status.success());
}
