//! A store that is larger than its cache: how much memory a process takes for it, how
//! far the files grow, and how long a check takes. Each phase is a process of its own,
//! so that its memory is its alone.
//!
//! Deliveries come as callbacks bring them, four commits each, from 256 writers, and
//! nothing else waits: no load is harder on the files.

use crate::footprint::size;
use crate::memory::memory;
use dialback::model::delivery::{About, Delivery, Fact, Report, Source};
use dialback::model::id::Sid;
use dialback::model::status::Status;
use dialback::store::inspect::{self, Rules};
use dialback::store::records::{self, Versioned};
use dialback::store::sled::{Options, Sled};
use dialback::store::{Key, Kind, Maintenance, Store};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const MB: f64 = 1e6;
const WRITERS: u64 = 256;
const STATUSES: [Status; 4] = [Status::Queued, Status::Sending, Status::Sent, Status::Delivered];
/// How far apart deliveries begin: as many as this in a quarter of a year, nearly.
const APART: SignedDuration = SignedDuration::from_secs(9);
/// When the first of them began.
const BEGAN: i64 = 1_790_000_000;

/// The phases, each with what it says; this program again.
const PHASES: [&str; 4] = ["write", "look", "check", "compact"];

/// All phases over a fresh store of so many deliveries, as a table.
pub fn table(records: u64) {
    let base = std::env::current_dir().expect("a directory to work in").join("target");
    let dir = tempfile::tempdir_in(base).expect("a directory on the disk");
    println!("| phase | took s | memory at its end MB | at most MB | files at its end MB | at most MB | |");
    println!("|---|---|---|---|---|---|---|");
    for phase in PHASES {
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        let ended =
            again.args(["--phase", phase, "--records", &records.to_string(), "--dir"]).arg(dir.path());
        assert!(ended.status().expect("this program starts").success(), "{phase} failed");
    }
}

/// One phase, in this process.
pub fn phase(name: &str, records: u64, dir: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let (largest, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let watcher = {
        let (dir, largest, over) = (dir.to_owned(), Arc::clone(&largest), Arc::clone(&over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                largest.fetch_max(size(&dir), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    };
    let began = Instant::now();
    let store = Arc::new(Sled::open(&dir.join("store"), Options::default()).expect("a store"));
    let said = runtime.block_on(async {
        match name {
            "write" => write(&store, records).await,
            "look" => look(&store, records).await,
            "check" => check(&*store).await,
            "compact" => {
                store.compact().await.expect("a compaction");
                String::new()
            }
            _ => panic!("no such phase: {name}"),
        }
    });
    let (took, memory) = (began.elapsed().as_secs_f64(), memory("VmRSS"));
    over.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher ends");
    let (files, largest) = (size(dir), largest.load(Ordering::Relaxed));
    let mb = |bytes: u64| bytes as f64 / MB;
    println!(
        "| {name} | {took:.1} | {:.0} | {:.0} | {:.0} | {:.0} | {said} |",
        mb(memory),
        mb(self::memory("VmHWM")),
        mb(files),
        mb(largest.max(files)),
    );
    runtime.block_on(store.close());
}

/// Four commits for each delivery.
async fn write(store: &Arc<Sled>, records: u64) -> String {
    let began = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for n in (writer..records).step_by(WRITERS as usize) {
                    let mut old: Option<Versioned<Delivery>> = None;
                    for status in STATUSES {
                        let at = Timestamp::from_second(BEGAN).expect("a time") + APART * n as i32;
                        let record = match &old {
                            None => Delivery::new(report(n, status), at),
                            Some(old) => old.record.merge(report(n, status), at).expect("something new"),
                        };
                        store.commit(vec![records::put(old.as_ref(), &record)]).await.expect("a commit");
                        let version = old.map_or(0, |old| old.version) + 1;
                        old = Some(Versioned { version, record });
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer finishes");
    }
    let rate = (records * STATUSES.len() as u64) as f64 / began.elapsed().as_secs_f64();
    let compactions = store.stats().await.expect("figures").compactions;
    format!("{rate:.0} commits/s, {compactions} compactions")
}

/// Looks every fourth delivery up, in no order.
async fn look(store: &Arc<Sled>, records: u64) -> String {
    let began = Instant::now();
    for n in 0..records / 4 {
        let key = Key::new(Kind::Delivery, sid(mix(n) % records));
        assert!(store.read(&key).await.expect("a read").is_some());
    }
    format!("{:.0} reads/s", (records / 4) as f64 / began.elapsed().as_secs_f64())
}

async fn check(store: &dyn Maintenance) -> String {
    let rules = Rules { deliveries_kept_since: Timestamp::UNIX_EPOCH };
    let found = inspect::inspect(store, rules, &|_| ()).await.expect("what can be read");
    assert_eq!(found.damage, Vec::<String>::new());
    let records: u64 = found.records.values().sum();
    let (entries, bytes) = (found.entries + found.due, found.bytes as f64 / MB);
    format!("{records} records, {entries} entries, {bytes:.0} MB of keys and values")
}

fn report(n: u64, status: Status) -> Report {
    let about = About {
        account_sid: Some("ACd097c097bfa960e81c522ab2518e135c".to_owned()),
        from: Some("+15005550006".to_owned()),
        to: Some(format!("+1415{:07}", mix(n) % 10_000_000)),
        ..About::default()
    };
    let fact = Fact { status: Some(status), source: Source::StatusCallback, ..Fact::default() };
    Report { sid: sid(n).parse::<Sid>().expect("a SID"), id: None, about, fact }
}

fn sid(n: u64) -> String {
    format!("SM{:016x}{:016x}", mix(n), mix(n ^ 0x5a5a))
}

/// SIDs are random: spread them as hashes are.
fn mix(x: u64) -> u64 {
    let x = (x ^ 0x0123_4567_89ab_cdef).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 31)).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
