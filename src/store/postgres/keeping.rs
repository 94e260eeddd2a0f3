//! Looking after the tables for as long as the store is open: the coming months are made,
//! what older processes beside this one write is filed, an index that is missing comes.
//!
//! None of it is urgent, and nobody waits for it: where requests have a connection or two
//! it takes one of its own meanwhile, if there is one to be had. An index may take hours to
//! make, so it is made beside the rest. It refuses to know how any of it is done.

use super::super::StoreError;
use super::care;
use super::fault::{unread, words};
use super::gate::Gate;
use super::indexing::{self, Indexed};
use super::link::Link;
use super::miss::Reason;
use super::neighbours;
use super::partitions::{self, MOVED_AT_ONCE};
use super::queue;
use super::reader::{Reader, field};
use futures_util::future::join;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

/// Deadlines that tending may take.
const MOST: u32 = 12;
/// Connections for reading that are too few to lend one.
const FEW: usize = 2;
/// From one look at whether the index is there to the next, while somebody else makes it or
/// is in the way.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks after the tables until `closing` says that the store is closed, or ends.
pub(super) async fn keep(
    link: Link,
    reader: Reader,
    gate: Arc<Gate>,
    is_postgres: bool,
    closing: watch::Receiver<bool>,
) {
    let watching = async {
        if is_postgres {
            join(until_indexed(&link, &reader), neighbours::watch(&gate, &reader)).await;
        }
    };
    beside(watching, tending(&link, &reader, is_postgres), closing).await;
}

/// Goes on with both, neither of which waits for the other, to the end of each or of the
/// store, whose end is told or is that of the sender.
async fn beside(
    one: impl Future<Output = ()>,
    other: impl Future<Output = ()>,
    mut closing: watch::Receiver<bool>,
) {
    tokio::select! {
        _ = join(one, other) => {}
        _ = closing.wait_for(|is_closing| *is_closing) => {}
    }
}

/// Looks after everything but the index, again and again.
async fn tending(link: &Link, reader: &Reader, is_postgres: bool) {
    let mut made_ahead = Instant::now();
    loop {
        sleep(queue::REFILE_EVERY).await;
        reader.pool.trim();
        let is_time = is_postgres && made_ahead.elapsed() >= partitions::EVERY;
        match timeout(MOST * link.deadline, look_after(link, reader, is_time)).await {
            Ok(Ok(())) if is_time => made_ahead = Instant::now(),
            Ok(Ok(())) => {}
            Ok(Err(why)) => tracing::warn!(why, "cannot look after the tables"),
            Err(_) => tracing::warn!("the tables were not looked after in time"),
        }
    }
}

/// Looks again and again until the index is there, or is not to be had.
async fn until_indexed(link: &Link, reader: &Reader) {
    loop {
        match index(link, reader).await {
            Ok(Indexed::Wholly | Indexed::NotByUs) => return,
            Ok(Indexed::NotYet) => {}
            Err(error) => tracing::warn!(%error, "cannot make the index of events as they come"),
        }
        sleep(LOOK_EVERY).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::future::pending;

    #[tokio::test]
    async fn neither_waits_for_the_other_and_both_end_with_the_store() {
        let (close, closing) = watch::channel(false);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let tends = async {
            for nth in 0.. {
                tell.send(nth).unwrap();
                tokio::task::yield_now().await;
            }
        };
        let mut both = Box::pin(beside(pending(), tends, closing.clone()));
        for nth in 0..3 {
            assert!((&mut both).now_or_never().is_none());
            assert_eq!(told.try_recv(), Ok(nth));
        }
        close.send(true).unwrap();
        both.await;
        drop(close);
        beside(pending(), pending(), closing).await;
    }
}
