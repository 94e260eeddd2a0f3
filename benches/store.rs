//! Durable operations per second of the sled engine, and of PostgreSQL where
//! `DIALBACK_TEST_POSTGRES` names a server, beside a raw append with `fdatasync`
//! of the same bytes on the same disk, alternating, as a ratio.
//!
//! An operation is what a status callback does: read a record of some 300
//! bytes, change it, commit it; every fourth is a new record with two lines in
//! listings. `cargo bench --bench store [-- WRITERS…]`

#[path = "common/schema.rs"]
mod schema;

use dialback::store::postgres::{self, Postgres};
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Entry, Index, Key, Kind, Maintenance, Store};
use jiff::Timestamp;
use schema::Schema;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const RUN: Duration = Duration::from_secs(1);
const ROUNDS: usize = 7;
const BODY: usize = 300;

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let writers = if asked.is_empty() { vec![1, 16, 64, 256, 1024] } else { asked };
    let base = std::env::current_dir().expect("a directory to work in");
    let server = std::env::var("DIALBACK_TEST_POSTGRES").ok();
    if server.is_none() {
        println!("PostgreSQL is left out: DIALBACK_TEST_POSTGRES names no server");
    }
    println!(
        "engine    writers  raw op/s  op/s     ratio  p50 µs  p99 µs  read p99 µs  cpu µs/op  bytes/op  ops/group"
    );
    for writers in writers {
        let mut raw = Vec::new();
        let (mut files, mut tables) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let dir = tempfile::tempdir_in(base.join("target")).expect("a directory on the disk");
            raw.push(run(raw_round(dir.path(), writers)));
            files.push(run(sled_round(dir.path(), writers)));
            tables.extend(server.as_deref().map(|url| run(postgres_round(url, writers))));
        }
        line("sled", writers, &raw, files);
        line("postgres", writers, &raw, tables);
    }
}

/// Rounds alternate, so that what else the disk has to do hits all.
fn line(engine: &str, writers: usize, raw: &[f64], mut runs: Vec<Round>) {
    if runs.is_empty() {
        return;
    }
    let ratio = median(raw.iter().zip(&runs).map(|(raw, run)| run.rate / raw));
    let raw = median(raw.iter().copied());
    runs.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let median = &runs[ROUNDS / 2];
    println!(
        "{engine:<8}  {writers:>7}  {raw:>8.0}  {:>7.0}  {:>5.2}  {:>6}  {:>6}  {:>11}  {:>9.1}  {:>8.0}  {:>9.1}",
        median.rate,
        ratio,
        median.latency.value_at_quantile(0.5),
        median.latency.value_at_quantile(0.99),
        median.reads.value_at_quantile(0.99),
        median.cpu,
        median.bytes,
        median.group,
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
    reads: Histogram,
    cpu: f64,
    bytes: f64,
    group: f64,
}

type Histogram = hdrhistogram::Histogram<u64>;

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}

fn histogram() -> Histogram {
    Histogram::new(3).expect("three digits are possible")
}

async fn sled_round(dir: &Path, writers: usize) -> Round {
    let store = Sled::open(&dir.join("store"), Options::default()).expect("a new store");
    round(Arc::new(store), writers).await
}

/// In a schema of its own, dropped afterwards.
async fn postgres_round(url: &str, writers: usize) -> Round {
    let schema = Schema::fresh(url).await;
    let store = Postgres::open(&schema.url, postgres::Options::default()).await.expect("new tables");
    let done = round(Arc::new(store), writers).await;
    schema.end().await;
    done
}

async fn round<S: Maintenance>(store: Arc<S>, writers: usize) -> Round {
    let (start, cpu) = (Instant::now(), cpu_time());
    let tasks: Vec<_> =
        (0..writers).map(|writer| tokio::spawn(writes(Arc::clone(&store), writer, start))).collect();
    let (mut latency, mut reads) = (histogram(), histogram());
    for task in tasks {
        let (commits, gets) = task.await.expect("a writer finishes");
        latency.add(commits).expect("the same bounds");
        reads.add(gets).expect("the same bounds");
    }
    let elapsed = start.elapsed().as_secs_f64();
    let done = latency.len() as f64;
    let cpu = (cpu_time() - cpu).as_micros() as f64 / done;
    let stats = store.stats().await.expect("figures");
    store.close().await;
    let group = stats.commits as f64 / stats.groups as f64;
    Round { rate: done / elapsed, latency, reads, cpu, bytes: stats.bytes_on_disk as f64 / done, group }
}

