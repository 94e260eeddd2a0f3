//! What stands between a store and its database: hosts that say nothing, too few
//! connections, poolers. Nothing of it may stop what could go on.

use crate::postgres::{PATIENCE, Pooler, Server, connect, until_written};
use crate::store_contract::{Thing, closed, story, thing};
use dialback::store::postgres::{Options, Postgres};
use dialback::store::records;
use dialback::store::{CommitError, Key, Kind, Lane, Maintenance, Store, StoreError};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Takes connections and says nothing, until it is dropped.
async fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn refused(url: &str, options: Options) -> String {
    Postgres::open(url, options).await.err().expect("a refusal").to_string()
}

/// Writes and reads so much at once, all of which is to succeed.
async fn busy(store: &Arc<Postgres>, name: &str) {
    let works = (0..100u32).map(|nth| {
        let (store, id) = (Arc::clone(store), format!("{name}{nth}"));
        async move {
            records::save(&*store, None, &thing(&id, nth, Some(1), None)).await.unwrap();
            assert!(records::get::<Thing>(&*store, &id).await.unwrap().is_some());
            store.walk(Kind::Verification, None, 10).await.unwrap();
        }
    });
    join_all(works.collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_says_nothing_is_passed_by() {
    let Some(server) = Server::start("a host that says nothing").await else { return };
    let (listener, port) = silent().await;
    let (_another, other) = silent().await;
    let url = format!(
        "postgres://postgres@127.0.0.1:{port},127.0.0.1:{other},127.0.0.1:{}/postgres",
        server.port()
    );
    let store = Arc::new(Postgres::open(&url, Options::default()).await.unwrap());
    busy(&store, "a").await;
    store.close().await;
    // Alone it is named, with what it does.
    drop(listener);
    let url = format!("postgres://postgres@127.0.0.1:{other}/postgres?connect_timeout=1");
    let why = refused(&url, Options::default()).await;
    assert!(
        why.contains(&format!("127.0.0.1:{other}")) && why.contains("did not log us in within 1s"),
        "{why}"
    );
}

/// Stands before a server, and hangs once somebody says that to it, until it is dropped.
struct Hanging {
    url: String,
    _serving: JoinSet<()>,
}

async fn hanging(server: &Server, when: &'static str) -> Hanging {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("postgres://postgres@{}/postgres?connect_timeout=1", listener.local_addr().unwrap());
    let (hang, _) = watch::channel(false);
    let (hang, port) = (Arc::new(hang), server.port());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut passing = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            passing.spawn(pass(from_client, to_server, Some(when), hang.clone()));
            passing.spawn(pass(from_server, to_client, None, hang.clone()));
        }
    });
    Hanging { url, _serving: serving }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    when: Option<&str>,
    hang: Arc<watch::Sender<bool>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if when.is_some_and(|when| String::from_utf8_lossy(&buffer[..read]).contains(when)) {
            hang.send_replace(true);
        }
        if *hang.borrow() {
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_hangs_ends_no_start_for_ever_whatever_it_is_at() {
    let Some(server) = Server::start("a host that hangs at a start").await else { return };
    let options = Options { deadline: Duration::from_secs(1), ..Options::default() };
    // At the kind of server, the role, the tables, what is misplaced, the months, and the
    // settings of a connection.
    for when in [
        "server_encoding",
        "rolconnlimit",
        "current_schemas(false)",
        "CREATE TABLE IF NOT EXISTS dialback_record",
        "SKIP LOCKED",
        "pg_has_role",
        "extract(epoch FROM now())",
        "plan_cache_mode",
    ] {
        let hanging = hanging(&server, when).await;
        let opening = tokio::time::timeout(PATIENCE, Postgres::open(&hanging.url, options)).await;
        let opened = opening.unwrap_or_else(|_| panic!("{when}: it is waited for for ever"));
        let why = opened.err().unwrap_or_else(|| panic!("{when} is never said")).to_string();
        assert!(why.contains("127.0.0.1"), "{when}: {why}");
    }
    // Its tables are made now.
    Postgres::open(&server.url(), Options::default()).await.unwrap().close().await;
    // Each is opened first, and that takes what a busy machine takes.
    let options = Options { deadline: Duration::from_secs(4), ..Options::default() };
    for when in ["RESET ALL", "octet_length", "VACUUM"] {
        let hanging = hanging(&server, when).await;
        let store = Postgres::open(&hanging.url, options).await.unwrap();
        let care = async {
            match when {
                "octet_length" => store.check().await.map(drop),
                _ => store.compact().await,
            }
        };
        let done = tokio::time::timeout(PATIENCE, care).await;
        let done = done.unwrap_or_else(|_| panic!("{when}: it is waited for for ever"));
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{when}: {done:?}");
    }
}

/// What an older process has misplaced is put right while the test lets it wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_after_the_tables_keeps_no_request_waiting_for_a_connection() {
    let Some(server) = Server::start("looking after the tables with few connections").await else { return };
    let options = Options { connections: 2, deadline: Duration::from_secs(60), ..Options::default() };
    let store = Postgres::open(&server.url(), options).await.unwrap();
    records::save(&store, None, &thing("a", 1, Some(1), None)).await.unwrap();
    let client = connect(&server.url()).await;
    let (from, to) = (Lane::Webhook.number(), Kind::Event.lane().number());
    let sql = format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
           $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;
         CREATE TRIGGER waits BEFORE UPDATE ON dialback_record FOR EACH ROW \
           WHEN (OLD.lane IS DISTINCT FROM NEW.lane) EXECUTE FUNCTION wait();
         SELECT pg_advisory_lock(77);
         INSERT INTO dialback_record (id, kind, version, body, due, lane) \
           VALUES ('x', 101, 1, '{{\"format\": 1}}', 1, {from})"
    );
    client.batch_execute(&sql).await.unwrap();
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 77";
    let is_waiting = async || client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0;
    let deadline = Instant::now() + PATIENCE;
    while !is_waiting().await {
        assert!(Instant::now() < deadline, "nobody puts it right");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..3 {
        assert!(store.read(&Key::new(Kind::Verification, "a")).await.unwrap().is_some());
        store.walk(Kind::Verification, None, 9).await.unwrap();
    }
    assert!(is_waiting().await, "it was put right before anything was read");
    client.batch_execute("SELECT pg_advisory_unlock(77)").await.unwrap();
    let lane = "SELECT lane FROM dialback_record WHERE id = 'x'";
    let deadline = Instant::now() + PATIENCE;
    while client.query_one(lane, &[]).await.unwrap().get::<_, i16>(0) != to {
        assert!(Instant::now() < deadline, "it is never put right");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    store.close().await;
}

/// Until writes are refused for want of a server, and not because one went astray.
async fn until_refused(store: &Postgres) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match records::save(store, None, &thing("lost", 1, None, None)).await {
            Err(CommitError::Store(StoreError::Unavailable(_))) => return,
            _ => assert!(Instant::now() < deadline, "it is never refused"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_refused_at_once_and_taken_back() {
    let Some(server) = Server::start("a server that stands still").await else { return };
    let options = Options { deadline: Duration::from_secs(1), ..Options::default() };
    let store = Postgres::open(&server.url(), options).await.unwrap();
    records::save(&store, None, &thing("a", 1, None, None)).await.unwrap();
    server.stand_still();
    until_refused(&store).await;
    let key = Key::new(Kind::Verification, "a");
    let deadline = Instant::now() + PATIENCE;
    while store.read(&key).await.is_ok() {
        assert!(Instant::now() < deadline, "who reads is never told");
    }
    // Who comes now does not wait for the deadline, a hundred times over.
    let began = Instant::now();
    for _ in 0..100 {
        assert!(matches!(store.read(&key).await, Err(StoreError::Unavailable(_))));
        let commit = records::save(&store, None, &thing("lost", 1, None, None)).await;
        assert!(matches!(commit, Err(CommitError::Store(StoreError::Unavailable(_)))), "{commit:?}");
    }
    assert!(began.elapsed() < 50 * options.deadline, "{:?}", began.elapsed());
    server.go_on();
    until_written(&store, "after").await;
    let deadline = Instant::now() + PATIENCE;
    while store.read(&key).await.is_err() {
        assert!(Instant::now() < deadline, "who reads never comes back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_of_a_server_that_stands_still_takes_over() {
    let Some(primary) = Server::start("a standby beside a server that stands still").await else { return };
    let standby = primary.standby().await;
    let url = primary.url_with(&standby);
    let options = Options { deadline: Duration::from_secs(2), ..Options::default() };
    let store = Postgres::open(&url, options).await.unwrap();
    until_written(&store, "before").await;
    primary.stand_still();
    until_refused(&store).await;
    standby.promote();
    until_written(&store, "after").await;
    for id in ["before", "after"] {
        assert!(records::get::<Thing>(&store, id).await.unwrap().is_some(), "{id} was acknowledged");
    }
    // The one that stands still is still the first of the address.
    let another = Postgres::open(&url, options).await.unwrap();
    assert!(records::get::<Thing>(&another, "after").await.unwrap().is_some());
    another.close().await;
    store.close().await;
}

/// A role that may have so many connections.
async fn role(server: &Server, limit: usize) -> String {
    let name = format!("limited{limit}");
    let sql =
        format!("CREATE ROLE {name} LOGIN CONNECTION LIMIT {limit}; GRANT ALL ON SCHEMA public TO {name}");
    let client = connect(&server.url()).await;
    client.batch_execute(&sql).await.unwrap();
    // Each has its own tables.
    let sql =
        format!("CREATE SCHEMA {name} AUTHORIZATION {name}; ALTER ROLE {name} SET search_path = {name}");
    client.batch_execute(&sql).await.unwrap();
    server.url_of(&name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_connections_make_requests_wait_and_fail_none() {
    let Some(server) = Server::start("few connections").await else { return };
    for limit in [2, 3, 5] {
        let options = Options { deadline: Duration::from_secs(60), ..Options::default() };
        let store = Arc::new(Postgres::open(&role(&server, limit).await, options).await.unwrap());
        for round in 0..3 {
            busy(&store, &format!("r{round}-")).await;
        }
        store.close().await;
    }
    let why = refused(&role(&server, 1).await, Options::default()).await;
    assert!(why.contains("CONNECTION LIMIT") && why.contains("store.connections"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_few_connections_and_one_too_many_is_told_so() {
    let Some(server) = Server::start("processes that share few connections").await else { return };
    let url = role(&server, 5).await;
    let options = |seconds| Options { deadline: Duration::from_secs(seconds), ..Options::default() };
    let mut stores = Vec::new();
    for _ in 0..2 {
        stores.push(Arc::new(Postgres::open(&url, options(60)).await.unwrap()));
    }
    let why = refused(&url, options(2)).await;
    assert!(why.contains("too many connections") && why.contains("store.connections"), "{why}");
    for round in 0..3 {
        let names = [format!("a{round}-"), format!("b{round}-")];
        join_all(stores.iter().zip(&names).map(|(store, name)| busy(store, name))).await;
    }
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_connections_are_made_than_the_bound_says() {
    let Some(server) = Server::start("the bound of connections").await else { return };
    for connections in [2, 4] {
        let options = Options { connections, ..Options::default() };
        let store = Arc::new(Postgres::open(&server.url(), options).await.unwrap());
        let client = connect(&server.url()).await;
        busy(&store, &format!("c{connections}-")).await;
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dialback'";
        let there: i64 = client.query_one(count, &[]).await.unwrap().get(0);
        assert!(there >= 2 && there.unsigned_abs() <= connections as u64, "{there} of {connections}");
        store.close().await;
        // They are gone when their backends are.
        let deadline = Instant::now() + PATIENCE;
        while client.query_one(count, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            assert!(Instant::now() < deadline, "connections are left");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_keeps_sessions_keeps_the_contract() {
    let Some(server) = Server::start("a pooler that keeps sessions").await else { return };
    let Some(pooler) = Pooler::start(&server, "pool_mode = session").await else { return };
    let store = Postgres::open(&pooler.url(), Options::default()).await.unwrap();
    story(&store).await;
    closed(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_does_not_keep_sessions_is_refused_by_name() {
    let Some(server) = Server::start("a pooler that does not keep sessions").await else { return };
    for settings in [
        "pool_mode = transaction",
        "pool_mode = transaction\ndefault_pool_size = 1",
        "pool_mode = transaction\nserver_round_robin = 1",
        "pool_mode = statement",
    ] {
        let Some(pooler) = Pooler::start(&server, settings).await else { return };
        let why = refused(&pooler.url(), Options::default()).await;
        assert!(why.contains("set pool_mode = session"), "{settings}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_used_up_is_named() {
    let Some(server) = Server::start("a pool that is used up").await else { return };
    let options = Options { deadline: Duration::from_secs(1), ..Options::default() };
    let Some(small) = Pooler::start(&server, "pool_mode = session\ndefault_pool_size = 1").await else {
        return;
    };
    let why = refused(&small.url(), options).await;
    assert!(why.contains("default_pool_size") && why.contains("store.connections"), "{why}");
    let Some(few) = Pooler::start(&server, "pool_mode = session\nmax_client_conn = 1").await else { return };
    let why = refused(&few.url(), options).await;
    assert!(why.contains("max_client_conn"), "{why}");

    let Some(three) = Pooler::start(&server, "pool_mode = session\ndefault_pool_size = 3").await else {
        return;
    };
    let store = Arc::new(Postgres::open(&three.url(), Options::default()).await.unwrap());
    for round in 0..3 {
        busy(&store, &format!("p{round}-")).await;
    }
    store.close().await;
}
