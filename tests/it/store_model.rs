//! Any sequence of operations has the same answers in memory, in files and in a
//! database, however often these are opened anew.

use crate::postgres::{TestDatabase, database};
use crate::store_contract::{Thing, at, open};
use crate::store_counters::{adding, giving_back};
use crate::store_streaks::{Try, trying};
use dialback::store::memory::Memory;
use dialback::store::records::{self, Versioned};
use dialback::store::{
    Change, Commit, CountedError, Counting, Entry, Index, Key, Kind, Lane, Maintenance, Scan, Store, Stored,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Step {
    /// Changes made of what was read last, some of an older version.
    Commit(Vec<Write>),
    /// Beside changes, what is added to counters: to which, how many, at which second,
    /// and what else is done instead.
    Count(Vec<Write>, BTreeMap<u8, (u64, i64, Added)>),
    Due {
        until: i64,
        limit: usize,
    },
    Scan {
        to: Option<u8>,
        since: Option<i64>,
        until: Option<i64>,
        after: Option<(i64, u8)>,
        limit: usize,
    },
    Reopen,
    Compact,
}

#[derive(Debug, Clone, Copy)]
enum Added {
    /// So many more.
    More,
    /// As many are given back.
    Back,
    /// What comes of a check of somebody who has to ask, or need not.
    Tried(bool, Try),
}

#[derive(Debug, Clone)]
struct Write {
    id: u8,
    /// `None` deletes.
    content: Option<Thing>,
    stale: bool,
}

fn write() -> impl Strategy<Value = Write> {
    let times = || proptest::option::of(-3..9i64);
    let listed = proptest::option::of((0..3u8, -3..9i64));
    let content = (any::<u32>(), times(), listed);
    let stale = proptest::bool::weighted(0.1);
    (0..6u8, proptest::option::weighted(0.8, content), stale).prop_map(|(id, content, stale)| {
        let content = content.map(|(note, due, listed)| Thing { id: name(id), note, due, listed });
        Write { id, content, stale }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let times = || proptest::option::of(-4..10i64);
    let after = proptest::option::of((-4..10i64, 0..6u8));
    prop_oneof![
        8 => proptest::collection::vec(write(), 1..4).prop_map(Step::Commit),
        4 => (proptest::collection::vec(write(), 0..2), additions()).prop_map(|(writes, additions)| Step::Count(writes, additions)),
        2 => (-4..10i64, 0..7usize).prop_map(|(until, limit)| Step::Due { until, limit }),
        3 => (proptest::option::of(0..3u8), times(), times(), after, 0..7usize)
            .prop_map(|(to, since, until, after, limit)| Step::Scan { to, since, until, after, limit }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ]
}

fn additions() -> impl Strategy<Value = BTreeMap<u8, (u64, i64, Added)>> {
    let tried = prop_oneof![
        3 => Just(Try::Fail), 1 => Just(Try::Succeed), 3 => Just(Try::Count), 1 => Just(Try::GiveBack), 1 => Just(Try::Ask)
    ];
    let added = prop_oneof![
        4 => Just(Added::More),
        2 => Just(Added::Back),
        4 => (any::<bool>(), tried).prop_map(|(asks, what)| Added::Tried(asks, what)),
    ];
    proptest::collection::btree_map(0..COUNTERS, (0..6u64, 0..200i64, added), 1..3)
}

/// Of so many counters, under a limit of nine in a minute.
const COUNTERS: u8 = 3;

fn countings(additions: &BTreeMap<u8, (u64, i64, Added)>) -> Vec<Counting> {
    let counting = |(counter, &(amount, second, added)): (&u8, &(u64, i64, Added))| {
        let (id, now) = (counter.to_string(), second * 1000);
        match added {
            Added::More => adding(&id, amount, now, 9),
            Added::Back => giving_back(&id, amount, now, now),
            Added::Tried(true, what) => trying(&id, now, &[Try::Ask, what]),
            Added::Tried(false, what) => trying(&id, now, &[what]),
        }
    };
    additions.iter().map(counting).collect()
}

fn key(id: u8) -> Key {
    Key::new(Kind::Verification, name(id))
}

fn name(id: u8) -> String {
    format!("SM{id}")
}

/// The changes, of what the store has.
async fn changes(store: &dyn Maintenance, writes: &[Write]) -> Vec<Change> {
    let mut changes = Vec::new();
    for write in writes {
        let old: Option<Versioned<Thing>> = records::get(store, &name(write.id)).await.unwrap();
        let mut change = match (&write.content, &old) {
            (Some(new), _) => records::put(old.as_ref(), new),
            (None, Some(old)) => records::delete(old),
            (None, None) => continue,
        };
        change.expected += u64::from(write.stale);
        changes.push(change);
    }
    changes
}

fn verdict(answer: Result<(), CountedError>) -> String {
    match answer {
        Ok(()) => "done".to_owned(),
        Err(CountedError::Limited(limited)) => format!("{limited:?}"),
        Err(error) => error.to_string(),
    }
}

fn scan(step: &Step) -> Option<Scan> {
    let Step::Scan { to, since, until, after, limit } = step else { return None };
    Some(Scan {
        index: if to.is_some() { Index::VerificationsTo } else { Index::Verifications },
        scope: to.map(|to| to.to_string()).unwrap_or_default(),
        since: since.map(at),
        until: until.map(at),
        after: after.map(|(millis, id)| (at(millis), name(id))),
        limit: *limit,
    })
}

/// Where the engine that is tried is opened, and opened anew.
enum Place<'a> {
    Files(&'a Path),
    Database(&'a TestDatabase),
}

impl Place<'_> {
    async fn open(&self) -> Arc<dyn Maintenance> {
        match self {
            Self::Files(dir) => Arc::new(open(dir)),
            Self::Database(database) => Arc::new(database.open().await),
        }
    }
}

/// The same changes for an engine whose records begin at other versions.
async fn translated(store: &dyn Maintenance, model: &Memory, changes: &[Change]) -> Vec<Change> {
    let mut translated = changes.to_vec();
    for change in &mut translated {
        let version = async |store: &dyn Maintenance| {
            store.read(&change.key).await.unwrap().map_or(0, |stored| stored.version)
        };
        let (theirs, ours) = (version(store).await, version(model).await);
        change.expected = (change.expected + theirs).checked_sub(ours).unwrap();
    }
    translated
}

fn json(stored: &Stored) -> serde_json::Value {
    serde_json::from_slice(&stored.body).unwrap()
}

async fn same(store: &dyn Maintenance, model: &Memory, seen: &mut BTreeMap<u8, (u64, u64)>) {
    for id in 0..COUNTERS {
        let key = Key::new(Kind::Counter, id.to_string());
        let (theirs, ours) = (store.read(&key).await.unwrap(), model.read(&key).await.unwrap());
        assert_eq!(theirs.as_ref().map(json), ours.as_ref().map(json));
    }
    for id in 0..6 {
        let (theirs, ours) = (store.read(&key(id)).await.unwrap(), model.read(&key(id)).await.unwrap());
        assert_eq!(theirs.as_ref().map(json), ours.as_ref().map(json));
        let (Some(theirs), Some(ours)) = (theirs, ours) else {
            seen.remove(&id);
            continue;
        };
        // However they begin, they go up together.
        match seen.insert(id, (theirs.version, ours.version)) {
            Some((before, then)) => assert_eq!(theirs.version - before, ours.version - then),
            None => assert!(theirs.version == 1 || store.is_shared(), "{theirs:?}"),
        }
    }
}

async fn commit(store: &dyn Maintenance, memory: &Memory, writes: &[Write], additions: Vec<Counting>) {
    let changes = changes(memory, writes).await;
    let translated = translated(store, memory, &changes).await;
    let expected = memory.commit_counted(Commit { changes, additions: additions.clone() }).await;
    let answer = store.commit_counted(Commit { changes: translated, additions }).await;
    assert_eq!(verdict(answer), verdict(expected));
}

async fn run(place: Place<'_>, steps: Vec<Step>) {
    let memory = Memory::new();
    let mut files = place.open().await;
    let mut seen = BTreeMap::new();
    for step in steps {
        match &step {
            Step::Commit(writes) => commit(&*files, &memory, writes, Vec::new()).await,
            Step::Count(writes, added) => commit(&*files, &memory, writes, countings(added)).await,
            Step::Due { until, limit } => {
                let expected = memory.due(at(*until), *limit).await.unwrap();
                assert_eq!(files.due(at(*until), *limit).await.unwrap(), expected);
            }
            Step::Scan { .. } => {
                let scan = scan(&step).unwrap();
                assert_eq!(files.scan(&scan).await.unwrap(), memory.scan(&scan).await.unwrap());
            }
            Step::Reopen => {
                files.close().await;
                files = place.open().await;
            }
            Step::Compact => files.compact().await.unwrap(),
        }
        same(&*files, &memory, &mut seen).await;
    }
    let everything = |index, scope: &str| Scan {
        index,
        scope: scope.to_owned(),
        since: None,
        until: None,
        after: None,
        limit: 99,
    };
    let listed: Vec<Entry> = memory.scan(&everything(Index::Verifications, "")).await.unwrap();
    assert_eq!(files.scan(&everything(Index::Verifications, "")).await.unwrap(), listed);
    let due = memory.due(Timestamp::MAX, 99).await.unwrap();
    assert_eq!(files.due(Timestamp::MAX, 99).await.unwrap(), due);
    let counters = memory.due_in(Lane::Chore, Timestamp::MAX, 99).await.unwrap();
    assert_eq!(files.due_in(Lane::Chore, Timestamp::MAX, 99).await.unwrap(), counters);
    let report = files.check().await.unwrap();
    assert_eq!(
        (report.due, report.entries, report.damage),
        ((due.len() + counters.len()) as u64, 2 * listed.len() as u64, vec![])
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn files_answer_as_memory_does(steps in proptest::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(run(Place::Files(dir.path()), steps));
    }
}

#[test]
fn a_database_answers_as_memory_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let Some(database) = runtime.block_on(database("the model of stores")) else { return };
    let config = ProptestConfig {
        cases: 48,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = proptest::collection::vec(step(), 1..40);
    let verdict = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            database.empty().await;
            run(Place::Database(&database), steps).await;
        });
        Ok(())
    });
    verdict.unwrap();
}
