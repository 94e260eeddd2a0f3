//! What a long queue of messages costs: how steadily it drains, and what it takes of memory.
//!
//! `cargo bench --bench queue` queues 100,000 messages through the app, and lets the jobs send
//! them to a gateway that answers at once that they have arrived: on the engine of one process
//! (sled), in a directory of its own, and, where `DIALBACK_TEST_POSTGRES` has the address of a
//! server, in tables of its own there. It prints how fast each tenth leaves and what the
//! process takes of memory, and fails where the slowest tenth is slower than 0.7 of the
//! first, which is no steady rate, or where more memory was taken than 200 MB; on sled, which
//! keeps a table of its pages in memory, and its cache, more by 400 bytes for each message.
//! A million: `cargo bench --bench queue -- --messages 1000000`.
//!
//! Then as many codes and messages as leave in ten seconds go to a gateway that answers after
//! 100 ms: it fails where fewer than 0.9 of the places for them are taken on average.

#[path = "common/memory.rs"]
mod memory;
#[path = "common/schema.rs"]
mod schema;

use async_trait::async_trait;
use dialback::app::events::{EventSettings, Events};
use dialback::app::messages::{self, MessageRequest};
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, StartRequest};
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::webhook::{Courier, Parcel, PostError, Receipt};
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::jobs::{self, Settings};
use dialback::model::account::Accounts;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::fraud::FraudPolicy;
use dialback::model::id::Sid;
use dialback::model::limits::Limits;
use dialback::model::message::Priority;
use dialback::model::phone::NumberPolicy;
use dialback::model::policy::Policy;
use dialback::model::price::Prices;
use dialback::model::senders::Senders;
use dialback::model::service;
use dialback::model::status::Status;
use dialback::secret::Secret;
use dialback::store::Maintenance;
use dialback::store::postgres::{self, Postgres};
use dialback::store::sled::{Options, Sled};
use futures_util::future::join_all;
use jiff::Timestamp;
use memory::memory;
use schema::Schema;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MB: u64 = 1_000_000;
/// The most that the process may take while a queue of whatever length drains.
const MOST_MEMORY: u64 = 200 * MB;
/// What sled's table of pages may take for each message, with its lines and its event.
const TABLE_OF_PAGES: u64 = 400;
/// The slowest tenth against the first.
const STEADY: f64 = 0.7;
/// Of the places, how many are taken on average.
const BUSY: f64 = 0.9;
/// How long the slow gateway takes, and for how long it is looked at.
const ANSWER: Duration = Duration::from_millis(100);
const LOOK: Duration = Duration::from_secs(10);
/// The sender that everything leaves by, at no rate of its own.
const FROM: &str = "+15005550006";
/// Area codes whose subscriber numbers are made use of, with 10,000 numbers an exchange.
const AREAS: [u64; 8] = [212, 213, 312, 404, 415, 503, 512, 602];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    // Run as a test, it shows that it runs.
    let is_test = !args.iter().any(|arg| arg == "--bench");
    let at = args.iter().position(|arg| arg == "--messages");
    let messages = at.and_then(|at| args.get(at + 1)?.parse().ok());
    let messages = messages.unwrap_or(if is_test { 500 } else { 100_000 });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let broken = runtime.block_on(async {
        // The most that the process had counts for both, so the one that takes less comes first.
        let there = match std::env::var("DIALBACK_TEST_POSTGRES") {
            Ok(url) => in_postgres(&url, messages).await,
            Err(_) => {
                println!("PostgreSQL is left out: DIALBACK_TEST_POSTGRES names no server");
                Vec::new()
            }
        };
        let dir = tempfile::tempdir().expect("a directory");
        let table = TABLE_OF_PAGES * messages + Options::default().cache_bytes;
        let here = drained("sled", in_files(dir.path()), messages, MOST_MEMORY + table).await;
        let look = if is_test { Duration::from_millis(500) } else { LOOK };
        [there, here, kept_busy(look).await].concat()
    });
    broken.iter().for_each(|what| eprintln!("BROKEN: {what}"));
    // A machine that does something else is no steady one.
    ExitCode::from(u8::from(!broken.is_empty() && !is_test))
}

