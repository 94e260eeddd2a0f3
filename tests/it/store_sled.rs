//! sled alone: what it opens, what it refuses to open, and what it makes of damage.

use crate::store_contract::*;
use dialback::store::records;
use dialback::store::sled::{Options, Sled};
use dialback::store::{CommitError, Key, Kind, Maintenance, Store, StoreError};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn refusal(dir: &Path) -> StoreError {
    Sled::open(dir, Options::default()).err().expect("a refusal")
}

#[tokio::test]
async fn sled_has_everything_again_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("made/with/parents"));
    story(&store).await;
    let before = (store.due(Timestamp::MAX, 99).await.unwrap(), store.scan(&all()).await.unwrap());
    let report = store.check().await.unwrap();
    store.close().await;

    let store = open(&dir.path().join("made/with/parents"));
    let after = (store.due(Timestamp::MAX, 99).await.unwrap(), store.scan(&all()).await.unwrap());
    assert_eq!(after, before);
    assert_eq!((report.records, report.entries, report.due, report.damaged), (4, 8, 2, 0));
    assert_eq!(store.check().await.unwrap(), report);
    assert_eq!(records::get::<Thing>(&store, "a").await.unwrap().unwrap().version, 3);
}

#[tokio::test]
async fn a_second_process_is_told_that_the_store_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let refused = refusal(dir.path());
    drop(first);
    open(dir.path());
    assert!(matches!(&refused, StoreError::InUse(text) if text.contains("stop that process")), "{refused}");
}

#[tokio::test]
async fn a_damaged_record_is_noticed_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for id in ["a", "b", "c"] {
        records::save(&store, None, &thing(id, 1, Some(5), Some((1, 5)))).await.unwrap();
    }
    store.close().await;
    let raw = raw(dir.path());
    let mut value = raw.get(b"rva").unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    raw.insert(b"rva", value).unwrap();
    raw.remove(b"rvb").unwrap();
    raw.insert(b"?", b"").unwrap();
    drop(raw);

    let store = open(dir.path());
    let read = store.read(&Key::new(Kind::Verification, "a")).await;
    assert!(matches!(&read, Err(StoreError::Damaged(text)) if text.contains("restore")), "{read:?}");
    let old = records::put(None, &thing("a", 9, None, None));
    let written = store.commit(vec![old]).await;
    assert!(matches!(written, Err(CommitError::Store(StoreError::Damaged(_)))), "{written:?}");
    assert!(store.read(&Key::new(Kind::Verification, "c")).await.unwrap().is_some());
    let report = store.check().await.unwrap();
    assert!(matches!(report.verdict(), Err(StoreError::Damaged(_))));
    // The foreign key, the flipped record, two lines and a due of none, and the one too few.
    assert_eq!((report.records, report.damaged), (2, 6), "{:?}", report.damage);
    assert_eq!(report.damage.last().map(String::as_str), Some("1 records are missing"));
}

#[tokio::test]
async fn a_store_whose_data_is_gone_is_not_begun_anew() {
    for gone in ["missing", "empty", "another"] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        records::save(&store, None, &thing("a", 1, None, None)).await.unwrap();
        store.close().await;
        fs::remove_file(dir.path().join("db")).unwrap();
        match gone {
            "missing" => {}
            "empty" => fs::write(dir.path().join("db"), b"").unwrap(),
            _ => {
                for snapshot in fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()) {
                    if snapshot.file_name().unwrap().to_string_lossy().starts_with("snap.") {
                        fs::remove_file(snapshot).unwrap();
                    }
                }
                drop(raw(dir.path()));
            }
        }
        let refused = refusal(dir.path());
        assert!(matches!(&refused, StoreError::Open(text) if text.contains("restore")), "{gone}: {refused}");
    }
}

#[tokio::test]
async fn data_of_somebody_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let other = raw(dir.path());
    other.insert(b"theirs", b"1").unwrap();
    drop(other);
    let refused = refusal(dir.path());
    assert_eq!(raw(dir.path()).get(b"theirs").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(matches!(&refused, StoreError::Open(text) if text.contains("another directory")), "{refused}");
}

