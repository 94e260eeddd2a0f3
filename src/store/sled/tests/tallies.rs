//! What a store says its records come to is what they come to, whatever it lives through;
//! and a store whose records are others is told from it.

use super::super::super::{CommitError, Counting};
use super::*;
use crate::model::counter::{Addition, Limit};

/// Records that are changed, deleted and made again, and counters.
const IDS: u64 = 40;

/// A stroke of random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What is kept, and what there is.
fn tallies(store: &Sled) -> (Option<RecordSum>, RecordSum) {
    store.shared.with(|db| Ok((Tallied::read(db)?.unwrap().tally, RecordSum::count(db)?))).unwrap()
}

fn is_exact(store: &Sled, what: &str) {
    let (kept, counted) = tallies(store);
    assert_eq!(kept, Some(counted), "{what}");
}

async fn counter_of(store: &Sled, id: &str) -> Option<Stored> {
    store.read(&Key::new(Kind::Counter, id)).await.unwrap()
}

fn counting(random: &mut Random) -> Counting {
    let now = Timestamp::from_second(1_000 + random.below(100) as i64).unwrap();
    let additions = vec![Addition::Amount { of: "start".into(), amount: random.below(3) }];
    let limits = vec![Limit::new("starts", "start", 60, 100)];
    Counting { counter: format!("c{}", random.below(4)), now, additions, limits }
}

/// Something to do to a record that has that version now, or is said to have it.
fn change(id: String, random: &mut Random, version: u64) -> Change {
    let is_deleted = version > 0 && random.below(3) == 0;
    let body = (!is_deleted).then(|| vec![b'x'; random.below(300) as usize]);
    Change { expected: version, body, ..new(&id).remove(0) }
}