/// In a schema of its own, dropped afterwards.
async fn in_postgres(url: &str, messages: u64) -> Vec<String> {
    let schema = Schema::fresh(url).await;
    let store = Postgres::open(&schema.url, postgres::Options::default()).await.expect("new tables");
    let broken = drained("postgres", Arc::new(store), messages, MOST_MEMORY).await;
    schema.end().await;
    broken
}

fn in_files(dir: &Path) -> Arc<dyn Maintenance> {
    Arc::new(Sled::open(dir, Options::default()).expect("a new store"))
}

/// A queue of so many messages, from its first to its last.
async fn drained(engine: &str, store: Arc<dyn Maintenance>, messages: u64, most_memory: u64) -> Vec<String> {
    let bench = Bench::over(store, Duration::ZERO);
    // What is read once, such as the numbering plans, is no message's.
    bench.queue(messages..messages + 1).await;
    let (before, begun) = (memory("VmRSS"), Instant::now());
    bench.queue(0..messages).await;
    let (full, spent) = (memory("VmRSS"), begun.elapsed().as_secs_f64());
    println!(
        "{engine}: {messages} messages queued in {spent:.0} s ({:.0} a second): {:.0} MB of memory, {:.0} MB before",
        messages as f64 / spent,
        megabytes(full),
        megabytes(before)
    );
    let working = tokio::spawn(jobs::run(bench.app.clone(), Settings::default(), std::future::pending()));
    let (mut rates, mut since) = (Vec::new(), Instant::now());
    for tenth in 1..=10 {
        bench.until_taken(messages * tenth / 10).await;
        rates.push(messages as f64 / 10.0 / since.elapsed().as_secs_f64());
        since = Instant::now();
    }
    working.abort();
    let (slowest, most) = (rates.iter().copied().fold(f64::INFINITY, f64::min), memory("VmHWM"));
    let said: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    let uneven = slowest < STEADY * rates[0];
    let uneven = uneven.then(|| format!("{engine}: the queue does not drain at a steady rate"));
    let large = (most > most_memory).then(|| format!("{engine}: more than {:.0} MB", megabytes(most_memory)));
    println!("{engine}: messages a second, by tenths: {}", said.join(" "));
    println!(
        "{engine}: the slowest against the first {:.2}; at most {:.0} MB",
        slowest / rates[0],
        megabytes(most)
    );
    uneven.into_iter().chain(large).collect()
}

/// Whether all places are taken while the gateway takes its time.
async fn kept_busy(look: Duration) -> Vec<String> {
    let settings = Settings::default();
    let mut broken = Vec::new();
    for (what, places) in
        [("messages", settings.max_bulk_in_flight), ("codes", settings.max_person_in_flight)]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let bench = Bench::over(in_files(dir.path()), ANSWER);
        // Half as much again as can leave meanwhile.
        let enough = (places as f64 * look.as_secs_f64() / ANSWER.as_secs_f64() * 1.5) as u64 + 100;
        match what {
            "codes" => bench.start(0..enough).await,
            _ => bench.queue(0..enough).await,
        }
        let working = tokio::spawn(jobs::run(bench.app.clone(), settings, std::future::pending()));
        bench.until_taken(1).await;
        let (first, begun) = (bench.taken(), Instant::now());
        tokio::time::sleep(look).await;
        let rate = (bench.taken() - first) as f64 / begun.elapsed().as_secs_f64();
        working.abort();
        let busy = rate * ANSWER.as_secs_f64() / places as f64;
        println!(
            "{what} by a gateway that takes {ANSWER:?}: {rate:.0} a second, {busy:.2} of {places} places taken"
        );
        if busy < BUSY {
            broken.push(format!("{what}: places stand empty while there is something to send"));
        }
    }
    broken
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MB as f64
}

/// The number of the nth person: 80 million before any comes twice.
fn number(n: u64) -> String {
    let (line, exchange, area) = (n % 10_000, 230 + n / 10_000 % 700, n / 7_000_000);
    let area = AREAS[usize::try_from(area).expect("a place") % AREAS.len()];
    // No exchange ends in 11.
    let exchange = if exchange % 100 == 11 { 930 + exchange / 100 } else { exchange };
    format!("+1{area}{exchange}{line:04}")
}

