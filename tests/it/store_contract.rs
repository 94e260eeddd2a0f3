//! What every engine promises, told once and run over each; and what only the
//! one with files can be asked.

use dialback::store::memory::Memory;
use dialback::store::records::{self, Record};
use dialback::store::sled::{Options, Sled};
use dialback::store::{
    Change, CommitError, Due, Entry, Index, Key, Kind, Lane, Maintenance, Scan, StoreError,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// A record with everything that a record can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// Any content.
    pub note: u32,
    /// When it is due, in milliseconds.
    pub due: Option<i64>,
    /// Where it is listed: under a number, at a time.
    pub listed: Option<(u8, i64)>,
}

impl Record for Thing {
    const KIND: Kind = Kind::Verification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        self.due.map(at)
    }

    fn entries(&self) -> Vec<Entry> {
        let line = |index, scope: String, millis| Entry { index, scope, at: at(millis), id: self.id.clone() };
        match self.listed {
            None => Vec::new(),
            Some((to, millis)) => {
                vec![
                    line(Index::Verifications, String::new(), millis),
                    line(Index::VerificationsTo, to.to_string(), millis),
                ]
            }
        }
    }
}

/// A time in milliseconds.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

pub fn thing(id: &str, note: u32, due: Option<i64>, listed: Option<(u8, i64)>) -> Thing {
    Thing { id: id.to_owned(), note, due, listed }
}

pub fn all() -> Scan {
    let scope = String::new();
    Scan { index: Index::Verifications, scope, since: None, until: None, after: None, limit: 100 }
}

/// The ids of a stretch; it is the same beside another one, and with the records.
async fn ids(store: &dyn Maintenance, scan: Scan) -> Vec<String> {
    let entries = store.scan(&scan).await.unwrap();
    let stretches = store.list(&[all(), scan.clone(), scan]).await.unwrap();
    assert_eq!(stretches.len(), 3);
    for stretch in &stretches[1..] {
        assert_eq!(stretch.iter().map(|line| line.entry.clone()).collect::<Vec<_>>(), entries);
    }
    for line in stretches.iter().flatten() {
        let key = Key::new(line.entry.index.kind(), line.entry.id.as_str());
        assert_eq!(line.stored, store.read(&key).await.unwrap());
        assert!(line.stored.is_some(), "{line:?}");
    }
    entries.into_iter().map(|entry| entry.id).collect()
}

async fn due_ids(store: &dyn Maintenance, until: Timestamp, limit: usize) -> Vec<String> {
    store.due(until, limit).await.unwrap().into_iter().map(|(key, _)| key.id).collect()
}

async fn next_due(store: &dyn Maintenance) -> Option<Timestamp> {
    store.due(Timestamp::MAX, 1).await.unwrap().first().map(|(_, at)| *at)
}

