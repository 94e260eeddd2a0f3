//! Whether one lane of due work keeps another waiting, on the engine of one process
//! (sled), each measure against a bound: what is broken is named, and the exit code is 1.
//!
//! - A code, from before its start to when the gateway has it, 200 of them 25 ms apart:
//!   beside overdue chores its 99th percentile is less than 50 ms longer than without.
//! - An event, from before its commit to when its receiver has it, as many: the same
//!   beside twenty erasures that go through all records.
//! - 1200 events a second are written while as many of before expire: at the end no
//!   more than two seconds' worth of either waits, as `dialback queue` tells it.
//!
//! `cargo bench --bench jobs` takes about a minute. At full size, some ten minutes:
//! `cargo bench --bench jobs -- --chores 2000000 --records 1000000 --seconds 180`.
//! `cargo test --bench jobs` is a short form for any machine, however busy: a tenth of
//! the events, and ten times the delay.

use async_trait::async_trait;
use dialback::app::events::{self, EventSettings, Events};
use dialback::app::privacy::{self, EraseOptions, Retention};
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, StartRequest};
use dialback::app::{App, Parts, admin};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::webhook::{Courier, Parcel, PostError, Receipt};
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::jobs::{self, Settings};
use dialback::model::account::Accounts;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::counter::Counter;
use dialback::model::delivery::{About, Delivery, Fact, Report};
use dialback::model::dispatch::Dispatch;
use dialback::model::endpoint::{Endpoint, SigningKey};
use dialback::model::event::{Event, EventBody, EventType};
use dialback::model::id::{EndpointId, EventId, Sid};
use dialback::model::limits::Limits;
use dialback::model::phone::NumberPolicy;
use dialback::model::policy::Policy;
use dialback::model::price::Prices;
use dialback::model::senders::Senders;
use dialback::secret::Secret;
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Lane, Maintenance, records};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// From one code, or event, whose time is taken to the next.
const APART: Duration = Duration::from_millis(25);
const ERASURES: usize = 20;
/// What may wait at the end of a steady stream: so many seconds of it.
const BEHIND: u64 = 2;

/// How much of everything, and what is let pass.
#[derive(Clone, Copy)]
struct Size {
    chores: u64,
    records: u64,
    seconds: u64,
    events_per_second: u64,
    /// Codes, and events, whose time is taken.
    timed: u64,
    /// By how much they may be delayed.
    delay: Duration,
}

/// In seconds on any machine, however busy, and however slow the build.
const SHORT: Size = Size {
    chores: 10_000,
    records: 5_000,
    seconds: 3,
    events_per_second: 120,
    timed: 40,
    delay: Duration::from_millis(500),
};
/// What is promised, over fewer records than that.
const USUAL: Size = Size {
    chores: 100_000,
    records: 50_000,
    seconds: 15,
    events_per_second: 1200,
    timed: 200,
    delay: Duration::from_millis(50),
};

/// What does not hold.
type Broken = Option<String>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let of = |name: &str, default: u64| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args.get(at + 1)).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    // `cargo bench` says that it is one.
    let usual = if args.iter().any(|arg| arg == "--bench") { USUAL } else { SHORT };
    let size = Size {
        chores: of("--chores", usual.chores),
        records: of("--records", usual.records),
        seconds: of("--seconds", usual.seconds),
        ..usual
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let broken =
        runtime.block_on(async { [codes(size).await, beside_erasures(size).await, steadily(size).await] });
    let broken: Vec<String> = broken.into_iter().flatten().collect();
    broken.iter().for_each(|what| eprintln!("BROKEN: {what}"));
    ExitCode::from(u8::from(!broken.is_empty()))
}

/// Codes beside overdue chores.
async fn codes(size: Size) -> Broken {
    let dir = tempfile::tempdir().expect("a directory");
    let bench = Bench::open(dir.path()).await;
    let working = bench.work();
    let alone = bench.time_codes(0..size.timed).await;
    working.abort();
    let due = bench.now() - SignedDuration::from_hours(1);
    bench.fill(size.chores, |n| records::put(None, &counter(n, due))).await;
    let working = bench.work();
    let beside = bench.time_codes(size.timed..2 * size.timed).await;
    let left = bench.waiting(Lane::Chore).await;
    working.abort();
    let alone = say("a code, with nothing else to do", alone);
    let what = format!("a code, beside {} overdue chores ({left} left at the end)", size.chores);
    delayed(&what, alone, say(&what, beside), size.delay)
}

/// Events beside erasures.
async fn beside_erasures(size: Size) -> Broken {
    let dir = tempfile::tempdir().expect("a directory");
    let bench = Bench::open(dir.path()).await;
    bench.fill(size.records, |n| records::put(None, &delivery(n))).await;
    let working = bench.work();
    let alone = bench.time_events(0..size.timed).await;
    for n in 0..ERASURES {
        privacy::erase(
            &bench.app.privacy,
            &Actor::operator(),
            &format!("+1415555{:04}", 9000 + n),
            EraseOptions::default(),
        )
        .await
        .expect("an erasure");
    }
    let beside = bench.time_events(size.timed..2 * size.timed).await;
    let left = bench.waiting(Lane::Long).await;
    working.abort();
    let alone = say("an event, with nothing else to do", alone);
    let what = format!("an event, beside {ERASURES} erasures over {} records ({left} left)", size.records);
    delayed(&what, alone, say(&what, beside), size.delay)
}

