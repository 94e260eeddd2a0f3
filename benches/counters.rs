//! What counting costs: commits that add to one counter of all, and to one of each
//! writer's own, as a ratio to commits that add to none; beside them the same done by
//! reading the counter and writing it back, until nobody else was quicker. Memory and
//! sled, and PostgreSQL where `DIALBACK_TEST_POSTGRES` names a server; there as many
//! writers over three stores of their own connections, as three processes have them,
//! beside one, as a ratio to it; and the same where each store takes blocks of the counter
//! ahead. Rounds alternate. `cargo bench --bench counters
//! [-- WRITERS…]`

#[path = "common/schema.rs"]
mod schema;

use dialback::model::counter::{Addition, Counter, End, Limit, QuotaLease};
use dialback::store::memory::Memory;
use dialback::store::postgres::{self, Postgres};
use dialback::store::records;
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Commit, CommitError, Counting, Key, Kind, Store};
use jiff::Timestamp;
use schema::Schema;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RUN: Duration = Duration::from_millis(500);
const ROUNDS: usize = 7;

/// What goes with each commit.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Nothing,
    Own,
    Hot,
    WrittenBack,
    /// One counter of all, of which the store takes a block ahead.
    Leased,
    /// One counter of all again, over three stores.
    HotOfThree,
    NothingOfThree,
    /// One counter of all, of which each store takes a block ahead.
    LeasedOfThree,
}

const WAYS: [Way; 8] = [
    Way::Nothing,
    Way::Own,
    Way::Hot,
    Way::WrittenBack,
    Way::Leased,
    Way::HotOfThree,
    Way::NothingOfThree,
    Way::LeasedOfThree,
];
/// The first so many are of one store.
const OF_ONE: usize = 5;

impl Way {
    fn stores(self) -> usize {
        if matches!(self, Self::HotOfThree | Self::NothingOfThree | Self::LeasedOfThree) { 3 } else { 1 }
    }
}

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let writers = if asked.is_empty() { vec![1, 16, 64] } else { asked };
    let server = std::env::var("DIALBACK_TEST_POSTGRES").ok();
    if server.is_none() {
        println!("PostgreSQL is left out: DIALBACK_TEST_POSTGRES names no server");
    }
    println!(
        "engine    writers  plain op/s    own    hot  written back  leased  plain p50 µs  hot p50 µs  hot p99 µs  \
         plain of three to one  hot of three to one  leased of three to one"
    );
    for writers in writers {
        line("memory", writers, OF_ONE, &mut |way| run(round(vec![Arc::new(Memory::new())], writers, way)));
        line("sled", writers, OF_ONE, &mut |way| run(sled_round(writers, way)));
        if let Some(url) = &server {
            line("postgres", writers, WAYS.len(), &mut |way| run(postgres_round(url, writers, way)));
        }
    }
}

