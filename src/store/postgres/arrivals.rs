//! Events as they come, by the database's own word for what there is: a snapshot,
//! which names the transactions that had not ended. What a later snapshot sees and an
//! earlier one did not has come in between, whatever its id and whenever it began. It
//! refuses to know who reads events.

use super::super::{Arrivals, Mark, StoreError, millis};
use super::reader::field;
use super::reader::limited;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Of which nothing has come: what was there when nothing had been.
const BEFORE_ALL: &str = "3:3:";

/// A question for what has come.
pub(super) struct Asked<'m> {
    mark: Option<&'m Mark>,
    since: i64,
    seen: &'m str,
    until: Option<&'m str>,
    behind: (&'m str, &'m str),
    limit: i64,
}

impl<'m> Asked<'m> {
    /// What has come since a mark; without one only for the mark.
    pub(super) fn of(mark: Option<&'m Mark>, since: Timestamp, limit: usize) -> Self {
        let reading = mark.and_then(|mark| mark.reading.as_ref());
        Self {
            mark,
            since: millis(since),
            seen: mark.map_or(BEFORE_ALL, |mark| &mark.seen),
            until: reading.map(|(until, ..)| until.as_str()),
            behind: reading.map_or(("0", ""), |(_, transaction, id)| (transaction, id)),
            limit: if mark.is_some() { limited(limit) } else { 0 },
        }
    }

    /// The parameters of [`super::statement::ARRIVALS`].
    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        [&self.since, &self.seen, &self.until, &self.behind.0, &self.behind.1, &self.limit]
    }

    /// The answer from its rows.
    pub(super) fn answer(&self, rows: &[Row]) -> Result<Option<Arrivals>, StoreError> {
        let Some(first) = rows.first() else {
            // Of a server that only follows another one nothing new is told.
            let (mark, is_all) = (self.mark.cloned(), true);
            return Ok(mark.map(|mark| Arrivals { ids: Vec::new(), mark, is_all }));
        };
        let (life, now): (i64, String) = (field(first, 0)?, field(first, 1)?);
        if self.mark.is_some_and(|mark| mark.life != life) {
            // Another server may have lost what this one had, and counts otherwise.
            return Err(StoreError::Unavailable("the server was started anew, or is another one".to_owned()));
        }
        let (mut ids, mut last) = (Vec::with_capacity(rows.len()), None);
        for row in rows {
            let (transaction, id): (Option<String>, Option<String>) = (field(row, 2)?, field(row, 3)?);
            if let Some((transaction, id)) = transaction.zip(id) {
                last = Some((transaction, id.clone()));
                ids.push(id);
            }
        }
        let is_all = limited(ids.len()) < self.limit || self.mark.is_none();
        let until = self.until.map_or(now, str::to_owned);
        let mark = match last.filter(|_| !is_all) {
            Some((transaction, id)) => {
                Mark { life, seen: self.seen.to_owned(), reading: Some((until, transaction, id)) }
            }
            None => Mark { life, seen: until, reading: None },
        };
        Ok(Some(Arrivals { ids, mark, is_all }))
    }
}
