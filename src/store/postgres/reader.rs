//! Reading: records by key in batches, and all else one by one, over a pool.
//!
//! Reads that wait together are one statement, as writes are: a pool of single
//! reads is at its end where the server has a thousand times as much to give.
//! What is read has been committed, and so is on the server's disk, and on its
//! standby's where it waits for one. One thing is written from here:
//! which process was given what is due (`Store::claim`), for that is found and marked in
//! one statement. It refuses to know all other writes.

use super::super::{Key, StoreError, Stored};
use super::body::Body;
use super::fault::{Fault, unread, words};
use super::statement;
use deadpool_postgres::{Object, Pool, PoolError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Most records in one statement.
pub(super) const MOST_KEYS: usize = 256;

/// Somebody who waits for a record.
pub(super) struct Ask {
    pub key: Key,
    pub answer: oneshot::Sender<Result<Option<Stored>, StoreError>>,
}

/// Connections for reading, and a deadline for each statement.
#[derive(Clone)]
pub(super) struct Reader {
    pub pool: Pool,
    pub place: Arc<str>,
    pub deadline: Duration,
}

impl Reader {
    /// The rows of a statement.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let all = async {
            // A connection that was lost while it lay in the pool is noticed
            // at its next use.
            match self.once(sql, parameters).await {
                Err(Unread::Query(error)) if is_lost(&error) => self.once(sql, parameters).await,
                done => done,
            }
        };
        match timeout(self.deadline, all).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(Unread::Pool(error))) => Err(self.unreachable(&error)),
            Ok(Err(Unread::Query(error))) => Err(unread(&error)),
            Err(_) => {
                Err(StoreError::Unavailable(format!("{}: no answer in {:?}", self.place, self.deadline)))
            }
        }
    }

    async fn once(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Unread> {
        let mut lent = Lent(Some(self.pool.get().await.map_err(Unread::Pool)?));
        let done = lent.query(sql, parameters).await;
        if !matches!(&done, Err(error) if is_lost(error)) {
            lent.give_back();
        }
        done.map_err(Unread::Query)
    }

    fn unreachable(&self, error: &PoolError) -> StoreError {
        let why = match error {
            PoolError::Backend(error) => words(error),
            PoolError::Closed => return StoreError::Closed,
            PoolError::Timeout(_) => format!("no connection in {:?}", self.deadline),
            other => other.to_string(),
        };
        StoreError::Unavailable(format!("{}: {why}", self.place))
    }

    /// Serves those who wait for records until nobody can ask any more.
    pub(super) async fn run(self, queue: Arc<Mutex<Receiver<Ask>>>) {
        loop {
            let mut batch = Vec::new();
            if queue.lock().await.recv_many(&mut batch, MOST_KEYS).await == 0 {
                return;
            }
            self.serve(batch).await;
        }
    }

    /// Records by their keys, at most [`MOST_KEYS`], in one statement.
    pub(super) async fn read(
        &self,
        keys: impl Iterator<Item = &Key> + Send,
    ) -> Result<Vec<Option<Stored>>, StoreError> {
        let (ids, kinds): (Vec<&str>, Vec<i16>) =
            keys.map(|key| (key.id.as_str(), i16::from(key.kind.letter()))).unzip();
        let rows = self.query(statement::READ, &[&ids, &kinds]).await?;
        let mut found: Vec<Option<Stored>> = vec![None; ids.len()];
        for row in &rows {
            let nth: i64 = field(row, 0)?;
            let place = usize::try_from(nth - 1).ok().and_then(|nth| found.get_mut(nth));
            if let Some(place) = place {
                *place = Some(stored(row, 1)?);
            }
        }
        Ok(found)
    }

    async fn serve(&self, batch: Vec<Ask>) {
        match self.read(batch.iter().map(|ask| &ask.key)).await {
            Ok(found) => batch.into_iter().zip(found).for_each(|(ask, stored)| {
                // Who has gone no longer asks.
                let _ = ask.answer.send(Ok(stored));
            }),
            Err(error) => batch.into_iter().for_each(|ask| {
                let _ = ask.answer.send(Err(error.clone()));
            }),
        }
    }
}

enum Unread {
    Pool(PoolError),
    Query(tokio_postgres::Error),
}

/// Whether the connection is of no more use.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    Fault::of(error).ends_the_connection()
}

/// A connection that goes back only when it is told to: one whose query was
/// given up is still busy with it.
struct Lent(Option<Object>);

impl Lent {
    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let Some(client) = &self.0 else { return Ok(Vec::new()) };
        let statement = client.prepare_cached(sql).await?;
        client.query(&statement, parameters).await
    }

    fn give_back(&mut self) {
        self.0 = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// A column of a row.
pub(super) fn field<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| StoreError::Damaged(format!("a row does not read: {error}")))
}

/// Version and body, from that column on.
pub(super) fn stored(row: &Row, first: usize) -> Result<Stored, StoreError> {
    let (version, body): (i64, Body) = (field(row, first)?, field(row, first + 1)?);
    Ok(Stored { version: version.cast_unsigned(), body: body.0 })
}