#[tokio::test]
async fn damage_that_the_engine_notices_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    records::save(&store, None, &thing("a", 1, None, None)).await.unwrap();
    store.close().await;
    open(dir.path()).close().await;
    let snapshot = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    let snapshot = snapshot.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap."));
    for path in snapshot {
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 0xff;
        fs::write(&path, bytes).unwrap();
    }
    let refused = refusal(dir.path());
    assert!(matches!(&refused, StoreError::Damaged(text) if text.contains("restore")), "{refused}");
}

#[tokio::test]
async fn a_flipped_byte_is_noticed_wherever_it_matters() {
    flip_bytes(0).await;
}

#[tokio::test]
async fn a_flipped_byte_is_noticed_in_a_store_opened_often() {
    flip_bytes(2).await;
}

async fn flip_bytes(reopened: usize) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let things: Vec<_> = (0..60).map(|n| thing(&format!("SM{n}"), n, Some(5), Some((1, 5)))).collect();
    for thing in &things {
        records::save(&store, None, thing).await.unwrap();
    }
    store.close().await;
    for _ in 0..reopened {
        open(dir.path()).close().await;
    }
    let data = fs::read(dir.path().join("db")).unwrap();
    let used = data.iter().rposition(|byte| *byte != 0).unwrap();
    for place in (1..40).map(|n| used * n / 40) {
        let damaged = tempfile::tempdir().unwrap();
        copy(dir.path(), damaged.path());
        let mut data = data.clone();
        data[place] ^= 0x10;
        fs::write(damaged.path().join("db"), data).unwrap();
        match Sled::open(damaged.path(), Options::default()) {
            Err(error) => assert!(error.to_string().contains("restore"), "byte {place}: {error}"),
            Ok(store) => every_record_is_right_or_refused(&store, &things).await,
        }
    }
}

async fn every_record_is_right_or_refused(store: &Sled, things: &[Thing]) {
    let mut refused = 0;
    for thing in things {
        match records::get::<Thing>(store, &thing.id).await {
            Ok(read) => assert_eq!(read.map(|read| read.record).as_ref(), Some(thing)),
            Err(_) => refused += 1,
        }
    }
    let verdict = store.check().await.and_then(|report| report.verdict());
    assert_eq!(verdict.is_err(), refused > 0);
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_half_written_snapshot_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    records::save(&store, None, &thing("a", 1, None, None)).await.unwrap();
    store.close().await;
    let leftover = dir.path().join("snap.00000000000FFFFF.generating");
    fs::write(&leftover, b"half").unwrap();
    let store = open(dir.path());
    assert!(!leftover.exists());
    assert!(records::get::<Thing>(&store, "a").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_may_wait_is_refused_and_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sled::open(dir.path(), Options { max_waiting: 1, ..Options::default() }).unwrap();
    let things: Vec<_> = (0..300).map(|n| thing(&format!("{n:03}"), n, None, None)).collect();
    let answers = join_all(things.iter().map(|thing| records::save(&store, None, thing))).await;
    let mut overloaded = 0;
    for (thing, answer) in things.iter().zip(answers) {
        let there = records::get::<Thing>(&store, &thing.id).await.unwrap().is_some();
        match answer {
            Ok(()) => assert!(there),
            Err(CommitError::Store(StoreError::Overloaded)) => {
                overloaded += 1;
                assert!(!there);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!((1..300).contains(&overloaded), "{overloaded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_finished_before_closing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(open(dir.path()));
    let writes: Vec<_> = (0..500)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(
                async move { records::save(&*store, None, &thing(&n.to_string(), n, None, None)).await },
            )
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut done = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(()) => done += 1,
            Err(CommitError::Store(StoreError::Closed)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(open(dir.path()).check().await.unwrap().records, done);
}

/// The tree below a closed store.
fn raw(dir: &Path) -> sled::Db {
    sled::Config::new().path(dir).segment_size(8 * 1024 * 1024).flush_every_ms(None).open().unwrap()
}