/// The story: what one record, and several, live through.
pub async fn story(store: &dyn Maintenance) {
    store.probe().await.unwrap();
    assert!(records::get::<Thing>(store, "a").await.unwrap().is_none());
    assert_eq!(next_due(store).await, None);

    let first = thing("a", 1, Some(50), Some((1, 10)));
    records::save(store, None, &first).await.unwrap();
    let read = records::get::<Thing>(store, "a").await.unwrap().unwrap();
    let begun = read.version;
    assert!(begun == 1 || store.is_shared() && begun >= 1 << 32, "{begun}");
    assert_eq!(read.record, first);
    assert_eq!(next_due(store).await, Some(at(50)));

    // Written from nothing, or from an older version: too late.
    let again = records::save(store, None, &first).await;
    assert!(matches!(again, Err(CommitError::Conflict)));
    let second = thing("a", 2, Some(70), Some((2, 10)));
    records::save(store, Some(&read), &second).await.unwrap();
    let late = records::save(store, Some(&read), &first).await;
    assert!(matches!(late, Err(CommitError::Conflict)));
    let read = records::get::<Thing>(store, "a").await.unwrap().unwrap();
    assert_eq!((read.version, &read.record), (begun + 1, &second));

    // Its entries moved with it.
    assert_eq!(store.due(at(69), 9).await.unwrap(), []);
    assert_eq!(store.due(at(70), 9).await.unwrap(), [(Key::new(Kind::Verification, "a"), at(70))]);
    let of = |to: &str| Scan { index: Index::VerificationsTo, scope: to.to_owned(), ..all() };
    assert_eq!(ids(store, of("1")).await, Vec::<String>::new());
    assert_eq!(ids(store, of("2")).await, ["a"]);

    // What waits for no person is due in a lane of its own.
    let mut machine = records::put(None, &thing("m", 1, Some(1), None));
    machine.key.kind = Kind::Dispatch;
    let due = Due { at: at(1), lane: Lane::Webhook };
    machine.due_after = Some(due);
    let key = machine.key.clone();
    store.commit(vec![machine]).await.unwrap();
    let expected = store.read(&key).await.unwrap().unwrap().version;
    assert_eq!(store.due_in(Lane::Webhook, at(1), 9).await.unwrap(), [(key, at(1))]);
    assert_eq!(next_due(store).await, Some(at(70)));
    pages_of_due(store).await;
    reads_many(store).await;
    let gone = Change {
        key: Key::new(Kind::Dispatch, "m"),
        expected,
        body: None,
        due_before: Some(due),
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    store.commit(vec![gone]).await.unwrap();
    assert_eq!(store.due_in(Lane::Webhook, Timestamp::MAX, 9).await.unwrap(), []);

    // All or nothing: one of two comes too late.
    let other = thing("b", 1, Some(60), Some((2, 20)));
    let both = vec![records::put(None, &other), records::put(None, &first)];
    assert!(matches!(store.commit(both).await, Err(CommitError::Conflict)));
    assert!(records::get::<Thing>(store, "b").await.unwrap().is_none());
    assert_eq!(due_ids(store, Timestamp::MAX, 9).await, ["a"]);

    let both =
        vec![records::put(None, &other), records::put(Some(&read), &thing("a", 3, None, Some((2, 10))))];
    store.commit(both).await.unwrap();
    records::save(store, None, &thing("c", 1, Some(-5), Some((2, 20)))).await.unwrap();
    records::save(store, None, &thing("d", 1, None, Some((22, 30)))).await.unwrap();
    assert_eq!(due_ids(store, Timestamp::MAX, 9).await, ["c", "b"]);
    assert_eq!(due_ids(store, Timestamp::MAX, 1).await, ["c"]);
    assert_eq!(next_due(store).await, Some(at(-5)));

    // Newest first, ties by id descending, in bounds, page by page.
    assert_eq!(ids(store, all()).await, ["d", "c", "b", "a"]);
    assert_eq!(ids(store, of("2")).await, ["c", "b", "a"]);
    assert_eq!(ids(store, Scan { since: Some(at(20)), until: Some(at(30)), ..all() }).await, ["c", "b"]);
    assert_eq!(ids(store, Scan { limit: 2, ..all() }).await, ["d", "c"]);
    assert_eq!(ids(store, Scan { after: Some((at(20), "c".into())), limit: 1, ..all() }).await, ["b"]);
    assert_eq!(
        ids(store, Scan { since: Some(at(30)), until: Some(at(20)), ..all() }).await,
        Vec::<String>::new()
    );
    assert_eq!(ids(store, Scan { limit: 0, ..all() }).await, Vec::<String>::new());

    // Walked through by kind, in the order of ids.
    let walked = |after, limit| async move {
        let found = store.walk(Kind::Verification, after, limit).await.unwrap();
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    let third = &store.walk(Kind::Verification, None, 1).await.unwrap()[0].1;
    assert_eq!(
        (third.version, store.read(&Key::new(Kind::Verification, "a")).await.unwrap().as_ref()),
        (begun + 2, Some(third))
    );
    assert_eq!(walked(None, 9).await, ["a", "b", "c", "d"]);
    assert_eq!(walked(Some("a"), 2).await, ["b", "c"]);
    assert_eq!(walked(Some("d"), 9).await, Vec::<String>::new());
    assert!(store.walk(Kind::Delivery, None, 9).await.unwrap().is_empty());

    // Gone with all its entries, and new again.
    let read = records::get::<Thing>(store, "c").await.unwrap().unwrap();
    store.commit(vec![records::delete(&read)]).await.unwrap();
    assert!(records::get::<Thing>(store, "c").await.unwrap().is_none());
    assert_eq!(due_ids(store, Timestamp::MAX, 9).await, ["b"]);
    assert_eq!(ids(store, all()).await, ["d", "b", "a"]);
    records::save(store, None, &read.record).await.unwrap();
    let anew = records::get::<Thing>(store, "c").await.unwrap().unwrap().version;
    // Where others may still hold what they read of the first, it is another.
    assert!(if store.is_shared() { anew != read.version } else { anew == 1 });

    store.commit(Vec::new()).await.unwrap();
    stays_aside(store).await;
    refuses(store).await;
    let report = store.check().await.unwrap();
    assert_eq!((report.records, report.due, report.entries, report.damaged), (4, 2, 8, 0));
}

/// Many are read as each is, wherever in the list they are and however long that is.
async fn reads_many(store: &dyn Maintenance) {
    let new = |n: u32| records::put(None, &thing(&format!("many{n}"), n, None, None));
    for first in (0..300).step_by(50) {
        store.commit((first..first + 50).map(new).collect()).await.unwrap();
    }
    let ids = (0..600).map(|n| format!("many{}", n % 301));
    let found = records::get_many::<Thing>(store, ids).await.unwrap();
    let notes: Vec<Option<u32>> = found.into_iter().map(|one| one.map(|one| one.record.note)).collect();
    let expected = (0..600).map(|n| Some(n % 301).filter(|n| *n < 300));
    assert_eq!(notes, expected.collect::<Vec<Option<u32>>>());
    assert_eq!(store.read_many(&[]).await.unwrap(), []);
    let keys = [Key::new(Kind::Dispatch, "many1"), Key::new(Kind::Verification, "many1")];
    let found = store.read_many(&keys).await.unwrap();
    assert_eq!((&found[0], found[1].as_ref()), (&None, store.read(&keys[1]).await.unwrap().as_ref()));
    let all: Vec<String> = (0..300).map(|n| format!("many{n}")).collect();
    let all = records::get_many::<Thing>(store, all).await.unwrap();
    for some in all.into_iter().flatten().collect::<Vec<_>>().chunks(50) {
        store.commit(some.iter().map(records::delete).collect()).await.unwrap();
    }
}

/// All that is due comes in pages as it does at once, whoever is due together.
async fn pages_of_due(store: &dyn Maintenance) {
    let ids = ["p1", "p2", "p", "pp", "q"];
    let aside = |id: &&str, millis: i64| {
        let change = records::put(None, &thing(id, 1, Some(millis), None));
        Change { due_after: Some(Due { at: at(millis), lane: Lane::Aside }), ..change }
    };
    let changes = ids.iter().zip([7, 7, 7, 9, 8]).map(|(id, millis)| aside(id, millis));
    store.commit(changes.collect()).await.unwrap();
    let all = store.due_in(Lane::Aside, at(9), 99).await.unwrap();
    assert_eq!(all.iter().map(|(key, _)| key.id.as_str()).collect::<Vec<_>>(), ["p", "p1", "p2", "q", "pp"]);
    for size in 1..=all.len() {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.due_after(Lane::Aside, after.as_ref(), at(9), size).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            paged.extend(page);
        }
        assert_eq!(paged, all, "{size} at a time");
    }
    assert_eq!(store.due_after(Lane::Aside, all.last(), at(3), 9).await.unwrap(), [], "ends before");
    for id in ids {
        let read = records::get::<Thing>(store, id).await.unwrap().unwrap();
        let due_before = read.record.due.map(|millis| Due { at: at(millis), lane: Lane::Aside });
        store.commit(vec![Change { due_before, ..records::delete(&read) }]).await.unwrap();
    }
}

/// What was set aside stays so when it is written, until it is due at another time.
async fn stays_aside(store: &dyn Maintenance) {
    let in_lane = async |lane| store.due_in(lane, at(5), 9).await.unwrap().len();
    let read = async || records::get::<Thing>(store, "s").await.unwrap().unwrap();
    records::save(store, None, &thing("s", 1, Some(5), None)).await.unwrap();
    let due = Due { at: at(5), lane: Lane::Aside };
    let first = read().await;
    let aside = Change { due_after: Some(due), ..records::put(Some(&first), &first.record) };
    let persons = in_lane(Lane::Person).await;
    store.commit(vec![aside]).await.unwrap();
    assert_eq!((in_lane(Lane::Person).await, in_lane(Lane::Aside).await), (persons - 1, 1));
    records::save(store, Some(&read().await), &thing("s", 2, Some(5), None)).await.unwrap();
    assert_eq!((in_lane(Lane::Person).await, in_lane(Lane::Aside).await), (persons - 1, 1), "written");
    records::save(store, Some(&read().await), &thing("s", 3, Some(4), None)).await.unwrap();
    assert_eq!((in_lane(Lane::Person).await, in_lane(Lane::Aside).await), (persons, 0), "due otherwise");
    store.commit(vec![records::delete(&read().await)]).await.unwrap();
    assert_eq!((in_lane(Lane::Person).await, in_lane(Lane::Aside).await), (persons - 1, 0));
}

/// What no engine takes; nothing of it is done.
async fn refuses(store: &dyn Maintenance) {
    let new = || records::put(None, &thing("new", 1, None, None));
    let long = Key::new(Kind::Verification, "x".repeat(Key::MAX_ID + 1));
    let foreign = Entry { index: Index::Verifications, scope: String::new(), at: at(1), id: "other".into() };
    let torn = Entry { index: Index::VerificationsTo, scope: "a\0b".into(), at: at(1), id: "new".into() };
    let elsewhere = Due { at: at(1), lane: Lane::Webhook };
    let crowd = |n| records::put(None, &thing(&format!("crowd{n}"), 1, None, None));
    for refused in [
        vec![new(), new()],
        vec![Change { key: long, ..new() }],
        vec![Change { key: Key::new(Kind::Verification, ""), ..new() }],
        vec![Change { key: Key::new(Kind::Verification, "a\0b"), ..new() }],
        vec![Change { due_after: Some(elsewhere), ..new() }],
        vec![Change { entries_added: vec![foreign], ..new() }],
        vec![Change { entries_added: vec![torn], ..new() }],
        (0..=Change::MAX_COMMIT).map(crowd).collect(),
    ] {
        let answer = store.commit(refused).await;
        assert!(matches!(answer, Err(CommitError::Store(StoreError::Failed(_)))), "{answer:?}");
    }
    let long = vec![Change { body: Some(vec![b' '; Change::MAX_BODY + 1]), ..new() }];
    let answer = store.commit(long).await;
    assert!(matches!(answer, Err(CommitError::Store(StoreError::TooLarge { size: 65_537 }))), "{answer:?}");
    assert!(records::get::<Thing>(store, "new").await.unwrap().is_none());
}

/// Eight who count the same record up: every step is counted once.
pub async fn count_together(store: Arc<dyn Maintenance>) {
    const STEPS: u32 = 200;
    records::save(&*store, None, &thing("n", 0, None, None)).await.unwrap();
    let begun = records::get::<Thing>(&*store, "n").await.unwrap().unwrap().version;
    let tasks = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..STEPS {
                loop {
                    let read = records::get::<Thing>(&*store, "n").await.unwrap().unwrap();
                    let next = Thing { note: read.record.note + 1, ..read.record.clone() };
                    match records::save(&*store, Some(&read), &next).await {
                        Ok(()) => break,
                        Err(CommitError::Conflict) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
    let read = records::get::<Thing>(&*store, "n").await.unwrap().unwrap();
    assert_eq!((read.record.note, read.version), (8 * STEPS, u64::from(8 * STEPS) + begun));
}

pub async fn closed(store: &dyn Maintenance) {
    store.close().await;
    assert!(matches!(store.read(&Key::new(Kind::Verification, "a")).await, Err(StoreError::Closed)));
    assert!(matches!(store.read_many(&[Key::new(Kind::Verification, "a")]).await, Err(StoreError::Closed)));
    assert!(matches!(store.commit(Vec::new()).await, Err(CommitError::Store(StoreError::Closed))));
    assert!(matches!(store.due(at(0), 1).await, Err(StoreError::Closed)));
    assert!(matches!(store.scan(&all()).await, Err(StoreError::Closed)));
    assert!(matches!(store.probe().await, Err(StoreError::Closed)));
    store.close().await;
}

/// Opens a store with what the tests need.
pub fn open(dir: &Path) -> Sled {
    Sled::open(dir, Options::default()).unwrap()
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let store = Memory::new();
    story(&store).await;
    closed(&store).await;
}

#[tokio::test]
async fn sled_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    story(&store).await;
    closed(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_counts_every_step_once() {
    count_together(Arc::new(Memory::new())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sled_counts_every_step_once() {
    let dir = tempfile::tempdir().unwrap();
    count_together(Arc::new(open(dir.path()))).await;
}
