//! Several listings with their records in one statement. It refuses to know what is
//! listed.

use super::super::{Entry, Listed, Scan, StoreError, millis, timestamp};
use super::reader::{field, limited, stored};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// Stretches that are asked for, as the arrays of [`statement::LIST`](super::statement::LIST).
pub(super) struct Asked<'s> {
    scans: &'s [Scan],
    letters: Vec<i16>,
    scopes: Vec<&'s str>,
    since: Vec<i64>,
    until: Vec<i64>,
    before_at: Vec<i64>,
    before_id: Vec<&'s str>,
    kinds: Vec<i16>,
    /// The most that any of them wants.
    limit: i64,
}

impl<'s> Asked<'s> {
    /// What these scans ask for, as one statement takes it.
    pub fn of(scans: &'s [Scan]) -> Self {
        let before = |scan: &'s Scan| {
            scan.after.as_ref().map_or((i64::MAX, ""), |(at, id)| (millis(*at), id.as_str()))
        };
        let (before_at, before_id) = scans.iter().map(before).unzip();
        Self {
            scans,
            letters: scans.iter().map(|scan| scan.index.letter().into()).collect(),
            scopes: scans.iter().map(|scan| scan.scope.as_str()).collect(),
            since: scans.iter().map(|scan| scan.since.map_or(i64::MIN, millis)).collect(),
            until: scans.iter().map(|scan| scan.until.map_or(i64::MAX, millis)).collect(),
            before_at,
            before_id,
            kinds: scans.iter().map(|scan| scan.index.kind().letter().into()).collect(),
            limit: limited(scans.iter().map(|scan| scan.limit).max().unwrap_or(0)),
        }
    }

    /// The parameters of the statement.
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 8] {
        [
            &self.letters,
            &self.scopes,
            &self.since,
            &self.until,
            &self.before_at,
            &self.before_id,
            &self.kinds,
            &self.limit,
        ]
    }

    /// What its rows say.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for rows that do not read.
    pub fn answer(&self, rows: &[Row]) -> Result<Vec<Vec<Listed>>, StoreError> {
        let mut stretches: Vec<Vec<Listed>> = self.scans.iter().map(|_| Vec::new()).collect();
        for row in rows {
            let (nth, at, id): (i64, i64, String) = (field(row, 0)?, field(row, 1)?, field(row, 2)?);
            let nth = usize::try_from(nth - 1).unwrap_or(usize::MAX);
            let (Some(scan), Some(stretch), Some(at)) =
                (self.scans.get(nth), stretches.get_mut(nth), timestamp(at))
            else {
                continue;
            };
            // All have one limit in the statement.
            if stretch.len() < scan.limit {
                let version: Option<i64> = field(row, 3)?;
                let stored = version.map(|_| stored(row, 3)).transpose()?;
                let (index, scope) = (scan.index, scan.scope.clone());
                stretch.push(Listed { entry: Entry { index, scope, at, id }, stored });
            }
        }
        Ok(stretches)
    }
}
