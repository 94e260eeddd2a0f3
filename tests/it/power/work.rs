//! What the process writes that is cut off, and what must be there afterwards.
//!
//! Each writer has a count, and with each commit its count goes up, a record
//! comes and an old one goes: three records with their entries and due times; and the
//! counter of all has one more. So the count alone says which records there are and what is in them, and a store
//! can be compared with it to the last entry.

use crate::store_counters::{adding, taken};
use dialback::store::sled::{Options, Sled};
use dialback::store::{
    Change, CheckReport, Commit, Entry, Index, Key, Kind, Lane, Maintenance, Store, StoreError,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const WRITERS: u64 = 8;

/// The counter of all commits.
const ALL: &str = "all";

/// What is younger than this is there; of what is older one in three.
const YOUNG: u64 = 6;

/// What was acknowledged: each writer's count.
pub type Promised = BTreeMap<u64, u64>;

/// The store in a watched directory: not the directory itself, so that its
/// making is watched, too.
pub fn store_dir(root: &Path) -> PathBuf {
    root.join("var").join("data")
}

/// What the child is to do.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// So many commits by each writer.
    pub commits: u64,
    /// Compact the store after so many commits of the first writer.
    pub compact_every: Option<u64>,
}

/// Works, and marks what was acknowledged and what was read.
pub async fn work(root: &Path, mark: &Path, job: Job) {
    let store: Arc<dyn Maintenance> = Arc::new(Sled::open(&store_dir(root), Options::default()).unwrap());
    let marks = fs::OpenOptions::new().create(true).append(true).open(mark).unwrap();
    let marks = Arc::new(marks);
    let writers = (0..WRITERS).map(|writer| {
        let (store, marks) = (Arc::clone(&store), Arc::clone(&marks));
        tokio::spawn(async move { write(store, &marks, writer, job).await })
    });
    for done in futures_util::future::join_all(writers).await {
        done.unwrap();
    }
    store.close().await;
}

async fn write(store: Arc<dyn Maintenance>, marks: &fs::File, writer: u64, job: Job) {
    use std::io::Write;
    let say = |writer, n| {
        let mut marks = marks;
        marks.write_all(format!("{writer} {n}").as_bytes()).unwrap();
    };
    let count = |writer| {
        let store = Arc::clone(&store);
        async move { store.read(&counter(writer)).await.unwrap().map_or(0, |stored| stored.version) }
    };
    let done = count(writer).await;
    for n in done + 1..=done + job.commits {
        let additions = vec![adding(ALL, 1, 0, u64::MAX)];
        store.commit_counted(Commit { changes: changes(writer, n), additions }).await.unwrap();
        say(writer, n);
        // What can be read is durable, too.
        let other = (writer + n) % WRITERS;
        say(other, count(other).await);
        if writer == 0 && job.compact_every.is_some_and(|every| n % every == 0) {
            store.compact().await.unwrap();
        }
    }
}

/// Takes a mark down, unless it is the server's, which is ready.
pub fn learn(promised: &mut Promised, mark: &str) {
    let Some((writer, n)) = mark.split_once(' ') else { return };
    let known = promised.entry(writer.parse().unwrap()).or_default();
    *known = (*known).max(n.parse().unwrap());
}

/// Opens what a cut has left, twice, and compares it with what was promised.
///
/// # Errors
/// What is missing, half there or in the way.
pub async fn verify(root: &Path, promised: &Promised) -> Result<Promised, String> {
    let found = verify_once(root, promised).await?;
    let again = verify_once(root, &found).await.map_err(|error| format!("opened again: {error}"))?;
    if again != found {
        return Err(format!("opened again: {again:?} instead of {found:?}"));
    }
    Ok(found)
}

