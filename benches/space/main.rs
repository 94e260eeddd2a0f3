//! Bytes on the disk over rounds of overwriting and expiring, and how long
//! commits take while the files are replaced, with and without that.
//!
//! `cargo bench --bench space`, with `TMPDIR` on the disk in question. It takes
//! some minutes. `cargo bench --bench space -- --beyond 840000` is about a store of so
//! many deliveries, and so larger than its cache (`beyond.rs`).

mod beyond;
#[path = "../common/footprint.rs"]
mod footprint;
#[path = "../common/memory.rs"]
mod memory;

use dialback::store::sled::{Growth, Options, Sled};
use dialback::store::{Change, Entry, Index, Key, Kind, Maintenance, Store};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u64 = 300_000;
const ROUNDS: u64 = 10;
/// One record of so many expires in each round, and a new one comes.
const EXPIRES: u64 = 10;
const WRITERS: u64 = 64;
const BODY: usize = 300;
const MIB: u64 = 1024 * 1024;

type Histogram = hdrhistogram::Histogram<u64>;

fn main() {
    // Run as a test, it is only there to be compiled.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let args: Vec<String> = std::env::args().collect();
    let after = |name: &str| args.get(args.iter().position(|arg| arg == name)? + 1);
    let number = |name: &str| after(name).map(|number| number.parse::<u64>().expect("a number"));
    if let Some(phase) = after("--phase") {
        let dir = after("--dir").expect("a directory");
        return beyond::phase(phase, number("--records").expect("a number"), dir.as_ref());
    }
    if let Some(records) = number("--beyond") {
        return beyond::table(records);
    }
    let never = Growth { times: u64::MAX, ..Growth::default() };
    for (name, growth) in [("with", Growth::default()), ("without", never)] {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(live_through(name, dir.path(), growth));
    }
}

async fn live_through(name: &str, dir: &Path, growth: Growth) {
    let store = Arc::new(Sled::open(dir, Options { growth, ..Options::default() }).expect("a new store"));
    let copying = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn(watch(Arc::clone(&store), Arc::clone(&copying)));
    let (mut alone, mut beside) = (histogram(), histogram());
    println!("{name}: round  MiB  compactions  commits/s");
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        let done = spread(&store, &copying, round).await;
        let commits = done.0.len() + done.1.len();
        alone.add(done.0).expect("the same bounds");
        beside.add(done.1).expect("the same bounds");
        let stats = store.stats().await.expect("figures");
        let rate = commits as f64 / begun.elapsed().as_secs_f64();
        println!("{round:>12} {:>5} {:>8} {rate:>12.0}", stats.bytes_on_disk / MIB, stats.compactions);
    }
    let say = |what, histogram: &Histogram| {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        let (n, max) = (histogram.len(), histogram.max() as f64 / 1000.0);
        println!(
            "{what}: {n} commits, p50 {} ms, p99 {} ms, p99.9 {} ms, max {max} ms",
            at(0.5),
            at(0.99),
            at(0.999)
        );
    };
    say("no copy under way", &alone);
    say("a copy under way", &beside);
    let begun = Instant::now();
    if growth.times < u64::MAX {
        store.compact().await.expect("a compaction");
        let bytes = store.stats().await.expect("figures").bytes_on_disk;
        println!("compacted when asked, while idle: {} MiB, in {:?}", bytes / MIB, begun.elapsed());
    }
    watcher.abort();
    let _ = watcher.await;
    store.close().await;
}

/// Says whether a copy is under way.
async fn watch(store: Arc<Sled>, copying: Arc<AtomicBool>) {
    while let Ok(stats) = store.stats().await {
        copying.store(stats.is_copying, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn histogram() -> Histogram {
    Histogram::new(3).expect("three digits are possible")
}

/// A round, by many writers.
async fn spread(store: &Arc<Sled>, copying: &Arc<AtomicBool>, round: u64) -> (Histogram, Histogram) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, copying) = (Arc::clone(store), Arc::clone(copying));
            tokio::spawn(async move {
                let mut timed = (histogram(), histogram());
                for slot in (writer..RECORDS).step_by(WRITERS as usize) {
                    for change in turn(slot, round) {
                        let begun = Instant::now();
                        store.commit(vec![change]).await.expect("a commit");
                        let took = begun.elapsed().as_micros() as u64;
                        let of = if copying.load(Ordering::Relaxed) { &mut timed.1 } else { &mut timed.0 };
                        of.record(took).expect("in bounds");
                    }
                }
                timed
            })
        })
        .collect();
    let mut sum = (histogram(), histogram());
    for writer in writers {
        let timed = writer.await.expect("a writer finishes");
        sum.0.add(timed.0).expect("the same bounds");
        sum.1.add(timed.1).expect("the same bounds");
    }
    sum
}

/// What happens to a slot in a round: its record is overwritten, or it expires
/// and another takes its place.
fn turn(slot: u64, round: u64) -> Vec<Change> {
    // The round in which the slot's record of now was made.
    let born = |round: u64| (0..=round).rev().find(|at| at % EXPIRES == slot % EXPIRES).unwrap_or(0);
    let (made, before) = (born(round), round.checked_sub(1).map(born));
    match before {
        None => vec![change(slot, made, 0, true)],
        Some(before) if before == made => vec![change(slot, made, round - made, true)],
        Some(before) => vec![change(slot, before, round - before, false), change(slot, made, 0, true)],
    }
}

fn change(slot: u64, made: u64, expected: u64, lives: bool) -> Change {
    let key = Key::new(Kind::Delivery, sid(slot, made));
    let at = Timestamp::from_millisecond(1_700_000_000_000 + (made * RECORDS + slot) as i64).expect("a time");
    let number = format!("+1555{:07}", slot % 1000);
    let line = |index, scope: &str| Entry { index, scope: scope.to_owned(), at, id: key.id.clone() };
    let entries = vec![line(Index::Deliveries, ""), line(Index::DeliveriesTo, &number)];
    Change {
        expected,
        body: lives.then(|| vec![b'0'; BODY]),
        due_before: None,
        due_after: None,
        entries_added: if lives && expected == 0 { entries.clone() } else { Vec::new() },
        entries_removed: if lives { Vec::new() } else { entries },
        key,
    }
}

/// SIDs are random: spread them as hashes are.
fn sid(slot: u64, made: u64) -> String {
    let mix = |x: u64| {
        (x ^ (x >> 31))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29)
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    let x = mix(made << 40 | slot);
    format!("SM{x:016x}{:016x}", mix(x))
}