/// Events as they come, while as many of before are forgotten.
async fn steadily(size: Size) -> Broken {
    let dir = tempfile::tempdir().expect("a directory");
    let bench = Bench::open(dir.path()).await;
    let begun = bench.now();
    // Each second as many of an earlier time are over as new ones come.
    let rate = size.events_per_second;
    let over = |n: u64| begun + SignedDuration::from_millis((n * 1000 / rate) as i64);
    bench.fill(size.seconds * rate, |n| records::put(None, &old_event(n, over(n)))).await;
    let working = bench.work();
    let (start, mut n) = (Instant::now(), 0);
    let tick = Duration::from_millis(10);
    while start.elapsed() < Duration::from_secs(size.seconds) {
        let wanted = (start.elapsed().as_secs_f64() * rate as f64) as u64;
        let mut changes = Vec::new();
        while n < wanted && changes.len() < 60 {
            changes.extend(bench.event(1_000_000 + n));
            n += 1;
        }
        if !changes.is_empty() {
            bench.store.commit(changes).await.expect("room");
            bench.app.base.board.wakes(Lane::Webhook).notify_one();
        }
        if n >= wanted {
            tokio::time::sleep(tick).await;
        }
    }
    let spent = start.elapsed().as_secs_f64();
    let (told, waiting) = (bench.posted(), bench.waiting(Lane::Webhook).await);
    let chores = bench.waiting(Lane::Chore).await;
    working.abort();
    let what = format!(
        "{n} events in {spent:.1} s, as many forgotten: {told} told, {waiting} wait, {chores} wait to be forgotten"
    );
    println!("{what}");
    let most = BEHIND * rate;
    let keeps_up = waiting <= most && chores <= most && told + most >= n && n + most >= rate * size.seconds;
    (!keeps_up).then(|| format!("{what}; {most} may wait"))
}

/// Says how long they took, and answers the 99th percentile.
fn say(what: &str, mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    let at = |nth: usize| spans.get(nth).copied().unwrap_or_default();
    let millis = |span: Duration| span.as_secs_f64() * 1000.0;
    let (half, late, most) =
        (at(spans.len() / 2), at(spans.len() * 99 / 100), at(spans.len().saturating_sub(1)));
    println!(
        "{what}: {} of them, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        spans.len(),
        millis(half),
        millis(late),
        millis(most)
    );
    late
}

fn delayed(what: &str, alone: Duration, beside: Duration, most: Duration) -> Broken {
    let delay = beside.saturating_sub(alone);
    (delay >= most).then(|| {
        format!("{what}: {delay:.1?} later than with nothing else to do, less than {most:?} is right")
    })
}

/// When each went out, by what it is called.
type Out = Arc<Mutex<HashMap<String, Instant>>>;

struct Bench {
    app: App,
    store: Arc<dyn Maintenance>,
    clock: Clock,
    endpoint: EndpointId,
    out: Out,
    told: Arc<AtomicU64>,
}

