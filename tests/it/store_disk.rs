//! A disk that is full, and one that cannot be written: errors that say so,
//! nothing acknowledged lost, and writing goes on once there is room.
//!
//! The disk is a small tmpfs in a mount namespace of its own, which takes root
//! or the right to make user namespaces: `unshare` and `mount`.

use crate::store_contract::Thing;
use dialback::store::records;
use dialback::store::sled::{Growth, Options, Sled};
use dialback::store::{Change, CommitError, Key, Kind, Maintenance, Store, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const DISK: &str = "DIALBACK_TEST_SMALL_DISK";
const MIB: u64 = 1024 * 1024;
const BODY: usize = 60_000;

/// Runs a test again with a disk of its own, of so many MiB, and answers with
/// where that is to the one who is run so; `None` to the others.
fn on_small_disk(test: &str, mib: u64) -> Option<PathBuf> {
    if let Some(disk) = std::env::var_os(DISK) {
        return Some(disk.into());
    }
    let namespace = ["--mount", "--map-root-user"];
    let possible = |args: &[&str]| {
        let probe = "mount -t tmpfs -o size=1m none /tmp";
        let done = Command::new("unshare").args(args).args(["--", "sh", "-c", probe]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let Some(args) = [&namespace[..1], &namespace].into_iter().find(|args| possible(args)) else {
        eprintln!("skipped: no mount namespace can be made here for a small disk (unshare, mount)");
        return None;
    };
    let disk = tempfile::tempdir().unwrap();
    let script = r#"mount -t tmpfs -o "size=$1m" none "$2" && shift 2 && exec "$@""#;
    let done = Command::new("unshare")
        .args(args)
        .args(["--", "sh", "-c", script, "sh", &mib.to_string()])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .args([&format!("store_disk::{test}"), "--exact", "--nocapture"])
        .env(DISK, disk.path())
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "on a small disk:\n{}", String::from_utf8_lossy(&said));
    print!("{}", String::from_utf8_lossy(&said));
    None
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work);
}

const NEVER: Growth = Growth { times: u64::MAX, slack_bytes: 0, reserve_bytes: 0 };

fn open(disk: &Path, growth: Growth) -> Result<Sled, StoreError> {
    Sled::open(&disk.join("store"), Options { growth, ..Options::default() })
}

fn change(n: u32, expected: u64, body: Option<Vec<u8>>) -> Change {
    Change {
        key: Key::new(Kind::Verification, format!("VE{n}")),
        expected,
        body,
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}

/// What a record holds in a version of it.
fn body(n: u32, version: u64) -> Vec<u8> {
    vec![b'0' + ((u64::from(n) + version) % 10) as u8; BODY]
}

async fn write(store: &Sled, n: u32, version: u64) -> Result<(), CommitError> {
    store.commit(vec![change(n, version, Some(body(n, version + 1)))]).await
}

async fn is_there(store: &Sled, n: u32, version: u64) -> bool {
    let stored = store.read(&Key::new(Kind::Verification, format!("VE{n}"))).await.unwrap();
    stored.is_some_and(|stored| stored.version == version && stored.body == body(n, version))
}

fn says(error: &dyn std::error::Error, what: &[&str]) {
    let said = error.to_string();
    assert!(what.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn a_full_disk_fails_commits_and_loses_nothing() {
    let Some(disk) = on_small_disk("a_full_disk_fails_commits_and_loses_nothing", 48) else { return };
    run(async {
        let ballast = disk.join("ballast");
        fs::write(&ballast, vec![0; 16 * MIB as usize]).unwrap();
        let store = open(&disk, NEVER).unwrap();
        let mut done = 0;
        let error = loop {
            match write(&store, done, 0).await {
                Ok(()) => done += 1,
                Err(error) => break error,
            }
            assert!(done < 2000, "the disk does not fill up");
        };
        assert!(done > 50, "only {done} were written");
        says(&error, &["no space left", "make room"]);
        // Nothing more is acknowledged, and what can be read is right.
        says(&write(&store, done, 0).await.unwrap_err(), &["no space left", "make room"]);
        says(&store.probe().await.unwrap_err(), &["no space left", "make room"]);
        for n in 0..done {
            match store.read(&Key::new(Kind::Verification, format!("VE{n}"))).await {
                Ok(stored) => assert_eq!(stored.unwrap().body, body(n, 1)),
                Err(error) => says(&error, &["no space left", "make room"]),
            }
        }
        store.close().await;
        match open(&disk, NEVER) {
            Ok(store) => {
                for n in 0..done {
                    assert!(is_there(&store, n, 1).await, "{n} of {done}, opened while full");
                }
                store.close().await;
            }
            Err(error) => says(&error, &["no space left", "make room"]),
        }

        fs::remove_file(&ballast).unwrap();
        let store = open(&disk, NEVER).unwrap();
        for n in 0..done {
            assert!(is_there(&store, n, 1).await, "{n} of {done}, opened with room");
        }
        // What was refused may have been done; it is not half done.
        let after = store.read(&Key::new(Kind::Verification, format!("VE{done}"))).await.unwrap();
        write(&store, done, after.map_or(0, |stored| stored.version)).await.unwrap();
        assert_eq!(store.check().await.unwrap().damage, Vec::<String>::new());
        println!("{done} commits, then: {error}");
    });
}

#[test]
fn a_disk_that_cannot_be_written_is_named() {
    let Some(disk) = on_small_disk("a_disk_that_cannot_be_written_is_named", 64) else { return };
    let remount = |how: &str| {
        let done = Command::new("mount").args(["-o", how]).arg(&disk).status().unwrap();
        assert!(done.success());
    };
    run(async {
        remount("remount,ro");
        let error = open(&disk, NEVER).err().expect("a refusal");
        says(&error, &["read-only", "mount it for writing"]);
        remount("remount,rw");
        let store = open(&disk, NEVER).unwrap();
        write(&store, 0, 0).await.unwrap();
        store.close().await;
        remount("remount,ro");
        let error = open(&disk, NEVER).err().expect("a refusal");
        says(&error, &["read-only", "mount it for writing"]);
        remount("remount,rw");
        let store = open(&disk, NEVER).unwrap();
        assert!(is_there(&store, 0, 1).await);
        write(&store, 0, 1).await.unwrap();
    });
}

#[test]
fn a_copy_that_finds_no_room_does_no_harm() {
    let Some(disk) = on_small_disk("a_copy_that_finds_no_room_does_no_harm", 192) else { return };
    run(async {
        const RECORDS: u32 = 400;
        let store = open(&disk, NEVER).unwrap();
        let all_there = async |store: &Sled| {
            for n in 0..RECORDS {
                assert!(is_there(store, n, 1).await, "{n}");
            }
        };
        for n in 0..RECORDS {
            write(&store, n, 0).await.unwrap();
        }
        // The disk is full in the middle of the copy.
        let space = rustix::fs::statvfs(&disk).unwrap();
        let free = space.f_bavail * space.f_frsize;
        fs::write(disk.join("ballast"), vec![0; free.saturating_sub(26 * MIB) as usize]).unwrap();
        let before = store.stats().await.unwrap();
        let error = store.compact().await.expect_err("no room");
        says(&error, &["no space left", "make room"]);
        let after = store.stats().await.unwrap();
        assert_eq!((after.generation, after.compactions, after.is_copying), (0, 0, false));
        assert!(after.bytes_on_disk <= before.bytes_on_disk + MIB, "{before:?} {after:?}");
        assert!(!disk.join("store/generation-1").exists());
        // The old files go on.
        all_there(&store).await;
        let small = Thing { id: "SM1".to_owned(), note: 1, due: None, listed: None };
        records::save(&store, None, &small).await.unwrap();
        store.close().await;

        // With room kept free for writing it does not even begin.
        let careful = Growth { reserve_bytes: 16 * MIB, ..NEVER };
        let store = open(&disk, careful).unwrap();
        says(&store.compact().await.expect_err("no room"), &["no room for a copy", "make room"]);
        records::save(&store, records::get(&store, "SM1").await.unwrap().as_ref(), &small).await.unwrap();
        store.close().await;

        fs::remove_file(disk.join("ballast")).unwrap();
        let store = open(&disk, NEVER).unwrap();
        all_there(&store).await;
        for n in 0..RECORDS {
            store.commit(vec![change(n, 1, None)]).await.unwrap();
        }
        store.compact().await.unwrap();
        let mut now = store.stats().await.unwrap();
        // The old files go when their last reader has gone.
        while now.is_copying {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            now = store.stats().await.unwrap();
        }
        assert!(now.bytes_on_disk < before.bytes_on_disk / 4, "{before:?} {now:?}");
        assert_eq!(store.check().await.unwrap().records, 1);
    });
}
