//! The engine by itself: what its writer and its readers do at one moment.

use super::super::{Change, CommitError, Kind};
use super::*;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

mod tallies;

fn key(id: &str) -> Key {
    Key::new(Kind::Delivery, id)
}

fn new(id: &str) -> Vec<Change> {
    vec![Change {
        key: key(id),
        expected: 0,
        body: Some(b"{}".to_vec()),
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }]
}

/// A store whose syncs end as they are told to, and say when they begin.
fn told(dir: &Path) -> (Arc<Sled>, Receiver<()>, Sender<io::Result<()>>) {
    let directory = Directory::take(dir).unwrap();
    let db = open_db(&directory.path, 1 << 20).unwrap();
    let last = begin(&directory, &db, COUNTED_AT_OPENING).unwrap();
    let (begun, syncing) = channel();
    let (tell, end) = channel();
    let sync = Box::new(move |_| {
        begun.send(()).unwrap();
        end.recv().unwrap()
    });
    (Arc::new(Sled::start(directory, db, last, sync, Options::default()).unwrap()), syncing, tell)
}

fn spawn_commit(store: &Arc<Sled>, id: &str) -> tokio::task::JoinHandle<Result<(), CommitError>> {
    let (store, changes) = (Arc::clone(store), new(id));
    tokio::spawn(async move { store.commit(changes).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_what_is_not_yet_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (store, syncing, tell) = told(dir.path());
    let commit = spawn_commit(&store, "a");
    syncing.recv().unwrap();
    assert!(store.read(&key("a")).await.unwrap().is_none());
    assert_eq!(store.read_many(&[key("a"), key("b")]).await.unwrap(), [None, None]);
    assert!(!commit.is_finished());
    tell.send(Ok(())).unwrap();
    commit.await.unwrap().unwrap();
    assert!(store.read(&key("a")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_nothing_is_acknowledged_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (store, syncing, tell) = told(dir.path());
    let failed = spawn_commit(&store, "a");
    syncing.recv().unwrap();
    let waiting = spawn_commit(&store, "b");
    tell.send(Err(io::Error::other("no space"))).unwrap();
    // Any later sync would succeed, and must not be tried.
    tell.send(Ok(())).unwrap();
    let answers = [
        failed.await.unwrap(),
        waiting.await.unwrap(),
        store.commit(new("c")).await,
        store.commit(new("a")).await,
    ];
    for answer in answers {
        assert!(matches!(&answer, Err(CommitError::Store(StoreError::Failed(_)))), "{answer:?}");
    }
    assert!(matches!(store.probe().await, Err(StoreError::Failed(_))));
    for id in ["a", "b", "c"] {
        assert!(store.read(&key(id)).await.unwrap().is_none());
    }
    store.close().await;
    assert_eq!(syncing.try_iter().count(), 0);
    assert!(matches!(store.failure(), Some(StoreError::Failed(_))));
    assert!(matches!(store.failed().await, StoreError::Failed(_)), "whoever waits for it is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_together_is_made_durable_together() {
    let dir = tempfile::tempdir().unwrap();
    let (store, syncing, tell) = told(dir.path());
    let first = spawn_commit(&store, "first");
    syncing.recv().unwrap();
    let waiting = (0..GROUP_CHANGES + 1).map(|n| store.submit(new(&n.to_string()).into(), Ending::default()));
    let mut waiting = Box::pin(futures_util::future::join_all(waiting));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    (0..3).for_each(|_| tell.send(Ok(())).unwrap());
    first.await.unwrap().unwrap();
    assert!(waiting.await.iter().all(Result::is_ok));
    // One group is full, and the one too many is another.
    assert_eq!(syncing.try_iter().count(), 2);
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.groups, stats.commits), (3, GROUP_CHANGES as u64 + 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_engine_fails_the_store_and_does_not_hang() {
    let dir = tempfile::tempdir().unwrap();
    let (store, syncing, tell) = told(dir.path());
    drop((syncing, tell));
    let answer = store.commit(new("a")).await;
    assert!(matches!(&answer, Err(CommitError::Store(StoreError::Failed(_)))), "{answer:?}");
    assert!(matches!(store.probe().await, Err(StoreError::Failed(_))));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_writes_when_nothing_has_been_written_lately() {
    let dir = tempfile::tempdir().unwrap();
    let (store, syncing, tell) = told(dir.path());
    tell.send(Ok(())).unwrap();
    store.probe().await.unwrap();
    store.probe().await.unwrap();
    assert_eq!(syncing.try_iter().count(), 1);
}