impl Bench {
    async fn open(dir: &Path) -> Self {
        let store: Arc<dyn Maintenance> = Arc::new(Sled::open(dir, Options::default()).expect("a new store"));
        let (clock, out, told) = (Clock::real(), Out::default(), Arc::<AtomicU64>::default());
        let now = clock.now();
        let endpoint = Endpoint {
            id: EndpointId::from_random([7; 16]),
            url: "https://example.com/events".to_owned(),
            description: None,
            filters: ["endpoint.*".parse().expect("a filter")].into(),
            full_numbers: false,
            keys: vec![SigningKey { secret: Secret::new("whsec_AAAA"), until: None }],
            disabled: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
        };
        store.commit(vec![records::put(None, &endpoint)]).await.expect("room");
        let courier = Counting { out: out.clone(), told: told.clone() };
        let policy = Policy::default();
        let key = CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) };
        let app = App::new(Parts {
            store: store.clone(),
            gateway: Arc::new(Quick { out: out.clone(), names: AtomicU64::new(0) }),
            clock: clock.clone(),
            entropy: Entropy::system(),
            services: ServiceDirectory::of_policy("Bench", &policy, now),
            policy,
            events: Events::new(Arc::new(courier), EventSettings::default()),
            test_numbers: Vec::new(),
            numbers: NumberPolicy::default(),
            // They begin more than any installation may.
            limits: Limits::none(),
            prices: Prices::default(),
            fraud: dialback::model::fraud::FraudPolicy::default(),
            codes: CodeKeys::new(vec![key]).expect("a key"),
            senders: Senders::only(Some("+15005550006".into())),
            accounts: Accounts::default(),
            retention: Retention::default(),
            captcha: None,
            lookups: None,
            rates: std::collections::BTreeMap::new(),
        });
        events::learn_endpoints(&app.telling).await.expect("the endpoint");
        Self { app, store, clock, endpoint: endpoint.id, out, told }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn work(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(jobs::run(self.app.clone(), Settings::default(), std::future::pending()))
    }

    fn posted(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    async fn waiting(&self, lane: Lane) -> u64 {
        let queue = admin::queue(&self.app.base).await.expect("figures");
        queue.depths.iter().filter(|depth| depth.lane == lane.as_str()).map(|depth| depth.waiting).sum()
    }

    async fn fill(&self, count: u64, change: impl Fn(u64) -> Change) {
        for first in (0..count).step_by(64 * 16) {
            let groups = (first..count.min(first + 64 * 16)).collect::<Vec<_>>();
            let commits =
                groups.chunks(64).map(|some| self.store.commit(some.iter().map(|n| change(*n)).collect()));
            for done in futures_util::future::join_all(commits).await {
                done.expect("room");
            }
        }
    }

    async fn time_codes(&self, which: Range<u64>) -> Vec<Duration> {
        let mut spans = Vec::new();
        for n in which {
            let request =
                StartRequest { channel: Some(Channel::Sms), ..StartRequest::to(format!("+1415555{n:04}")) };
            let begun = Instant::now();
            let started = verification::start(&self.app.verifying, request, None).await.expect("a start");
            spans.push(self.went_out(&started.view.verification.id.delivery(1).to_string(), begun).await);
            tokio::time::sleep(APART).await;
        }
        spans
    }

    async fn time_events(&self, which: Range<u64>) -> Vec<Duration> {
        let mut spans = Vec::new();
        for n in which {
            let (changes, begun) = (self.event(n), Instant::now());
            let name = changes[0].key.id.clone();
            self.store.commit(changes).await.expect("room");
            self.app.base.board.wakes(Lane::Webhook).notify_one();
            spans.push(self.went_out(&name, begun).await);
            tokio::time::sleep(APART).await;
        }
        spans
    }

    async fn went_out(&self, name: &str, begun: Instant) -> Duration {
        loop {
            if let Some(at) = self.out.lock().expect("no panic").remove(name) {
                return at.duration_since(begun);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{name} never went out");
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    /// An event, and its telling.
    fn event(&self, n: u64) -> Vec<Change> {
        let now = self.now();
        let id = EventId::new(now, u128::from(n));
        let expires_at = now + SignedDuration::from_hours(72);
        let event = Event { id: id.clone(), body: EventBody::new(EventType::EndpointTest, now), expires_at };
        let dispatch = Dispatch::new(id, self.endpoint.clone(), now, expires_at);
        vec![records::put(None, &event), records::put(None, &dispatch)]
    }
}

fn counter(n: u64, ends_at: Timestamp) -> Counter {
    Counter { ends_at, ..Counter::new(format!("{n:016}")) }
}

fn old_event(n: u64, expires_at: Timestamp) -> Event {
    let at = expires_at - SignedDuration::from_hours(72);
    Event {
        id: EventId::new(at, u128::from(n)),
        body: EventBody::new(EventType::EndpointTest, at),
        expires_at,
    }
}

fn delivery(n: u64) -> Delivery {
    let sid: Sid = format!("SM{n:032x}").parse().expect("a name");
    let about = About { to: Some(format!("+1212{:07}", n % 10_000_000)), ..About::default() };
    Delivery::new(Report { sid, id: None, about, fact: Fact::default() }, Timestamp::UNIX_EPOCH)
}

/// Takes every message at once.
struct Quick {
    out: Out,
    names: AtomicU64,
}

#[async_trait]
impl Gateway for Quick {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        self.out.lock().expect("no panic").insert(request.id.to_string(), Instant::now());
        let n = self.names.fetch_add(1, Ordering::Relaxed) + (1 << 40);
        let sid: Sid = format!("SM{n:032x}").parse().expect("a name");
        Ok(Report { sid, id: Some(request.id.clone()), about: About::default(), fact: Fact::default() })
    }

    async fn look_up(&self, _: &SendRequest, _: Timestamp, _: &[Sid]) -> Result<Option<Report>, SendError> {
        Ok(None)
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Done)
    }
}

/// Takes every event within a millisecond or two, as a receiver nearby does.
struct Counting {
    out: Out,
    told: Arc<AtomicU64>,
}

#[async_trait]
impl Courier for Counting {
    fn look_at(&self, _: &str) -> Result<(), PostError> {
        Ok(())
    }

    async fn post(&self, parcel: &Parcel) -> Result<Receipt, PostError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.told.fetch_add(1, Ordering::Relaxed);
        self.out.lock().expect("no panic").insert(parcel.id.to_string(), Instant::now());
        Ok(Receipt { status: 204, wait: None })
    }
}
