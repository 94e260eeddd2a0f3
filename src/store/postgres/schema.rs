//! The tables, how they come about, and which server can have them.
//!
//! Each step of the schema has a number, and says down to which version of
//! dialback's idea of it may still be written: so an older process goes on
//! beside a newer one while a cluster is upgraded machine by machine. Steps are
//! taken under an advisory lock, so that of many processes that start at once
//! one takes them. It refuses to know records and who asks.

use super::super::StoreError;
use super::fault::words;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient};

/// The oldest PostgreSQL that is tested, as `server_version_num`.
const OLDEST: i32 = 140_000;

/// What the index of arrivals is of, behind a table's name.
pub(super) const ARRIVED_OF: &str = "(arrived) WHERE index_letter = 101 AND scope = ''";

/// Ours among the advisory locks: "DIAL".
const LOCK: i32 = 0x4449_414c;

/// Who changes a table locks everybody out of it; who cannot have that lock soon gives
/// way, for behind him all reads and writes of all processes would wait.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long until it is tried again, and how often it is: for two minutes or so.
const REST: Duration = Duration::from_secs(2);
const MOST_TRIES: usize = 40;

/// A step: the version it leads to, and the oldest that can still use it.
struct Step {
    version: i32,
    compatible_from: i32,
    sql: &'static [&'static str],
}

const STEPS: &[Step] = &[
    Step { version: 1, compatible_from: 1, sql: TABLES },
    Step { version: 2, compatible_from: 1, sql: CLAIMS },
    Step { version: 3, compatible_from: 1, sql: ARRIVALS },
];

/// Who is about to do what is due leaves word here, so that others look elsewhere;
/// see `statement::CLAIM`. Neither is in an index.
const CLAIMS: &[&str] = &["ALTER TABLE dialback_record ADD COLUMN IF NOT EXISTS claimed_due bigint, \
     ADD COLUMN IF NOT EXISTS claimed_until timestamptz"];

/// By which transaction a line came into its listing, so that who reads events as they
/// come finds those that are new; see `statement::ARRIVALS`. It is the table's to say,
/// for older processes, too; lines of before have none. The index of it is made
/// afterwards (`indexing.rs`), for nobody is to wait for it; where there are no lines
/// yet, at once.
const ARRIVALS: &[&str] = &[
    "{postgres}ALTER TABLE dialback_entry ADD COLUMN IF NOT EXISTS arrived xid8",
    "{postgres}ALTER TABLE dialback_entry ALTER COLUMN arrived SET DEFAULT pg_current_xact_id()",
];

/// Where due is NULL nothing is to be done. A record is updated more often than
/// it is inserted; room on its page keeps an update off the indexes.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS dialback_record (
        id text COLLATE \"C\" NOT NULL,
        kind smallint NOT NULL,
        version bigint NOT NULL,
        body jsonb NOT NULL,
        due bigint,
        lane smallint NOT NULL,
        PRIMARY KEY (id, kind)) {fill}",
    "CREATE INDEX IF NOT EXISTS dialback_record_due ON dialback_record (lane, due, kind, id) \
     WHERE due IS NOT NULL",
    // For those who go through all records of a kind, in the order of ids.
    "CREATE INDEX IF NOT EXISTS dialback_record_kind ON dialback_record (kind, id)",
    "CREATE TABLE IF NOT EXISTS dialback_entry (
        index_letter smallint NOT NULL,
        scope text COLLATE \"C\" NOT NULL,
        at bigint NOT NULL,
        id text COLLATE \"C\" NOT NULL,
        PRIMARY KEY (index_letter, scope, at, id)) {partitioned}",
    "{default}",
    "CREATE TABLE IF NOT EXISTS dialback_probe (id smallint PRIMARY KEY, at timestamptz NOT NULL)",
];

/// What speaks the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    /// Whether it is PostgreSQL, or made from it.
    pub is_postgres: bool,
}

