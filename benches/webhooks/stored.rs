//! What stored deliveries cost: callbacks on a store that holds a thousand of
//! them and on one that holds millions; and callbacks to several processes that
//! share a PostgreSQL.

use crate::load::{self, Done, Load};
use crate::requests::{self, Kind, Order};
use crate::target::{self, Server, Target};
use crate::{Options, PER_SECOND};
use dialback::entropy::Entropy;
use dialback::model::delivery::{About, Delivery, Fact, Report, Source};
use dialback::model::id::Sid;
use dialback::model::status::Status;
use dialback::store::sled::{self, Sled};
use dialback::store::{Change, Store, records};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Commits that fill a store at once.
const FILLERS: usize = 512;
/// Deliveries in one of these commits.
const TOGETHER: usize = 16;
/// How far apart the stored deliveries began.
const APART: SignedDuration = SignedDuration::from_millis(500);

/// Callbacks at each of these numbers of stored deliveries, beside the empty
/// server, alternating.
pub fn deliveries(counts: &[usize], options: &Options) {
    println!("stored      fill/s  disk MB  start ms  connections  req/s  of empty  p50 ms  p99 ms  peak MB");
    for &count in counts {
        let dir = target::directory();
        let store = dir.path().join("store");
        let began = Instant::now();
        runtime().block_on(fill(&store, count));
        let filled = count as f64 / began.elapsed().as_secs_f64();
        let disk = target::size(&store) as f64 / 1e6;
        let url = format!("sled:{}", store.display());
        for &connections in &options.connections {
            let start = || vec![Target::Off.start_on(Some(&url))];
            let line = alternate(connections, options, start);
            println!("{count:<10}  {filled:>6.0}  {disk:>7.0}  {line}");
        }
    }
}

/// Callbacks to each of these numbers of processes on one database.
pub fn processes(counts: &[usize], url: &str, options: &Options) {
    println!("processes  start ms  connections  req/s  of empty  p50 ms  p99 ms  peak MB");
    for &count in counts {
        for &connections in &options.connections {
            let start = || (0..count).map(|_| Target::Off.start_on(Some(url))).collect();
            let line = alternate(connections, options, start);
            println!("{count:<9}  {line}");
        }
    }
}

/// The medians of alternating rounds, as the end of a line.
fn alternate(connections: usize, options: &Options, start: impl Fn() -> Vec<Server>) -> String {
    let (mut figures, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let seed = Entropy::system().below(u64::MAX);
        let empty = vec![Target::Empty.start()];
        let usual = drive(&empty, connections, options, seed).0;
        let servers = start();
        let (done, memory) = drive(&servers, connections, options, seed);
        let started = servers.iter().map(|server| server.started_in).max().unwrap_or_default();
        let millis = |quantile| done.latency.value_at_quantile(quantile) as f64 / 1000.0;
        ratios.push(rate(&done) / rate(&usual));
        figures.push([started.as_millis() as f64, rate(&done), millis(0.5), millis(0.99), memory]);
        servers.into_iter().for_each(Server::stop);
    }
    let of = |at: usize| median(figures.iter().map(|figures| figures[at]));
    format!(
        "{:>8.0}  {connections:>11}  {:>5.0}  {:>8.2}  {:>6.1}  {:>6.1}  {:>7.0}",
        of(0),
        of(1),
        median(ratios.iter().copied()),
        of(2),
        of(3),
        of(4)
    )
}

/// Callbacks of messages that nobody has heard of, each of four.
fn drive(servers: &[Server], connections: usize, options: &Options, seed: u64) -> (Done, f64) {
    let most = (options.seconds * PER_SECOND as f64) as usize;
    let script = Rc::new(requests::status(Kind::Status, Order::InOrder, true, most, seed));
    let done = load::drive(Load {
        addrs: servers.iter().map(|server| server.addr).collect(),
        script,
        kept: true,
        connections,
        span: Duration::from_secs_f64(options.seconds),
        expected: 204,
    });
    let memory = servers.iter().map(Server::peak_memory).max().unwrap_or_default();
    (done, memory as f64 / 1e6)
}

fn rate(done: &Done) -> f64 {
    done.requests as f64 / done.elapsed.as_secs_f64()
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}

/// Deliveries that were delivered, over the last weeks.
async fn fill(dir: &Path, count: usize) {
    // Filling is not measured: with room in memory, and no copy on the way.
    let growth = sled::Growth { times: u64::MAX, ..sled::Growth::default() };
    let options = sled::Options { cache_bytes: 2 << 30, growth, ..sled::Options::default() };
    let store = Arc::new(Sled::open(dir, options).expect("a new store"));
    let entropy = Entropy::seeded(2);
    let mut waiting = tokio::task::JoinSet::new();
    let begin =
        Timestamp::now() - APART.saturating_mul(i32::try_from(count).expect("a number of deliveries"));
    for first in (0..count).step_by(TOGETHER) {
        let changes: Vec<Change> = (first..count.min(first + TOGETHER))
            .map(|n| delivered(&entropy, n, begin + APART.saturating_mul(n as i32)))
            .collect();
        if waiting.len() >= FILLERS {
            waiting.join_next().await.expect("somebody waits").expect("a commit ends");
        }
        let store = Arc::clone(&store);
        waiting.spawn(async move { store.commit(changes).await.expect("a commit") });
    }
    while let Some(done) = waiting.join_next().await {
        done.expect("a commit ends");
    }
    store.close().await;
}

fn delivered(entropy: &Entropy, n: usize, at: Timestamp) -> Change {
    let sid: Sid = format!("SM{}", entropy.hex::<16>()).parse().expect("a SID");
    let about = About {
        account_sid: Some(requests::ACCOUNT.to_owned()),
        from: Some("+15005550006".to_owned()),
        to: Some(format!("+1415{:07}", n % 5_000_000)),
        messaging_service_sid: Some("MGd097c097bfa960e81c522ab2518e135c".to_owned()),
        ..About::default()
    };
    let report = |status| Report {
        sid: sid.clone(),
        id: None,
        about: about.clone(),
        fact: Fact { status: Some(status), source: Source::StatusCallback, ..Fact::default() },
    };
    let mut delivery = Delivery::new(report(Status::Queued), at);
    for status in [Status::Sending, Status::Sent, Status::Delivered] {
        delivery = delivery.merge(report(status), at).expect("something new");
    }
    records::put(None, &delivery)
}
