//! Counters in a group of commits on PostgreSQL: how long one is locked, and what becomes
//! of a group of which a limit refuses a part.

use crate::postgres::database;
use crate::store_contract::{Thing, thing};
use crate::store_counters::{adding, commit, is_there, new, taken};
use dialback::store::records;
use dialback::store::{CountedError, Store};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// A group that waits for a record, whatever it is called, has no counter locked yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_is_not_locked_while_something_else_is_waited_for() {
    let Some(database) = database("counters while something else is waited for").await else { return };
    let (one, other) = (Arc::new(database.open().await), database.open().await);
    for id in ["a", "z"] {
        one.commit(new(id)).await.unwrap();
    }
    other.commit_counted(commit(Vec::new(), vec![adding("n", 1, 0, 9)])).await.unwrap();
    let (holder, looker) = (database.client().await, database.client().await);
    for (nth, id) in (2..).zip(["a", "z"]) {
        let held = format!("BEGIN; SELECT id FROM dialback_record WHERE id = '{id}' FOR UPDATE");
        holder.batch_execute(&held).await.unwrap();
        let read = records::get::<Thing>(&*one, id).await.unwrap().unwrap();
        let change = records::put(Some(&read), &thing(id, 2, None, None));
        let waiting = {
            let one = Arc::clone(&one);
            let commit = commit(vec![change], vec![adding("n", 1, 0, 9)]);
            tokio::spawn(async move { one.commit_counted(commit).await })
        };
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
            AND application_name = 'dialback' AND query LIKE '%dialback_record%'";
        while looker.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.commit_counted(commit(Vec::new(), vec![adding("n", 1, 0, 9)])).await.unwrap();
        assert!(!waiting.is_finished(), "{id}");
        assert_eq!(taken(&other, "n").await, 2 * nth - 2);
        holder.batch_execute("COMMIT").await.unwrap();
        waiting.await.unwrap().unwrap();
        assert_eq!(taken(&other, "n").await, 2 * nth - 1);
    }
}

/// Who is refused by a limit has changed nothing, and the others of its group have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_group_in_which_a_limit_refuses_some_the_others_are_done() {
    let Some(database) = database("groups of which a limit refuses some").await else { return };
    let store = database.open().await;
    for round in 0..3 {
        let names: Vec<String> = (0..40).map(|n| format!("r{round}-{n}")).collect();
        let counter = format!("n{round}");
        let answers = join_all((0..).zip(&names).map(|(n, id)| {
            let additions = if n % 2 == 0 { vec![adding(&counter, 1, 0, 7)] } else { Vec::new() };
            store.commit_counted(commit(new(id), additions))
        }))
        .await;
        let mut done = 0;
        for (id, answer) in names.iter().zip(&answers) {
            let is_limited = matches!(answer, Err(CountedError::Limited(_)));
            assert!(answer.is_ok() || is_limited, "{answer:?}");
            assert_eq!(is_there(&store, id).await, answer.is_ok(), "{id}");
            done += usize::from(answer.is_ok());
        }
        assert_eq!((done, taken(&store, &counter).await), (27, 7));
    }
}
