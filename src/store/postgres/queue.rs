//! The lanes of due work in the database: what the rows say of them, and what an
//! older process has put where it does not belong now.
//!
//! A process of an older version knows two lanes, and files everything in these,
//! also beside a newer one while a cluster is upgraded. Newer ones pass over what is
//! not a lane's own, and move it to its own: at their start, and then again and
//! again. It refuses to know who does the work.

use super::super::{Depth, Key, Kind, Lane, StoreError, timestamp};
use super::reader::field;
use super::statement;
use jiff::Timestamp;
use std::time::Duration;
use tokio_postgres::{Client, Error, Row};

/// How often what older processes write is filed. They are there for as long as an
/// upgrade takes, and what they misplace is tidying that is due later.
pub(super) const REFILE_EVERY: Duration = Duration::from_secs(15);
/// Rows that are moved at once.
const BATCH: i64 = 1000;

/// Due entries from kind, id and time.
pub(super) fn due(rows: &[Row]) -> Result<Vec<(Key, Timestamp)>, StoreError> {
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        let (letter, id, at): (i16, String, i64) = (field(row, 0)?, field(row, 1)?, field(row, 2)?);
        due.extend(kind(letter).and_then(|kind| Some((Key::new(kind, id), timestamp(at)?))));
    }
    Ok(due)
}

/// What waits, from lane, kind, count and time. What only a newer process knows is
/// that one's to count.
pub(super) fn depths(rows: &[Row]) -> Result<Vec<Depth>, StoreError> {
    let mut depths = Vec::with_capacity(rows.len());
    for row in rows {
        let (lane, letter): (i16, i16) = (field(row, 0)?, field(row, 1)?);
        let (count, at): (i64, i64) = (field(row, 2)?, field(row, 3)?);
        let of = Lane::from_number(lane).zip(kind(letter)).zip(timestamp(at));
        depths.extend(of.map(|((lane, kind), oldest)| Depth {
            lane,
            kind,
            waiting: count.cast_unsigned(),
            oldest,
        }));
    }
    Ok(depths)
}

fn kind(letter: i16) -> Option<Kind> {
    u8::try_from(letter).ok().and_then(Kind::from_letter)
}

/// Puts what stands in a lane of before into its own.
pub(super) async fn refile(client: &Client) -> Result<(), Error> {
    let mut moved = 0;
    for lane in [Lane::Person, Lane::Webhook] {
        for kind in lane.strays() {
            let (from, letter, to) = (lane.number(), i16::from(kind.letter()), kind.lane().number());
            loop {
                let rows = client.query_one(statement::REFILE, &[&from, &letter, &to, &BATCH]).await?;
                let some: i64 = rows.try_get(0)?;
                moved += some;
                if some < BATCH {
                    break;
                }
            }
        }
    }
    if moved > 0 {
        tracing::info!(moved, "due work of an older version was put into lanes of its own");
    }
    Ok(())
}
