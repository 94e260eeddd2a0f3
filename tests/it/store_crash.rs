//! A process that writes is killed at random moments; whatever it had
//! acknowledged is there afterwards, and nothing is half there.

use crate::lengths::kills;
use crate::store_contract::{at, open};
use crate::store_counters::{adding, taken};
use dialback::store::{Change, Commit, Entry, Index, Key, Kind, Maintenance};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const WRITERS: u64 = 12;
/// The counter of all commits.
const ALL: &str = "all";
const DIR: &str = "DIALBACK_TEST_CRASH_DIR";

#[test]
fn nothing_acknowledged_is_lost_to_a_kill() {
    let kills = kills(10);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // This very test, started by itself, is the process that is killed.
    if let Ok(dir) = std::env::var(DIR) {
        let store = runtime.block_on(async { open(Path::new(&dir)) });
        runtime.block_on(write_until_killed(Arc::new(store)));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashMap::new();
    for _ in 0..kills {
        let name = "store_crash::nothing_acknowledged_is_lost_to_a_kill";
        acknowledged.extend(killed_run(name, DIR, dir.path(), Duration::from_millis(500)));
        runtime.block_on(async { verify(Arc::new(open(dir.path())), &acknowledged).await });
    }
    let total: u64 = acknowledged.values().sum();
    assert!(total > kills, "only {total} commits were tried");
}

/// Each writer commits a new record with its entries, and a count of them that
/// is due at another time than before, and adds one to the counter of all: three
/// records and up to six keys at once.
pub async fn write_until_killed(store: Arc<dyn Maintenance>) {
    let writers = (0..WRITERS).map(|writer| tokio::spawn(write(Arc::clone(&store), writer)));
    futures_util::future::join_all(writers).await;
}

async fn write(store: Arc<dyn Maintenance>, writer: u64) {
    let done = store.read(&counter(writer)).await.unwrap().map_or(0, |stored| stored.version);
    for n in done + 1.. {
        let changes = vec![count(writer, n), record(writer, n)];
        let additions = vec![adding(ALL, 1, 0, u64::MAX)];
        store.commit_counted(Commit { changes, additions }).await.unwrap();
        let line = format!("\nacknowledged {writer} {n}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

fn counter(writer: u64) -> Key {
    Key::new(Kind::Verification, format!("VE{writer}"))
}

fn numbered(writer: u64, n: u64) -> Key {
    Key::new(Kind::Verification, format!("SM{writer}-{n}"))
}

fn due(n: u64) -> jiff::Timestamp {
    at((n * 7919 % 1000) as i64)
}

fn count(writer: u64, n: u64) -> Change {
    Change {
        key: counter(writer),
        expected: n - 1,
        body: Some(n.to_string().into_bytes()),
        due_before: (n > 1).then(|| promised(due(n - 1))),
        due_after: Some(promised(due(n))),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}

fn record(writer: u64, n: u64) -> Change {
    let key = numbered(writer, n);
    let line = |index, scope: String| Entry { index, scope, at: at(n as i64), id: key.id.clone() };
    Change {
        expected: 0,
        body: Some(vec![b'0'; 300]),
        due_before: None,
        due_after: None,
        entries_added: vec![
            line(Index::Verifications, String::new()),
            line(Index::VerificationsTo, writer.to_string()),
        ],
        entries_removed: Vec::new(),
        key,
    }
}

/// Starts the test of that name as the writers, kills them some time between
/// before they have opened the store and well into writing, and says what was
/// acknowledged.
pub fn killed_run(name: &str, variable: &str, dir: &Path, within: Duration) -> HashMap<u64, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(variable, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let killer = std::thread::spawn(move || {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        std::thread::sleep(within * u32::from(u16::from_le_bytes(random)) / u32::from(u16::MAX));
        child.kill().unwrap();
        child.wait().unwrap();
    });
    // A line that the kill cut short has no number, or one that is too small.
    let acknowledged = lines.map_while(Result::ok).filter_map(|line| {
        let (writer, n) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((writer.parse().ok()?, n.parse().ok()?))
    });
    let last = acknowledged.collect();
    killer.join().unwrap();
    last
}

/// Whatever was acknowledged is there, and nothing is half there.
pub async fn verify(store: Arc<dyn Maintenance>, acknowledged: &HashMap<u64, u64>) {
    let mut written = 0;
    let mut counters = 0;
    for writer in 0..WRITERS {
        let count = store.read(&counter(writer)).await.unwrap();
        let count = count.map_or(0, |stored| stored.version);
        let promised = acknowledged.get(&writer).copied().unwrap_or(0);
        assert!(count >= promised, "writer {writer}: {promised} acknowledged, {count} there");
        for n in 1..=count {
            assert!(
                store.read(&numbered(writer, n)).await.unwrap().is_some(),
                "writer {writer}: {n} is missing"
            );
        }
        written += count;
        counters += u64::from(count > 0);
    }
    assert_eq!(taken(&*store, ALL).await, written, "each commit has counted once");
    counters += u64::from(written > 0);
    let report = store.check().await.unwrap();
    let found = (report.records, report.entries, report.due, report.damage);
    assert_eq!(found, (written + counters, 2 * written, counters, Vec::new()));
    store.close().await;
}

fn promised(at: jiff::Timestamp) -> dialback::store::Due {
    dialback::store::Due { at, lane: dialback::store::Lane::Person }
}
