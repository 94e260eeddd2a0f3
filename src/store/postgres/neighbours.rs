//! Whether other processes write to the same tables. Each writer holds a shared lock for as
//! long as its connection lives, and whoever wants to know counts them. It refuses to know
//! what anybody makes of it.

use super::super::StoreError;
use super::gate::Gate;
use super::reader::{Reader, field};
use std::time::Duration;
use tokio::time::sleep;
use tokio_postgres::Client;

/// Ours among the advisory locks: "DIAW". Held by each that writes, shared: nobody waits for
/// it.
const LOCK: i32 = 0x4449_4157;
/// Connections for reading that are too few to lend one.
const FEW: usize = 2;
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Every connection that writes to these tables. Locks of two numbers have them in these
/// columns, without a sign.
const WRITERS: &str = "\
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid::bigint = $1::bigint AND objid::bigint = hashtext(current_schema())::bigint & 4294967295";

/// Says that a connection writes, until it ends. One of which nobody can know is counted
/// by nobody, and that harms nobody.
pub(super) async fn announce(client: &Client) {
    let sql = "SELECT pg_advisory_lock_shared($1, hashtext(current_schema()))";
    if let Err(error) = client.query(sql, &[&LOCK]).await {
        tracing::debug!(%error, "nobody is told that this connection writes");
    }
}

/// Looks again and again.
pub(super) async fn watch(gate: &Gate, reader: &Reader) {
    // Where connections are few they are for those who wait.
    while reader.pool.most() > FEW {
        sleep(LOOK_EVERY).await;
        match writers(reader).await {
            Ok(writers) => gate.company.set_shared(writers > gate.writers()),
            Err(error) => tracing::debug!(%error, "cannot count who else writes"),
        }
    }
}

/// How many connections write to these tables, of all processes.
pub(super) async fn writers(reader: &Reader) -> Result<i64, StoreError> {
    let rows = reader.query(WRITERS, &[&i64::from(LOCK)]).await?;
    rows.first().map_or(Ok(0), |row| field(row, 0))
}
