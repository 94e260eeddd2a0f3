//! Others who lock in another order on PostgreSQL: an older process, and who changes the
//! tables. The server ends one of those who wait in a circle, and whoever asked the store
//! hears nothing of it.

use crate::postgres::{PATIENCE, Server, connect};
use crate::store_contract::{Thing, all, thing};
use crate::store_counters::{adding, commit, new, taken};
use dialback::store::postgres::{Options, Postgres};
use dialback::store::records;
use dialback::store::{CommitError, CountedError, Store};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// A server that soon looks for circles, the store on it, and somebody else's connection,
/// from which the server looks late: of the two that wait it is mostly the store's that is
/// ended.
async fn there(what: &str) -> Option<(Server, Arc<Postgres>, Client)> {
    let server = Server::make(what)?;
    server.set("deadlock_timeout = 300ms");
    server.restart().await;
    // However long the other is let wait, which is ended where the server looks too early.
    let options = Options { deadline: PATIENCE, ..Options::default() };
    let store = Postgres::open(&server.url(), options).await.unwrap();
    let other = connect(&server.url()).await;
    other.batch_execute("SET deadlock_timeout = '2s'").await.unwrap();
    Some((server, Arc::new(store), other))
}

/// Lets somebody else lock `first`, then the store do its work, which waits for that, and
/// then the other go on with `second`, for which it waits: until it is the store's work
/// that the server ended. What the store has answered each time.
async fn circles<T, F>(
    server: &Server,
    other: &Client,
    (first, second): (&str, &str),
    work: impl Fn() -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let looker = connect(&server.url()).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
        AND application_name = 'dialback'";
    let (mut answers, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    loop {
        other.batch_execute(&format!("BEGIN; {first}")).await.unwrap();
        let working = tokio::spawn(work());
        while looker.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let passed = other.batch_execute(second).await.is_ok();
        other.batch_execute(if passed { "COMMIT" } else { "ROLLBACK" }).await.unwrap();
        answers.push(working.await.unwrap());
        if passed {
            return answers;
        }
        assert!(Instant::now() < deadline, "it is always the other who is ended");
    }
}

const COUNTER: &str = "SELECT id FROM dialback_record WHERE id = 'n' FOR UPDATE";
const RECORD: &str = "SELECT id FROM dialback_record WHERE id = 'z' FOR UPDATE";

/// Groups lock counters last, and an older process by their ids among the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_process_that_locks_in_another_order_costs_a_try_and_no_commit() {
    let Some((server, store, older)) = there("rows locked in another order").await else { return };
    store.commit_counted(commit(new("z"), vec![adding("n", 1, 0, 99)])).await.unwrap();
    let write = || {
        let store = Arc::clone(&store);
        async move {
            let read = records::get::<Thing>(&*store, "z").await.unwrap().unwrap();
            let change = records::put(Some(&read), &thing("z", read.record.note + 1, None, None));
            store.commit_counted(commit(vec![change], vec![adding("n", 1, 0, 99)])).await
        }
    };
    let answers = circles(&server, &older, (COUNTER, RECORD), write).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let mut done = 1 + answers.len() as u64;
    assert_eq!(taken(&*store, "n").await, done, "each is counted once");

    // Where the other has changed the record that is a race that was lost.
    let changes = format!("{RECORD}; UPDATE dialback_record SET version = version + 1 WHERE id = 'z'");
    let mut answers = circles(&server, &older, (COUNTER, &changes), write).await;
    let lost = answers.pop();
    assert!(matches!(lost, Some(Err(CountedError::Commit(CommitError::Conflict)))), "{lost:?}");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    done += answers.len() as u64;
    assert_eq!(taken(&*store, "n").await, done);
    store.close().await;
}

/// Steps of the schema lock records and then listings, and a listing is read with its
/// records.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_tables_in_another_order_costs_a_try_and_no_page() {
    let Some((server, store, changer)) = there("tables locked in another order").await else { return };
    records::save(&*store, None, &thing("z", 1, None, Some((1, 1)))).await.unwrap();
    let lock = |table: &str| format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    let (first, second) = (lock("dialback_record"), lock("dialback_entry"));
    let read = || {
        let store = Arc::clone(&store);
        async move { store.list(&[all()]).await.map(|found| found.concat().len()) }
    };
    for answer in circles(&server, &changer, (&first, &second), read).await {
        assert_eq!(answer.unwrap(), 1);
    }
    store.close().await;
}