async fn verify_once(root: &Path, promised: &Promised) -> Result<Promised, String> {
    let said = |error: StoreError| error.to_string();
    let store = Sled::open(&store_dir(root), Options::default()).map_err(said)?;
    let mut found = Promised::new();
    let mut expected = CheckReport::default();
    for writer in 0..WRITERS {
        let count = store.read(&counter(writer)).await.map_err(said)?;
        let count = count.map_or(0, |stored| stored.version);
        let promise = promised.get(&writer).copied().unwrap_or(0);
        if count < promise {
            return Err(format!("writer {writer}: {promise} acknowledged, {count} there"));
        }
        found.insert(writer, count);
        for n in (1..=count).filter(|n| is_there(*n, count)) {
            let stored = store.read(&record(writer, n)).await.map_err(said)?;
            let Some(stored) = stored else {
                return Err(format!("writer {writer}: {n} of {count} is missing"));
            };
            if stored.version != 1 || stored.body != body(writer, n) {
                return Err(format!("writer {writer}: {n} is not what was written"));
            }
            expected.records += 1;
            expected.entries += 2;
            expected.due += u64::from(due(n).is_some());
        }
        expected.records += u64::from(count > 0);
        expected.due += u64::from(count > 0);
    }
    let (counted, written) = (taken(&store, ALL).await, found.values().sum::<u64>());
    if counted != written {
        return Err(format!("{written} commits, {counted} counted"));
    }
    expected.records += u64::from(written > 0);
    expected.due += u64::from(written > 0);
    let report = store.check().await.map_err(said)?;
    report.verdict().map_err(said)?;
    let (is, ought) = [&report, &expected].map(|it| (it.records, it.entries, it.due)).into();
    if is != ought {
        return Err(format!("records, entries and due: {is:?} instead of {ought:?}"));
    }
    compare_due(&store, &found).await?;
    store.close().await;
    Ok(found)
}

/// Counts are due when their count says so, and not when an earlier one did.
async fn compare_due(store: &Sled, found: &Promised) -> Result<(), String> {
    let due =
        store.due_in(Lane::Person, Timestamp::MAX, usize::MAX).await.map_err(|error| error.to_string())?;
    for (&writer, &n) in found.iter().filter(|(_, n)| **n > 0) {
        let key = counter(writer);
        let times: Vec<_> = due.iter().filter(|(named, _)| *named == key).map(|(_, at)| *at).collect();
        if times != [count_due(n)] {
            return Err(format!("writer {writer} is due at {times:?} with a count of {n}"));
        }
    }
    Ok(())
}

fn counter(writer: u64) -> Key {
    Key::new(Kind::Verification, format!("VE{writer}"))
}

fn record(writer: u64, n: u64) -> Key {
    Key::new(Kind::Verification, format!("SM{writer}-{n:06}"))
}

fn changes(writer: u64, n: u64) -> Vec<Change> {
    let count = Change {
        key: counter(writer),
        expected: n - 1,
        body: Some(n.to_string().into_bytes()),
        due_before: (n > 1).then(|| promised(count_due(n - 1))),
        due_after: Some(promised(count_due(n))),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    let comes = Change {
        key: record(writer, n),
        expected: 0,
        body: Some(body(writer, n)),
        due_before: None,
        due_after: due(n).map(promised),
        entries_added: entries(writer, n),
        entries_removed: Vec::new(),
    };
    let goes = n.checked_sub(YOUNG).filter(|old| *old > 0 && !is_there(*old, n)).map(|old| Change {
        key: record(writer, old),
        expected: 1,
        body: None,
        due_before: due(old).map(promised),
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: entries(writer, old),
    });
    [count, comes].into_iter().chain(goes).collect()
}

/// Whether the record of one count is there at another.
fn is_there(n: u64, count: u64) -> bool {
    n + YOUNG > count || n.is_multiple_of(3)
}

fn entries(writer: u64, n: u64) -> Vec<Entry> {
    let line = |index, scope: String| Entry { index, scope, at: at(n), id: record(writer, n).id };
    vec![line(Index::Verifications, String::new()), line(Index::VerificationsTo, writer.to_string())]
}

fn at(n: u64) -> Timestamp {
    Timestamp::from_millisecond(n as i64).unwrap()
}

fn count_due(n: u64) -> Timestamp {
    at(n * 7919 % 1000)
}

fn due(n: u64) -> Option<Timestamp> {
    n.is_multiple_of(2).then(|| at(n * 31 % 1000))
}

/// From 100 bytes to 4 KiB, and now and then 60 KiB; different everywhere, so
/// that a block of another record does not pass for it.
fn body(writer: u64, n: u64) -> Vec<u8> {
    let mut random = super::disk::Random(writer << 32 | n);
    let length = if random.percent(3) { 60 * 1024 } else { 100 + random.below(4000) };
    (0..length.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).take(length).collect()
}

fn promised(at: jiff::Timestamp) -> dialback::store::Due {
    dialback::store::Due { at, lane: dialback::store::Lane::Person }
}