/// Commits that wait together, so that a group changes a record twice, refuses some of
/// them, and adds to counters that others put.
async fn turmoil(store: &Sled, random: &mut Random, rounds: u32) {
    for _ in 0..rounds {
        let mut commits = Vec::new();
        for _ in 0..8 {
            let id = format!("{}", random.below(IDS));
            let version = store.read(&key(&id)).await.unwrap().map_or(0, |read| read.version);
            let first = change(id.clone(), random, version);
            let next = if first.body.is_some() { version + 1 } else { 0 };
            let second = change(id, random, next);
            for change in [first, second] {
                let additions = vec![counting(random)];
                commits.push(Commit { changes: vec![change], additions });
            }
        }
        let id = format!("c{}", random.below(4));
        if let Some(read) = counter_of(store, &id).await {
            let body = (random.below(2) == 0).then(|| read.body.to_vec());
            let key = Key::new(Kind::Counter, id);
            commits.push(vec![Change { key, expected: read.version, body, ..new("").remove(0) }].into());
        }
        let answers = commits.into_iter().map(|commit| store.commit_counted(commit));
        for answer in futures_util::future::join_all(answers).await {
            let is_lost = matches!(answer, Err(CountedError::Commit(CommitError::Conflict)));
            let is_refused = matches!(answer, Err(CountedError::Limited(_)));
            assert!(answer.is_ok() || is_lost || is_refused, "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_what_there_is_after_whatever_was_written() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let mut random = Random(seed);
        let store = Sled::open(dir.path(), Options::default()).unwrap();
        is_exact(&store, "opened");
        turmoil(&store, &mut random, 30).await;
        is_exact(&store, "written");
        let (compacted, ()) = tokio::join!(store.compact(), turmoil(&store, &mut random, 30));
        compacted.unwrap();
        is_exact(&store, "written while it was copied");
        store.probe().await.unwrap();
        turmoil(&store, &mut random, 3).await;
        is_exact(&store, "written after it was copied");
        let report = store.check().await.unwrap();
        assert_eq!((report.damage, report.not_compared), (Vec::new(), None));
        assert!(report.records > 10, "{}", report.records);
        store.close().await;
    }
}

/// A store's data, beside the store.
fn raw(dir: &Path) -> sled::Db {
    let current = generations::Current::read(dir).unwrap();
    open_db(&generations::path(dir, current.generation), 1 << 20).unwrap()
}

/// A store as a version leaves it that knows no tally.
async fn untallied(dir: &Path) {
    let store = Sled::open(dir, Options::default()).unwrap();
    turmoil(&store, &mut Random(9), 20).await;
    store.close().await;
    let raw = raw(dir);
    raw.insert(layout::LAYOUT_KEY, &[layout::TALLIED - 1]).unwrap();
    raw.remove(layout::TALLY_KEY).unwrap();
}

/// Opens it as if its log were too large to be counted.
fn opened_large(dir: &Path) -> Sled {
    let directory = Directory::take(dir).unwrap();
    let generation = directory.opened.generation;
    let db = open_db(&directory.generation(generation), 1 << 20).unwrap();
    let begun = begin(&directory, &db, 0).unwrap();
    let sync = Box::new(directory.sync_data(generation).unwrap());
    Sled::start(directory, db, begun, sync, Options::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_left_is_counted_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    untallied(dir.path()).await;
    let store = Sled::open(dir.path(), Options::default()).unwrap();
    is_exact(&store, "opened");
    turmoil(&store, &mut Random(3), 5).await;
    is_exact(&store, "written");
    store.close().await;
    assert_eq!(raw(dir.path()).get(layout::LAYOUT_KEY).unwrap().as_deref(), Some(&[layout::WHOLE][..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_version_left_is_counted_by_the_next_copy_where_it_is_large() {
    let dir = tempfile::tempdir().unwrap();
    untallied(dir.path()).await;
    for _ in 0..2 {
        let store = opened_large(dir.path());
        turmoil(&store, &mut Random(3), 5).await;
        assert_eq!(tallies(&store).0, None);
        let report = store.check().await.unwrap();
        assert_eq!(report.damage, Vec::<String>::new());
        assert!(report.not_compared.is_some_and(|why| why.contains("store compact")));
        store.close().await;
    }
    let store = opened_large(dir.path());
    let mut random = Random(4);
    let (compacted, ()) = tokio::join!(store.compact(), turmoil(&store, &mut random, 30));
    compacted.unwrap();
    is_exact(&store, "copied");
    store.close().await;
    let store = opened_large(dir.path());
    is_exact(&store, "opened again");
    turmoil(&store, &mut random, 5).await;
    is_exact(&store, "and written");
    assert_eq!(store.check().await.unwrap().not_compared, None);
}

#[tokio::test]
async fn a_tally_that_an_older_version_left_behind_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    untallied(dir.path()).await;
    let stale = Tallied { group: 1, tally: Some(RecordSum::default()) };
    raw(dir.path()).insert(layout::TALLY_KEY, stale.value()).unwrap();
    let store = Sled::open(dir.path(), Options::default()).unwrap();
    is_exact(&store, "opened");
}

#[tokio::test]
async fn a_tally_that_is_not_of_the_last_group_is_refused() {
    for what in ["behind", "gone", "torn"] {
        let dir = tempfile::tempdir().unwrap();
        let store = Sled::open(dir.path(), Options::default()).unwrap();
        turmoil(&store, &mut Random(9), 5).await;
        store.close().await;
        let raw = raw(dir.path());
        let kept = raw.get(layout::TALLY_KEY).unwrap().unwrap();
        let behind = Tallied { group: 2, tally: Some(RecordSum::default()) };
        match what {
            "behind" => raw.insert(layout::TALLY_KEY, behind.value()),
            "gone" => raw.remove(layout::TALLY_KEY),
            _ => raw.insert(layout::TALLY_KEY, &kept[..20]),
        }
        .unwrap();
        drop(raw);
        let refused = Sled::open(dir.path(), Options::default()).err();
        assert!(
            matches!(&refused, Some(StoreError::Damaged(text)) if text.contains("restore") && text.contains("acknowledged")),
            "{what}: {refused:?}"
        );
        // Who goes on with what there is has a store like any other.
        std::fs::remove_file(dir.path().join("acknowledged")).unwrap();
        let store = Sled::open(dir.path(), Options::default()).unwrap();
        is_exact(&store, what);
    }
}

#[tokio::test]
async fn records_that_vanish_or_come_back_are_told_of_also_after_a_copy() {
    let older = |raw: &sled::Db| {
        let record = layout::record_key(&key("a"));
        raw.insert(&record, layout::value(&record, 1, b"{}")).unwrap()
    };
    let gone = |raw: &sled::Db| raw.remove(layout::record_key(&key("b"))).unwrap();
    let back = |raw: &sled::Db| {
        let record = layout::record_key(&key("c"));
        raw.insert(&record, layout::value(&record, 1, b"{}")).unwrap()
    };
    type Damage<'d> = &'d dyn Fn(&sled::Db) -> Option<sled::IVec>;
    let damages: [(Damage<'_>, &str); 3] =
        [(&older, "some records are older"), (&gone, "1 records are missing"), (&back, "1 more records")];
    for (damage, said) in damages {
        let dir = tempfile::tempdir().unwrap();
        let store = Sled::open(dir.path(), Options::default()).unwrap();
        for id in ["a", "b"] {
            store.commit(new(id)).await.unwrap();
        }
        store.commit(vec![Change { expected: 1, ..new("a").remove(0) }]).await.unwrap();
        store.close().await;
        damage(&raw(dir.path()));
        let store = Sled::open(dir.path(), Options::default()).unwrap();
        for _ in 0..2 {
            let report = store.check().await.unwrap();
            assert!(report.damaged == 1 && report.damage[0].contains(said), "{:?}", report.damage);
            store.commit(new(&format!("{}", report.bytes))).await.unwrap();
            store.compact().await.unwrap();
        }
    }
}