struct Bench {
    app: App,
    taken: Arc<AtomicU64>,
}

impl Bench {
    fn over(store: Arc<dyn Maintenance>, answer: Duration) -> Self {
        let (clock, taken) = (Clock::real(), Arc::<AtomicU64>::default());
        let (now, policy) = (clock.now(), Policy::default());
        let key = CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) };
        let settings = service::Settings {
            name: "Bench".into(),
            free_text: true,
            ..service::Settings::of_policy(&policy)
        };
        let default = ServiceDirectory::of_file(None, settings, now);
        let app = App::new(Parts {
            store,
            gateway: Arc::new(Taking { answer, taken: taken.clone() }),
            clock,
            entropy: Entropy::system(),
            services: ServiceDirectory::new(default, Vec::new()),
            policy,
            events: Events::new(Arc::new(Nobody), EventSettings::default()),
            test_numbers: Vec::new(),
            numbers: NumberPolicy::default(),
            // They begin more than any installation may.
            limits: Limits::none(),
            prices: Prices::default(),
            fraud: FraudPolicy::default(),
            codes: CodeKeys::new(vec![key]).expect("a key"),
            senders: Senders::only(Some(FROM.into())),
            accounts: Accounts::default(),
            retention: Retention::default(),
            captcha: None,
            lookups: None,
            rates: BTreeMap::from([(FROM.to_owned(), 1_000_000)]),
        });
        Self { app, taken }
    }

    /// Queues a message to each of these people.
    async fn queue(&self, people: std::ops::Range<u64>) {
        let queue = |n| async move {
            let request = MessageRequest {
                to: number(n),
                text: Some("Your parcel is on its way.".into()),
                priority: Priority::Normal,
                ..MessageRequest::default()
            };
            messages::send_message(&self.app.messages, request).await.expect("a message");
        };
        self.each(people, queue).await;
    }

    /// Starts a verification of each of these people.
    async fn start(&self, people: std::ops::Range<u64>) {
        let start = |n| async move {
            let request = StartRequest { channel: Some(Channel::Sms), ..StartRequest::to(number(n)) };
            verification::start(&self.app.verifying, request, None).await.expect("a start");
        };
        self.each(people, start).await;
    }

    /// So many at once that the commits go together.
    async fn each<F: Future<Output = ()>>(&self, people: std::ops::Range<u64>, doing: impl Fn(u64) -> F) {
        let all: Vec<u64> = people.collect();
        for some in all.chunks(256) {
            join_all(some.iter().map(|n| doing(*n))).await;
        }
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    async fn until_taken(&self, wanted: u64) {
        let (mut last, mut since) = (self.taken(), Instant::now());
        while self.taken() < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if self.taken() != last {
                (last, since) = (self.taken(), Instant::now());
            }
            assert!(since.elapsed() < Duration::from_secs(60), "nothing leaves any more: {last} of {wanted}");
        }
    }
}

/// Takes every message after its time, and says that it has arrived.
struct Taking {
    answer: Duration,
    taken: Arc<AtomicU64>,
}

#[async_trait]
impl Gateway for Taking {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        tokio::time::sleep(self.answer).await;
        let n = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        let sid: Sid = format!("SM{n:032x}").parse().expect("a name");
        let fact = Fact { status: Some(Status::Delivered), source: Source::Api, ..Fact::default() };
        Ok(Report { sid, id: Some(request.id.clone()), about: About::default(), fact })
    }

    async fn look_up(&self, _: &SendRequest, _: Timestamp, _: &[Sid]) -> Result<Option<Report>, SendError> {
        Ok(None)
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Done)
    }
}

/// Tells nobody.
struct Nobody;

#[async_trait]
impl Courier for Nobody {
    fn look_at(&self, _: &str) -> Result<(), PostError> {
        Ok(())
    }

    async fn post(&self, _: &Parcel) -> Result<Receipt, PostError> {
        Ok(Receipt { status: 204, wait: None })
    }
}
