//! Lines of listings by calendar month, so that what expires takes its space
//! with it: an empty table is dropped, where an emptied one stays as large as
//! it was.
//!
//! The coming months' tables are made ahead. Where that cannot be done, or a
//! line is older than the oldest table, the default table takes it, and nothing
//! is lost but the ease of dropping it. When it can be done later the lines of that
//! month go over to its table, in one transaction for which the others wait: few by
//! themselves, many when the operator says so (`store compact`). Months are UTC's, by the server's
//! clock. It refuses to know records.

use super::fault::words;
use super::schema;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient};

/// Months that have a table before they begin.
const AHEAD: i64 = 2;

/// Making and dropping a table locks the others for a moment; who cannot have
/// that lock soon gives way, for behind him writers would wait.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// How often tables are made ahead.
pub(super) const EVERY: Duration = Duration::from_secs(3600);

/// A month's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Month(Date);

impl Month {
    fn of(millis: i64) -> Option<Self> {
        let date = Timestamp::from_millisecond(millis).ok()?.to_zoned(TimeZone::UTC).date();
        Some(Self(date.first_of_month()))
    }

    fn later(self, months: i64) -> Option<Self> {
        self.0.checked_add(months.months()).ok().map(Self)
    }

    fn name(self) -> String {
        format!("dialback_entry_{:04}_{:02}", self.0.year(), self.0.month())
    }

    /// The month of a table.
    fn named(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("dialback_entry_")?.split_once('_')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok().map(Self)
    }

    /// Its first millisecond.
    fn begins(self) -> Option<i64> {
        Some(self.0.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
    }
}

/// Lines that go over to their month's table while everybody works: what takes a
/// second or so.
pub(super) const MOVED_AT_ONCE: i64 = 50_000;

/// Makes the tables of this month and the coming ones, and moves at most so many lines
/// to each out of the default table.
pub(super) async fn make_ahead(client: &mut Client, most: i64) -> Result<(), Error> {
    let Some(now) = this_month(client).await? else { return Ok(()) };
    for month in (0..=AHEAD).filter_map(|ahead| now.later(ahead)) {
        let there = client.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&month.name()]).await?;
        if there.get(0) {
            continue;
        }
        let made = match make(client, month).await {
            // It has lines already.
            Err(error) if error.code() == Some(&SqlState::CHECK_VIOLATION) => {
                make_of_default(client, month, most).await
            }
            made => made,
        };
        if let Err(error) = made {
            let table = month.name();
            tracing::warn!(table, error = words(&error), "lines of that month go to the default table");
        }
    }
    Ok(())
}

/// Makes a month's table of the lines that the default table has of it.
async fn make_of_default(client: &mut Client, month: Month, most: i64) -> Result<(), Error> {
    let (Some(from), Some(to)) = (month.begins(), month.later(1).and_then(Month::begins)) else {
        return Ok(());
    };
    let transaction = client.transaction().await?;
    begin(&transaction).await?;
    let schema = schema_of_tables(&transaction).await?;
    let (table, default) = (month.name(), format!("{schema}.dialback_entry_default"));
    transaction.batch_execute(&format!("LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")).await?;
    let lines = format!(
        "SELECT count(*) FROM (SELECT FROM {default} WHERE at >= {from} AND at < {to} LIMIT {}) AS lines",
        most.saturating_add(1)
    );
    if transaction.query_one(&lines, &[]).await?.get::<_, i64>(0) > most {
        tracing::warn!(
            table,
            most,
            "the default table has more lines of that month than are moved by the way: run `dialback store \
             compact` at a quiet time, for which writes wait meanwhile"
        );
        return Ok(());
    }
    let sql = format!(
        "CREATE TABLE {schema}.{table} (LIKE {schema}.dialback_entry INCLUDING ALL);
         WITH moved AS (DELETE FROM {default} WHERE at >= {from} AND at < {to} RETURNING *)
           INSERT INTO {schema}.{table} SELECT * FROM moved;
         ALTER TABLE {schema}.dialback_entry ATTACH PARTITION {schema}.{table}
           FOR VALUES FROM ({from}) TO ({to})"
    );
    transaction.batch_execute(&sql).await?;
    transaction.commit().await?;
    tracing::info!(table, "made the table of a month, and moved its lines there");
    Ok(())
}

