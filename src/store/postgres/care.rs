//! Looking after the tables: reading all of them, their size, their space.
//!
//! It mends nothing, and refuses to know what records mean.

use super::super::{CheckReport, Index, Key, Kind, StoreError};
use super::fault::{unread, words};
use super::link::{Connected, Link};
use super::partitions;
use super::reader::field;
use super::statement;
use futures_util::{TryStreamExt, pin_mut};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, Row, Transaction};

/// A connection without deadlines and without the planner's limits, closed
/// when it is dropped.
async fn connect(link: &Link) -> Result<Connected, StoreError> {
    let connected = link.connect().await.map_err(|miss| StoreError::Unavailable(miss.why))?;
    let fresh = link.soon(connected.client.batch_execute("RESET ALL; SET statement_timeout = 0")).await;
    fresh.map_err(StoreError::Unavailable)?.map_err(|error| unread(&error))?;
    Ok(connected)
}

/// Does on such a connection what takes as long as it takes.
pub(super) async fn at_length<T>(
    link: &Link,
    work: impl AsyncFnOnce(&mut Client) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut connected = connect(link).await?;
    let host = connected.host();
    match link.watched(host, work(&mut connected.client)).await {
        Ok(done) => done,
        Err(why) => Err(StoreError::Unavailable(format!("{}: {why}", link.place))),
    }
}

/// Reads everything, as it was at one moment.
pub(super) async fn check(client: &mut Client) -> Result<CheckReport, StoreError> {
    let transaction = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(|error| unread(&error))?;
    let mut report = CheckReport::default();
    count(&transaction, &mut report).await?;
    note_each(&transaction, &statement::bad_records(), &mut report, |row| {
        let (letter, id, why): (i16, String, String) = (field(row, 0)?, field(row, 1)?, field(row, 2)?);
        let kind = u8::try_from(letter).ok().and_then(Kind::from_letter);
        Ok(match kind {
            Some(kind) => format!("{} {why}", Key::new(kind, id)),
            None => format!("a record of kind {letter} {why}"),
        })
    })
    .await?;
    note_each(&transaction, &statement::strays(), &mut report, |row| {
        let (letter, id): (i16, String) = (field(row, 0)?, field(row, 1)?);
        let index = u8::try_from(letter).ok().and_then(Index::from_letter);
        Ok(match index {
            Some(index) => format!("{} is listed and does not exist", Key::new(index.kind(), id)),
            None => format!("a line of listing {letter} has no record"),
        })
    })
    .await?;
    // Waited for, so that no lock outlives the call.
    transaction.rollback().await.map_err(|error| unread(&error))?;
    Ok(report)
}

async fn count(transaction: &Transaction<'_>, report: &mut CheckReport) -> Result<(), StoreError> {
    const RECORDS: &str = "SELECT count(*), count(due), \
        coalesce(sum(octet_length(id) + octet_length(body::text)), 0)::bigint FROM dialback_record";
    const ENTRIES: &str = "SELECT count(*), \
        coalesce(sum(octet_length(scope) + octet_length(id) + 8), 0)::bigint FROM dialback_entry";
    let records = transaction.query_one(RECORDS, &[]).await.map_err(|error| unread(&error))?;
    let entries = transaction.query_one(ENTRIES, &[]).await.map_err(|error| unread(&error))?;
    let number = |row: &Row, column| field::<i64>(row, column).map(i64::cast_unsigned);
    report.records = number(&records, 0)?;
    report.due = number(&records, 1)?;
    report.entries = number(&entries, 0)?;
    report.bytes = number(&records, 2)? + number(&entries, 1)?;
    Ok(())
}

async fn note_each(
    transaction: &Transaction<'_>,
    sql: &str,
    report: &mut CheckReport,
    say: impl Fn(&Row) -> Result<String, StoreError>,
) -> Result<(), StoreError> {
    let rows = transaction.query_raw(sql, std::iter::empty::<i32>()).await.map_err(|error| unread(&error))?;
    pin_mut!(rows);
    while let Some(row) = rows.try_next().await.map_err(|error| unread(&error))? {
        report.note(say(&row)?);
    }
    Ok(())
}

/// The bytes of all tables with their indexes.
pub(super) const SIZE: &str = "\
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relkind = 'r' AND c.relname LIKE 'dialback\\_%'
  AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'dialback_record'::regclass)";

/// Drops empty tables of past months, lets the space of deleted rows be used again,
/// and makes the indexes anew, which gives theirs back while everybody works.
pub(super) async fn compact(client: &mut Client) -> Result<(), StoreError> {
    let failed = |error: Error| StoreError::Failed(words(&error));
    partitions::make_ahead(client, i64::MAX - 1).await.map_err(failed)?;
    partitions::drop_empty(client).await.map_err(failed)?;
    // Each by itself: it cannot stand in a transaction.
    for table in ["dialback_record", "dialback_entry", "dialback_probe"] {
        client.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await.map_err(failed)?;
        let again = client.batch_execute(&format!("REINDEX TABLE CONCURRENTLY {table}")).await;
        // A role that may only use the tables does without, as VACUUM does.
        match again {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                tracing::warn!(table, error = words(&error), "its indexes stay as they are");
            }
            again => again.map_err(failed)?,
        }
    }
    Ok(())
}