/// The medians of rounds, and of the ratios of rounds that stood side by side.
fn line(engine: &str, writers: usize, ways: usize, round: &mut dyn FnMut(Way) -> Round) {
    let once = |_| WAYS[..ways].iter().map(|way| round(*way)).collect();
    let rounds: Vec<Vec<Round>> = (0..ROUNDS).map(once).collect();
    let to = |way: usize, to: usize| median(rounds.iter().map(|round| round[way].rate / round[to].rate));
    let ratio = |way: usize| to(way, 0);
    let of_three = |way: usize, one: usize| match way < ways {
        true => format!("{:.2}", to(way, one)),
        false => "-".to_owned(),
    };
    let quantile = |way: usize, at: f64| {
        median(rounds.iter().map(|round| round[way].latency.value_at_quantile(at) as f64))
    };
    println!(
        "{engine:<8}  {writers:>7}  {:>10.0}  {:>5.2}  {:>5.2}  {:>12.2}  {:>6.2}  {:>12.0}  {:>10.0}  {:>10.0}  {:>21}  {:>19}  {:>22}",
        median(rounds.iter().map(|round| round[0].rate)),
        ratio(1),
        ratio(2),
        ratio(3),
        ratio(4),
        quantile(0, 0.5),
        quantile(2, 0.5),
        quantile(2, 0.99),
        of_three(6, 0),
        of_three(5, 2),
        of_three(7, 4),
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Round {
    rate: f64,
    latency: Histogram,
}

type Histogram = hdrhistogram::Histogram<u64>;

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

async fn sled_round(writers: usize, way: Way) -> Round {
    let base = std::env::current_dir().expect("a directory to work in");
    let dir = tempfile::tempdir_in(base.join("target")).expect("a directory on the disk");
    let store = Sled::open(&dir.path().join("store"), Options::default()).expect("a new store");
    round(vec![Arc::new(store)], writers, way).await
}

/// In a schema of its own, dropped afterwards.
async fn postgres_round(url: &str, writers: usize, way: Way) -> Round {
    let schema = Schema::fresh(url).await;
    let mut stores = Vec::new();
    for _ in 0..way.stores() {
        let store = Postgres::open(&schema.url, postgres::Options::default()).await.expect("new tables");
        stores.push(Arc::new(store));
    }
    let done = round(stores, writers, way).await;
    schema.end().await;
    done
}

async fn round<S: Store>(stores: Vec<Arc<S>>, writers: usize, way: Way) -> Round {
    let start = Instant::now();
    let leases: Vec<QuotaLease> =
        stores.iter().map(|_| QuotaLease::new("start".into(), limits(MANY))).collect();
    let own = |writer: usize| {
        let nth = writer % stores.len();
        (Arc::clone(&stores[nth]), leases[nth].clone())
    };
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(writes(own(writer), writer, way, start))).collect();
    let mut latency = Histogram::new(3).expect("three digits are possible");
    for task in tasks {
        latency.add(task.await.expect("a writer finishes")).expect("the same bounds");
    }
    let rate = latency.len() as f64 / start.elapsed().as_secs_f64();
    for store in stores {
        store.close().await;
    }
    Round { rate, latency }
}

/// A new record with each commit, as a start has one.
async fn writes<S: Store>(
    (store, lease): (Arc<S>, QuotaLease),
    writer: usize,
    way: Way,
    start: Instant,
) -> Histogram {
    let mut latency = Histogram::new(3).expect("three digits are possible");
    for n in 0u64.. {
        let record = record(writer, n);
        let began = Instant::now();
        match way {
            Way::Nothing | Way::NothingOfThree => store.commit(vec![record]).await.expect("a commit"),
            Way::Own => add(&*store, record, &format!("counter{writer}")).await,
            Way::Hot | Way::HotOfThree => add(&*store, record, "counter").await,
            Way::WrittenBack => write_back(&*store, record).await,
            Way::Leased | Way::LeasedOfThree => take(&*store, record, &lease).await,
        }
        latency.record(began.elapsed().as_micros() as u64).expect("in bounds");
        if start.elapsed() >= RUN {
            break;
        }
    }
    latency
}

async fn add(store: &dyn Store, record: Change, counter: &str) {
    let additions = vec![counting(counter)];
    store.commit_counted(Commit { changes: vec![record], additions }).await.expect("there is room");
}

async fn take(store: &dyn Store, record: Change, lease: &QuotaLease) {
    let now = Timestamp::now();
    let mut ticket = lease.take(1, now);
    let additions = match ticket.begin() {
        additions if additions.is_empty() => Vec::new(),
        additions => {
            let limits = lease.limits().to_vec();
            vec![Counting { counter: "counter".to_owned(), now, additions, limits }]
        }
    };
    store.commit_counted(Commit { changes: vec![record], additions }).await.expect("there is room");
    ticket.settle(&End::Done);
}

async fn write_back(store: &dyn Store, record: Change) {
    let Counting { now, additions, limits, .. } = counting("counter");
    loop {
        let old = records::get::<Counter>(store, "counter").await.expect("a read");
        let counter = old.as_ref().map_or_else(|| Counter::new("counter".into()), |old| old.record.clone());
        let new = counter.add(now, &additions, &limits).expect("there is room");
        match store.commit(vec![record.clone(), records::put(old.as_ref(), &new)]).await {
            Ok(()) => return,
            Err(CommitError::Conflict) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

/// What is leased of so many goes out in blocks of a hundredth.
const MANY: u64 = 1_000_000;

/// Two limits, as a number has: of an hour and of a day.
fn limits(max: u64) -> Vec<Limit> {
    let limit = |name: &str, seconds| Limit::new(name, "start", seconds, max);
    vec![limit("hourly", 3600), limit("daily", 86_400)]
}

fn counting(counter: &str) -> Counting {
    Counting {
        counter: counter.to_owned(),
        now: Timestamp::now(),
        additions: vec![Addition::Amount { of: "start".into(), amount: 1 }],
        limits: limits(u64::MAX),
    }
}

fn record(writer: usize, n: u64) -> Change {
    Change {
        key: Key::new(Kind::Delivery, format!("SM{writer:08x}{n:024x}")),
        expected: 0,
        body: Some(format!(r#"{{"format":1,"record":"{n:0>275}"}}"#).into_bytes()),
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}
