//! Space that deleted and overwritten records leave comes back, while others
//! read and write, and however often the process is killed meanwhile.

use crate::lengths;
use crate::store_contract::{Thing, at};
use crate::store_crash::{killed_run, verify, write_until_killed};
use dialback::store::records::{self, Versioned};
use dialback::store::sled::{Growth, Options, Sled};
use dialback::store::{Change, CommitError, Index, Maintenance, Scan, Stats, Store, StoreError};
use futures_util::future::join_all;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MIB: u64 = 1024 * 1024;
const NEVER: Growth = Growth { times: u64::MAX, slack_bytes: 0, reserve_bytes: 0 };
/// The files are replaced as soon as anything was written.
const ALWAYS: Growth = Growth { times: 1, slack_bytes: 0, reserve_bytes: 0 };

fn open(dir: &Path, growth: Growth) -> Arc<Sled> {
    Arc::new(Sled::open(dir, Options { growth, ..Options::default() }).unwrap())
}

/// Padded, so that a record is about as large as a delivery, and spread as
/// Twilio's SIDs are.
fn thing(n: u32, note: u32) -> Thing {
    let id = format!("SM{:08x}{}", n.wrapping_mul(0x9e37_79b9), "0".repeat(200));
    Thing { id, note, due: Some(i64::from(n)), listed: Some((1, 5)) }
}

async fn put(store: &Sled, n: u32, note: u32) {
    let new = thing(n, note);
    let old = records::get::<Thing>(store, &new.id).await.unwrap();
    records::save(store, old.as_ref(), &new).await.unwrap();
}

async fn delete(store: &Sled, n: u32) {
    let old: Versioned<Thing> = records::get(store, &thing(n, 0).id).await.unwrap().unwrap();
    store.commit(vec![records::delete(&old)]).await.unwrap();
}

const WAVE: u32 = 2000;
/// One of so many records stays when its wave expires.
const STAYS: u32 = 20;

/// Waves of records that are written, overwritten, and expire but for a few.
/// Says how large the files were at the end of each.
async fn live_through(store: &Sled, waves: u32) -> Vec<u64> {
    let mut sizes = Vec::new();
    for wave in 0..waves {
        let these = wave * WAVE..(wave + 1) * WAVE;
        for note in 0..3 {
            join_all(these.clone().map(|n| put(store, n, note))).await;
        }
        join_all(these.filter(|n| n % STAYS > 0).map(|n| delete(store, n))).await;
        // The few that are left are touched now and then.
        join_all((0..=wave * WAVE).step_by(STAYS as usize).map(|n| put(store, n, wave + 9))).await;
        sizes.push(settled(store).await);
    }
    for n in (0..waves * WAVE).filter(|n| n % STAYS == 0) {
        let note = if n <= (waves - 1) * WAVE { waves + 8 } else { 2 };
        let read = records::get::<Thing>(store, &thing(n, 0).id).await.unwrap().unwrap();
        assert_eq!(read.record, thing(n, note));
    }
    let report = store.check().await.unwrap();
    let live = u64::from(waves * WAVE / STAYS);
    assert_eq!((report.records, report.due, report.entries, report.damage), (live, live, 2 * live, vec![]));
    sizes
}