/// Four events for each of many records, as callbacks come.
async fn writes<S: Store>(store: Arc<S>, writer: usize, start: Instant) -> (Histogram, Histogram) {
    let (mut latency, mut reads) = (histogram(), histogram());
    for n in 0u64.. {
        let key = Key::new(Kind::Delivery, sid(writer as u64, n / 4));
        let began = Instant::now();
        let stored = store.read(&key).await.expect("a read");
        reads.record(began.elapsed().as_micros() as u64).expect("in bounds");
        let expected = stored.as_ref().map_or(0, |stored| stored.version);
        let change = change(key, expected, n);
        let began = Instant::now();
        store.commit(vec![change]).await.expect("a commit");
        latency.record(began.elapsed().as_micros() as u64).expect("in bounds");
        if start.elapsed() >= RUN {
            break;
        }
    }
    (latency, reads)
}

fn change(key: Key, expected: u64, n: u64) -> Change {
    let at = Timestamp::from_millisecond(1_700_000_000_000 + n as i64).expect("a time");
    let number = format!("+1555{:07}", n / 4 % 1000);
    let line = |index, scope: &str| Entry { index, scope: scope.to_owned(), at, id: key.id.clone() };
    let entries = vec![line(Index::Deliveries, ""), line(Index::DeliveriesTo, &number)];
    let entries_added = if expected == 0 { entries } else { Vec::new() };
    let body = format!(r#"{{"format":1,"record":"{n:0>width$}"}}"#, width = BODY - 25).into_bytes();
    Change {
        key,
        expected,
        body: Some(body),
        due_before: None,
        due_after: None,
        entries_added,
        entries_removed: Vec::new(),
    }
}

/// SIDs are random: spread them as hashes are.
fn sid(writer: u64, n: u64) -> String {
    let mix = |x: u64| {
        (x ^ (x >> 31))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let x = mix(writer << 40 | n);
    format!("SM{x:016x}{:016x}", mix(x))
}

/// The disk's limit: the same group commit around a plain file.
async fn raw_round(dir: &Path, writers: usize) -> f64 {
    let file = OpenOptions::new().create(true).append(true).open(dir.join("raw")).expect("a file");
    let (sender, queue) = sync_channel::<oneshot::Sender<()>>(4096);
    let appender = std::thread::spawn(move || append(file, &queue));
    let start = Instant::now();
    let tasks: Vec<_> = (0..writers).map(|_| tokio::spawn(appends(sender.clone(), start))).collect();
    drop(sender);
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("a writer finishes");
    }
    let rate = done as f64 / start.elapsed().as_secs_f64();
    appender.join().expect("the appender finishes");
    rate
}

async fn appends(sender: SyncSender<oneshot::Sender<()>>, start: Instant) -> u64 {
    let mut done = 0;
    while start.elapsed() < RUN {
        let (answer, answered) = oneshot::channel();
        sender.send(answer).expect("the appender is there");
        answered.await.expect("an answer");
        done += 1;
    }
    done
}

fn append(mut file: File, queue: &std::sync::mpsc::Receiver<oneshot::Sender<()>>) {
    let body = [b'0'; BODY];
    while let Ok(first) = queue.recv() {
        let group: Vec<_> = std::iter::once(first).chain(queue.try_iter().take(1023)).collect();
        file.write_all(&body.repeat(group.len())).expect("an append");
        file.sync_data().expect("a sync");
        group.into_iter().for_each(|answer| answer.send(()).expect("somebody waits"));
    }
}

/// Processor time of this process, user and system, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 =
        after_name.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
