//! The index by which events are read as they come (`statement::ARRIVALS`), on tables that
//! have lines already.
//!
//! To make it takes as long as all lines are to be read, and nobody waits for that: it is
//! made beside those who write, one month's table after the other, by one process of all.
//! Until it is there that statement reads more than it need. What a process has begun
//! that ended is found by the server's own mark, `indisvalid`, and made again. It refuses
//! to know what is read by it.

use super::fault::words;
use super::partitions::{LOCK_TIMEOUT, schema_of_tables};
use super::schema::{ARRIVED_OF, is_locked};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

/// Ours among the advisory locks: "DIAI". Held by who makes the index, as long as its
/// connection lives.
const LOCK: i32 = 0x4449_4149;

/// How the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Indexed {
    /// It is there, and all of it.
    Wholly,
    /// It is not, and somebody else makes it, or is in the way: look again.
    NotYet,
    /// It is not, and this role may not make it.
    NotByUs,
}

/// Whether it is there, and of all tables.
pub(super) const IS_WHOLE: &str = "\
SELECT coalesce((SELECT i.indisvalid FROM pg_index i
  WHERE i.indexrelid = to_regclass('dialback_entry_arrived')), false)";

/// Makes what is missing of it. The connection is not to be used for anything else
/// afterwards: its lock ends with it.
pub(super) async fn make(client: &Client) -> Result<Indexed, Error> {
    if is_whole(client).await? {
        return Ok(Indexed::Wholly);
    }
    let mine = "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))";
    if !client.query_one(mine, &[&LOCK]).await?.try_get::<_, bool>(0)? {
        return Ok(Indexed::NotYet);
    }
    match make_all(client).await {
        Ok(()) if is_whole(client).await? => {
            tracing::info!("made the index of events as they come");
            Ok(Indexed::Wholly)
        }
        // A month's table has come meanwhile.
        Ok(()) => Ok(Indexed::NotYet),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            tracing::warn!(
                error = words(&error),
                "the role makes no index of events as they come, without which reading them costs more: start \
                 once as the role that owns the tables"
            );
            Ok(Indexed::NotByUs)
        }
        Err(error) if is_locked(&error) => Ok(Indexed::NotYet),
        Err(error) => Err(error),
    }
}

async fn is_whole(client: &Client) -> Result<bool, Error> {
    client.query_one(IS_WHOLE, &[]).await?.try_get(0)
}

/// The index of all tables together, which is whole with that of the last of them.
async fn make_all(client: &Client) -> Result<(), Error> {
    let schema = schema_of_tables(client).await?;
    give_way(client, LOCK_TIMEOUT).await?;
    let all = format!(
        "CREATE INDEX IF NOT EXISTS dialback_entry_arrived ON ONLY {schema}.dialback_entry {ARRIVED_OF}"
    );
    client.batch_execute(&all).await?;
    // Months that come from now on have theirs from the beginning.
    const TABLES: &str = "\
        SELECT c.relname::text,
          EXISTS (SELECT 1 FROM pg_index i JOIN pg_inherits p ON p.inhrelid = i.indexrelid
            WHERE i.indrelid = c.oid AND p.inhparent = 'dialback_entry_arrived'::regclass),
          (SELECT i.indisvalid FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND x.relname = c.relname || '_arrived')
        FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
        WHERE h.inhparent = 'dialback_entry'::regclass ORDER BY 1 DESC";
    for row in client.query(TABLES, &[]).await? {
        let (table, has_one, own): (String, bool, Option<bool>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if !has_one {
            make_of(client, &schema, &table, own).await?;
        }
    }
    Ok(())
}

/// That of one table. One that is there and not valid was begun by somebody who ended.
async fn make_of(client: &Client, schema: &str, table: &str, is_valid: Option<bool>) -> Result<(), Error> {
    // Waiting here keeps nobody waiting: writers are let pass.
    give_way(client, Duration::ZERO).await?;
    if is_valid == Some(false) {
        tracing::info!(
            table,
            "the index of events as they come was begun and not finished: it is made again"
        );
        client.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {schema}.{table}_arrived")).await?;
    }
    if is_valid != Some(true) {
        let create = format!("CREATE INDEX CONCURRENTLY {table}_arrived ON {schema}.{table} {ARRIVED_OF}");
        client.batch_execute(&create).await?;
    }
    give_way(client, LOCK_TIMEOUT).await?;
    let attach =
        format!("ALTER INDEX {schema}.dialback_entry_arrived ATTACH PARTITION {schema}.{table}_arrived");
    client.batch_execute(&attach).await
}

/// Waits for locks no longer than that; zero is for ever.
async fn give_way(client: &Client, after: Duration) -> Result<(), Error> {
    client.batch_execute(&format!("SET lock_timeout = {}", after.as_millis())).await
}
