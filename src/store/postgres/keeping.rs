//! Looking after the tables for as long as the store is open: the coming months are made,
//! what older processes beside this one write is filed, an index that is missing comes.
//!
//! None of it is urgent, and nobody waits for it: where requests have a connection or two
//! it takes one of its own meanwhile, if there is one to be had. It refuses to know how
//! any of it is done.

use super::super::StoreError;
use super::care;
use super::fault::{unread, words};
use super::indexing::{self, Indexed};
use super::link::Link;
use super::miss::Reason;
use super::partitions::{self, MOVED_AT_ONCE};
use super::queue;
use super::reader::{Reader, field};
use std::time::Instant;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

/// Deadlines that it may take.
const MOST: u32 = 12;
/// Connections for reading that are too few to lend one.
const FEW: usize = 2;

/// Does it again and again.
pub(super) async fn keep(link: Link, reader: Reader, is_postgres: bool) {
    let (mut made_ahead, mut indexed) = (Instant::now(), Indexed::NotYet);
    loop {
        if is_postgres && indexed == Indexed::NotYet {
            indexed = index(&link, &reader).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot make the index of events as they come");
                Indexed::NotYet
            });
        }
        sleep(queue::REFILE_EVERY).await;
        reader.pool.trim();
        let is_time = is_postgres && made_ahead.elapsed() >= partitions::EVERY;
        match timeout(MOST * link.deadline, look_after(&link, &reader, is_time)).await {
            Ok(Ok(())) if is_time => made_ahead = Instant::now(),
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(why, "cannot look after the tables"),
            Err(_) => tracing::warn!("the tables were not looked after in time"),
        }
    }
}

async fn index(link: &Link, reader: &Reader) -> Result<Indexed, StoreError> {
    let rows = reader.query(indexing::IS_WHOLE, &[]).await?;
    if rows.first().map_or(Ok(false), |row| field(row, 0))? {
        return Ok(Indexed::Wholly);
    }
    care::at_length(link, async |client| indexing::make(client).await.map_err(|error| unread(&error))).await
}

async fn look_after(link: &Link, reader: &Reader, is_time: bool) -> Result<(), String> {
    if reader.pool.most() <= FEW {
        match link.connect().await {
            Ok(mut own) => return tend(&mut own.client, is_time).await,
            // Theirs, then: else it would never be done.
            Err(miss) if miss.reason == Reason::Full => {}
            Err(miss) => return Err(miss.why),
        }
    }
    let end = tokio::time::Instant::now() + link.deadline;
    let mut lent = reader.pool.get(end).await.map_err(|error| error.to_string())?;
    let Some(client) = lent.client() else { return Ok(()) };
    tend(client, is_time).await?;
    lent.free();
    Ok(())
}

async fn tend(client: &mut Client, is_time: bool) -> Result<(), String> {
    queue::refile(client).await.map_err(|error| words(&error))?;
    if is_time {
        partitions::make_ahead(client, MOVED_AT_ONCE).await.map_err(|error| words(&error))?;
    }
    Ok(())
}