/// Finds out what the server is, and whether it will do.
pub(super) async fn inspect(client: &Client) -> Result<Server, StoreError> {
    let row = client
        .query_one(
            "SELECT version(), current_setting('server_version_num')::int4, current_setting('server_encoding')",
            &[],
        )
        .await
        .map_err(|error| open(&error))?;
    let (version, number, encoding): (String, i32, String) = (row.get(0), row.get(1), row.get(2));
    let server = Server { is_postgres: !version.contains("CockroachDB") };
    judge(server, &version, number, &encoding)?;
    if server.is_postgres {
        warn(client).await.map_err(|error| open(&error))?;
    }
    Ok(server)
}

fn judge(server: Server, version: &str, number: i32, encoding: &str) -> Result<(), StoreError> {
    if server.is_postgres && number < OLDEST {
        return Err(StoreError::Open(format!(
            "the server is {}, and 14 is the oldest that will do: upgrade it, or name another in store.url",
            version.split(" on ").next().unwrap_or(version)
        )));
    }
    if !matches!(encoding, "UTF8" | "utf8") {
        return Err(StoreError::Open(format!(
            "the database's encoding is {encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    Ok(())
}

/// What is at stake where the server does not keep what it acknowledges.
async fn warn(client: &Client) -> Result<(), Error> {
    const STAKES: [(&str, &str); 3] = [
        ("synchronous_commit", "what was acknowledged may be lost when the server falls"),
        ("fsync", "the whole database may be damaged when the machine loses power"),
        ("full_page_writes", "pages may be torn when the machine loses power"),
    ];
    for (setting, stake) in STAKES {
        let row = client.query_one("SELECT current_setting($1, true)", &[&setting]).await?;
        if row.get::<_, Option<&str>>(0) == Some("off") {
            tracing::warn!(setting, stake, "the database server is set to off what must be on");
        }
    }
    Ok(())
}

/// Makes the tables, or brings them up to what this version knows.
pub(super) async fn prepare(client: &mut Client, server: Server) -> Result<(), StoreError> {
    for left in (0..MOST_TRIES).rev() {
        match bring_up(client, server).await {
            Ok(()) => return Ok(()),
            Err(Unprepared::Sql(error)) if left > 0 && is_locked(&error) => {
                tracing::warn!("the tables are in use: they are brought up to date as soon as they are not");
                tokio::time::sleep(REST).await;
            }
            Err(Unprepared::Sql(error)) => return Err(open(&error)),
            Err(Unprepared::Store(error)) => return Err(error),
        }
    }
    Err(StoreError::Open("the tables are in use by somebody who does not let go of them".into()))
}

/// Why the tables are not as they should be.
enum Unprepared {
    Store(StoreError),
    Sql(Error),
}

impl From<StoreError> for Unprepared {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Unprepared {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

/// Whether somebody else had the tables, or wanted them in another order.
pub(super) fn is_locked(error: &Error) -> bool {
    const LOCKED: [SqlState; 2] = [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| LOCKED.contains(code))
}

/// Once: in a transaction that gives way where the tables are in use.
async fn bring_up(client: &mut Client, server: Server) -> Result<(), Unprepared> {
    if is_known(found(client).await?)? {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    if server.is_postgres {
        lock(&transaction).await?;
        let give_way = format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis());
        transaction.batch_execute(&give_way).await?;
    }
    // Another process may have been here while this one waited for the lock.
    let found = found(&transaction).await?;
    if is_known(found)? {
        return Ok(());
    }
    take_steps(&transaction, server, found.map_or(0, |(version, _)| version)).await?;
    if found.is_none() && server.is_postgres {
        let index =
            format!("CREATE INDEX IF NOT EXISTS dialback_entry_arrived ON dialback_entry {}", ARRIVED_OF);
        transaction.batch_execute(&index).await?;
    }
    Ok(transaction.commit().await?)
}

/// Waits until nobody else makes tables here; let go with the transaction.
pub(super) async fn lock(client: &impl GenericClient) -> Result<(), Error> {
    let sql = "SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))";
    client.execute(sql, &[&LOCK]).await.map(drop)
}

/// The schema's version and the oldest that can use it, where there is one.
async fn found(client: &impl GenericClient) -> Result<Option<(i32, i32)>, Error> {
    // By the statement's own snapshot: what a session has looked up by name before it
    // waited for the lock is what it still knows afterwards.
    const THERE: &str = "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relname = 'dialback_schema' AND n.nspname = ANY (current_schemas(false)))";
    let there = client.query_one(THERE, &[]).await?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_opt("SELECT version, compatible_from FROM dialback_schema", &[]).await?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}

/// Whether the tables are as this version wants them, or as a newer one left
/// them for it.
fn is_known(found: Option<(i32, i32)>) -> Result<bool, StoreError> {
    let ours = STEPS.last().map_or(0, |step| step.version);
    match found {
        Some((version, compatible_from)) if version > ours && compatible_from > ours => {
            Err(StoreError::Open(format!(
                "the tables have version {version}, and this dialback knows {ours}: use a newer dialback"
            )))
        }
        Some((version, _)) => Ok(version >= ours),
        None => Ok(false),
    }
}

async fn take_steps(client: &impl GenericClient, server: Server, from: i32) -> Result<(), Error> {
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS dialback_schema (
                only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
                version integer NOT NULL,
                compatible_from integer NOT NULL)",
        )
        .await?;
    for Step { version, compatible_from, sql } in STEPS.iter().filter(|step| step.version > from) {
        for statement in *sql {
            client.batch_execute(&fitted(statement, server)).await?;
        }
        client
            .execute(
                "INSERT INTO dialback_schema (version, compatible_from) VALUES ($1, $2) \
                 ON CONFLICT (only_one) DO UPDATE SET version = excluded.version, \
                 compatible_from = excluded.compatible_from",
                &[version, compatible_from],
            )
            .await?;
        tracing::info!(version, "made the tables of the database");
    }
    Ok(())
}

fn fitted(statement: &str, server: Server) -> String {
    if let Some(own) = statement.strip_prefix("{postgres}") {
        return if server.is_postgres { own.to_owned() } else { String::new() };
    }
    let fits = |postgres: &'static str| if server.is_postgres { postgres } else { "" };
    statement
        .replace("{fill}", fits("WITH (fillfactor = 80)"))
        .replace("{partitioned}", fits("PARTITION BY RANGE (at)"))
        .replace(
            "{default}",
            fits("CREATE TABLE IF NOT EXISTS dialback_entry_default PARTITION OF dialback_entry DEFAULT"),
        )
}

fn open(error: &Error) -> StoreError {
    // A newer version's step, by a role that may only use the tables.
    const OWNER: &str = "start once as the role that owns the tables, which brings them up to date";
    StoreError::Open(match error.code() {
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => format!("{}: {OWNER}", words(error)),
        _ => words(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: Server = Server { is_postgres: true };

    #[test]
    fn a_server_that_is_too_old_is_named_with_what_to_do() {
        let judged = |number, encoding| judge(POSTGRES, "PostgreSQL 13.9 on x86", number, encoding);
        assert!(judged(140_000, "UTF8").is_ok());
        let refused = judged(139_999, "UTF8").unwrap_err().to_string();
        assert!(refused.contains("PostgreSQL 13.9,") && refused.contains("upgrade it"), "{refused}");
        let refused = judged(150_018, "LATIN1").unwrap_err().to_string();
        assert!(refused.contains("LATIN1") && refused.contains("ENCODING 'UTF8'"), "{refused}");
    }

    #[test]
    fn tables_of_a_newer_version_are_used_where_they_let_us() {
        let ours = STEPS.last().unwrap().version;
        assert!(!is_known(None).unwrap());
        assert!(!is_known(Some((ours - 1, 1))).unwrap());
        assert!(is_known(Some((ours, ours))).unwrap());
        assert!(is_known(Some((ours + 5, ours))).unwrap());
        let refused = is_known(Some((ours + 5, ours + 1))).unwrap_err().to_string();
        assert!(refused.contains("use a newer dialback"), "{refused}");
    }

    #[test]
    fn steps_go_up_one_by_one() {
        for (at, step) in STEPS.iter().enumerate() {
            assert_eq!(usize::try_from(step.version).unwrap(), at + 1);
            assert!(step.compatible_from <= step.version);
        }
    }
}