/// The size of the files once no copy is under way.
async fn settled(store: &Sled) -> u64 {
    let begun = Instant::now();
    loop {
        let stats = store.stats().await.unwrap();
        if !stats.is_copying {
            return stats.bytes_on_disk;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the copy does not end: {stats:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_gives_its_space_back() {
    const WAVES: u32 = 3;
    let growth = Growth { times: 3, slack_bytes: 4 * MIB, reserve_bytes: 0 };
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (kept, grown) = (open(with.path(), growth), open(without.path(), NEVER));
    let sizes = live_through(&kept, WAVES).await;
    let unkept = live_through(&grown, WAVES).await;
    let Stats { generation, compactions, .. } = kept.stats().await.unwrap();
    println!("bytes with {compactions} compactions: {sizes:?}, without: {unkept:?}");
    assert!(compactions >= 3 && generation == compactions, "{compactions} compactions");
    // Up to the growth that is allowed, wherever in a wave a copy was made; without
    // copies there is more with each wave.
    for (wave, (with, without)) in (1..).zip(sizes.iter().zip(&unkept)) {
        assert!(with * wave < *without, "wave {wave}: {with} bytes with, {without} without");
    }
    kept.close().await;

    // What there was without is as small once somebody asks for it.
    grown.compact().await.unwrap();
    let (now, last) = (settled(&grown).await, unkept[unkept.len() - 1]);
    assert!(now * 3 < last, "{now} of {last} bytes are left");
    grown.close().await;
    let again = open(without.path(), NEVER);
    assert_eq!(again.check().await.unwrap().damage, Vec::<String>::new());
    assert_eq!(generations(without.path()), ["generation-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_read_and_write_while_it_is_copied() {
    const KEYS: u32 = 300;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), ALWAYS);
    join_all((0..KEYS).map(|n| put(&store, n, 0))).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        tokio::spawn(async move {
            let scope = String::new();
            let all = Scan {
                index: Index::Verifications,
                scope,
                since: None,
                until: None,
                after: None,
                limit: 999,
            };
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                assert_eq!(store.scan(&all).await.unwrap().len(), KEYS as usize);
                assert_eq!(store.due(at(i64::MAX / 1_000_000), 999).await.unwrap().len(), KEYS as usize);
                assert!(records::get::<Thing>(&*store, &thing(reads % KEYS, 0).id).await.unwrap().is_some());
                reads += 1;
            }
            reads
        })
    };
    // Each counts its own records up, and sees every step that it has taken.
    let writers = (0..6).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for step in 1..=40 {
                for n in (writer * 8)..(writer + 1) * 8 {
                    put(&store, n, step).await;
                    let read = records::get::<Thing>(&*store, &thing(n, 0).id).await.unwrap().unwrap();
                    assert_eq!((read.record.note, read.version), (step, u64::from(step) + 1));
                }
            }
        })
    });
    join_all(writers).await.into_iter().for_each(|writer| writer.unwrap());
    store.compact().await.unwrap();
    done.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0);
    let stats = store.stats().await.unwrap();
    assert!(stats.compactions > 2, "{stats:?}");
    store.close().await;
    let store = open(dir.path(), NEVER);
    for n in 0..KEYS {
        let read = records::get::<Thing>(&*store, &thing(n, 0).id).await.unwrap().unwrap();
        assert_eq!(read.record.note, if n < 48 { 40 } else { 0 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_does_not_wait_for_the_copy_and_leaves_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), NEVER);
    for n in 0..20 {
        join_all((n * 100..(n + 1) * 100).map(|n| put(&store, n, 0))).await;
    }
    let asked = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.compact().await })
    };
    // Whether it has begun by now or not.
    tokio::task::yield_now().await;
    store.close().await;
    let answer = asked.await.unwrap();
    assert!(matches!(answer, Ok(()) | Err(StoreError::Closed)), "{answer:?}");
    assert_eq!(generations(dir.path()).len(), 1);
    assert!(matches!(store.compact().await, Err(StoreError::Closed)));
    let refused: Result<(), CommitError> = store.commit(Vec::<Change>::new()).await;
    assert!(refused.is_err());
    assert_eq!(open(dir.path(), NEVER).check().await.unwrap().records, 2000);
}

const DIR: &str = "DIALBACK_TEST_COPY_CRASH_DIR";

#[test]
fn nothing_acknowledged_is_lost_to_a_kill_while_copying() {
    /// At least so many, and on a busy machine more, until some have come
    /// while copying and some copies have been finished.
    const KILLS: u64 = 8;
    /// The least that there may be at most.
    const MOST_KILLS: u64 = 100;
    let least = lengths::kills(KILLS);
    let most = least.max(MOST_KILLS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // This very test, started by itself, is the process that is killed.
    if let Ok(dir) = std::env::var(DIR) {
        let store = runtime.block_on(async { open(Path::new(&dir), ALWAYS) });
        runtime.block_on(write_until_killed(store));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashMap::new();
    let (mut kills, mut cut_short, mut generation) = (0, 0, 0);
    while kills < least || ((cut_short == 0 || generation < 2) && kills < most) {
        let name = "store_space::nothing_acknowledged_is_lost_to_a_kill_while_copying";
        acknowledged.extend(killed_run(name, DIR, dir.path(), Duration::from_millis(800)));
        kills += 1;
        cut_short += usize::from(generations(dir.path()).len() > 1);
        runtime.block_on(async {
            let store = open(dir.path(), NEVER);
            generation = store.stats().await.unwrap().generation;
            verify(store, &acknowledged).await;
        });
        assert_eq!(generations(dir.path()).len(), 1);
    }
    println!("{kills} kills, {cut_short} of them while copying, {generation} generations");
    assert!(cut_short > 0, "no kill came while copying");
    assert!(generation > 1, "no copy was finished");
}

/// The generations that have files.
fn generations(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<_> = names.filter(|name| name == "db" || name.starts_with("generation-")).collect();
    found.sort();
    found
}
