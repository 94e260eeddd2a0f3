//! Reading: records by key in batches, and all else one by one, over a pool.
//!
//! Reads that wait together are one statement, as writes are, and wait for each other
//! a moment (`company.rs`): a pool of single
//! reads is at its end where the server has a thousand times as much to give.
//! What is read has been committed, and so is on the server's disk, and on its
//! standby's where it waits for one. One thing is written from here:
//! which process was given what is due (`Store::claim`), for that is found and marked in
//! one statement. It refuses to know all other writes.

use super::super::{Key, StoreError, Stored};
use super::body::Body;
use super::company::Company;
use super::fault::{Fault, unread};
use super::link::SERVERS_SHARE;
use super::pool::Pool;
use super::statement;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Most records in one statement.
pub(super) const MOST_KEYS: usize = 256;

/// Fewer records than these wait for company while so many batches are under way, no
/// longer than that.
const FEW: usize = 8;
const MANY: usize = 2;
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// Somebody who waits for a record.
pub(super) struct Ask {
    pub key: Key,
    pub answer: oneshot::Sender<Result<Option<Stored>, StoreError>>,
}

/// Connections for reading, and a deadline for each statement.
#[derive(Clone)]
pub(super) struct Reader {
    pub pool: Pool,
    /// Batches that the server is at.
    pub company: Arc<Company>,
    pub place: Arc<str>,
    pub deadline: Duration,
}

impl Reader {
    /// The rows of a statement.
    pub(super) async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let end = Instant::now() + self.deadline;
        // A connection that was lost while it lay in the pool is noticed at its next use. And
        // who changes tables may lock them in another order than who reads them.
        match self.once(sql, parameters, end).await? {
            Err(error) if is_lost(&error) || matches!(Fault::of(&error), Fault::Again(_)) => {
                self.once(sql, parameters, end).await?
            }
            done => done,
        }
        .map_err(|error| unread(&error))
    }

    async fn once(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
        end: Instant,
    ) -> Result<Result<Vec<Row>, tokio_postgres::Error>, StoreError> {
        let mut lent = self.pool.get(end).await?;
        let began = Instant::now();
        match timeout_at(end, lent.query(sql, parameters)).await {
            Ok(Ok(rows)) => Ok(Ok(rows)),
            Ok(Err(error)) => {
                if !is_lost(&error) {
                    lent.free();
                }
                Ok(Err(error))
            }
            Err(_) => {
                // One that had all this time and is alive has given up before.
                if began.elapsed() >= self.deadline.mul_f64(SERVERS_SHARE) {
                    lent.fell_silent();
                }
                let why = format!("{}: no answer in {:?}", self.place, self.deadline);
                Err(StoreError::Unavailable(why))
            }
        }
    }

    /// Serves those who wait for records until nobody can ask any more.
    pub(super) async fn run(self, queue: Arc<Mutex<Receiver<Ask>>>) {
        loop {
            let mut batch = Vec::new();
            {
                // Held all the while, so that what comes is for this batch.
                let mut queue = queue.lock().await;
                if queue.recv_many(&mut batch, MOST_KEYS).await == 0 {
                    return;
                }
                if batch.len() < FEW {
                    self.company.until_fewer(MANY, LONGEST_WAIT).await;
                    let left = queue.len().min(MOST_KEYS - batch.len());
                    if left > 0 {
                        queue.recv_many(&mut batch, left).await;
                    }
                }
            }
            let _under_way = self.company.begin(batch.len());
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

    async fn serve(&self, mut batch: Vec<Ask>) {
        // Who has waited for too long has gone.
        batch.retain(|ask| !ask.answer.is_closed());
        if batch.is_empty() {
            return;
        }
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

/// Whether the connection is of no more use.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    Fault::of(error).ends_the_connection()
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

pub(super) fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