async fn make(client: &mut Client, month: Month) -> Result<(), Error> {
    let (Some(from), Some(to)) = (month.begins(), month.later(1).and_then(Month::begins)) else {
        return Ok(());
    };
    let transaction = client.transaction().await?;
    begin(&transaction).await?;
    let schema = schema_of_tables(&transaction).await?;
    let create = format!(
        "CREATE TABLE IF NOT EXISTS {schema}.{} PARTITION OF {schema}.dialback_entry \
         FOR VALUES FROM ({from}) TO ({to})",
        month.name()
    );
    transaction.batch_execute(&create).await?;
    transaction.commit().await
}

/// Drops the tables of past months that have become empty.
pub(super) async fn drop_empty(client: &mut Client) -> Result<(), Error> {
    let Some(now) = this_month(client).await? else { return Ok(()) };
    let tables = client
        .query(
            "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
             WHERE i.inhparent = 'dialback_entry'::regclass ORDER BY 1",
            &[],
        )
        .await?;
    for name in tables.iter().map(|row| row.get::<_, String>(0)) {
        if Month::named(&name).is_some_and(|month| month.0 < now.0) {
            match drop_if_empty(client, &name).await {
                Ok(true) => tracing::info!(table = name, "dropped the empty table of a past month"),
                Ok(false) => {}
                Err(error) => tracing::warn!(table = name, error = words(&error), "left where it is"),
            }
        }
    }
    Ok(())
}

async fn drop_if_empty(client: &mut Client, name: &str) -> Result<bool, Error> {
    let transaction = client.transaction().await?;
    begin(&transaction).await?;
    let schema = schema_of_tables(&transaction).await?;
    let is_empty = format!("SELECT NOT EXISTS (SELECT 1 FROM {schema}.{name})");
    // First without standing in anybody's way.
    if !transaction.query_one(&is_empty, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    transaction
        .batch_execute(&format!("LOCK TABLE ONLY {schema}.dialback_entry IN ACCESS EXCLUSIVE MODE"))
        .await?;
    transaction.batch_execute(&format!("LOCK TABLE {schema}.{name} IN ACCESS EXCLUSIVE MODE")).await?;
    if !transaction.query_one(&is_empty, &[]).await?.get::<_, bool>(0) {
        return Ok(false);
    }
    transaction.batch_execute(&format!("DROP TABLE {schema}.{name}")).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn begin(client: &impl GenericClient) -> Result<(), Error> {
    client.batch_execute(&format!("SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis())).await?;
    schema::lock(client).await
}

/// Where the tables are, as a name that stands in a statement.
pub(super) async fn schema_of_tables(client: &impl GenericClient) -> Result<String, Error> {
    let row = client
        .query_one(
            "SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = 'dialback_entry'::regclass",
            &[],
        )
        .await?;
    row.try_get(0)
}

async fn this_month(client: &Client) -> Result<Option<Month>, Error> {
    let row = client.query_one("SELECT (extract(epoch FROM now()) * 1000)::bigint", &[]).await?;
    Ok(Month::of(row.try_get(0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other_without_a_gap() {
        let december = Month::of("2026-12-31T23:59:59.999Z".parse::<Timestamp>().unwrap().as_millisecond());
        let december = december.unwrap();
        assert_eq!(december.name(), "dialback_entry_2026_12");
        let january = december.later(1).unwrap();
        assert_eq!(january.name(), "dialback_entry_2027_01");
        assert_eq!(
            january.begins(),
            Some("2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond())
        );
        assert_eq!(Month::named(&january.name()), Some(january));
        assert_eq!(Month::named("dialback_entry_default"), None);
        assert_eq!(Month::of(-1).unwrap().name(), "dialback_entry_1969_12");
    }
}
