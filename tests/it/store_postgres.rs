//! What only an engine that several processes share can be asked, and what only
//! one behind a network can.

use crate::instance::skipped;
use crate::postgres::{PATIENCE, Server, TestDatabase, database, until_written};
use crate::store_contract::{Thing, at, closed, count_together, story, thing};
use dialback::store::postgres::{Options, Postgres};
use dialback::store::records::{self, Versioned};
use dialback::store::{
    Change, CommitError, Entry, Index, Key, Kind, Lane, Maintenance, Scan, Store, StoreError,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let Some(database) = database("the contract of stores").await else { return };
    let store = database.open().await;
    story(&store).await;
    closed(&store).await;
}

/// One after the other, each on a server of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_postgresql_keeps_the_contract() {
    let Ok(all) = std::env::var("DIALBACK_TEST_POSTGRES_VERSIONS") else {
        return skipped(
            "the versions of PostgreSQL: set DIALBACK_TEST_POSTGRES_VERSIONS to their directories of initdb and \
             postgres, with colons between, to turn it on",
        );
    };
    for programs in std::env::split_paths(&all) {
        let server = Server::of(&programs);
        server.restart().await;
        let client = crate::postgres::connect(&server.url()).await;
        let version: String = client.query_one("SHOW server_version", &[]).await.unwrap().get(0);
        let store = Arc::new(Postgres::open(&server.url(), Options::default()).await.unwrap());
        story(&*store).await;
        store.compact().await.unwrap();
        assert!(store.check().await.unwrap().verdict().is_ok(), "{version}");
        closed(&*store).await;
        println!("store: PostgreSQL {version} keeps the contract");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgresql_counts_every_step_once() {
    let Some(database) = database("counting together").await else { return };
    count_together(Arc::new(database.open().await)).await;
}

/// Those who share a server rest between their groups, so each has to know of the others.
#[tokio::test]
async fn those_who_write_to_the_same_tables_know_of_each_other() {
    let Some(database) = database("those who write to the same tables").await else { return };
    let until = async |store: &Postgres, expected: i64| {
        let end = Instant::now() + PATIENCE;
        while store.writers().await.unwrap() != expected {
            assert!(Instant::now() < end, "not {expected} connections that write");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let first = database.open().await;
    until(&first, 2).await;
    let second = database.open().await;
    until(&first, 4).await;
    second.close().await;
    until(&first, 2).await;
    first.close().await;
}

#[tokio::test]
async fn another_engine_finds_everything() {
    let Some(database) = database("opening again").await else { return };
    let (first, second) = (database.open().await, database.open().await);
    story(&first).await;
    let read = records::get::<Thing>(&second, "a").await.unwrap().unwrap();
    records::save(&second, Some(&read), &thing("a", 9, Some(-9), None)).await.unwrap();
    let late = records::save(&first, Some(&read), &thing("a", 8, None, None)).await;
    assert!(matches!(late, Err(CommitError::Conflict)));
    first.close().await;
    let due = second.due(Timestamp::MAX, 9).await.unwrap();
    assert_eq!(due.first(), Some(&(Key::new(Kind::Verification, "a"), at(-9))));
    assert!(second.check().await.unwrap().verdict().is_ok());
}

fn change(id: &str, read: Option<&Versioned<Thing>>, note: u32) -> Change {
    records::put(read, &thing(id, note, Some(i64::from(note)), Some((1, i64::from(note)))))
}

/// Moves one from a record to another, as often as it says, whoever else does.
async fn move_ones(store: Arc<Postgres>, from: &'static str, to: &'static str, times: u32) {
    for _ in 0..times {
        loop {
            let read = |id| records::get::<Thing>(&*store, id);
            let (a, b) = (read(from).await.unwrap().unwrap(), read(to).await.unwrap().unwrap());
            let changes =
                vec![change(from, Some(&a), a.record.note - 1), change(to, Some(&b), b.record.note + 1)];
            match store.commit(changes).await {
                Ok(()) => break,
                Err(CommitError::Conflict) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_that_race_for_the_same_records_lose_nothing() {
    const TIMES: u32 = 60;
    let Some(database) = database("racing engines").await else { return };
    let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
    for id in ["a", "b", "c"] {
        stores[0].commit(vec![change(id, None, 10_000)]).await.unwrap();
    }
    let moves = stores.iter().flat_map(|store| {
        [("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")]
            .map(|(from, to)| tokio::spawn(move_ones(Arc::clone(store), from, to, TIMES)))
    });
    join_all(moves.collect::<Vec<_>>()).await.into_iter().for_each(|moved| moved.unwrap());
    let mut notes = BTreeMap::new();
    for id in ["a", "b", "c"] {
        notes.insert(id, records::get::<Thing>(&*stores[1], id).await.unwrap().unwrap().record.note);
    }
    // Two engines each: a gives one, gets one of b and one of c.
    let expected = BTreeMap::from([("a", 10_000 + 2 * TIMES), ("b", 10_000 - 2 * TIMES), ("c", 10_000)]);
    assert_eq!(notes, expected);
    let report = stores[0].check().await.unwrap();
    assert_eq!((report.records, report.due, report.entries, report.damaged), (3, 3, 6, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_race_to_make_a_record_one_wins() {
    const ROUNDS: usize = 150;
    let Some(database) = database("racing inserts").await else { return };
    let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
    for round in 0..ROUNDS {
        let id = format!("r{round}");
        let makers = (0..6usize).map(|who| {
            let (store, id) = (Arc::clone(&stores[who % 2]), id.clone());
            tokio::spawn(async move {
                // Something of its own goes with it, or not at all.
                let note = u32::try_from(who).unwrap();
                let own = change(&format!("{id}-{who}"), None, note);
                store.commit(vec![change(&id, None, note), own]).await
            })
        });
        let verdicts = join_all(makers.collect::<Vec<_>>()).await;
        let mut winners = Vec::new();
        for (who, verdict) in verdicts.into_iter().enumerate() {
            match verdict.unwrap() {
                Ok(()) => winners.push(who),
                Err(CommitError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let read = records::get::<Thing>(&*stores[0], &id).await.unwrap().unwrap();
        assert_eq!(read.record.note as usize, winners[0]);
    }
    let report = stores[0].check().await.unwrap();
    assert_eq!((report.records, report.entries), (2 * ROUNDS as u64, 4 * ROUNDS as u64));
}

#[tokio::test]
async fn a_record_made_anew_is_not_mistaken_for_the_one_before() {
    let Some(database) = database("records made anew").await else { return };
    let store = database.open().await;
    store.commit(vec![change("a", None, 1)]).await.unwrap();
    let read = records::get::<Thing>(&store, "a").await.unwrap().unwrap();
    store.commit(vec![records::delete(&read)]).await.unwrap();
    store.commit(vec![change("a", None, 1)]).await.unwrap();
    let late = store.commit(vec![change("a", Some(&read), 2)]).await;
    assert!(matches!(late, Err(CommitError::Conflict)));
}

#[tokio::test]
async fn what_the_server_does_not_take_fails_alone() {
    let Some(database) = database("bodies that are none").await else { return };
    let store = Arc::new(database.open().await);
    let bad = || Change { body: Some(b"{\"format\": 1, ".to_vec()), ..change("bad", None, 1) };
    let commits = (0..40u32).map(|n| {
        let store = Arc::clone(&store);
        let changes = if n == 20 {
            vec![change("with bad", None, n), bad()]
        } else {
            vec![change(&format!("{n}"), None, n)]
        };
        async move { store.commit(changes).await }
    });
    let verdicts = join_all(commits).await;
    for (n, verdict) in verdicts.iter().enumerate() {
        match verdict {
            Ok(()) => assert_ne!(n, 20),
            Err(CommitError::Store(StoreError::Failed(_))) => assert_eq!(n, 20),
            other => panic!("{n}: {other:?}"),
        }
    }
    assert!(store.read(&Key::new(Kind::Verification, "with bad")).await.unwrap().is_none());
    assert_eq!(store.check().await.unwrap().records, 39);
}

#[tokio::test]
async fn every_text_comes_back_as_it_was() {
    let Some(database) = database("texts").await else { return };
    let store = database.open().await;
    let texts = ["a\0b", "\u{f8ff}0", "\u{f8ff}", "\\u0000", "é😀\u{202e}", "\"\\"];
    for (nth, text) in texts.into_iter().enumerate() {
        let id = format!("t{nth}");
        let body = json!({ "format": 1, "record": { text: text, "n": 1.5e-7, "big": i64::MAX } });
        let change = Change { body: Some(body.to_string().into_bytes()), ..change(&id, None, 1) };
        store.commit(vec![change]).await.unwrap();
        let read = store.read(&Key::new(Kind::Verification, id)).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&read.body).unwrap(), body);
    }
}

#[tokio::test]
async fn damage_is_found_and_named() {
    let Some(database) = database("damage").await else { return };
    let store = database.open().await;
    for id in ["a", "b", "c"] {
        store.commit(vec![change(id, None, 5)]).await.unwrap();
    }
    let sql = "DELETE FROM dialback_record WHERE id = 'a'; \
               UPDATE dialback_record SET body = '[]', lane = 1 WHERE id = 'b'";
    database.client().await.batch_execute(sql).await.unwrap();
    let report = store.check().await.unwrap();
    assert_eq!((report.records, report.due, report.entries, report.damaged), (2, 2, 6, 3));
    let damage = report.damage.join("\n");
    assert!(
        damage.contains("Verification b has no format") && damage.contains("Verification a is listed"),
        "{damage}"
    );
}

async fn tables(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
               WHERE i.inhparent = 'dialback_entry'::regclass ORDER BY 1";
    let rows = database.client().await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn listings_are_kept_by_month_and_empty_months_are_dropped() {
    let Some(database) = database("months").await else { return };
    let store = database.open().await;
    // This month and two to come, and one for all else.
    assert_eq!(tables(&database).await.len(), 4);
    let sql = "CREATE TABLE dialback_entry_2020_02 PARTITION OF dialback_entry \
                 FOR VALUES FROM (1580515200000) TO (1583020800000);
               CREATE TABLE dialback_entry_2020_03 PARTITION OF dialback_entry \
                 FOR VALUES FROM (1583020800000) TO (1585699200000)";
    database.client().await.batch_execute(sql).await.unwrap();
    let old: Timestamp = "2020-03-05T00:00:00Z".parse().unwrap();
    for when in [old, "2020-01-01T00:00:00Z".parse().unwrap(), Timestamp::now()] {
        let listed = Some((1, when.as_millisecond()));
        records::save(&store, None, &thing(&when.to_string(), 1, None, listed)).await.unwrap();
    }
    store.compact().await.unwrap();
    let left = tables(&database).await;
    assert_eq!(left.len(), 5, "{left:?}");
    assert!(left.contains(&"dialback_entry_2020_03".to_owned()), "{left:?}");
    let all = Scan {
        index: Index::Verifications,
        scope: String::new(),
        since: None,
        until: None,
        after: None,
        limit: 9,
    };
    let found: Vec<Entry> = store.scan(&all).await.unwrap();
    assert!(found.len() == 3 && found.is_sorted_by(|a, b| a.at > b.at), "{found:?}");
    assert!(store.stats().await.unwrap().bytes_on_disk > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_start_at_once_one_makes_the_tables() {
    let Some(database) = database("starting at once").await else { return };
    let stores = join_all((0..6).map(|_| database.open())).await;
    for (n, store) in (0..).zip(&stores) {
        store.commit(vec![change(&n.to_string(), None, n)]).await.unwrap();
    }
    assert_eq!(stores[0].check().await.unwrap().records, 6);
}

/// An older process reads all it has, and takes its time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_in_use_are_changed_later_and_nobody_waits_behind_that() {
    let Some(database) = database("changing tables in use").await else { return };
    let old = database.open().await;
    let back = "ALTER TABLE dialback_record DROP COLUMN claimed_due, DROP COLUMN claimed_until; \
        UPDATE dialback_schema SET version = 1";
    let (reader, other) = (database.client().await, database.client().await);
    other.batch_execute(back).await.unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM dialback_record").await.unwrap();
    let url = database.url();
    let opening = tokio::spawn(async move { Postgres::open(&url, Options::default()).await });
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
        WHERE NOT l.granted AND c.relname = 'dialback_record' \
        AND c.relnamespace = current_schema()::regnamespace";
    let is_waiting = async || other.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0;
    while !is_waiting().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It gives way by itself, and who reads comes through behind it.
    other.batch_execute("SET statement_timeout = '60s'").await.unwrap();
    other.query_one("SELECT count(*) FROM dialback_record", &[]).await.unwrap();
    assert!(!opening.is_finished());
    reader.batch_execute("COMMIT").await.unwrap();
    opening.await.unwrap().unwrap().close().await;
    old.close().await;
}

/// Waits until the index of events is there for all tables.
async fn until_indexed(client: &tokio_postgres::Client) {
    let sql = "SELECT coalesce((SELECT indisvalid FROM pg_index \
        WHERE indexrelid = to_regclass('dialback_entry_arrived')), false)";
    let deadline = Instant::now() + PATIENCE;
    while !client.query_one(sql, &[]).await.unwrap().get::<_, bool>(0) {
        assert!(Instant::now() < deadline, "the index is never made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Tables of before, and an older process that is at it: who makes the index waits for
/// that one, and nobody waits for who makes the index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_of_events_comes_while_everybody_writes_and_is_made_again_if_need_be() {
    let Some(server) = Server::start("the index of events").await else { return };
    let open = async || Postgres::open(&server.url(), Options::default()).await.unwrap();
    let client = crate::postgres::connect(&server.url()).await;
    let fresh = open().await;
    until_indexed(&client).await;
    for n in 0..20 {
        fresh.commit(vec![change(&n.to_string(), None, n)]).await.unwrap();
    }
    fresh.close().await;
    let back = "DROP INDEX dialback_entry_arrived; ALTER TABLE dialback_entry DROP COLUMN arrived; \
        UPDATE dialback_schema SET version = 2";
    client.batch_execute(back).await.unwrap();
    let old = crate::postgres::connect(&server.url()).await;
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM dialback_probe")
        .await
        .unwrap();
    let new = open().await;
    let building = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' \
        AND state = 'active'";
    let until_building = async || {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(row) = client.query_opt(building, &[]).await.unwrap() {
                return row.get::<_, i32>(0);
            }
            assert!(Instant::now() < deadline, "nobody makes the index");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let builder = until_building().await;
    // As an older process writes, and a newer one.
    let line =
        "INSERT INTO dialback_entry (index_letter, scope, at, id) VALUES (101, '', 1, 'of an older one')";
    client.batch_execute(&format!("SET statement_timeout = '30s'; {line}")).await.unwrap();
    for n in 100..110 {
        new.commit(vec![change(&n.to_string(), None, n)]).await.unwrap();
    }
    // And what the older one has misplaced is put right meanwhile.
    let misplaced = format!(
        "INSERT INTO dialback_record (id, kind, version, body, due, lane) \
           VALUES ('x', 101, 1, '{{\"format\": 1}}', 1, {})",
        Lane::Webhook.number()
    );
    client.batch_execute(&misplaced).await.unwrap();
    let lane = "SELECT lane FROM dialback_record WHERE id = 'x'";
    let deadline = Instant::now() + PATIENCE;
    while client.query_one(lane, &[]).await.unwrap().get::<_, i16>(0) != Kind::Event.lane().number() {
        assert!(Instant::now() < deadline, "it waits for the index");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(until_building().await, builder, "it waits for the older one all the while");
    client.execute("SELECT pg_terminate_backend($1)", &[&builder]).await.unwrap();
    let invalid = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        WHERE NOT i.indisvalid AND c.relname LIKE 'dialback_entry_%_arrived'";
    assert_eq!(client.query_one(invalid, &[]).await.unwrap().get::<_, i64>(0), 1, "half an index is left");
    new.close().await;
    old.batch_execute("COMMIT").await.unwrap();
    let again = open().await;
    until_indexed(&client).await;
    assert_eq!(client.query_one(invalid, &[]).await.unwrap().get::<_, i64>(0), 0);
    let tables = "SELECT count(*) FROM pg_inherits WHERE inhparent = $1::text::regclass";
    let count = async |of: &str| client.query_one(tables, &[&of]).await.unwrap().get::<_, i64>(0);
    assert_eq!(count("dialback_entry").await, count("dialback_entry_arrived").await);
    again.close().await;
}

#[tokio::test]
async fn tables_of_a_newer_version_are_used_or_refused_as_they_say() {
    let Some(database) = database("newer tables").await else { return };
    database.open().await.close().await;
    let client = database.client().await;
    client.batch_execute("UPDATE dialback_schema SET version = 99, compatible_from = 1").await.unwrap();
    let store = database.open().await;
    store.commit(vec![change("a", None, 1)]).await.unwrap();
    client.batch_execute("UPDATE dialback_schema SET compatible_from = 99").await.unwrap();
    let refused = Postgres::open(&database.url(), Options::default()).await.err().unwrap().to_string();
    assert!(refused.contains("use a newer dialback") && refused.contains("/postgres"), "{refused}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let refused = Postgres::open("postgres://u:secret@127.0.0.1:1/base", Options::default()).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("127.0.0.1:1/base") && refused.contains("see whether"), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_its_server_it_refuses_at_once_and_comes_back_with_it() {
    let Some(server) = Server::start("the loss of the server").await else { return };
    let store = Postgres::open(&server.url(), Options::default()).await.unwrap();
    store.commit(vec![change("a", None, 1)]).await.unwrap();
    server.kill_immediate();
    // The first may have been under way; soon nothing is taken any more.
    let deadline = Instant::now() + PATIENCE;
    while !matches!(
        store.commit(vec![change("lost", None, 1)]).await,
        Err(CommitError::Store(StoreError::Unavailable(_)))
    ) {
        assert!(Instant::now() < deadline, "never said that the server is gone");
    }
    let asked = Instant::now();
    for _ in 0..100 {
        let refused = store.commit(vec![change("lost", None, 1)]).await;
        assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    }
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
    assert!(matches!(store.probe().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.read(&Key::new(Kind::Verification, "a")).await, Err(StoreError::Unavailable(_))));
    server.restart().await;
    let deadline = Instant::now() + PATIENCE;
    while store.probe().await.is_err() {
        assert!(Instant::now() < deadline, "never came back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let read = records::get::<Thing>(&store, "a").await.unwrap().unwrap();
    store.commit(vec![change("a", Some(&read), 2)]).await.unwrap();
    assert!(store.check().await.unwrap().verdict().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_answers_reads_and_takes_over() {
    let Some(primary) = Server::start("a standby that takes over").await else { return };
    let standby = primary.standby().await;
    let options = Options { deadline: Duration::from_secs(30), ..Options::default() };
    let store = Postgres::open(&primary.url_with(&standby), options).await.unwrap();
    for n in 0..100 {
        until_written(&store, &format!("before{n}")).await;
    }
    primary.kill_immediate();
    let began = Instant::now();
    while records::save(&store, None, &thing("lost", 1, None, None)).await.is_ok() {
        assert!(began.elapsed() < PATIENCE, "nothing is written without a server");
    }
    // Nobody takes writes now, which is said at once; reading goes on.
    let deadline = Instant::now() + PATIENCE;
    while !matches!(store.probe().await, Err(StoreError::Unavailable(_))) {
        assert!(Instant::now() < deadline, "the loss is noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while records::get::<Thing>(&store, "before99").await.is_err() {
        assert!(Instant::now() < deadline, "the standby answers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    let refused = records::save(&store, None, &thing("refused", 1, None, None)).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    assert!(began.elapsed() < Duration::from_secs(25), "at once, and not after the deadline of 30 s");

    standby.promote();
    until_written(&store, "after").await;
    for n in 0..100 {
        let id = format!("before{n}");
        assert!(records::get::<Thing>(&store, &id).await.unwrap().is_some(), "{id} was acknowledged");
    }
    assert!(store.check().await.unwrap().verdict().is_ok());
    store.close().await;
}
